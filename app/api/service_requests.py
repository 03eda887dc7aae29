"""Service requests: what waits for a coordinator, and what the coordinator does about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from app.api import examples
from app.api.dependencies import RequireRole
from app.api.desk import Desk
from app.api.etags import etag
from app.api.examples import shows
from app.api.intake_types import AgencyCode, Text
from app.api.pages import Page, PageAsked
from app.api.referral_views import DecisionView, ServiceRequestView, results_in
from app.api.route import v1_router
from app.api.validation import Answer, Body
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.handoff import RequestState
from app.storage import audit, worklists
from app.workflows import coordinate_request
from app.workflows.coordinate_request import PlaceReason, UnmetReason

router = v1_router("service requests")

SenderCoordinatorOrOperator = Annotated[Caller, Depends(RequireRole(Role.SENDER, Role.COORDINATOR, Role.OPERATOR))]
CoordinatorOrOperator = Annotated[Caller, Depends(RequireRole(Role.COORDINATOR, Role.OPERATOR))]


class ServiceRequestInList(Answer):
    """A service request in a coordinator's list."""

    id: UUID
    referral_id: UUID
    service_type: str
    state: str
    reason: str | None
    urgency: str
    sender: str
    waiting_since: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    decision: DecisionView | None


class RequestPlacement(Body):
    """Whom a coordinator offers a request to, and why."""

    model_config = shows(examples.PLACEMENT)

    agency: AgencyCode
    reason: PlaceReason
    note: Text | None = None


class UnmetClosure(Body):
    """Why nobody will give the service."""

    model_config = shows(examples.CLOSURE)

    reason: UnmetReason


@router.get("/service-requests")
async def list_service_requests(
    caller: CoordinatorOrOperator,
    desk: Desk,
    paging: PageAsked,
    status: Annotated[list[RequestState] | None, Query(description="May be given more than once.")] = None,
) -> Page[ServiceRequestInList]:
    """List the service requests that your agency coordinates, oldest first; `status=needs_coordinator` is your queue.

    An operator also sees those that nobody coordinates.
    """
    after = paging.after(UUID)
    found = await worklists.requests_coordinated_by(
        desk.tx,
        caller.agency_code,
        orphans=caller.may(Role.OPERATOR),
        states=[one.value for one in status or ()],
        after=after and after[0],
        limit=paging.look_ahead,
    )
    results = await worklists.results(desk.tx, (line.decision_id for line in found))
    page = paging.page(found, lambda line: _line(line, results), lambda line: (line.id,))
    # An operator sees what nobody coordinates, but no case in which the operator's own agency is named.
    hidden = {line.id for line in found if not line.coordinated and desk.is_off_list(caller.agency_code, line.facts)}
    return page.model_copy(update={"items": [item for item in page.items if item.id not in hidden]})


@router.get("/service-requests/{service_request_id}")
async def read_service_request(
    service_request_id: UUID, caller: SenderCoordinatorOrOperator, desk: Desk, response: Response
) -> ServiceRequestView:
    """Read a service request that your agency sent or coordinates, with its decision and its handoffs."""
    case = await look_at(desk, caller, service_request_id)
    return await _view(desk, case, service_request_id, response)


@router.post("/service-requests/{service_request_id}/acknowledge")
async def acknowledge_service_request(
    service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk, response: Response
) -> ServiceRequestView:
    """Say that you have seen what waits for you; otherwise the next wider coordinator is told too."""
    case = await coordinate_request.acknowledge_request(desk, caller, service_request_id)
    return await _view(desk, case, service_request_id, response)


@router.post("/service-requests/{service_request_id}/place")
async def place_service_request(
    service_request_id: UUID, body: RequestPlacement, caller: CoordinatorOrOperator, desk: Desk, response: Response
) -> ServiceRequestView:
    """Offer a request that waits to an agency of your choice, unless it is in conflict or was refused."""
    case = await coordinate_request.place_request(
        desk, caller, service_request_id, agency_code=body.agency, reason=body.reason, note=body.note
    )
    return await _view(desk, case, service_request_id, response)


@router.post("/service-requests/{service_request_id}/close-unmet")
async def close_service_request_unmet(
    service_request_id: UUID, body: UnmetClosure, caller: CoordinatorOrOperator, desk: Desk, response: Response
) -> ServiceRequestView:
    """End a request that nobody can meet; its sender is told."""
    case = await coordinate_request.close_unmet(desk, caller, service_request_id, reason=body.reason)
    return await _view(desk, case, service_request_id, response)


async def look_at(desk: Desk, caller: Caller, service_request_id: UUID) -> Case:
    """Give the case of a request to who sent or coordinates it, an audited look; NotFound for anybody else."""
    operator = caller.may(Role.OPERATOR)
    case = await desk.lock_case(
        caller.agency_code, service_request_id=service_request_id, reading=True, operator=operator
    )
    await audit.record(
        desk.tx,
        caller,
        "service_request.read",
        subject="service_request",
        subject_id=service_request_id,
        referral_id=case.referral.id,
        request_id=desk.request_id,
    )
    return case


def _line(line: worklists.RequestLine, results: Mapping[UUID, Mapping[str, Any]]) -> ServiceRequestInList:
    result = results.get(line.decision_id) if line.decision_id else None
    return ServiceRequestInList(
        id=line.id,
        referral_id=line.referral_id,
        service_type=line.service_type,
        state=line.state,
        reason=line.reason,
        urgency=line.urgency,
        sender=line.sender_code,
        waiting_since=line.waiting_since,
        acknowledged_at=line.acknowledged_at,
        acknowledged_by=line.acknowledged_by,
        decision=DecisionView.of(line.decision_id, result) if line.decision_id and result else None,
    )


async def _view(desk: Desk, case: Case, service_request_id: UUID, response: Response) -> ServiceRequestView:
    request = case.requests[service_request_id]
    results = {**await worklists.results(desk.tx, [request.decision_id]), **results_in(case)}
    response.headers["ETag"] = etag(case.referral.version)
    return ServiceRequestView.of(case, request, results)
