"""What happens when nobody acted in time: reminders, expiry, and the next person told."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.calendar import respond_by
from app.domain.case import Case, Clock, ClockKind
from app.domain.events import EventType
from app.domain.handoff import Actor, HandoffEvent, HandoffState, RequestState
from app.storage import audit, cases, clocks, deliveries
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.answer_handoff import Answer, move
from app.workflows.desk import Desk, Terms
from app.workflows.route_requests import acknowledge_due, tell_coordinators

log = structlog.get_logger(__name__)

Sessions: TypeAlias = async_sessionmaker[AsyncSession]


async def run_due_clocks(
    sessions: Sessions, keeper: ReferenceKeeper, key_ring: KeyRing, terms: Terms, now: Callable[[], datetime]
) -> int:
    """Run every clock whose time has come, each in its own transaction; count those that ran.

    Any number of processes may do this at once: a referral that another is at work on is left for the next look.
    """
    ran = 0
    async with sessions.begin() as session:
        due = await clocks.due(session, now=now(), limit=500)
    for clock_id, referral_id in due:
        async with sessions.begin() as session:
            if not await clocks.lock_referral(session, referral_id):
                continue
            clock = await clocks.take(session, clock_id, now=now())
            if clock is None:
                continue
            desk = Desk(session, now(), await keeper.current(session), keeper, terms, key_ring)
            await run_clock(desk, clock)
            ran += 1
    return ran


async def run_clock(desk: Desk, clock: Clock) -> None:
    """Do what one clock stands for; its referral is locked, and the clock itself is gone."""
    case = await cases.lock(desk.tx, clock.referral_id, public_url=desk.terms.public_url)
    if case is None:
        raise AssertionError("a clock belongs to a referral")
    await _WHAT[clock.kind](desk, case, clock)
    await audit.record(
        desk.tx,
        None,
        f"clock.{clock.kind.value}",
        subject="handoff" if clock.handoff_id else "service_request",
        subject_id=clock.handoff_id or clock.service_request_id,
        referral_id=clock.referral_id,
    )
    await desk.save(case)


async def _remind_of_offer(desk: Desk, case: Case, clock: Clock) -> None:  # noqa: ARG001 - one shape for every clock
    handoff = case.handoffs[_handoff_id(clock)]
    if handoff.state is HandoffState.OFFERED:
        case.tell_of_handoff(handoff, EventType.HANDOFF_REMINDER, {handoff.agency_code})


async def _expire_offer(desk: Desk, case: Case, clock: Clock) -> None:
    handoff = case.handoffs[_handoff_id(clock)]
    if handoff.state is HandoffState.OFFERED:
        await move(desk, case, handoff, HandoffEvent.EXPIRE, frozenset({Actor.CLOCK}), Answer())


async def _undelivered_offer(desk: Desk, case: Case, clock: Clock) -> None:
    handoff = case.handoffs[_handoff_id(clock)]
    if handoff.state is not HandoffState.OFFERED:
        return
    if await deliveries.has_delivered(desk.tx, handoff.id, EventType.HANDOFF_OFFERED, handoff.agency_code):
        return
    _tell_overdue(desk, case, clock, "offer_undelivered")


async def _start_overdue(desk: Desk, case: Case, clock: Clock) -> None:
    await _remind_then_coordinator(desk, case, clock, HandoffState.ACCEPTED)


async def _review_overdue(desk: Desk, case: Case, clock: Clock) -> None:
    await _remind_then_coordinator(desk, case, clock, HandoffState.ON_HOLD)


async def _remind_then_coordinator(desk: Desk, case: Case, clock: Clock, while_: HandoffState) -> None:
    handoff = case.handoffs[_handoff_id(clock)]
    if handoff.state is not while_:
        return
    case.tell_of_handoff(handoff, EventType.HANDOFF_REMINDER, {handoff.agency_code})
    within = desk.terms.acknowledge[handoff.urgency]
    due = respond_by(within, desk.now, desk.time_zone(handoff.agency_code))
    case.start_clock(ClockKind.TELL_COORDINATOR, due, clock.service_request_id, handoff.id)


async def _tell_coordinator(desk: Desk, case: Case, clock: Clock) -> None:
    handoff = case.handoffs[_handoff_id(clock)]
    reason = {HandoffState.ACCEPTED: "start_overdue", HandoffState.ON_HOLD: "review_overdue"}.get(handoff.state)
    if reason is not None:
        _tell_overdue(desk, case, clock, reason)


async def _cancel_lapses(desk: Desk, case: Case, clock: Clock) -> None:
    handoff = case.handoffs[_handoff_id(clock)]
    if handoff.state is HandoffState.CANCEL_REQUESTED:
        await move(desk, case, handoff, HandoffEvent.CONFIRM_CANCEL, frozenset({Actor.CLOCK}), Answer())


async def _acknowledge_overdue(desk: Desk, case: Case, clock: Clock) -> None:
    request = case.requests[clock.service_request_id]
    if request.state is not RequestState.NEEDS_COORDINATOR or request.acknowledged_at is not None:
        return
    present = case.coordinators(request.id)
    wider = [
        agency_code
        for agency_code in desk.reference.rules.wider_coordinators(case.facts)
        if (request.id, agency_code) not in case.coordinations
    ]
    if wider:
        case.coordinate(request.id, wider[0], present[-1].position + 1 if present else 0, desk.now)
    else:
        log.error("request_unacknowledged", service_request_id=str(request.id), referral_id=str(case.referral.id))
    told = _tell_overdue(desk, case, clock, "unacknowledged")
    due = acknowledge_due(desk, case, told[-1] if told else None)
    case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request.id)


def _tell_overdue(desk: Desk, case: Case, clock: Clock, because: str) -> list[str]:
    request = case.requests[clock.service_request_id]
    told = tell_coordinators(desk, case, request.id)
    more = {"handoff_id": str(clock.handoff_id)} if clock.handoff_id else {}
    case.tell_of_request(request, EventType.SERVICE_REQUEST_OVERDUE, told, because=[because], **more)
    return told


def _handoff_id(clock: Clock) -> UUID:
    if clock.handoff_id is None:
        raise AssertionError("this clock runs on a handoff")
    return clock.handoff_id


_WHAT = {
    ClockKind.REMIND_OF_OFFER: _remind_of_offer,
    ClockKind.EXPIRE_OFFER: _expire_offer,
    ClockKind.UNDELIVERED_OFFER: _undelivered_offer,
    ClockKind.START_OVERDUE: _start_overdue,
    ClockKind.REVIEW_OVERDUE: _review_overdue,
    ClockKind.TELL_COORDINATOR: _tell_coordinator,
    ClockKind.CANCEL_LAPSES: _cancel_lapses,
    ClockKind.ACKNOWLEDGE_OVERDUE: _acknowledge_overdue,
}
