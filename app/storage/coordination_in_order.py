"""What an agency coordinates, in the order in which its people look at it: what waits first of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.facts import Facts
from app.domain.handoff import ENDED_REQUESTS, HandoffState, RequestState
from app.domain.referral import ClockKind
from app.domain.vocabulary import Urgency
from app.storage.cases import is_restricted
from app.storage.tables import clocks, coordinations, facts, handoffs, referrals, service_requests, uncoordinated

FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""Before all that waits."""


class Standing(StrEnum):
    """A part of what an agency coordinates."""

    WAITING = "waiting"
    """It waits for a person: in the queue, or called for since something is wrong with what runs."""
    OFFERED = "offered"
    UNDER_WAY = "under_way"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CoordinatedLine:
    """A service request in its coordinator's list."""

    id: UUID
    service_type: str
    state: str
    reason: str | None
    urgency: str
    sender_code: str
    waiting_since: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    told: bool
    """Whether it waits for the agency that asks, or for a narrower coordinator before it."""
    coordinated: bool
    """By the agency that asks; else by nobody."""
    notice_by: datetime | None
    """By when somebody must take notice; None where nobody must, or somebody has."""
    offered_to: str | None
    offered_at: datetime | None
    respond_by: datetime | None
    rank: int
    at: datetime
    """Since when it waits, or by when its offer is to be answered: what it is sorted by within its urgency."""
    facts: Facts

    @property
    def place(self) -> tuple[int, datetime, UUID]:
        """Where it stands in the list."""
        return self.rank, self.at, self.id


@dataclass(frozen=True, slots=True)
class Silent:
    """An agency that let offers run out unanswered, in what another one coordinates."""

    agency_code: str
    unanswered: int
    """Offers that ran out since a day."""
    last_ran_out: datetime
    open_offers: int
    """Offers that it has not answered yet."""


_LIVE = text("handoffs.state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')")
_RANK = case({one.value: place for place, one in enumerate(Urgency)}, value=referrals.c.urgency, else_=len(Urgency))
_NOTICE_BY = (
    select(func.min(clocks.c.due_at))
    .where(
        clocks.c.service_request_id == service_requests.c.id,
        clocks.c.kind == ClockKind.ACKNOWLEDGE_OVERDUE.value,
    )
    .scalar_subquery()
)
_IS_CALLED_FOR = exists(
    select(1).where(
        clocks.c.service_request_id == service_requests.c.id,
        clocks.c.kind == ClockKind.ACKNOWLEDGE_OVERDUE.value,
    )
)
_WAITS = service_requests.c.state == RequestState.NEEDS_COORDINATOR.value
_ENDED = service_requests.c.state.in_(sorted(state.value for state in ENDED_REQUESTS))
_OFFERED = and_(service_requests.c.state == RequestState.OFFERED.value, ~_IS_CALLED_FOR)
_STANDING: Mapping[Standing, ColumnElement[bool]] = {
    Standing.WAITING: or_(_WAITS, and_(~_ENDED, _IS_CALLED_FOR)),
    Standing.OFFERED: _OFFERED,
    Standing.UNDER_WAY: and_(~_WAITS, ~_ENDED, service_requests.c.state != "offered", ~_IS_CALLED_FOR),
    Standing.ENDED: _ENDED,
}
_AT = func.coalesce(
    case((_WAITS, service_requests.c.waiting_since), else_=handoffs.c.respond_by),
    literal(FIRST, DateTime(timezone=True)),
)


async def coordinated_in_order(
    session: AsyncSession,
    agency_code: str,
    *,
    standing: Standing,
    orphans: bool,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> Sequence[CoordinatedLine]:
    """List what an agency coordinates, emergencies first, then what waits longest or must be answered soonest.

    What has ended is listed newest first. With `orphans` also what nobody coordinates. Those of restricted referrals
    are left out.
    """
    newest_first = standing is Standing.ENDED

    def part(named: Any, *whose: ColumnElement[bool], told: Any, coordinated: bool) -> Select[Any]:
        wanted = (
            select(
                service_requests.c.id,
                service_requests.c.service_type,
                service_requests.c.state,
                service_requests.c.reason,
                referrals.c.urgency,
                referrals.c.sender_code,
                service_requests.c.waiting_since,
                service_requests.c.acknowledged_at,
                service_requests.c.acknowledged_by,
                told.label("told"),
                literal(coordinated).label("coordinated"),
                _NOTICE_BY.label("notice_by"),
                handoffs.c.agency_code.label("offered_to"),
                handoffs.c.offered_at,
                handoffs.c.respond_by,
                _RANK.label("rank"),
                _AT.label("at"),
                facts.c.body.label("facts"),
            )
            .select_from(named)
            .join(service_requests, service_requests.c.id == named.c.service_request_id)
            .join(referrals, referrals.c.id == service_requests.c.referral_id)
            .join(facts, and_(facts.c.referral_id == referrals.c.id, facts.c.version == referrals.c.facts_version))
            .outerjoin(handoffs, and_(handoffs.c.service_request_id == service_requests.c.id, _LIVE))
            .where(*whose, _STANDING[standing], ~is_restricted())
        )
        if newest_first:
            wanted = wanted if after is None else wanted.where(service_requests.c.id < after[-1])
            return wanted.order_by(service_requests.c.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where(tuple_(_RANK, _AT, service_requests.c.id) > tuple_(*after))
        return wanted.order_by(_RANK, _AT, service_requests.c.id).limit(limit)

    parts = [
        part(
            coordinations,
            coordinations.c.agency_code == agency_code,
            told=coordinations.c.told_at.is_not(None),
            coordinated=True,
        )
    ]
    if orphans:
        parts.append(part(uncoordinated, told=literal(value=True), coordinated=False))
    lines = union_all(*(one.subquery().select() for one in parts)).subquery()
    order = (lines.c.id.desc(),) if newest_first else (lines.c.rank, lines.c.at, lines.c.id)
    found = await session.execute(select(lines).order_by(*order).limit(limit))
    return [CoordinatedLine(**{**row._mapping, "facts": Facts.from_json(row.facts)}) for row in found]


async def count_waiting(session: AsyncSession, agency_code: str) -> Mapping[str, int]:
    """Count what waits for a person of an agency, by urgency; what it may look at only does not wait for it."""
    found = await session.execute(
        select(referrals.c.urgency, func.count())
        .select_from(coordinations)
        .join(service_requests, service_requests.c.id == coordinations.c.service_request_id)
        .join(referrals, referrals.c.id == service_requests.c.referral_id)
        .where(
            coordinations.c.agency_code == agency_code,
            coordinations.c.told_at.is_not(None),
            _STANDING[Standing.WAITING],
            ~is_restricted(),
        )
        .group_by(referrals.c.urgency)
    )
    return {row[0]: row[1] for row in found}


async def silent_agencies(session: AsyncSession, agency_code: str, *, since: datetime, limit: int) -> Sequence[Silent]:
    """List the agencies that let offers run out which another one coordinates, those that let most first."""
    ran_out = and_(handoffs.c.state == HandoffState.EXPIRED.value, handoffs.c.changed_at >= since)
    is_open = handoffs.c.state == HandoffState.OFFERED.value
    last = func.max(handoffs.c.changed_at).filter(ran_out)
    unanswered = func.count().filter(ran_out)
    found = await session.execute(
        select(handoffs.c.agency_code, unanswered, last, func.count().filter(is_open))
        .select_from(coordinations)
        .join(handoffs, handoffs.c.service_request_id == coordinations.c.service_request_id)
        .join(referrals, referrals.c.id == handoffs.c.referral_id)
        .where(coordinations.c.agency_code == agency_code, or_(ran_out, is_open), ~is_restricted())
        .group_by(handoffs.c.agency_code)
        .having(unanswered > 0)
        .order_by(unanswered.desc(), last.desc(), handoffs.c.agency_code)
        .limit(limit)
    )
    return [Silent(*row) for row in found]
