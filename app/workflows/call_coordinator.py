"""A person is told: who coordinates a request, what waits for them, and who comes next when nobody takes notice."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from app.domain.calendar import respond_by
from app.domain.case import Case
from app.domain.events import EventType
from app.domain.handoff import RequestState
from app.domain.referral import ClockKind, Handoff, ServiceRequest
from app.domain.vocabulary import Urgency
from app.workflows.desk import Desk

log = structlog.get_logger(__name__)


def coordinate(desk: Desk, case: Case, request: ServiceRequest) -> list[str]:
    """See that the narrowest coordinator that may act is on a request, and none that may not; list who is new.

    Where no coordinator may act at all, the operator's named fallback does (routing.md, Coordinator).
    """
    ranking = coordinators_in_order(desk, case)
    for line in case.coordinators(request.id):
        if line.agency_code not in ranking:
            case.stop_coordinating(request.id, line.agency_code)
    present = {line.agency_code: line for line in case.coordinators(request.id)}
    for line in present.values():
        if line.position != ranking.index(line.agency_code):
            case.coordinate(request.id, line.agency_code, ranking.index(line.agency_code), line.told_at)
    if not ranking or ranking[0] in present:
        return []
    case.coordinate(request.id, ranking[0], 0, None)
    return [ranking[0]]


def coordinators_in_order(desk: Desk, case: Case) -> tuple[str, ...]:
    """List all who may coordinate a case, the narrowest first; the named fallback where there is nobody else."""
    may_act = desk.reference.rules.wider_coordinators(case.facts)
    if may_act:
        return may_act
    named = desk.terms.fallback_coordinator
    agency = desk.reference.registry.agencies.get(named or "")
    if agency is None or not agency.active:
        if named is not None:
            log.error("fallback_coordinator_unknown", referral_id=str(case.referral.id))
        return ()
    if agency.code in desk.reference.rules.off_list(case.facts):
        return ()
    log.error("fallback_coordinates", referral_id=str(case.referral.id), agency=agency.code)
    return (agency.code,)


def tell_coordinators(desk: Desk, case: Case, request_id: UUID) -> list[str]:
    """Mark the coordinators of a request as told, and list them, narrowest first; nobody is an alert."""
    lines = case.coordinators(request_id)
    for line in lines:
        if line.told_at is None:
            case.coordinate(request_id, line.agency_code, line.position, desk.now)
    if not lines:
        log.error("coordinator_missing", service_request_id=str(request_id), referral_id=str(case.referral.id))
    return [line.agency_code for line in lines]


def acknowledge_due(desk: Desk, case: Case, coordinator: str | None) -> datetime:
    """Say until when what waits must be acknowledged (routing.md, Nothing waits unseen)."""
    within = desk.terms.acknowledge[case.referral.urgency]
    return respond_by(within, desk.now, desk.time_zone(coordinator or ""))


def wait_for_coordinator(desk: Desk, case: Case, request_id: UUID, reason: str | None) -> None:
    """Put a request into its coordinator's queue: it waits for a person, and the person is told.

    What waits already for the same reason goes on waiting: its clock runs on, and only who is new is told.
    """
    request = case.requests[request_id]
    new = [line.agency_code for line in case.coordinators(request_id) if line.told_at is None]
    told_before = [line.agency_code for line in case.coordinators(request_id) if line.told_at is not None]
    waits_on = request.state is RequestState.NEEDS_COORDINATOR and request.reason == reason and bool(told_before)
    if waits_on and not new:
        return
    if not waits_on:
        case.stop_clocks(request_id)
        request = case.put_request(
            replace(
                request,
                state=RequestState.NEEDS_COORDINATOR,
                reason=reason,
                waiting_since=desk.now,
                acknowledged_at=None,
                acknowledged_by=None,
            )
        )
    told = tell_coordinators(desk, case, request_id)
    due = acknowledge_due(desk, case, told[0] if told else None)
    if not waits_on:
        case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request_id)
    audience = set(new) if waits_on else {*told, *case.owners()}
    case.tell_of_request(request, EventType.SERVICE_REQUEST_NEEDS_COORDINATOR, audience, acknowledge_by=due.isoformat())


def hurry_waiting(desk: Desk, case: Case) -> None:
    """Let what waits unacknowledged be taken notice of by the shorter time: the case has become an emergency."""
    for request in case.requests.values():
        if request.state is RequestState.NEEDS_COORDINATOR and request.acknowledged_at is None:
            told = tell_coordinators(desk, case, request.id)
            due = acknowledge_due(desk, case, told[0] if told else None)
            # Beside the clock that runs: whichever is first calls, and stops the other.
            case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request.id)
            case.tell_of_request(request, EventType.SERVICE_REQUEST_OVERDUE, told, because=["emergency"])


def tell_of_offer(desk: Desk, case: Case, handoff: Handoff, because: Iterable[str]) -> Handoff:
    """Tell the coordinators of an offer that they cannot wait to hear of, and watch that it is delivered."""
    reasons = list(because)
    if handoff.urgency is Urgency.EMERGENCY:
        due = desk.now + desk.terms.undelivered_after
        case.start_clock(ClockKind.UNDELIVERED_OFFER, due, handoff.service_request_id, handoff.id)
    if not reasons:
        return handoff
    told = tell_coordinators(desk, case, handoff.service_request_id)
    return case.tell_of_handoff(handoff, EventType.HANDOFF_OFFERED, told, because=reasons)


def tell_overdue(
    desk: Desk, case: Case, request_id: UUID, because: str, *, handoff_id: UUID | None = None, **more: str
) -> list[str]:
    """Tell the coordinators of a request what is overdue, and list them."""
    told = tell_coordinators(desk, case, request_id)
    more |= {"handoff_id": str(handoff_id)} if handoff_id else {}
    case.tell_of_request(case.requests[request_id], EventType.SERVICE_REQUEST_OVERDUE, told, because=[because], **more)
    return told


def call_for_acknowledgement(desk: Desk, case: Case, request_id: UUID, because: str) -> None:
    """Tell the coordinators that a request needs them though it does not wait in the queue, until one takes notice."""
    request = case.requests[request_id]
    case.put_request(replace(request, acknowledged_at=None, acknowledged_by=None))
    told = tell_overdue(desk, case, request_id, because)
    due = acknowledge_due(desk, case, told[0] if told else None)
    case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request_id)


def call_next_wider(desk: Desk, case: Case, request_id: UUID) -> None:
    """Nobody took notice in time: the next wider coordinator is told too, and the last is told again."""
    case.stop_clocks(request_id)
    request = case.requests[request_id]
    coordinate(desk, case, request)
    ranking = coordinators_in_order(desk, case)
    widest = max((line.position for line in case.coordinators(request_id) if line.told_at is not None), default=-1)
    wider = ranking[widest + 1 :]
    if wider:
        case.coordinate(request_id, wider[0], widest + 1, desk.now)
    else:
        log.error("request_unacknowledged", service_request_id=str(request_id), referral_id=str(case.referral.id))
    told = tell_overdue(desk, case, request_id, "unacknowledged")
    due = acknowledge_due(desk, case, told[-1] if told else None)
    case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request_id)
