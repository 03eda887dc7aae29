"""Claims: which deliveries a worker may post now, its own until their lease ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CTE,
    Integer,
    Interval,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.handoff import HandoffState
from app.domain.vocabulary import Urgency
from app.storage.deliveries import DUE_LITERAL
from app.storage.endpoints import ACTIVE
from app.storage.tables import Moment, deliveries, endpoints, events, handoffs, referrals

_CLAIMING = 0x6C64656C
"""The class of the advisory locks that let one worker at a time claim from an endpoint."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this worker's alone until its lease ends, with everything that posting it needs."""

    id: UUID
    claim: UUID
    leased_until: datetime
    """By the clock of the worker, which began to count before the database did."""
    attempt: int
    endpoint_id: UUID
    event_id: UUID
    type: str
    occurred_at: datetime
    data: dict[str, Any]
    handoff_id: UUID | None
    url: str
    sealed_secret: bytes
    emergency: bool
    offer: bool
    """It is about an offer, which is worth sending only while the offer is open."""
    superseded: bool
    """It is about an offer that is no longer open."""
    failing: bool
    """Its endpoint's last answer was no success."""


async def claim_due(
    session: AsyncSession, *, now: datetime, lease: timedelta, limit: int, failing_limit: int | None = None
) -> list[Claimed]:
    """Claim deliveries that are due, endpoint by endpoint in turn, and count an attempt for each.

    An endpoint gets no more than its number of posts under way, counted by live leases, and one alone while it fails;
    failing ones get `failing_limit` between them. What is not recorded within the lease falls due by itself: by the
    database's clock, whatever `now` says, which is the worker's own.
    """
    # Only the statement after this one sees what the last holder of a lock claimed, so its count of leases is exact.
    claimable = (await session.scalars(_CLAIMABLE, {"moment": now})).all()
    if not claimable:
        return []
    chosen = {
        "claimable": claimable,
        "moment": now,
        "lease": lease,
        "leased_until": now + lease,
        "new_claim": uuid4(),
        "most": limit,
        "most_failing": limit if failing_limit is None else failing_limit,
    }
    return [Claimed(*row) for row in await session.execute(_CLAIM, chosen)]


_MOMENT = bindparam("moment", type_=Moment)
_LEASE_END = func.statement_timestamp() + bindparam("lease", type_=Interval())
_NEW_CLAIM = bindparam("new_claim", type_=Uuid())
_IS_DUE = and_(
    deliveries.c.state == DUE_LITERAL,
    deliveries.c.due_at <= func.greatest(_MOMENT, func.statement_timestamp()),
    # A lease is the database's to count: a worker whose clock is ahead takes nothing from another.
    or_(deliveries.c.claim.is_(None), deliveries.c.due_at <= func.statement_timestamp()),
)
_IS_STILL_DUE = and_(
    # No index of all that is due fits this: what was picked is found by its key, however short the queue seemed to be.
    deliveries.c.state.concat("") == DUE_LITERAL,
    deliveries.c.due_at <= func.greatest(_MOMENT, func.statement_timestamp()),
    or_(deliveries.c.claim.is_(None), deliveries.c.due_at <= func.statement_timestamp()),
)
_IS_FAILING = endpoints.c.failing_since.is_not(None)


def _claimable() -> Select[UUID]:
    """Take the right to claim from each endpoint that has something due, passing over those that others have."""
    waiting = (
        select(endpoints.c.id)
        .where(
            endpoints.c.state == ACTIVE,
            exists(select(1).where(deliveries.c.endpoint_id == endpoints.c.id, _IS_DUE)),
        )
        .cte("waiting")
        .prefix_with("MATERIALIZED")
    )
    ours = func.pg_try_advisory_xact_lock(_CLAIMING, func.hashtext(cast(waiting.c.id, Text)))
    # The claim that follows is planned for a long queue also when this one was short: plans are kept.
    by_index = select(func.set_config("enable_seqscan", "off", true())).cte("by_index").prefix_with("MATERIALIZED")
    return select(waiting.c.id).select_from(by_index.join(waiting, true())).where(ours)


def _rooms() -> CTE:
    """Say how many posts each endpoint may have under way, and how many it has."""
    under_way = (
        select(func.count())
        .where(
            deliveries.c.endpoint_id == endpoints.c.id,
            deliveries.c.state == DUE_LITERAL,
            deliveries.c.claim.is_not(None),
            deliveries.c.due_at > func.statement_timestamp(),
        )
        .scalar_subquery()
    )
    most = case((_IS_FAILING, 1), else_=endpoints.c.max_in_flight)
    return (
        select(
            endpoints.c.id,
            _IS_FAILING.label("failing"),
            endpoints.c.last_failure_at,
            most.label("most"),
            under_way.label("under_way"),
        )
        .where(endpoints.c.id == func.any(bindparam("claimable", type_=ARRAY(Uuid()))), endpoints.c.state == ACTIVE)
        .cte("rooms")
        # Counted once, not for each delivery that is picked.
        .prefix_with("MATERIALIZED")
    )


def _picked(rooms: CTE) -> CTE:
    """Pick the first of every endpoint, then the second of every endpoint, and so on; the longest due first.

    What is under way has had its turn, so that a backlog leaves the next free place to who has none under way. Of the
    failing ones comes first who failed longest ago: none is passed over for ever.
    """
    turn = func.row_number().over(order_by=deliveries.c.due_at) + rooms.c.under_way
    oldest = (
        select(deliveries.c.id, deliveries.c.due_at, turn.label("turn"))
        .where(deliveries.c.endpoint_id == rooms.c.id, _IS_DUE)
        .order_by(deliveries.c.due_at)
        .limit(func.greatest(rooms.c.most - rooms.c.under_way, 0))
        .lateral("oldest")
    )
    place = func.row_number().over(
        partition_by=rooms.c.failing,
        order_by=[oldest.c.turn, rooms.c.last_failure_at.asc().nulls_first(), oldest.c.due_at],
    )
    placed = (
        select(oldest.c.id, oldest.c.turn, oldest.c.due_at, rooms.c.failing, place.label("place"))
        .select_from(rooms.join(oldest, true()))
        .cte("placed")
    )
    return (
        select(placed.c.id)
        .where(or_(placed.c.failing == false(), placed.c.place <= bindparam("most_failing", type_=Integer())))
        .order_by(placed.c.turn, placed.c.due_at)
        .limit(bindparam("most", type_=Integer()))
        .cte("picked")
    )


def _claim() -> Select[Any]:
    """Claim what is picked, and read all that posting it needs."""
    picked = _picked(_rooms())
    due = (
        select(deliveries.c.id)
        .join(picked, picked.c.id == deliveries.c.id)
        .where(_IS_STILL_DUE)
        .with_for_update(of=deliveries, skip_locked=True)
        .cte("due")
    )
    claimed = (
        update(deliveries)
        .where(deliveries.c.id == due.c.id)
        .values(due_at=_LEASE_END, claim=_NEW_CLAIM, attempts=deliveries.c.attempts + 1)
        .returning(deliveries.c.id, deliveries.c.event_id, deliveries.c.endpoint_id, deliveries.c.attempts)
        .cte("claimed")
    )
    offer = and_(
        events.c.type.in_([EventType.HANDOFF_OFFERED.value, EventType.HANDOFF_REMINDER.value]),
        # A reminder may also be about a start or a review that is overdue.
        events.c.data["state"].astext == HandoffState.OFFERED.value,
        # Its sender and its coordinator are told of every change, also of one that another has overtaken.
        func.coalesce(events.c.agency_code == handoffs.c.agency_code, false()),
    )
    return (
        select(
            claimed.c.id,
            _NEW_CLAIM.label("claim"),
            bindparam("leased_until", type_=Moment).label("leased_until"),
            claimed.c.attempts,
            claimed.c.endpoint_id,
            events.c.id,
            events.c.type,
            events.c.occurred_at,
            events.c.data,
            events.c.handoff_id,
            endpoints.c.url,
            endpoints.c.secret,
            func.coalesce(handoffs.c.urgency, referrals.c.urgency, "") == Urgency.EMERGENCY.value,
            offer,
            and_(offer, func.coalesce(handoffs.c.state, "") != HandoffState.OFFERED.value),
            _IS_FAILING,
        )
        .join_from(claimed, events, events.c.id == claimed.c.event_id)
        .join(endpoints, endpoints.c.id == claimed.c.endpoint_id)
        .outerjoin(handoffs, handoffs.c.id == events.c.handoff_id)
        .outerjoin(referrals, referrals.c.id == events.c.referral_id)
    )


# Built once: building them takes SQLAlchemy several times as long as PostgreSQL takes to run them.
_CLAIMABLE = _claimable()
_CLAIM = _claim()
