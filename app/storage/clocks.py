"""Clocks that run, and the service's own pulse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.referral import CONSENT_CLOCKS, Clock, ClockKind
from app.storage.cases import is_restricted
from app.storage.database import wait_for_locks
from app.storage.tables import Moment, clocks, handoffs, referrals, service_pulse


async def due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """List clocks whose time has come and the referrals they belong to, the longest overdue first.

    Those of restricted referrals stand still.
    """
    found = await session.execute(
        select(clocks.c.id, clocks.c.referral_id)
        .join(referrals, referrals.c.id == clocks.c.referral_id)
        .where(clocks.c.due_at <= now, ~is_restricted())
        .order_by(clocks.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.referral_id) for row in found]


async def lock_referral(session: AsyncSession, referral_id: UUID) -> bool:
    """Lock a clock's referral, unless somebody is at work on it: then its clocks wait for the next look.

    Nor is one locked that was restricted meanwhile: its clocks wait until that is lifted.
    """
    wanted = select(referrals.c.id).where(referrals.c.id == referral_id, ~is_restricted())
    locked = wanted.with_for_update(skip_locked=True)
    return await session.scalar(locked) is not None


async def take(session: AsyncSession, clock_id: UUID, *, now: datetime) -> Clock | None:
    """Take a due clock, whose referral is locked; None where it was stopped, moved or taken meanwhile."""
    row = (
        await session.execute(
            delete(clocks).where(clocks.c.id == clock_id, clocks.c.due_at <= now).returning(*clocks.c)
        )
    ).one_or_none()
    if row is None:
        return None
    kind = ClockKind(row.kind)
    return Clock(row.id, row.referral_id, row.service_request_id, row.handoff_id, kind, row.due_at, row.detail)


async def overdue_duties(session: AsyncSession, handoff_id: UUID, *, now: datetime) -> Sequence[tuple[str, datetime]]:
    """List the duties of a handoff whose time is over and whose clock nobody has taken yet, with that time."""
    found = await session.execute(
        select(clocks.c.detail, clocks.c.due_at).where(
            clocks.c.handoff_id == handoff_id, clocks.c.kind == ClockKind.DUTY_OVERDUE.value, clocks.c.due_at <= now
        )
    )
    return [(row.detail, row.due_at) for row in found]


async def put_off(session: AsyncSession, clock_id: UUID, *, until: datetime) -> None:
    """Let a clock that could not be run come due again later."""
    await session.execute(update(clocks).where(clocks.c.id == clock_id).values(due_at=until))


DEADLINES = {
    ClockKind.EXPIRE_OFFER: "respond_by",
    ClockKind.START_OVERDUE: "start_by",
    ClockKind.REVIEW_OVERDUE: "review_on",
    ClockKind.CANCEL_LAPSES: "cancel_by",
}
"""The column of the handoff that shows when a clock is due."""


GIVEN_BACK_AT_ONCE = 2000
"""How many referrals' clocks are moved by one statement after an outage."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the API and the clocks last ran, and what time it is, by the database's clock."""

    api_beat_at: datetime | None
    clocks_beat_at: datetime | None
    now: datetime


async def pulse(session: AsyncSession, *, real_now: datetime | None = None, lock: bool = False) -> Pulse:
    """Read the pulse of the service; locked, nobody else credits an outage meanwhile. Only tests say what time it is.

    A beat that lies in the future was made before the clock was set back: locked, it is taken back to now, for nobody
    could tell how long the service has been silent since.
    """
    if lock:
        await session.execute(select(service_pulse.c.only).with_for_update())
    now = (await session.execute(select(_time(real_now)))).scalar_one()
    if lock:
        ahead = (service_pulse.c.api_beat_at > now) | (service_pulse.c.clocks_beat_at > now)
        beats = {column.name: func.least(column, now) for column in _BEATS}
        await session.execute(update(service_pulse).where(ahead).values(beats))
    row = (await session.execute(select(*_BEATS))).one_or_none()
    return Pulse(row.api_beat_at, row.clocks_beat_at, now) if row else Pulse(None, None, now)


_BEATS = (service_pulse.c.api_beat_at, service_pulse.c.clocks_beat_at)


def _time(real_now: datetime | None) -> ColumnElement[datetime]:
    return func.clock_timestamp() if real_now is None else literal(real_now, Moment)


async def beat(
    session: AsyncSession, *, real_now: datetime | None = None, api: bool = False, running_clocks: bool = False
) -> None:
    """Note that the API answers, that clocks run, or both: now, by the database's clock. Only tests say when."""
    beats = {}
    if api:
        beats["api_beat_at"] = _time(real_now)
    if running_clocks:
        beats["clocks_beat_at"] = _time(real_now)
    line = upsert(service_pulse).values(only=True, **beats)
    await session.execute(line.on_conflict_do_update(index_elements=["only"], set_=beats))


async def give_back(
    session: AsyncSession, *, down_from: datetime, real_now: datetime, at_once: int = GIVEN_BACK_AT_ONCE
) -> int:
    """Give every running clock, and the deadline it stands for, the time it ran while the service was down.

    Gives the number of clocks that were moved. It is one transaction, however long it takes: no clock runs before it
    got its time back, and none gets it twice. Each statement of it is about `at_once` referrals,
    short enough for the limit on statements.
    """
    await wait_for_locks(session, timedelta(0))
    moved, last = 0, None
    while some := await _lock_next(session, after=last, limit=at_once):
        moved += await _give_back(session, some, down_from, real_now)
        last = some[-1]
    return moved


async def _lock_next(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Lock referrals with clocks, in one order for all: a story holds one of them and waits for none."""
    # What is restricted gets its time back when that is lifted.
    with_clocks = referrals.c.id.in_(select(clocks.c.referral_id))
    wanted = select(referrals.c.id).where(with_clocks, ~is_restricted()).order_by(referrals.c.id)
    if after is not None:
        wanted = wanted.where(referrals.c.id > after)
    return (await session.scalars(wanted.limit(limit).with_for_update())).all()


async def _give_back(
    session: AsyncSession, referral_ids: Sequence[UUID], down_from: datetime, real_now: datetime
) -> int:
    began = func.greatest(clocks.c.started_at, down_from)
    of_these = clocks.c.referral_id == func.any(literal(referral_ids, ARRAY(Uuid())))
    moved = await session.execute(
        update(clocks)
        .where(of_these, clocks.c.started_at < real_now, clocks.c.kind.not_in(CONSENT_CLOCKS))
        .values(due_at=clocks.c.due_at + (literal(real_now) - began))
        .returning(clocks.c.id)
    )
    count = len(moved.all())
    await _move_deadlines(session, of_these)
    return count


async def give_back_to(session: AsyncSession, referral_id: UUID, stood_still: timedelta) -> None:
    """Give the clocks of one locked referral, and the deadlines they stand for, the time for which they stood still."""
    of_this = clocks.c.referral_id == referral_id
    moves = clocks.c.kind.not_in(CONSENT_CLOCKS)
    await session.execute(update(clocks).where(of_this, moves).values(due_at=clocks.c.due_at + stood_still))
    await _move_deadlines(session, of_this)


async def start_now(session: AsyncSession, *, ahead: timedelta = timedelta(minutes=1)) -> int:
    """Take back clocks, and their deadlines, that were started later than it is now; give their number.

    They were started before the database's clock was set back, and would run for so much longer. What is `ahead` by
    less stays as it is, and so does what somebody is at work on.
    """
    now = func.statement_timestamp()
    too_late = clocks.c.started_at > now + ahead
    referral_ids = (
        await session.scalars(
            select(referrals.c.id)
            .where(referrals.c.id.in_(select(clocks.c.referral_id).where(too_late)))
            .order_by(referrals.c.id)
            .limit(GIVEN_BACK_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not referral_ids:
        return 0
    of_these = clocks.c.referral_id == func.any(literal(referral_ids, ARRAY(Uuid())))
    moved = await session.execute(
        update(clocks)
        .where(of_these, too_late)
        .values(due_at=clocks.c.due_at - (clocks.c.started_at - now), started_at=now)
        .returning(clocks.c.id)
    )
    count = len(moved.all())
    await _move_deadlines(session, of_these)
    return count


async def _move_deadlines(session: AsyncSession, of_these: ColumnElement[bool]) -> None:
    for kind, deadline in DEADLINES.items():
        await session.execute(
            update(handoffs)
            .where(of_these, clocks.c.handoff_id == handoffs.c.id, clocks.c.kind == kind.value)
            .values({deadline: clocks.c.due_at})
        )
    overdue = clocks.c.kind == ClockKind.CONFIRM_OVERDUE.value
    await session.execute(
        update(referrals)
        .where(of_these, clocks.c.referral_id == referrals.c.id, overdue)
        .values(confirm_by=clocks.c.due_at)
    )


async def emergencies_waiting(session: AsyncSession) -> int:
    """Count the emergencies that are offered to somebody or wait for a person."""
    counted = await session.scalar(
        select(func.count(func.distinct(clocks.c.referral_id)))
        .select_from(clocks.join(referrals, referrals.c.id == clocks.c.referral_id))
        .where(referrals.c.urgency == "emergency", clocks.c.service_request_id.is_not(None))
    )
    return counted or 0
