"""The queue of webhooks: written with the news, claimed (claims.py), and left with what came of it (attempts.py)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.vocabulary import Urgency
from app.storage.address_news import is_of_address, names
from app.storage.endpoints import ACTIVE, UNVERIFIED
from app.storage.tables import (
    Moment,
    deliveries,
    endpoints,
    events,
    every_delivery,
    handoffs,
    referrals,
)

CHANNEL = "lintas_deliveries"
"""Notified when something falls due at once; a hint, never the guarantee."""

DUE, DELIVERED, HELD, SUPERSEDED, FAILED = "due", "delivered", "held", "superseded", "failed"
DUE_LITERAL = literal_column("'due'", Text)
"""Written out, so that a plan kept for any parameters still knows that the partial index fits."""

NEW_ID = literal_column(
    # A UUIDv7 for each row; PostgreSQL has a function for it from 18 on, and 15 is enough for us.
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send("
    "floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid",
    Uuid,
)
ID_WITH_ITS_EVENT = literal_column(
    # Made in the same millisecond as its event, so that both lie in the same month.
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(uuid_send(told.event_id) from 1"
    " for 6) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid",
    Uuid,
)
_HINT = func.pg_notify(CHANNEL, "")
PLANNED_ONCE = func.concat(
    func.set_config("plan_cache_mode", "force_generic_plan", true()), func.set_config("enable_seqscan", "off", true())
)
"""Evaluated first, it has what follows in its transaction planned once and by keys, as for tables that are full.

What is planned anew each time takes longer than it runs, the look-up of the event of each new row in the queue most of
all; and a plan made while a table is almost empty reads all of it, and is kept while it fills.
"""


async def enqueue(session: AsyncSession, event_ids: Sequence[UUID], *, now: datetime) -> None:
    """Write a delivery of each event for each endpoint that wants it, in the transaction of what it announces.

    Whoever wrote the events has evaluated PLANNED_ONCE.
    It is due at once: `now` may be business time, so real time bounds it. What its endpoint cannot take is held.
    """
    if event_ids:
        span = {"first": min(event_ids), "last": max(event_ids)}
        await session.execute(_ENQUEUE, {"event_ids": list(event_ids), **span, "moment": now})


async def hurry(session: AsyncSession, handoff_ids: Sequence[UUID]) -> None:
    """Let the news of handoffs that have become an emergency go first, and what waits for its next attempt go now."""
    waiting = (
        select(deliveries.c.id)
        .join(events, events.c.id == deliveries.c.event_id)
        .where(
            events.c.handoff_id == func.any(literal(list(handoff_ids), ARRAY(Uuid()))),
            deliveries.c.state.in_([DUE, HELD]),
            ~deliveries.c.goes_first,
        )
        .order_by(deliveries.c.id)
        .with_for_update(of=deliveries)
        .cte("waiting")
    )
    now = func.least(deliveries.c.due_at, func.now())
    await session.execute(
        update(deliveries)
        .where(is_among(select(waiting.c.id)))
        # A claimed one keeps its lease.
        .values(goes_first=true(), due_at=case((deliveries.c.claim.is_(None), now), else_=deliveries.c.due_at))
    )
    await hint(session)


async def hint(session: AsyncSession) -> None:
    """Tell the workers that something has fallen due."""
    await session.execute(select(_HINT))


async def has_delivered(session: AsyncSession, handoff_id: UUID, event_type: str, agency_code: str) -> bool:
    """Say whether an endpoint of the agency took this news of the handoff."""
    taken = (
        select(every_delivery.c.id)
        .join(events, events.c.id == every_delivery.c.event_id)
        .where(
            events.c.handoff_id == handoff_id,
            events.c.type == event_type,
            events.c.agency_code == agency_code,
            every_delivery.c.state == DELIVERED,
        )
        .limit(1)
    )
    return await session.scalar(taken) is not None


def array(name: str, of: Any) -> ColumnElement[Any]:
    """Bind a list to a name, as an array."""
    return cast(bindparam(name), ARRAY(of))


def is_among(ids: Select[UUID]) -> ColumnElement[bool]:
    """Say that a delivery in the queue is one of those, each looked up by its key.

    A join could have been planned for a queue that was short, and compare everything in it with everything chosen.
    """
    return deliveries.c.id == func.any(func.array(ids.scalar_subquery()))


def _enqueueing() -> Select[Any]:
    named = names(endpoints.c.id)
    of_a_test = events.c.type.in_([EventType.ENDPOINT_PING.value, EventType.ENDPOINT_VERIFICATION.value])
    wanted = case(
        # A ping or a challenge is for the endpoint it tests; that an endpoint fails is told to the others.
        (of_a_test, named),
        (events.c.type.in_([EventType.ENDPOINT_FAILING.value, EventType.ENDPOINT_DISABLED.value]), ~named),
        else_=true(),
    )
    of_its_address = is_of_address(endpoints.c.id)
    of_a_proposal = events.c.type.in_([EventType.PROPOSAL_MADE.value, EventType.PROPOSAL_ENDED.value])
    chosen = or_(
        endpoints.c.event_types.is_(None),
        events.c.type == EventType.ENDPOINT_PING.value,
        of_its_address,
        # An address hears of it if another is to take its place, whatever else it wants to hear.
        and_(of_a_proposal, named),
        events.c.type == func.any(endpoints.c.event_types),
    )
    # Somebody waits for a ping or a challenge: after a repair it is the probe that closes the breaker.
    goes_first = or_(
        of_a_test,
        func.coalesce(handoffs.c.urgency, referrals.c.urgency, "") == Urgency.EMERGENCY.value,
    )
    told = (
        select(
            events.c.id.label("event_id"),
            endpoints.c.id.label("endpoint_id"),
            endpoints.c.state,
            of_its_address.label("of_its_address"),
            goes_first.label("goes_first"),
        )
        .join_from(events, endpoints, endpoints.c.agency_code == events.c.agency_code)
        .outerjoin(handoffs, handoffs.c.id == events.c.handoff_id)
        .outerjoin(referrals, referrals.c.id == events.c.referral_id)
        .where(
            events.c.id == func.any(array("event_ids", Uuid())),
            # Said as well, for by a list PostgreSQL looks into every month.
            events.c.id.between(bindparam("first", type_=Uuid()), bindparam("last", type_=Uuid())),
            wanted,
            chosen,
        )
        .cte("told")
    )
    # Whoever enables an endpoint waits for us or is seen by us: nothing is held that nobody would ever release.
    doubtful = (
        select(endpoints.c.id, endpoints.c.state)
        .where(endpoints.c.id.in_(select(told.c.endpoint_id).where(told.c.state != ACTIVE)))
        .order_by(endpoints.c.id)
        .with_for_update(read=True)
        .cte("doubtful")
    )
    found = func.coalesce(doubtful.c.state, told.c.state)
    state = case((or_(found == ACTIVE, and_(found == UNVERIFIED, told.c.of_its_address)), DUE), else_=HELD)
    written = (
        insert(deliveries)
        .from_select(
            ["id", "event_id", "endpoint_id", "goes_first", "state", "due_at", "created_at"],
            select(
                ID_WITH_ITS_EVENT,
                told.c.event_id,
                told.c.endpoint_id,
                told.c.goes_first,
                state,
                func.least(_MOMENT, func.now()),
                func.now(),
            ).select_from(told.outerjoin(doubtful, doubtful.c.id == told.c.endpoint_id)),
        )
        .returning(deliveries.c.state)
        .cte("written")
    )
    return select(_HINT).where(exists(select(1).where(written.c.state == DUE)))


_MOMENT = bindparam("moment", type_=Moment)
# Built once: building them takes SQLAlchemy several times as long as PostgreSQL takes to run them.
_ENQUEUE = _enqueueing()
