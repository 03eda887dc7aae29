"""Somebody acts on a handoff: its state moves, what follows from it follows, and everybody concerned is told."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.calendar import respond_by
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.consent import GroundKind
from app.domain.errors import ConsentRequired
from app.domain.events import EventType
from app.domain.handoff import (
    DECIDED_ANEW,
    FULFILLING,
    LIVE,
    WITHOUT_GROUND,
    Actor,
    HandoffEvent,
    HandoffState,
    RequestState,
    WithdrawReason,
    fire,
)
from app.domain.notes import NoteName
from app.domain.referral import DUTY_CLOCKS, ClockKind, Handoff, Mode, ServiceRequest
from app.storage import audit, personal_data
from app.workflows.call_coordinator import wait_for_coordinator
from app.workflows.desk import Desk
from app.workflows.route_requests import route_requests
from app.workflows.warn_of_duplicate import note_identity_anew
from app.workflows.watch_duties import mark_what_passed, remind_of_duties, watch_duties

NEWS = {
    HandoffEvent.ACCEPT: EventType.HANDOFF_ACCEPTED,
    HandoffEvent.DECLINE: EventType.HANDOFF_DECLINED,
    HandoffEvent.EXPIRE: EventType.HANDOFF_EXPIRED,
    HandoffEvent.WITHDRAW: EventType.HANDOFF_WITHDRAWN,
    HandoffEvent.START: EventType.HANDOFF_STARTED,
    HandoffEvent.HOLD: EventType.HANDOFF_HELD,
    HandoffEvent.RESUME: EventType.HANDOFF_RESUMED,
    HandoffEvent.HAND_BACK: EventType.HANDOFF_HANDED_BACK,
    HandoffEvent.REQUEST_CANCEL: EventType.HANDOFF_CANCEL_REQUESTED,
    HandoffEvent.CONFIRM_CANCEL: EventType.HANDOFF_CANCELLED,
    HandoffEvent.COMPLETE: EventType.HANDOFF_COMPLETED,
    HandoffEvent.FAIL: EventType.HANDOFF_FAILED,
    # A receiver knows no other word for "forget this": what it was offered is withdrawn, what it took is cancelled.
    HandoffEvent.VOID: EventType.HANDOFF_CANCELLED,
}


END_NEWS = {
    RequestState.FULFILLED: EventType.SERVICE_REQUEST_FULFILLED,
    RequestState.UNMET: EventType.SERVICE_REQUEST_UNMET,
    RequestState.CANCELLED: EventType.SERVICE_REQUEST_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes with a move: a code, a note that is sealed, the day on which a held handoff is looked at again."""

    reason: str | None = None
    outcome: str | None = None
    note: str | None = None
    share_note: bool = False
    """Whether sender and holder may read the note too."""
    review_on: date | None = None


async def answer_handoff(
    desk: Desk, caller: Caller, handoff_id: UUID, event: HandoffEvent, answer: Answer | None = None
) -> Case:
    """Move a handoff as its receiver, sender or coordinator says; IllegalTransition where it cannot be."""
    case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id)
    handoff = case.handoffs[handoff_id]
    actors = case.actors(caller.agency_code, caller.roles, handoff)
    given = answer or Answer()
    offered = event is HandoffEvent.ACCEPT and handoff.state is HandoffState.OFFERED
    if offered and Actor.RECEIVER in actors and case.shows(handoff) is GroundKind.NONE:
        # Its consent has come to its term, and no clock has withdrawn the offer yet.
        raise ConsentRequired("nothing of this case may be disclosed without consent")
    await move(desk, case, handoff, event, actors, given)
    name = NoteName(handoff_id, case.handoffs[handoff_id].sequence, event, given.share_note)
    notes = {} if given.note is None else {name.field: given.note}
    await personal_data.reseal(desk.tx, desk.key_ring, case.referral.id, notes)
    if event is HandoffEvent.ACCEPT:
        await note_identity_anew(desk, case, {case.handoffs[handoff_id].agency_code})
    await audit.record(
        desk.tx,
        caller,
        f"handoff.{event.value}",
        subject="handoff",
        subject_id=handoff_id,
        referral_id=case.referral.id,
        fields=notes or None,
        request_id=desk.request_id,
    )
    return await desk.save(case)


async def move(
    desk: Desk, case: Case, handoff: Handoff, event: HandoffEvent, actors: frozenset[Actor], answer: Answer
) -> Handoff:
    """Fire one event on a handoff of a locked case, with all that follows from it."""
    was_late = handoff.state is HandoffState.EXPIRED
    state = fire(handoff.state, event, actors, waiting=case.takes_late_acceptance(handoff.service_request_id))
    if state not in LIVE:
        handoff = await mark_what_passed(desk, case, handoff)
    case.stop_clocks(handoff.id, but=DUTY_CLOCKS if state in LIVE else frozenset())
    moved = replace(
        handoff,
        state=state,
        reason=answer.reason or handoff.reason,
        outcome=answer.outcome or handoff.outcome,
        answered_at=handoff.answered_at or (desk.now if Actor.RECEIVER in actors else None),
        review_on=None,
        changed_at=desk.now,
    )
    moved = case.tell_of_handoff(
        _with_clocks(desk, case, moved, answer), news_of(handoff.state, event), _audience(case, moved, event)
    )
    if was_late:
        case.stop_clocks(moved.service_request_id)
        watch_duties(case, moved, since=handoff.changed_at)
    if event is HandoffEvent.ACCEPT:
        remind_of_duties(desk, case, moved)
    case.settle_holder()
    await _follow(desk, case, moved)
    if moved.state is HandoffState.CANCEL_REQUESTED and moved.barred:
        # Who may see nothing of the case cannot confirm; whoever takes over should not have to wait for it.
        clock = frozenset({Actor.CLOCK})
        await move(desk, case, case.handoffs[moved.id], HandoffEvent.CONFIRM_CANCEL, clock, Answer())
    return case.handoffs[moved.id]


def news_of(before: HandoffState, event: HandoffEvent) -> EventType:
    """Name the news that a move makes."""
    if event is HandoffEvent.VOID and before is HandoffState.OFFERED:
        return EventType.HANDOFF_WITHDRAWN
    return NEWS[event]


def _audience(case: Case, handoff: Handoff, event: HandoffEvent) -> set[str]:
    caused_by_receiver = event not in {
        HandoffEvent.EXPIRE,
        HandoffEvent.WITHDRAW,
        HandoffEvent.REQUEST_CANCEL,
        HandoffEvent.CONFIRM_CANCEL,
        HandoffEvent.VOID,
    }
    return case.owners() if caused_by_receiver else case.owners() | {handoff.agency_code}


def _with_clocks(desk: Desk, case: Case, handoff: Handoff, answer: Answer) -> Handoff:
    zone = desk.time_zone(handoff.agency_code)
    request_id = handoff.service_request_id
    match handoff.state:
        case HandoffState.ACCEPTED:
            start_by = respond_by(handoff.respond, desk.now, zone, joint_leave_counts=handoff.joint_leave_counts)
            case.start_clock(ClockKind.START_OVERDUE, start_by, request_id, handoff.id)
            return replace(handoff, start_by=start_by)
        case HandoffState.ON_HOLD:
            review = _end_of(answer.review_on, zone) if answer.review_on else desk.now
            case.start_clock(ClockKind.REVIEW_OVERDUE, review, request_id, handoff.id)
            return replace(handoff, review_on=review)
        case HandoffState.CANCEL_REQUESTED:
            cancel_by = respond_by(desk.terms.cancel_lapses, desk.now, zone)
            case.start_clock(ClockKind.CANCEL_LAPSES, cancel_by, request_id, handoff.id)
            return replace(handoff, cancel_by=cancel_by)
        case _:
            return handoff


def _end_of(day: date, time_zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(time_zone)).astimezone(UTC)


async def _follow(desk: Desk, case: Case, handoff: Handoff) -> None:
    request = case.requests[handoff.service_request_id]
    match handoff.state:
        case HandoffState.ACCEPTED:
            case.put_request(replace(request, state=RequestState.ACCEPTED, reason=None, waiting_since=None))
            case.tell_of_request(case.requests[request.id], EventType.SERVICE_REQUEST_ACCEPTED, case.owners())
            if case.referral.mode is Mode.TRANSFER and case.referral.holder_code == case.referral.sender_code:
                case.put_referral(holder_code=handoff.agency_code)
        case state if state in DECIDED_ANEW:
            await route_requests(desk, case, [_not_again(case, handoff, RequestState.ROUTING)], state.value)
        case HandoffState.COMPLETED:
            fulfilled = handoff.outcome in FULFILLING or handoff.outcome is None
            end(case, request.id, RequestState.FULFILLED if fulfilled else RequestState.UNMET, handoff.outcome)
        case HandoffState.FAILED:
            _not_again(case, handoff)
            wait_for_coordinator(desk, case, request.id, "failed")
        case HandoffState.ENTERED_IN_ERROR:
            end(case, request.id, RequestState.CANCELLED, "entered_in_error")
        case HandoffState.WITHDRAWN | HandoffState.CANCELLED:
            await _taken_back(desk, case, handoff)
        case _:
            pass


async def _taken_back(desk: Desk, case: Case, handoff: Handoff) -> None:
    request = case.requests[handoff.service_request_id]
    match handoff.reason:
        case WithdrawReason.NO_LONGER_NEEDED:
            end(case, request.id, RequestState.CANCELLED, handoff.reason)
        case WithdrawReason.FACTS_AMENDED:
            await route_requests(
                desk, case, [case.put_request(replace(request, state=RequestState.ROUTING))], "amended"
            )
        case reason if reason in WITHOUT_GROUND:
            # An emergency would move without consent; a consent that was taken back asks a person first.
            wait_for_coordinator(desk, case, request.id, "no_consent")
        case _:
            _not_again(case, handoff)
            wait_for_coordinator(desk, case, request.id, "withdrawn")


def _not_again(case: Case, handoff: Handoff, state: RequestState | None = None) -> ServiceRequest:
    """Keep the machine from offering a request again to an agency that had it; a coordinator still may."""
    request = case.requests[handoff.service_request_id]
    tried = (*request.tried, handoff.agency_code)
    return case.put_request(replace(request, tried=tried, state=state or request.state))


def end(case: Case, request_id: UUID, state: RequestState, reason: str | None) -> None:
    """End a request, and tell its owners and whoever coordinates it."""
    case.stop_clocks(request_id)
    request = case.put_request(case.requests[request_id].ended(state, reason))
    told = {line.agency_code for line in case.coordinators(request_id) if line.told_at is not None}
    case.tell_of_request(request, END_NEWS[state], case.owners() | told)
