"""What there is to send once more to an endpoint, and putting it back into the queue, a bounded part at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    func,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.vocabulary import Urgency
from app.storage.address_news import is_of_address
from app.storage.deliveries import DELIVERED, DUE, DUE_LITERAL, FAILED, HELD, SUPERSEDED, hint
from app.storage.delivery_history import AFRESH, IS_LEASED, OFFERED_LITERAL, STOPPED, in_order
from app.storage.finished_deliveries import bring_back, finish
from app.storage.offers import IS_CLOSED_OFFER
from app.storage.recoveries import Recovery, Wanted, after_all_of, first_place
from app.storage.tables import deliveries, endpoints, events, finished_deliveries, handoffs

STATES: Mapping[str, tuple[str, ...]] = {"failed": (FAILED,), "all": (DELIVERED, FAILED), "held": (HELD,)}
_LIES_IN: Mapping[str, Table] = {"failed": finished_deliveries, "all": finished_deliveries, "held": deliveries}
_UNDELIVERED = text("finished_deliveries.state IN ('superseded', 'failed')")
"""Written out as in the index, so that a plan kept for any parameters still knows that it fits."""

Which: TypeAlias = Wanted | Recovery


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is to send, of which types and of when; what is about an offer no longer open is counted apart."""

    sendable: int
    superseded: int
    by_type: Mapping[str, int]
    oldest: datetime | None
    newest: datetime | None
    complete: bool
    """Whether there is surely no more than was counted."""


@dataclass(frozen=True, slots=True)
class Found:
    """A delivery that was looked at: whether it is to be sent once more, or its offer is no longer open."""

    id: UUID
    wanted: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a recovery must know of its endpoint."""

    agency_code: str
    state: str
    failing: bool
    max_in_flight: int


async def count(session: AsyncSession, endpoint_id: UUID, which: Wanted, *, at_most: int) -> Count:
    """Count what there is to send once more, looking at so many deliveries at most, the oldest first."""
    looked_at = _in_turn(endpoint_id, which, first_place(which), at_most).subquery()
    kinds = (
        select(
            events.c.type,
            IS_CLOSED_OFFER.label("closed"),
            func.count().label("number"),
            func.min(looked_at.c.created_at).label("oldest"),
            func.max(looked_at.c.created_at).label("newest"),
        )
        .select_from(_with_news(looked_at))
        .where(_is_wanted(looked_at, which))
        .group_by(events.c.type, IS_CLOSED_OFFER)
    )
    total = await session.scalar(select(func.count()).select_from(looked_at)) or 0
    rows = (await session.execute(kinds)).all()
    sendable = [row for row in rows if not row.closed]
    return Count(
        sendable=sum(row.number for row in sendable),
        superseded=sum(row.number for row in rows if row.closed),
        by_type={row.type: row.number for row in sorted(sendable, key=lambda row: str(row.type))},
        oldest=min((row.oldest for row in sendable), default=None),
        newest=max((row.newest for row in sendable), default=None),
        complete=total < at_most,
    )


async def lock_receiver(session: AsyncSession, endpoint_id: UUID) -> Receiver | None:
    """Keep an endpoint from being stopped or enabled meanwhile; None, without waiting, where somebody is at it."""
    row = (
        await session.execute(
            select(
                endpoints.c.agency_code,
                endpoints.c.state,
                endpoints.c.failing_since.is_not(None).label("failing"),
                endpoints.c.max_in_flight,
            )
            .where(endpoints.c.id == endpoint_id)
            .with_for_update(read=True, skip_locked=True)
        )
    ).one_or_none()
    return None if row is None else Receiver(*row)


async def ready(session: AsyncSession, endpoint_id: UUID, *, at_most: int) -> int:
    """Count what an endpoint is to be sent now, and what is under way to it; no further than so many."""
    due = and_(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == DUE_LITERAL)
    waiting = select(deliveries.c.id).where(due, deliveries.c.due_at <= func.now()).limit(at_most).subquery()
    leased = (
        select(deliveries.c.id)
        .where(due, deliveries.c.claim.is_not(None), deliveries.c.due_at > func.now())
        .limit(at_most)
        .subquery()
    )
    counted = [select(func.count()).select_from(part).scalar_subquery() for part in (waiting, leased)]
    return await session.scalar(select(counted[0] + counted[1])) or 0


async def open_offers(session: AsyncSession, recovery: Recovery, agency_code: str, *, limit: int) -> tuple[UUID, ...]:
    """List what a recovery sends first: offers that can still be answered, those in an emergency before all others."""
    lying = _LIES_IN[recovery.what]
    is_emergency = handoffs.c.urgency == Urgency.EMERGENCY.value
    wanted = (
        select(lying.c.id)
        .join_from(handoffs, events, events.c.handoff_id == handoffs.c.id)
        .join(
            lying,
            and_(lying.c.event_id == events.c.id, lying.c.endpoint_id == recovery.endpoint_id),
        )
        .where(
            handoffs.c.agency_code == agency_code,
            handoffs.c.state == OFFERED_LITERAL,
            events.c.agency_code == agency_code,
            events.c.type == EventType.HANDOFF_OFFERED.value,
            lying.c.state.in_(STATES[recovery.what]),
            _is_wanted(lying, recovery),
        )
        .order_by(is_emergency.desc(), lying.c.id)
        .limit(limit)
    )
    return tuple(await session.scalars(wanted))


async def among(session: AsyncSession, recovery: Recovery, delivery_ids: Sequence[UUID]) -> list[Found]:
    """Look at some deliveries of a recovery, in the order in which they are named."""
    lying = _LIES_IN[recovery.what]
    named = select(lying).where(_among(lying, delivery_ids))
    found = {one.id: one for one in await _looked_at(session, recovery, named.subquery())}
    return [found[delivery_id] for delivery_id in delivery_ids if delivery_id in found]


async def following(session: AsyncSession, recovery: Recovery, *, limit: int) -> list[Found]:
    """Look at the deliveries after those that a recovery has done, so many at most; fewer are the last."""
    candidates = _in_turn(recovery.endpoint_id, recovery, recovery.last_id, limit).subquery()
    return await _looked_at(session, recovery, candidates)


async def queue(session: AsyncSession, recovery: Recovery, delivery_ids: Collection[UUID]) -> int:
    """Make deliveries due now, with a whole schedule before them; what is due already is left, and not counted."""
    if not delivery_ids:
        return 0
    wanted = STATES[recovery.what]
    if _LIES_IN[recovery.what] is finished_deliveries:
        await bring_back(session, _among(finished_deliveries, delivery_ids), finished_deliveries.c.state.in_(wanted))
    queued = await session.execute(
        update(deliveries)
        .where(in_order(_among(deliveries, delivery_ids), deliveries.c.state.in_(wanted)))
        .values(state=DUE, **AFRESH)
        .returning(deliveries.c.id)
    )
    count = len(queued.all())
    await hint(session)
    return count


async def supersede(session: AsyncSession, delivery_ids: Collection[UUID]) -> None:
    """Record that these were not sent, as their offers are no longer open; what was delivered once stays delivered."""
    if not delivery_ids:
        return
    await session.execute(
        update(finished_deliveries)
        .where(_among(finished_deliveries, delivery_ids), finished_deliveries.c.state == FAILED)
        .values(state=SUPERSEDED, due_at=func.now(), finished_at=func.now())
    )
    held = in_order(_among(deliveries, delivery_ids), deliveries.c.state == HELD, ~IS_LEASED)
    state, now = literal(SUPERSEDED, Text), func.now()
    await finish(session, held, state=state, due_at=now, finished_at=now)


def _among(lying: Table, delivery_ids: Collection[UUID]) -> ColumnElement[bool]:
    return lying.c.id == func.any(literal(list(delivery_ids), ARRAY(Uuid())))


def _in_turn(endpoint_id: UUID, which: Which, after: UUID, limit: int) -> Select[Any]:
    """Read on in the order of ids from the index, and no more of it than the limit: what is not wanted counts too."""
    lying = _LIES_IN[which.what]
    wanted = select(lying).where(lying.c.endpoint_id == endpoint_id, lying.c.id > after)
    if which.until is not None:
        wanted = wanted.where(lying.c.id < after_all_of(which.until))
    if which.what != "all":
        wanted = wanted.where(STOPPED if which.what == "held" else _UNDELIVERED)
    return wanted.order_by(lying.c.id).limit(limit)


def _is_wanted(of: FromClause, which: Which) -> ColumnElement[bool]:
    """Say whether a delivery's news is of the time and of the types that are asked for."""
    rules: list[ColumnElement[bool]] = [of.c.state.in_(STATES[which.what])]
    if which.since is not None:
        rules.append(of.c.created_at >= which.since)
    if which.until is not None:
        rules.append(of.c.created_at <= which.until)
    if which.event_types is not None:
        rules.append(events.c.type.in_(which.event_types))
    if which.what != "held":
        # A challenge proves nothing any more, and an address that was left is not told twice.
        rules.append(~func.coalesce(is_of_address(of.c.endpoint_id), False))
    return and_(true(), *rules)


def _with_news(of: FromClause) -> FromClause:
    return of.join(events, events.c.id == of.c.event_id).outerjoin(handoffs, handoffs.c.id == events.c.handoff_id)


async def _looked_at(session: AsyncSession, recovery: Recovery, candidates: FromClause) -> list[Found]:
    columns = (candidates.c.id, _is_wanted(candidates, recovery), IS_CLOSED_OFFER)
    found = await session.execute(select(*columns).select_from(_with_news(candidates)).order_by(candidates.c.id))
    return [Found(*row) for row in found]
