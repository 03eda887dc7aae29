"""A second person confirms a proposal or refuses it, or who made it takes it back: each has one outcome."""

from uuid import UUID

from app.domain.analysis import check
from app.domain.caller import Caller, Role
from app.domain.clock import BusinessClock
from app.domain.errors import AnotherPersonRequired, NotFound, PreconditionFailed, ProposalEnded
from app.domain.proposals import Hands, Proposal, ProposalKind, ProposalState
from app.domain.versions import Expected
from app.storage import endpoints, proposals
from app.workflows.carry_out_proposal import carry_out
from app.workflows.check_document import Check, Checked
from app.workflows.desk import Desk
from app.workflows.propose_change import endpoint_of, tell
from app.workflows.publish_document import publish_document


async def visible_proposal(desk: Desk, caller: Caller, proposal_id: UUID) -> Proposal:
    """Give a proposal that the caller may see: one of their agency, or any for an operator; else NotFound."""
    whose = None if caller.may(Role.OPERATOR) else caller.agency_code
    found = await proposals.get(desk.tx, proposal_id, agency_code=whose)
    if found is None:
        raise NotFound("proposal")
    return found


async def confirm_proposal(
    desk: Desk,
    caller: Caller,
    proposal_id: UUID,
    *,
    clock: BusinessClock,
    ahead: Checked | None = None,
    check: Check = check,
) -> Proposal:
    """Carry out what another person proposed; AnotherPersonRequired for who did, ProposalEnded if it waits no more.

    The thing is locked before its proposal, as by all who change the thing: whoever comes second finds what the first
    has done. What cannot be carried out as things are is refused as the change itself would be, and goes on waiting.
    """
    known = await _decidable(desk, caller, proposal_id)
    if known.kind is ProposalKind.PUBLISH:
        await _publish(desk, caller, known, clock, ahead, check)
        return await _end(desk, caller, known, ProposalState.CONFIRMED)
    return await carry_out(desk, caller, known, lambda: _end(desk, caller, known, ProposalState.CONFIRMED))


async def refuse_proposal(desk: Desk, caller: Caller, proposal_id: UUID) -> Proposal:
    """End a proposal of another person, for good."""
    known = await _decidable(desk, caller, proposal_id)
    await _lock_endpoints(desk, known)
    return await _end(desk, caller, known, ProposalState.REFUSED)


async def withdraw_proposal(desk: Desk, caller: Caller | None, proposal_id: UUID) -> Proposal:
    """Take back what the caller proposed, or the command line where it is None; NotFound for anybody else."""
    known = await (visible_proposal(desk, caller, proposal_id) if caller else proposals.get(desk.tx, proposal_id))
    if known is None or not _is_own(known, caller):
        raise NotFound("proposal")
    await _lock_endpoints(desk, known)
    return await _end(desk, caller, known, ProposalState.WITHDRAWN)


async def _lock_endpoints(desk: Desk, known: Proposal) -> None:
    # Before the proposal, as whoever confirms it does: the news of its end waits for those that are not active.
    if known.agency_code is not None:
        await endpoints.lock_with_idle(desk.tx, endpoint_of(known), agency_code=known.agency_code)


async def _decidable(desk: Desk, caller: Caller, proposal_id: UUID) -> Proposal:
    known = await visible_proposal(desk, caller, proposal_id)
    if _is_own(known, caller):
        raise AnotherPersonRequired
    if known.state is not ProposalState.PENDING:
        raise ProposalEnded(known.state)
    return known


def _is_own(known: Proposal, caller: Caller | None) -> bool:
    if known.proposed_by is None or caller is None:
        return known.proposed_by is None and caller is None
    return known.proposed_by.same_as(Hands.of(caller))


async def _end(desk: Desk, caller: Caller | None, known: Proposal, state: ProposalState) -> Proposal:
    ended = await proposals.end(desk.tx, known.id, state, by=Hands.of(caller) if caller else None)
    if ended is None:
        now = await proposals.get(desk.tx, known.id)
        raise ProposalEnded(now.state if now else ProposalState.WITHDRAWN)
    await tell(desk.tx, caller, ended, now=desk.now)
    return ended


async def _publish(
    desk: Desk, caller: Caller, known: Proposal, clock: BusinessClock, ahead: Checked | None, check: Check
) -> None:
    what = known.what
    expected = Expected(frozenset({what["revision"]}))
    try:
        await publish_document(
            desk, caller, what["document"], what["version"], expected=expected, clock=clock, ahead=ahead, check=check
        )
    except (PreconditionFailed, NotFound):
        # Between the look at the proposal and the lock of its draft somebody changed that.
        raise ProposalEnded(ProposalState.OUTDATED) from None
