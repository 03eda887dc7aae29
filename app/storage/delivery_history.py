"""What became of webhooks, and sending again: the reads and changes that people ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.handoff import HandoffState
from app.domain.referral import ClockKind
from app.domain.vocabulary import Urgency
from app.storage.address_news import is_of_address
from app.storage.deliveries import DELIVERED, DUE, DUE_LITERAL, FAILED, HELD, NEW_ID, SUPERSEDED, hint, is_among
from app.storage.finished_deliveries import bring_back
from app.storage.sealing import KeyRing, SealBroken
from app.storage.tables import (
    attempts,
    clocks,
    deliveries,
    endpoints,
    events,
    every_delivery,
    finished_deliveries,
    handoffs,
    referrals,
)

ANSWER = "attempt-answer"
HELD_AT_ONCE = 10_000
NOTHING_YET = UUID(int=0)
_STATES = {state: literal_column(f"'{state}'", Text) for state in (DUE, HELD, DELIVERED, SUPERSEDED, FAILED)}
OFFERED_LITERAL = literal_column(f"'{HandoffState.OFFERED.value}'", Text)
"""Written out, so that a plan kept for any parameters still knows that the partial index fits."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as its agency sees it, in real time; its event's id is the webhook-id of every attempt."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    state: str
    attempts: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    of_its_address: bool
    """It is a challenge to its endpoint, or what the endpoint's former address was told."""


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One attempt as it was recorded; outcome is `delivered` or the phase that failed."""

    number: int
    started_at: datetime
    duration_ms: int
    outcome: str
    status: int | None
    detail: str | None
    """What exactly failed, as a code."""
    answer: bytes | None
    """The start of the answer, sealed; None where the operator did not ask for it, or there was none."""


def of_answer(delivery_id: UUID, number: int) -> tuple[str, str | None]:
    """Say what the answer to an attempt is sealed for, and what versions before sealed it for."""
    return f"{delivery_id}|{number}", str(delivery_id)


def seal_answer(key_ring: KeyRing, delivery_id: UUID, number: int, start: bytes) -> bytes | None:
    """Seal the start of an answer, which may hold anything, so that it opens for this attempt alone."""
    subject, _ = of_answer(delivery_id, number)
    return key_ring.seal(ANSWER, subject, start) if start else None


def open_answer(key_ring: KeyRing, delivery_id: UUID, number: int, sealed: bytes | None) -> str | None:
    """Open the start of an answer as text; None where there is none, or the ring no longer holds its key."""
    subject, before = of_answer(delivery_id, number)
    try:
        found = b"" if sealed is None else key_ring.open(ANSWER, subject, sealed, formerly=before)
    except SealBroken:
        return None
    return found.decode(errors="replace").replace("\0", "\ufffd") or None


async def list_deliveries(
    session: AsyncSession,
    *,
    endpoint_id: UUID,
    agency_code: str,
    state: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """List the deliveries of an agency's endpoint, the newest first, before one of them."""
    wanted = _shown(agency_code).where(every_delivery.c.endpoint_id == endpoint_id)
    if state is not None:
        wanted = wanted.where(every_delivery.c.state == _STATES[state])
    if before is not None:
        wanted = wanted.where(every_delivery.c.id < before)
    return [_delivery(row) for row in await session.execute(wanted.order_by(every_delivery.c.id.desc()).limit(limit))]


async def get(session: AsyncSession, delivery_id: UUID, *, agency_code: str) -> Delivery | None:
    """Read a delivery; None where there is none or it is another agency's."""
    row = (await session.execute(_shown(agency_code).where(every_delivery.c.id == delivery_id))).one_or_none()
    return None if row is None else _delivery(row)


async def list_attempts(session: AsyncSession, delivery_id: UUID, *, agency_code: str) -> list[PastAttempt]:
    """List the attempts of an agency's delivery, the first one first."""
    made = await session.execute(
        select(*(attempts.c[field.name] for field in fields(PastAttempt)))
        .join_from(attempts, every_delivery, every_delivery.c.id == attempts.c.delivery_id)
        .join(endpoints, endpoints.c.id == every_delivery.c.endpoint_id)
        .where(attempts.c.delivery_id == delivery_id, endpoints.c.agency_code == agency_code)
        .order_by(attempts.c.started_at, attempts.c.id)
    )
    return [PastAttempt(*row) for row in made]


async def send_again(session: AsyncSession, delivery_id: UUID, *, state: str) -> None:
    """Make a finished or held delivery due now, or held, with a whole schedule before it.

    What is due already, or under way, stays as it is: asking twice sends once.
    """
    # Locked where it is, or nowhere but among the finished: a worker that records it meanwhile is waited for.
    await session.execute(select(deliveries.c.id).where(deliveries.c.id == delivery_id).with_for_update())
    await bring_back(session, finished_deliveries.c.id == delivery_id)
    await session.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state != DUE_LITERAL)
        .values(state=state, **AFRESH)
    )
    await hint(session)


async def hold(session: AsyncSession, endpoint_id: UUID, *, at_once: int = HELD_AT_ONCE) -> None:
    """Hold what is due to an endpoint that was locked; a post that is under way is still recorded.

    However much that is: no statement holds more than `at_once`, and so none runs into its limit of time.
    """
    last: UUID | None = NOTHING_YET
    while last is not None:
        due = (
            select(deliveries.c.id)
            .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.id > last, deliveries.c.state == DUE_LITERAL)
            .order_by(deliveries.c.id)
            .limit(at_once)
            .with_for_update()
            .cte("due")
        )
        held = update(deliveries).where(is_among(select(due.c.id))).values(state=HELD).returning(deliveries.c.id)
        last = max((await session.scalars(held)).all(), default=None)


async def release(session: AsyncSession, endpoint_id: UUID, *, at_most: int) -> bool:
    """Make all that is held for a locked, active endpoint due; where it is more than that, nothing is, and it is False.

    Each begins its schedule anew, but for a post that is still under way, which keeps its lease.
    """
    held = select(deliveries.c.id).where(deliveries.c.endpoint_id == endpoint_id, _HELD)
    number = await session.scalar(select(func.count()).select_from(held.limit(at_most + 1).subquery())) or 0
    if number > at_most:
        return False
    await session.execute(
        update(deliveries).where(in_order(deliveries.c.endpoint_id == endpoint_id, _HELD)).values(state=DUE, **AFRESH)
    )
    await hint(session)
    return True


async def lock_offers(
    session: AsyncSession,
    agency_code: str,
    *,
    handoff_id: UUID | None = None,
    emergencies: bool = False,
    wait: bool = True,
) -> Sequence[UUID]:
    """Keep the referrals of an agency's open offers, or of one and the emergencies among them; give the offers.

    They are kept for `doubt_offers`.

    Whoever locks several locks referrals in the order of their ids, and endpoints after them: nobody waits crosswise.
    Who has locked an endpoint already must not `wait`: the database refuses where another is at work on one of them.
    """
    offers = (
        select(handoffs.c.id)
        .join(referrals, referrals.c.id == handoffs.c.referral_id)
        .where(handoffs.c.agency_code == agency_code, handoffs.c.state == OFFERED_LITERAL)
        .order_by(referrals.c.id)
        # KEY SHARE: what a clock that is written for them asks for too.
        .with_for_update(of=referrals, read=True, key_share=True, nowait=not wait)
    )
    chosen = []
    if handoff_id is not None:
        chosen.append(handoffs.c.id == handoff_id)
    if emergencies:
        chosen.append(handoffs.c.urgency == Urgency.EMERGENCY.value)
    if chosen:
        offers = offers.where(or_(*chosen))
    return (await session.scalars(offers)).all()


async def doubt_offers(session: AsyncSession, offers: Sequence[UUID]) -> None:
    """Have the coordinator told at once of each of these offers that is open and has not reached its agency.

    It is told by the clock that looks after undelivered offers, which is made to be overdue.
    """
    if not offers:
        return
    reached = (
        select(1)
        .select_from(events.join(every_delivery, every_delivery.c.event_id == events.c.id))
        .where(
            events.c.handoff_id == handoffs.c.id,
            events.c.type == EventType.HANDOFF_OFFERED.value,
            events.c.agency_code == handoffs.c.agency_code,
            every_delivery.c.state == DELIVERED,
        )
    )
    watched = select(1).where(clocks.c.handoff_id == handoffs.c.id, clocks.c.kind == ClockKind.UNDELIVERED_OFFER.value)
    # In business time, which may stand anywhere: an offer's own beginning is past by any clock.
    doubted = select(
        NEW_ID,
        handoffs.c.referral_id,
        handoffs.c.service_request_id,
        handoffs.c.id,
        literal(ClockKind.UNDELIVERED_OFFER.value),
        handoffs.c.offered_at,
    ).where(
        handoffs.c.id == func.any(literal(list(offers), ARRAY(Uuid()))),
        handoffs.c.state == OFFERED_LITERAL,
        ~exists(reached),
        ~exists(watched),
    )
    columns = ["id", "referral_id", "service_request_id", "handoff_id", "kind", "due_at"]
    await session.execute(insert(clocks).from_select(columns, doubted))


STOPPED = text("deliveries.state IN ('held', 'failed')")
"""Written out as in the index, so that a plan kept for any parameters still knows that it fits."""
_HELD = and_(deliveries.c.state == HELD, STOPPED)
IS_LEASED = and_(deliveries.c.claim.is_not(None), deliveries.c.due_at > func.now())
AFRESH: Mapping[str, Any] = {
    "due_at": case((IS_LEASED, deliveries.c.due_at), else_=func.now()),
    "claim": case((IS_LEASED, deliveries.c.claim), else_=null()),
    "attempts": case((IS_LEASED, deliveries.c.attempts), else_=0),
    "finished_at": null(),
}
"""A whole schedule from now on; a post that is still under way keeps its lease, and is recorded."""


def in_order(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Choose deliveries of the queue, locked in the order in which everybody locks several of them."""
    locked = select(deliveries.c.id).where(*which).order_by(deliveries.c.id).with_for_update().cte("locked")
    return is_among(select(locked.c.id))


def _shown(agency_code: str) -> Select[Any]:
    return (
        select(
            every_delivery.c.id,
            every_delivery.c.endpoint_id,
            every_delivery.c.event_id,
            events.c.type,
            every_delivery.c.state,
            every_delivery.c.attempts,
            every_delivery.c.due_at,
            every_delivery.c.created_at,
            every_delivery.c.finished_at,
            func.coalesce(is_of_address(every_delivery.c.endpoint_id), false()).label("of_its_address"),
        )
        .join_from(every_delivery, events, events.c.id == every_delivery.c.event_id)
        .join(endpoints, endpoints.c.id == every_delivery.c.endpoint_id)
        .where(endpoints.c.agency_code == agency_code)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
