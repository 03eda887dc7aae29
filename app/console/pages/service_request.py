"""One service request before its coordinator: why it waits, clause by clause, and what can be done about it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.desk import Desk
from app.api.language import Language
from app.api.referral_views import ConsentView, ServiceRequestView, results_in
from app.api.referrals import VitalInterestConfirmation
from app.api.routing import DecisionExplained, read_decision
from app.api.service_requests import UnmetClosure, look_at
from app.console.explained import explained
from app.console.forms import Form, FormFaults
from app.console.languages import said
from app.console.pages.service_requests import CoordinatorOrOperator, waited
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.facts import Facts
from app.domain.handoff import HandoffState, RequestState
from app.domain.labels import LABELS
from app.domain.referral import ServiceRequest
from app.domain.secret_places import hidden_since, taken_in, without_secret_place
from app.storage import ways, worklists
from app.workflows.amend_referral import may_amend
from app.workflows.coordinate_request import UnmetReason, acknowledge_request, close_unmet
from app.workflows.end_consent import ConfirmReason, confirm_vital_interest

router = console_router()

REASONS = {"declined": "decline_reason", "handed_back": "decline_reason", "failed": "fail_reason"}
"""The set of codes that a handoff of a state has its reason from; else it was taken back."""


@router.get("/service-requests/{service_request_id}")
async def show_service_request(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk
) -> Response:
    """Show where a request stands, why, and what its coordinator can do."""
    case = await look_at(desk, caller, service_request_id)
    asked = case.requests[service_request_id]
    decision = await _decision(desk, caller, asked)
    explanation = decision.explanation if decision else None
    live = case.live_handoff(service_request_id)
    told = live is None or live.state is not HandoffState.OFFERED or await ways.reachable(desk.tx, {live.agency_code})
    results = {**await worklists.results(desk.tx, [asked.decision_id]), **results_in(case)}
    return page(
        request,
        "service_request.html",
        asked=ServiceRequestView.of(case, asked, results),
        referral=case.referral,
        consent=ConsentView.of(case),
        facts=shown_facts(desk, case, caller).to_json() if sees_facts(case, caller) else None,
        decision=decision,
        to_tell=None if told or live is None else live.agency_code,
        told=explained(explanation, desk.reference, request.state.language) if explanation else None,
        waited=partial(waited, desk.now, request.state.language),
        reason_said=partial(_reason_said, request.state.language),
        **_what_can_be_done(case, asked, caller),
    )


@router.post("/service-requests/{service_request_id}/acknowledge")
async def acknowledge(service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk) -> Response:
    """Take notice of a request, so that nobody wider is called."""
    await acknowledge_request(desk, caller, service_request_id)
    return after_post(f"/console/service-requests/{service_request_id}", done="acknowledged")


@router.get("/service-requests/{service_request_id}/close-unmet")
async def ask_why_unmet(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk
) -> Response:
    """Ask why nobody will give the service."""
    case = await look_at(desk, caller, service_request_id)
    return _ask_why_unmet(request, case.requests[service_request_id].service_type, service_request_id)


@router.post("/service-requests/{service_request_id}/close-unmet")
async def close(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk, form: Form
) -> Response:
    """End a request that nobody can meet."""
    try:
        body = form.into(UnmetClosure)
    except FormFaults as faults:
        case = await look_at(desk, caller, service_request_id)
        service_type = case.requests[service_request_id].service_type
        texts = faults.texts(request.state.language, _lacks(request, "reason"))
        return _ask_why_unmet(request, service_type, service_request_id, faults=texts, value=form.get("reason"))
    await close_unmet(desk, caller, service_request_id, reason=body.reason)
    return after_post(f"/console/service-requests/{service_request_id}", done="closed_unmet")


@router.get("/service-requests/{service_request_id}/confirm")
async def ask_why_it_moves(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk
) -> Response:
    """Ask why an emergency has to move though nobody has consented."""
    await look_at(desk, caller, service_request_id)
    return _ask_why_it_moves(request, service_request_id)


@router.post("/service-requests/{service_request_id}/confirm")
async def confirm(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk, form: Form
) -> Response:
    """Confirm that an emergency has to move without consent."""
    case = await look_at(desk, caller, service_request_id)
    try:
        body = form.into(VitalInterestConfirmation)
    except FormFaults as faults:
        texts = faults.texts(request.state.language, _lacks(request, "because"))
        return _ask_why_it_moves(request, service_request_id, faults=texts, value=form.get("because"))
    await confirm_vital_interest(desk, caller, case.referral.id, because=body.because)
    return after_post(f"/console/service-requests/{service_request_id}", done="vital_interest_confirmed")


def sees_facts(case: Case, caller: Caller) -> bool:
    """Say whether somebody may read a case's facts: not who only places what nobody coordinates, as over the API."""
    theirs = case.is_coordinated_by(caller.agency_code) or caller.agency_code in case.owners()
    return theirs and caller.may(Role.COORDINATOR)


def _lacks(request: Request, name: str) -> dict[str, str]:
    return {name: said("reason_asked.lacks", request.state.language)}


def shown_facts(desk: Desk, case: Case, caller: Caller) -> Facts:
    """Give the facts of a case as an agency may know them: no place narrower than where it is secret."""
    registry = desk.reference.registry.agencies
    hidden = hidden_since(taken_in(case), registry, looking=caller.agency_code) is not None
    return without_secret_place(case.facts) if hidden else case.facts


def is_to_be_confirmed(case: Case) -> bool:
    """Say whether something moves, or would, once somebody answers for it that nobody has consented."""
    asked = case.referral.confirm_by is not None and case.referral.confirmed_at is None
    return case.consent.ended is None and (asked or case.consent.unconfirmed)


async def _decision(desk: Desk, caller: Caller, asked: ServiceRequest) -> DecisionExplained | None:
    """Give the decision in force as the API explains it; None to an operator who coordinates nothing of the case."""
    if asked.decision_id is None or not caller.may(Role.COORDINATOR):
        return None
    try:
        return await read_decision(asked.decision_id, caller, desk)
    except NotFound:
        return None


def _reason_said(language: Language, state: str, reason: str) -> str:
    """Say why a handoff ended as it did."""
    text = LABELS[REASONS.get(state, "withdraw_reason")].get(reason)
    return text.said(language.value) if text else reason


def _what_can_be_done(case: Case, asked: ServiceRequest, caller: Caller) -> Mapping[str, bool]:
    coordinates = caller.may(Role.COORDINATOR) and (asked.id, caller.agency_code) in case.coordinations
    acts = coordinates or (caller.may(Role.OPERATOR) and not case.coordinators(asked.id))
    waits = asked.state is RequestState.NEEDS_COORDINATOR
    live = case.live_handoff(asked.id)
    called_for = case.referral.sender_barred or (live is not None and live.barred) or case.unconfirmed_work(asked.id)
    unseen = asked.acknowledged_at is None
    return {
        "may_acknowledge": acts and unseen and (waits or called_for),
        "may_place": acts and waits and case.may_move(asked.service_type),
        "may_close": acts and waits,
        "may_amend": may_amend(case, caller),
        "may_confirm": may_amend(case, caller) and is_to_be_confirmed(case),
    }


def _ask_why_unmet(
    request: Request, service_type: str, of: UUID, *, faults: Mapping[str, str] | None = None, value: str = ""
) -> Response:
    reasons = list(UnmetReason)
    return _ask_why(request, "close-unmet", "reason", "unmet_reason", reasons, of, service_type, faults, value)


def _ask_why_it_moves(
    request: Request, of: UUID, *, faults: Mapping[str, str] | None = None, value: str = ""
) -> Response:
    reasons = list(ConfirmReason)
    return _ask_why(request, "confirm", "because", "confirm_reason", reasons, of, None, faults, value)


def _ask_why(
    request: Request,
    action: str,
    name: str,
    kind: str,
    reasons: Sequence[StrEnum],
    of: UUID,
    service_type: str | None,
    faults: Mapping[str, str] | None,
    value: str,
) -> Response:
    """Ask for one of several reasons before a request is acted on: `action` is its address, `name` the field."""
    return page(
        request,
        "reason_asked.html",
        status=422 if faults else 200,
        of=of,
        service_type=service_type,
        action=action,
        name=name,
        kind=kind,
        reasons=reasons,
        value=value,
        faults=faults or {},
    )
