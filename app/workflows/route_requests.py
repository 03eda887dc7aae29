"""Decide service requests, and offer each to the agency that was chosen or show it to its coordinator."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from app.domain.calendar import after, halfway, respond_by
from app.domain.case import Case
from app.domain.document import Document
from app.domain.events import EventType
from app.domain.handoff import HandoffState, RequestState
from app.domain.record import record_of
from app.domain.referral import ClockKind, Handoff, RecordedDecision, ServiceRequest
from app.domain.routing import Decision
from app.domain.vocabulary import Outcome, Reason, Urgency
from app.storage import ways
from app.workflows.call_coordinator import coordinate, tell_of_offer, wait_for_coordinator
from app.workflows.desk import Desk
from app.workflows.watch_consent import watch_confirmation
from app.workflows.watch_duties import watch_duties


async def route_requests(desk: Desk, case: Case, requests: Iterable[ServiceRequest], cause: str) -> None:
    """Decide each request by the rules in force, and offer it or make it wait for its coordinator."""
    decided = [(request, decide(desk, case, request, cause)) for request in list(requests)]
    heads = {decision.agency for _, decision in decided if decision.agency}
    reachable = await ways.reachable(desk.tx, heads) if heads else set()
    for request, decision in decided:
        coordinate(desk, case, request)
        if not case.may_move(request.service_type):
            # An emergency moves without consent that was never had, not against one that was taken back.
            wait_for_coordinator(desk, case, request.id, Reason.NO_CONSENT.value)
        elif decision.outcome is Outcome.OFFERED and decision.agency:
            offer(
                desk,
                case,
                request.id,
                agency_code=decision.agency,
                respond=decision.respond or usual_respond(desk, case),
                by=cited(desk, decision.document, decision.document_version),
                duties=duties_of(decision, case),
                reachable=decision.agency in reachable,
            )
        else:
            wait_for_coordinator(desk, case, request.id, decision.reason.value if decision.reason else None)
    watch_confirmation(desk, case)


def decide(desk: Desk, case: Case, request: ServiceRequest, cause: str) -> Decision:
    """Decide one request, and record the decision with what it was made from."""
    decision = judge(desk, case, request)
    kept = record_of(desk.reference.rules, decision, case.facts.received_at)
    record_decision(desk, case, request, cause, outcome=decision.outcome.value, result=kept)
    return decision


def judge(desk: Desk, case: Case, request: ServiceRequest) -> Decision:
    """Say how one request would be decided now, and record nothing."""
    facts = case.facts_for(request.service_type)
    return desk.reference.rules.decide(facts, request.service_type, frozenset(request.tried))


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
        ground=case.ground(request.service_type).to_json(),
    )
    case.decisions.append(recorded)
    case.put_request(replace(case.requests[request.id], decision_id=recorded.id))


def offer(
    desk: Desk,
    case: Case,
    request_id: UUID,
    *,
    agency_code: str,
    respond: str,
    duties: tuple[dict[str, Any], ...],
    reachable: bool,
    by: Document | None = None,
) -> Handoff:
    """Offer a request to an agency: the respond clock runs, and the coordinator hears of what cannot wait.

    `by` is the document that names the agency, where one does.
    """
    joint_leave_counts = by is None or by.joint_leave_counts
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
        access_after_completion=by.access_after_completion if by else None,
        respond_by=answer_by,
        duties=duties,
        offered_at=desk.now,
        changed_at=desk.now,
    )
    case.new.add(handoff.id)
    case.put_handoff(handoff)
    case.put_request(
        replace(
            request,
            state=RequestState.OFFERED,
            reason=None,
            waiting_since=None,
            acknowledged_at=None,
            acknowledged_by=None,
        )
    )
    case.start_clock(ClockKind.REMIND_OF_OFFER, halfway(desk.now, answer_by), request.id, handoff.id)
    case.start_clock(ClockKind.EXPIRE_OFFER, answer_by, request.id, handoff.id)
    watch_duties(case, handoff)
    handoff = case.tell_of_handoff(handoff, EventType.HANDOFF_OFFERED, {agency_code, *case.owners()})
    because = ["emergency"] if handoff.urgency is Urgency.EMERGENCY else []
    if not reachable:
        because.append("receiver_has_no_working_endpoint")
    return tell_of_offer(desk, case, handoff, because)


def usual_respond(desk: Desk, case: Case) -> str:
    """Give the respond time that the urgency has where no clause names one."""
    return desk.reference.vocabulary.urgencies[case.facts.urgency].respond


def duties_of(decision: Decision, case: Case) -> tuple[dict[str, Any], ...]:
    """Give the duties that a handoff carries, each with the time by which it is owed; nothing is done or missed yet."""
    return tuple(
        {
            "duty": owed.duty,
            "due_at": after(owed.within, case.facts.received_at).isoformat(),
            "document": owed.document,
            "version": owed.version,
            "clause": owed.clause,
            "source": owed.source,
            "confirmed": owed.confirmed,
            "kept_at": None,
            "passed_at": None,
        }
        for owed in decision.duties
    )


def cited(desk: Desk, document_id: str | None, version: int | None) -> Document | None:
    """Give the published document that a decision cites."""
    named = (document_id, version)
    return next((one for one in desk.reference.documents if (one.id, one.version) == named), None)
