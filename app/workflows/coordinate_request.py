"""A coordinator takes what waits: acknowledges it, places it by hand, or ends it as unmet."""

from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import ConsentRequired, Fault, InvalidInput, NotFound, RequestNotWaiting
from app.domain.handoff import RequestState
from app.domain.referral import ServiceRequest
from app.domain.routing import ENGINE_VERSION
from app.domain.vocabulary import Outcome, Reason
from app.storage import audit, personal_data, ways
from app.workflows.answer_handoff import end
from app.workflows.desk import Desk
from app.workflows.route_requests import duties_of, judge, offer, record_decision, usual_respond
from app.workflows.watch_consent import watch_confirmation


class PlaceReason(StrEnum):
    """Why a coordinator places a request by hand."""

    ONLY_ONE_ABLE = "only_one_able"
    AGREED_BY_PHONE = "agreed_by_phone"
    MISSING_FACT_SETTLED = "missing_fact_settled"
    VICTIM_REQUEST = "victim_request"
    OTHER = "other"


class UnmetReason(StrEnum):
    """Why a service that was asked for is not given by anyone."""

    NOBODY_ABLE = "nobody_able"
    VICTIM_DECLINED = "victim_declined"
    VICTIM_UNREACHABLE = "victim_unreachable"
    NOT_ALLOWED = "not_allowed"
    OTHER = "other"


async def acknowledge_request(desk: Desk, caller: Caller, request_id: UUID) -> Case:
    """Take notice of a request that waits, or whose case asks for a person, so that nobody wider is called."""
    case, request = await _coordinated(desk, caller, request_id)
    live = case.live_handoff(request_id)
    somebody_is_named = case.referral.sender_barred or (live is not None and live.barred)
    needed = somebody_is_named or case.unconfirmed_work(request_id)
    if request.state is not RequestState.NEEDS_COORDINATOR and not needed:
        raise RequestNotWaiting(request.state)
    if request.acknowledged_at is None:
        case.stop_clocks(request.id)
        case.put_request(replace(request, acknowledged_at=desk.now, acknowledged_by=caller.agency_code))
    return await _record(desk, caller, case, request, "acknowledge")


async def place_request(
    desk: Desk, caller: Caller, request_id: UUID, *, agency_code: str, reason: PlaceReason, note: str | None
) -> Case:
    """Offer a request that waits to an agency of the coordinator's choice, with anyone who is not off the list."""
    case, request = await _waiting(desk, caller, request_id)
    agency = desk.reference.registry.agencies.get(agency_code)
    if agency is None or not agency.active:
        raise InvalidInput((Fault("/agency", "unknown_agency", "no active agency of the registry has this code"),))
    if not desk.may_be_offered(agency_code, case.facts):
        raise InvalidInput((Fault("/agency", "agency_off_the_list", "this agency is in conflict or was refused"),))
    question = desk.reference.rules.question(case.facts_for(request.service_type), request.service_type)
    if question.is_avoided(agency.region):
        raise InvalidInput((Fault("/agency", "region_avoided", "the victim is not safe where this agency is"),))
    # An emergency moves without consent, but not against a consent that was taken back.
    if not case.may_move(request.service_type):
        raise ConsentRequired("nothing of this case may be disclosed without consent")
    by_rule = judge(desk, case, request)
    result = {
        "agency": agency_code,
        "duties": by_rule.to_json()["duties"],
        "engine": ENGINE_VERSION,
        "outcome": Outcome.OFFERED.value,
        "placed_by": caller.agency_code,
        "placed_for": reason.value,
        "warnings": ["placed_despite_denial"] if by_rule.reason is Reason.DENIED else [],
    }
    record_decision(
        desk, case, request, "placed", outcome=Outcome.OFFERED.value, result=result, placed_by=caller.agency_code
    )
    reachable = await ways.reachable(desk.tx, {agency_code})
    offer(
        desk,
        case,
        request.id,
        agency_code=agency_code,
        respond=usual_respond(desk, case),
        duties=duties_of(by_rule, case),
        reachable=agency_code in reachable,
    )
    watch_confirmation(desk, case)
    name = f"service_request.{request.id}.place_note"
    if note is not None:
        await personal_data.reseal(desk.tx, desk.key_ring, case.referral.id, {name: note})
    return await _record(desk, caller, case, request, "place", fields=None if note is None else [name])


async def close_unmet(desk: Desk, caller: Caller, request_id: UUID, *, reason: UnmetReason) -> Case:
    """End a request that nobody can meet; its sender is told."""
    case, request = await _waiting(desk, caller, request_id)
    end(case, request.id, RequestState.UNMET, reason.value)
    return await _record(desk, caller, case, request, "close_unmet")


async def _waiting(desk: Desk, caller: Caller, request_id: UUID) -> tuple[Case, ServiceRequest]:
    case, request = await _coordinated(desk, caller, request_id)
    if request.state is not RequestState.NEEDS_COORDINATOR:
        raise RequestNotWaiting(request.state)
    return case, request


async def _coordinated(desk: Desk, caller: Caller, request_id: UUID) -> tuple[Case, ServiceRequest]:
    operator = Role.OPERATOR in caller.roles
    case = await desk.lock_case(caller.agency_code, service_request_id=request_id, operator=operator)
    coordinates = Role.COORDINATOR in caller.roles and (request_id, caller.agency_code) in case.coordinations
    if not coordinates and not (operator and not case.coordinators(request_id)):
        raise NotFound("service request")
    return case, case.requests[request_id]


async def _record(
    desk: Desk, caller: Caller, case: Case, request: ServiceRequest, action: str, *, fields: list[str] | None = None
) -> Case:
    await audit.record(
        desk.tx,
        caller,
        f"service_request.{action}",
        subject="service_request",
        subject_id=request.id,
        referral_id=case.referral.id,
        fields=fields,
        request_id=desk.request_id,
    )
    return await desk.save(case)
