"""An operator wants a draft to become law: it does at once, or waits for another operator where two are asked for."""

from app.domain.analysis import check
from app.domain.caller import Caller
from app.domain.clock import BusinessClock
from app.domain.proposals import Proposal, ProposalKind, SecondPerson, subject_of
from app.domain.versions import Expected
from app.workflows.check_document import Check, Checked
from app.workflows.desk import Desk
from app.workflows.propose_change import Change, outdate, propose
from app.workflows.publish_document import Publication, publish_document, ready_to_publish


async def ask_to_publish(
    desk: Desk,
    caller: Caller | None,
    id_: str,
    version: int,
    *,
    terms: SecondPerson,
    expected: Expected | None,
    clock: BusinessClock,
    ahead: Checked | None,
    check: Check = check,
) -> Publication | Proposal:
    """Publish a draft, or propose to where that takes two; what would refuse it refuses it now, as in publishing."""
    subject = subject_of(id_, version)
    if not terms.publishing:
        law = await publish_document(
            desk, caller, id_, version, expected=expected, clock=clock, ahead=ahead, check=check
        )
        await outdate(desk.tx, caller, ProposalKind.PUBLISH, subject, now=desk.now)
        return law
    ready = await ready_to_publish(desk, id_, version, expected=expected, clock=clock, ahead=ahead, check=check)
    await ready.hold(desk)
    what = {"document": id_, "version": version, "revision": ready.draft.revision}
    change = Change(ProposalKind.PUBLISH, None, subject, what)
    return await propose(desk.tx, caller, change, key_ring=desk.key_ring, terms=terms, now=desk.now)
