"""What happens when nobody acted in time: reminders, expiry, and the next person told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import tracing
from app.domain.calendar import respond_by
from app.domain.case import Case
from app.domain.events import EventType
from app.domain.handoff import ENDED_REQUESTS, TAKEN, Actor, HandoffEvent, HandoffState, RequestState
from app.domain.referral import DUTY_CLOCKS, Clock, ClockKind, Handoff
from app.observability import told_of
from app.storage import audit, cases, clocks, deliveries
from app.storage.database import is_gone, is_passing, wait_for_locks
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.answer_handoff import Answer, move
from app.workflows.call_coordinator import call_next_wider, tell_overdue
from app.workflows.desk import Desk, Terms
from app.workflows.end_consent import run_consent_clock
from app.workflows.watch_duties import run_duty_clock

log = structlog.get_logger(__name__)

Sessions: TypeAlias = async_sessionmaker[AsyncSession]

AGAIN_AFTER = timedelta(minutes=1)
"""When a clock that could not be run is tried again."""
SOON = timedelta(seconds=5)
"""When one is tried again that only met a lock or another conflict; until then others have their turn."""
LOCK_WAIT = timedelta(seconds=1)


async def run_due_clocks(
    sessions: Sessions, keeper: ReferenceKeeper, key_ring: KeyRing, terms: Terms, now: Callable[[], datetime]
) -> int:
    """Run every clock whose time has come, each in its own transaction; count those that ran.

    Any number of processes may do this at once: a referral that another is at work on is left for the next look. A
    clock that cannot be run is an alert, and keeps no other from running: only a database that is gone ends the look.
    """
    ran = 0
    async with sessions.begin() as session:
        due = await clocks.due(session, now=now(), limit=500)
    for clock_id, referral_id in due:
        try:
            ran += await _run_one(sessions, keeper, key_ring, terms, now(), clock_id, referral_id)
        except Exception as error:
            if is_gone(error):
                raise
            which = {"clock_id": str(clock_id), "referral_id": str(referral_id)}
            if is_passing(error):
                log.warning("clock_waits", error=type(error).__name__, **which)
            else:
                # Not with the exception itself: its message may hold anything.
                log.error("clock_failed", **which, **told_of(error))  # noqa: TRY400
            await _put_off(sessions, clock_id, until=now() + (SOON if is_passing(error) else AGAIN_AFTER))
    return ran


async def _put_off(sessions: Sessions, clock_id: UUID, *, until: datetime) -> None:
    try:
        async with sessions.begin() as session:
            await wait_for_locks(session, LOCK_WAIT)
            await clocks.put_off(session, clock_id, until=until)
    except Exception as error:
        if is_gone(error) or not is_passing(error):
            raise
        # Somebody is at work on the clock itself.


async def _run_one(
    sessions: Sessions,
    keeper: ReferenceKeeper,
    key_ring: KeyRing,
    terms: Terms,
    now: datetime,
    clock_id: UUID,
    referral_id: UUID,
) -> bool:
    async with sessions.begin() as session:
        await wait_for_locks(session, LOCK_WAIT)
        # The rules first and the referral after, as every request does: nobody waits crosswise.
        reference = await keeper.current(session)
        if not await clocks.lock_referral(session, referral_id):
            return False
        clock = await clocks.take(session, clock_id, now=now)
        if clock is None:
            return False
        with tracing.span("run clock", lintas__clock=clock.kind, lintas__referral_id=referral_id):
            await run_clock(Desk(session, now, reference, keeper, terms, key_ring), clock)
    return True


async def run_clock(desk: Desk, clock: Clock) -> None:
    """Do what one clock stands for; its referral is locked, and the clock itself is gone."""
    case = await cases.lock(desk.tx, clock.referral_id, public_url=desk.terms.public_url)
    if case is None:
        raise AssertionError("a clock belongs to a referral")
    case.look_at(desk.now)
    if clock.service_request_id is None:
        await run_consent_clock(desk, case, clock)
    elif clock.handoff_id is None:
        _acknowledge_overdue(desk, case, clock.service_request_id)
    elif clock.kind in DUTY_CLOCKS:
        run_duty_clock(desk, case, case.handoffs[clock.handoff_id], clock)
    else:
        await _HANDOFF_CLOCKS[clock.kind](desk, case, case.handoffs[clock.handoff_id])
    await audit.record(
        desk.tx,
        None,
        f"clock.{clock.kind.value}",
        subject="handoff" if clock.handoff_id else "service_request" if clock.service_request_id else "referral",
        subject_id=clock.handoff_id or clock.service_request_id or clock.referral_id,
        referral_id=clock.referral_id,
    )
    await desk.save(case)


async def _remind_of_offer(desk: Desk, case: Case, handoff: Handoff) -> None:  # noqa: ARG001 - one shape for all
    if handoff.state is HandoffState.OFFERED:
        case.tell_of_handoff(handoff, EventType.HANDOFF_REMINDER, {handoff.agency_code})


async def _expire_offer(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.state is HandoffState.OFFERED:
        await move(desk, case, handoff, HandoffEvent.EXPIRE, frozenset({Actor.CLOCK}), Answer())


async def _undelivered_offer(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.state is HandoffState.OFFERED and not await deliveries.has_delivered(
        desk.tx, handoff.id, EventType.HANDOFF_OFFERED, handoff.agency_code
    ):
        tell_overdue(desk, case, handoff.service_request_id, "offer_undelivered", handoff_id=handoff.id)


async def _start_overdue(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.state is HandoffState.ACCEPTED:
        _remind_then_coordinator(desk, case, handoff)


async def _review_overdue(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.state is HandoffState.ON_HOLD:
        _remind_then_coordinator(desk, case, handoff)


def _remind_then_coordinator(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.barred:
        # Who may see nothing of the case is not reminded of it.
        _tell_coordinator_of(desk, case, handoff)
        return
    case.tell_of_handoff(handoff, EventType.HANDOFF_REMINDER, {handoff.agency_code})
    within = desk.terms.acknowledge[handoff.urgency]
    due = respond_by(within, desk.now, desk.time_zone(handoff.agency_code))
    case.start_clock(ClockKind.TELL_COORDINATOR, due, handoff.service_request_id, handoff.id)


async def _tell_coordinator(desk: Desk, case: Case, handoff: Handoff) -> None:
    _tell_coordinator_of(desk, case, handoff)


def _tell_coordinator_of(desk: Desk, case: Case, handoff: Handoff) -> None:
    reason = {HandoffState.ACCEPTED: "start_overdue", HandoffState.ON_HOLD: "review_overdue"}.get(handoff.state)
    if reason is not None:
        tell_overdue(desk, case, handoff.service_request_id, reason, handoff_id=handoff.id)


async def _cancel_lapses(desk: Desk, case: Case, handoff: Handoff) -> None:
    if handoff.state is HandoffState.CANCEL_REQUESTED:
        await move(desk, case, handoff, HandoffEvent.CONFIRM_CANCEL, frozenset({Actor.CLOCK}), Answer())


def _acknowledge_overdue(desk: Desk, case: Case, request_id: UUID) -> None:
    request = case.requests[request_id]
    live = case.live_handoff(request_id)
    left = (live is not None and live.barred and live.state in TAKEN) or case.unconfirmed_work(request_id)
    orphaned = case.referral.sender_barred and request.state not in ENDED_REQUESTS
    if request.acknowledged_at is None and (request.state is RequestState.NEEDS_COORDINATOR or left or orphaned):
        call_next_wider(desk, case, request_id)


_HANDOFF_CLOCKS = {
    ClockKind.REMIND_OF_OFFER: _remind_of_offer,
    ClockKind.EXPIRE_OFFER: _expire_offer,
    ClockKind.UNDELIVERED_OFFER: _undelivered_offer,
    ClockKind.START_OVERDUE: _start_overdue,
    ClockKind.REVIEW_OVERDUE: _review_overdue,
    ClockKind.TELL_COORDINATOR: _tell_coordinator,
    ClockKind.CANCEL_LAPSES: _cancel_lapses,
}
