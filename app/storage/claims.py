"""Claims: which deliveries a worker may post now, its own until their lease ends."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
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
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.vocabulary import Urgency
from app.storage.address_news import OF_ITS_ADDRESS, is_of_address
from app.storage.deliveries import DUE_LITERAL, PLANNED_ONCE, is_among
from app.storage.endpoints import ACTIVE, UNVERIFIED
from app.storage.offers import IS_CLOSED_OFFER, IS_OFFER
from app.storage.rates import FULL_AT, INTERVAL, ROOM, taken
from app.storage.tables import Moment, deliveries, endpoint_rates, endpoints, events, handoffs, referrals

_CLAIMING = 0x6C64656C
"""The class of the advisory locks that let one worker at a time claim from an endpoint."""


class Claimed(NamedTuple):
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
    endpoint_version: int
    emergency: bool
    offer: bool
    """It is about an offer, which is worth sending only while the offer is open."""
    superseded: bool
    """It is about an offer that is no longer open."""
    failing: bool
    """Its endpoint's last answer was no success, or its breaker is open."""
    probe: bool
    """Its endpoint's breaker is open, and what comes of this one decides."""
    next_room_in: timedelta | None
    """When its endpoint may get more, where a number of posts a minute keeps it from that now."""
    traceparent: str | None = None
    """Of what wrote its news."""

    @property
    def of_its_address(self) -> bool:
        """Whether it goes out although its endpoint is not verified."""
        return self.type in OF_ITS_ADDRESS and self.data.get("endpoint_id") == str(self.endpoint_id)

    @property
    def to_former_address(self) -> bool:
        """Whether it goes to the address that its endpoint had before, and so says nothing of the endpoint."""
        return self.of_its_address and self.type == EventType.ENDPOINT_CHANGED.value


async def claim_due(
    session: AsyncSession, *, now: datetime, lease: timedelta, limit: int, failing_limit: int | None = None
) -> list[Claimed]:
    """Claim deliveries that are due, endpoint by endpoint in turn, and count an attempt for each.

    An endpoint gets no more than its number of posts under way, counted by live leases, no more than its number a
    minute, and one alone while it fails; failing ones get `failing_limit` between them. While its breaker is open or it
    asked to be left alone, it gets nothing but the first attempts of what goes first, one alone, and no attempt is
    counted of what waits. An emergency's news, pings and challenges go before all else. What is not recorded within the
    lease falls due by itself: by the database's clock, whatever `now` says, which is the worker's own.
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
    return [Claimed._make(row) for row in await session.execute(_CLAIM, chosen)]


_MOMENT = bindparam("moment", type_=Moment)
_LEASE_END = func.statement_timestamp() + bindparam("lease", type_=Interval())
_NEW_CLAIM = bindparam("new_claim", type_=Uuid())
_NOW = func.greatest(_MOMENT, func.statement_timestamp())
_HAS_COME = and_(
    deliveries.c.due_at <= _NOW,
    # A lease is the database's to count: a worker whose clock is ahead takes nothing from another.
    or_(deliveries.c.claim.is_(None), deliveries.c.due_at <= func.statement_timestamp()),
)
_IS_DUE = and_(deliveries.c.state == DUE_LITERAL, _HAS_COME)
# No index of all that is due fits this: what was picked is found by its key, however short the queue seemed to be.
_IS_STILL_DUE = and_(deliveries.c.state.concat("") == DUE_LITERAL, _HAS_COME)
_TAKING = (ACTIVE, UNVERIFIED)
_GOES_FIRST = and_(deliveries.c.goes_first, _IS_DUE)
_FIRST_ATTEMPT = deliveries.c.attempts == 0
_IS_OPEN = endpoints.c.breaker_opened_at.is_not(None)
_IS_FAILING = or_(endpoints.c.failing_since.is_not(None), _IS_OPEN)
_IS_LEFT_ALONE = func.coalesce(
    func.greatest(endpoints.c.breaker_next_probe_at, endpoints.c.breaker_quiet_until) > _NOW, false()
)


def _claimable() -> Select[UUID]:
    """Take the right to claim from each endpoint that has something due, passing over those that others have."""
    of_endpoint = deliveries.c.endpoint_id == endpoints.c.id
    taking = select(endpoints.c.id).where(endpoints.c.state.in_(_TAKING))
    waiting = (
        union_all(
            taking.where(~_IS_LEFT_ALONE, exists(select(1).where(of_endpoint, _IS_DUE))),
            # What waits for an endpoint that is left alone is not looked at, however much it is.
            taking.where(_IS_LEFT_ALONE, exists(select(1).where(of_endpoint, _GOES_FIRST, _FIRST_ATTEMPT))),
        )
        .cte("waiting")
        .prefix_with("MATERIALIZED")
    )
    ours = func.pg_try_advisory_xact_lock(_CLAIMING, func.hashtext(cast(waiting.c.id, Text)))
    # The claim that follows is planned for a long queue also when this one was short: plans are kept.
    by_index = select(PLANNED_ONCE).cte("by_index").prefix_with("MATERIALIZED")
    return select(waiting.c.id).select_from(by_index.join(waiting, true())).where(ours)


def _rooms() -> CTE:
    """Say how many posts each endpoint may have under way, how many it has, and how many its rate lets it have more."""
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
    return (
        select(
            endpoints.c.id,
            _IS_FAILING.label("failing"),
            (endpoints.c.state == ACTIVE).label("verified"),
            _IS_LEFT_ALONE.label("left_alone"),
            endpoints.c.last_failure_at,
            # Every other probe is of what goes last: if it is what goes first that fails, the rest may be taken.
            (endpoints.c.breaker_failed_probes % 2 == 1).label("others_turn"),
            case((or_(_IS_FAILING, _IS_LEFT_ALONE), 1), else_=endpoints.c.max_in_flight).label("most"),
            under_way.label("under_way"),
            INTERVAL.label("interval"),
            FULL_AT.label("full_at"),
            ROOM.label("by_rate"),
        )
        .select_from(endpoints.outerjoin(endpoint_rates, endpoint_rates.c.endpoint_id == endpoints.c.id))
        .where(endpoints.c.id == func.any(bindparam("claimable", type_=ARRAY(Uuid()))), endpoints.c.state.in_(_TAKING))
        .cte("rooms")
        # Counted once, not for each delivery that is picked.
        .prefix_with("MATERIALIZED")
    )


def _picked(rooms: CTE) -> CTE:
    """Pick the first of every endpoint, then the second of every endpoint, and so on; the longest due first.

    What is under way has had its turn, so that a backlog leaves the next free place to who has none under way. Of the
    failing ones comes first who failed longest ago: none is passed over for ever.
    """
    room = func.greatest(func.least(rooms.c.most - rooms.c.under_way, rooms.c.by_rate), 0)
    # Looked up for endpoints that are not verified alone: nothing else may reach them, whenever it was written.
    of_its_address = func.coalesce(
        # By the event's key alone: what else is asked of it must not choose how it is looked up.
        select(is_of_address(rooms.c.id))
        .where(events.c.id == deliveries.c.event_id)
        .correlate(deliveries, rooms)
        .scalar_subquery(),
        false(),
    )
    columns = (deliveries.c.id, deliveries.c.goes_first, deliveries.c.due_at)
    of_endpoint = (
        select(*columns)
        .where(deliveries.c.endpoint_id == rooms.c.id, or_(rooms.c.verified, of_its_address))
        .order_by(deliveries.c.due_at)
    )
    first = of_endpoint.where(_GOES_FIRST, or_(~rooms.c.left_alone, _FIRST_ATTEMPT)).limit(room)
    others = of_endpoint.where(_IS_DUE, ~deliveries.c.goes_first, ~rooms.c.left_alone).limit(room)
    halves = (half.correlate(rooms).subquery().select() for half in (first, others))
    due = union_all(*halves).subquery("due_now")
    order = [(due.c.goes_first != rooms.c.others_turn).desc(), due.c.due_at]
    turn = func.row_number().over(order_by=order) + rooms.c.under_way
    oldest = select(due, turn.label("turn")).order_by(*order).limit(room).lateral("oldest")
    place = func.row_number().over(
        partition_by=rooms.c.failing,
        order_by=[
            oldest.c.goes_first.desc(),
            oldest.c.turn,
            rooms.c.last_failure_at.asc().nulls_first(),
            oldest.c.due_at,
        ],
    )
    placed = select(oldest, rooms.c.failing, place.label("place")).select_from(rooms.join(oldest, true())).cte("placed")
    return (
        select(placed.c.id)
        .where(or_(placed.c.failing == false(), placed.c.place <= bindparam("most_failing", type_=Integer())))
        .order_by(placed.c.goes_first.desc(), placed.c.turn, placed.c.due_at)
        .limit(bindparam("most", type_=Integer()))
        .cte("picked")
    )


def _claim() -> Select[Any]:
    """Claim what is picked, and read all that posting it needs."""
    rooms = _rooms()
    picked = _picked(rooms)
    due = (
        select(deliveries.c.id)
        .where(is_among(select(picked.c.id)), _IS_STILL_DUE)
        .with_for_update(of=deliveries, skip_locked=True)
        .cte("due")
    )
    claimed = (
        update(deliveries)
        .where(is_among(select(due.c.id)))
        .values(due_at=_LEASE_END, claim=_NEW_CLAIM, attempts=deliveries.c.attempts + 1)
        .returning(deliveries.c.id, deliveries.c.event_id, deliveries.c.endpoint_id, deliveries.c.attempts)
        .cte("claimed")
    )
    rated = taken(rooms, claimed)
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
            endpoints.c.version,
            func.coalesce(handoffs.c.urgency, referrals.c.urgency, "") == Urgency.EMERGENCY.value,
            IS_OFFER,
            IS_CLOSED_OFFER,
            _IS_FAILING,
            _IS_OPEN,
            (rated.c.full_at - func.statement_timestamp()).label("next_room_in"),
            events.c.traceparent,
        )
        .join_from(claimed, events, events.c.id == claimed.c.event_id)
        .join(endpoints, endpoints.c.id == claimed.c.endpoint_id)
        .outerjoin(rated, rated.c.endpoint_id == claimed.c.endpoint_id)
        .outerjoin(handoffs, handoffs.c.id == events.c.handoff_id)
        .outerjoin(referrals, referrals.c.id == events.c.referral_id)
    )


# Built once: building them takes SQLAlchemy several times as long as PostgreSQL takes to run them.
_CLAIMABLE = _claimable()
_CLAIM = _claim()
