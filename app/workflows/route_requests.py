"""Decide service requests, and offer each to the agency that was chosen or show it to its coordinator."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from app.domain.calendar import after, halfway, respond_by
from app.domain.case import Case, ClockKind, Handoff, RecordedDecision, ServiceRequest
from app.domain.events import EventType
from app.domain.handoff import HandoffState, RequestState
from app.domain.routing import Decision
from app.domain.vocabulary import Outcome, Urgency
from app.storage import endpoints
from app.workflows.desk import Desk

log = structlog.get_logger(__name__)


async def route_requests(desk: Desk, case: Case, requests: Iterable[ServiceRequest], cause: str) -> None:
    """Decide each request by the rules in force, and offer it or make it wait for its coordinator."""
    decided = [(request, decide(desk, case, request, cause)) for request in list(requests)]
    heads = {decision.agency for _, decision in decided if decision.agency}
    reachable = await endpoints.reachable(desk.tx, heads) if heads else set()
    for request, decision in decided:
        coordinate(desk, case, request)
        if decision.outcome is Outcome.OFFERED and decision.agency:
            respond = decision.respond or desk.reference.vocabulary.urgencies[case.facts.urgency].respond
            offer(
                desk,
                case,
                request.id,
                agency_code=decision.agency,
                respond=respond,
                joint_leave_counts=_joint_leave_counts(desk, decision),
                duties=_duties(decision, case.facts.received_at),
                reachable=decision.agency in reachable,
            )
        else:
            wait_for_coordinator(desk, case, request.id, decision.reason.value if decision.reason else None)


def decide(desk: Desk, case: Case, request: ServiceRequest, cause: str) -> Decision:
    """Decide one request, and record the decision with what it was made from."""
    facts = case.facts_for(request.service_type)
    decision = desk.reference.rules.decide(facts, request.service_type, frozenset(request.tried))
    record_decision(desk, case, request, cause, outcome=decision.outcome.value, result=decision.to_json())
    return decision


def record_decision(
    desk: Desk,
    case: Case,
    request: ServiceRequest,
    cause: str,
    *,
    outcome: str,
    result: dict[str, Any],
    placed_by: str | None = None,
) -> None:
    """Keep a decision as the one in force for its request."""
    recorded = RecordedDecision(
        id=uuid7(),
        service_request_id=request.id,
        referral_id=case.referral.id,
        facts_version=case.referral.facts_version + case.facts_changed,
        consent=case.consent_for(request.service_type),
        tried=request.tried,
        registry_version=desk.reference.version,
        code_sets_version=desk.reference.vocabulary.version,
        engine=str(result.get("engine", "")),
        cause=cause,
        outcome=outcome,
        result=result,
        placed_by=placed_by,
        decided_at=desk.now,
    )
    case.decisions.append(recorded)
    case.put_request(replace(case.requests[request.id], decision_id=recorded.id))


def coordinate(desk: Desk, case: Case, request: ServiceRequest) -> None:
    """See that the narrowest coordinator that may act is on the request, and none that may not."""
    may_act = desk.reference.rules.wider_coordinators(case.facts)
    for line in case.coordinators(request.id):
        if line.agency_code not in may_act and line.agency_code != desk.terms.fallback_coordinator:
            case.stop_coordinating(request.id, line.agency_code)
    if not case.coordinators(request.id):
        first = may_act[0] if may_act else _fallback(desk, case)
        if first is not None:
            case.coordinate(request.id, first, 0, None)


def offer(
    desk: Desk,
    case: Case,
    request_id: UUID,
    *,
    agency_code: str,
    respond: str,
    duties: tuple[dict[str, Any], ...],
    reachable: bool,
    joint_leave_counts: bool = True,
) -> Handoff:
    """Offer a request to an agency: the respond clock runs, and the coordinator hears of what cannot wait."""
    request = case.requests[request_id]
    case.stop_clocks(request.id)
    answer_by = respond_by(respond, desk.now, desk.time_zone(agency_code), joint_leave_counts=joint_leave_counts)
    if request.decision_id is None:
        raise AssertionError("a request is offered by the decision in force")
    handoff = Handoff(
        id=uuid7(),
        referral_id=case.referral.id,
        service_request_id=request.id,
        decision_id=request.decision_id,
        agency_code=agency_code,
        state=HandoffState.OFFERED,
        urgency=case.referral.urgency,
        respond=respond,
        joint_leave_counts=joint_leave_counts,
        respond_by=answer_by,
        duties=duties,
        offered_at=desk.now,
        changed_at=desk.now,
    )
    case.new.add(handoff.id)
    case.put_handoff(handoff)
    case.put_request(
        replace(request, state=RequestState.OFFERED, reason=None, waiting_since=None, acknowledged_at=None)
    )
    case.start_clock(ClockKind.REMIND_OF_OFFER, halfway(desk.now, answer_by), request.id, handoff.id)
    case.start_clock(ClockKind.EXPIRE_OFFER, answer_by, request.id, handoff.id)

    handoff = case.tell_of_handoff(handoff, EventType.HANDOFF_OFFERED, {agency_code, *case.owners()})
    because = []
    if handoff.urgency is Urgency.EMERGENCY:
        because.append("emergency")
        case.start_clock(ClockKind.UNDELIVERED_OFFER, desk.now + desk.terms.undelivered_after, request.id, handoff.id)
    if not reachable:
        because.append("receiver_has_no_working_endpoint")
    if because:
        handoff = case.tell_of_handoff(
            handoff, EventType.HANDOFF_OFFERED, tell_coordinators(desk, case, request.id), because=because
        )
    return handoff


def wait_for_coordinator(desk: Desk, case: Case, request_id: UUID, reason: str | None) -> None:
    """Put a request into its coordinator's queue: it waits for a person, and the person is told."""
    case.stop_clocks(request_id)
    request = case.put_request(
        replace(
            case.requests[request_id],
            state=RequestState.NEEDS_COORDINATOR,
            reason=reason,
            waiting_since=desk.now,
            acknowledged_at=None,
            acknowledged_by=None,
        )
    )
    told = tell_coordinators(desk, case, request_id)
    due = acknowledge_due(desk, case, told[0] if told else None)
    case.start_clock(ClockKind.ACKNOWLEDGE_OVERDUE, due, request_id)
    case.tell_of_request(
        request,
        EventType.SERVICE_REQUEST_NEEDS_COORDINATOR,
        {*told, *case.owners()},
        acknowledge_by=due.isoformat(),
    )
    if not told:
        log.error("coordinator_missing", service_request_id=str(request_id), referral_id=str(case.referral.id))


def acknowledge_due(desk: Desk, case: Case, coordinator: str | None) -> datetime:
    """Say until when what waits must be acknowledged (routing.md, Nothing waits unseen)."""
    within = desk.terms.acknowledge[case.referral.urgency]
    return respond_by(within, desk.now, desk.time_zone(coordinator or ""))


def tell_coordinators(desk: Desk, case: Case, request_id: UUID) -> list[str]:
    """Mark the coordinators of a request as told, and list them, narrowest first."""
    lines = case.coordinators(request_id)
    for line in lines:
        if line.told_at is None:
            case.coordinate(request_id, line.agency_code, line.position, desk.now)
    return [line.agency_code for line in lines]


def _fallback(desk: Desk, case: Case) -> str | None:
    named = desk.terms.fallback_coordinator
    return None if named is None or named in desk.reference.rules.off_list(case.facts) else named


def _duties(decision: Decision, received_at: datetime) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "duty": owed.duty,
            "due_at": after(owed.within, received_at).isoformat(),
            "document": owed.document,
            "clause": owed.clause,
            "source": owed.source,
            "confirmed": owed.confirmed,
        }
        for owed in decision.duties
    )


def _joint_leave_counts(desk: Desk, decision: Decision) -> bool:
    cited = (decision.document, decision.document_version)
    return all(
        document.joint_leave_counts for document in desk.reference.documents if (document.id, document.version) == cited
    )
