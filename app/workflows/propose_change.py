"""A change that takes two: what one person asks for waits until another has confirmed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.errors import TooManyProposals
from app.domain.events import EventType, NewEvent
from app.domain.proposals import Hands, Proposal, ProposalKind, ProposalState, SecondPerson
from app.storage import api_keys, audit, events, proposals
from app.storage.sealing import KeyRing

MOST_PENDING = 20
"""Proposals of one agency that wait."""
VERBS: Mapping[ProposalState, str] = {
    ProposalState.PENDING: "make",
    ProposalState.CONFIRMED: "confirm",
    ProposalState.REFUSED: "refuse",
    ProposalState.WITHDRAWN: "withdraw",
    ProposalState.EXPIRED: "expire",
    ProposalState.SUPERSEDED: "supersede",
    ProposalState.OUTDATED: "outdate",
}
"""What the audit calls the step that led there."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for: of which kind, to what, and what of it is secret."""

    kind: ProposalKind
    agency_code: str | None
    subject: str
    what: Mapping[str, Any]
    secret: Mapping[str, Any] | None = field(default=None, repr=False)


async def propose(
    session: AsyncSession,
    caller: Caller | None,
    change: Change,
    *,
    key_ring: KeyRing,
    terms: SecondPerson,
    now: datetime,
) -> Proposal:
    """Keep a change for a second person, in place of one of its kind that waits for the same thing, which is locked.

    TooManyProposals if more of the agency's wait than may. A caller of None is the command line.
    """
    by = Hands.of(caller) if caller else None
    new_id = uuid7()
    superseded = await proposals.end_pending(
        session, change.kind, change.subject, ProposalState.SUPERSEDED, by=by, superseded_by=new_id
    )
    for one in superseded:
        await tell(session, caller, one, now=now)
    if change.agency_code and await proposals.count_pending(session, change.agency_code) >= MOST_PENDING:
        raise TooManyProposals
    made = await proposals.add(
        session,
        key_ring,
        new_id,
        change.kind,
        agency_code=change.agency_code,
        subject=change.subject,
        what=change.what,
        secret=change.secret,
        by=by,
        within=terms.within,
    )
    await tell(session, caller, made, now=now)
    return made


async def outdate(
    session: AsyncSession, caller: Caller | None, kind: ProposalKind, subject: str, *, now: datetime
) -> None:
    """End what waits of a kind for a thing that is locked, because the thing itself is changed now."""
    by = Hands.of(caller) if caller else None
    for one in await proposals.end_pending(session, kind, subject, ProposalState.OUTDATED, by=by):
        await tell(session, caller, one, now=now)


async def tell(session: AsyncSession, caller: Caller | None, proposal: Proposal, *, now: datetime) -> None:
    """Record a step of a proposal, and tell those whose it is."""
    await audit.record(session, caller, f"proposal.{VERBS[proposal.state]}", subject="proposal", subject_id=proposal.id)
    pending = proposal.state is ProposalState.PENDING
    type_ = EventType.PROPOSAL_MADE if pending else EventType.PROPOSAL_ENDED
    told = {proposal.agency_code} if proposal.agency_code else await api_keys.operators(session)
    news = [NewEvent(agency, type_, _data(proposal)) for agency in sorted(told)]
    await events.announce(session, news, now=now)


def endpoint_of(proposal: Proposal) -> UUID:
    """Give the endpoint a proposal is about."""
    return UUID(proposal.subject)


def _data(proposal: Proposal) -> dict[str, Any]:
    if proposal.kind is ProposalKind.PUBLISH:
        about = {"document": proposal.what["document"], "version": proposal.what["version"]}
    else:
        about = {"endpoint_id": proposal.subject}
    return {
        "proposal_id": str(proposal.id),
        "kind": proposal.kind.value,
        "state": proposal.state.value,
        "expires_at": proposal.expires_at.isoformat(),
        **about,
    }
