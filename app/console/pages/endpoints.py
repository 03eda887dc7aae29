"""How endpoints are doing, for who operates Lintas: each with its last day, and what can be done about it."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from app.api.dependencies import Operator
from app.api.desk import Desk
from app.api.endpoint_health import read_endpoint_health
from app.api.endpoints import read_endpoint
from app.api.pages import PageAsked
from app.console.console import console_of
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.errors import NotFound
from app.storage import delivery_history, endpoint_health, endpoints, recoveries
from app.storage.deliveries import FAILED
from app.storage.endpoint_hours import by_hour
from app.storage.recoveries import Wanted
from app.workflows import manage_endpoint
from app.workflows.recover_endpoint import begin_recovery
from app.workflows.resend_delivery import resend_delivery

router = console_router()

TROUBLED, EVERY = "troubled", "all"
MOST_FAILED = 20


@router.get("/endpoints")
async def show_endpoints(
    request: Request,
    caller: Operator,
    desk: Desk,
    paging: PageAsked,
    part: Annotated[str, Query(pattern=f"^({TROUBLED}|{EVERY})$")] = TROUBLED,
) -> Response:
    """Show the endpoints that fail or were given up, or all of them, each with its last day."""
    place = paging.after(UUID)
    after, limit = place and place[0], paging.look_ahead
    lines: Sequence[endpoints.Endpoint | endpoint_health.Troubled]
    if part == TROUBLED:
        lines = await endpoint_health.troubled(desk.tx, after=after, limit=limit)
    else:
        lines = await endpoints.listed(desk.tx, agency_code=None, after=after, limit=limit)
    ids = [line.id for line in lines]
    following = paging.following(ids, lambda one: (one,))
    shown = lines[: paging.limit]
    hours = await by_hour(desk.tx, ids[: paging.limit], now=console_of(request).real_clock())
    return page(request, "endpoints.html", part=part, lines=shown, hours=hours, next=following)


@router.get("/endpoints/{endpoint_id}")
async def show_endpoint(request: Request, endpoint_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Show how an endpoint is doing; of the operator's own agency also what failed, and its recovery."""
    endpoint = await read_endpoint(endpoint_id, caller, desk.tx, Response())
    own = endpoint.agency == caller.agency_code
    failed: list[delivery_history.Delivery] = []
    if own:
        failed = await delivery_history.list_deliveries(
            desk.tx, endpoint_id=endpoint_id, agency_code=caller.agency_code, state=FAILED, limit=MOST_FAILED
        )
    hours = await by_hour(desk.tx, [endpoint_id], now=console_of(request).real_clock())
    return page(
        request,
        "endpoint.html",
        endpoint=endpoint,
        health=await read_endpoint_health(endpoint_id, caller, desk.tx),
        hours=hours[endpoint_id],
        own=own,
        failed=failed,
        recovery=await recoveries.running(desk.tx, endpoint_id, held=False) if own else None,
    )


@router.post("/endpoints/{endpoint_id}/pause")
async def pause(endpoint_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Send nothing to an endpoint for now; its news is held."""
    await manage_endpoint.pause_endpoint(desk.tx, caller, endpoint_id)
    return after_post(f"/console/endpoints/{endpoint_id}", done="endpoint_paused")


@router.post("/endpoints/{endpoint_id}/enable")
async def enable(endpoint_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Send to an endpoint again, and first what was held."""
    await manage_endpoint.enable_endpoint(desk.tx, caller, endpoint_id, now=desk.now)
    return after_post(f"/console/endpoints/{endpoint_id}", done="endpoint_enabled")


@router.post("/endpoints/{endpoint_id}/recover")
async def recover(endpoint_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Send everything again that failed at an endpoint of the operator's own agency, in the background."""
    await begin_recovery(desk.tx, caller, endpoint_id, Wanted(recoveries.FAILED, None, None, None))
    return after_post(f"/console/endpoints/{endpoint_id}", done="recovery_begun")


@router.post("/endpoints/{endpoint_id}/deliveries/{delivery_id}/resend")
async def resend(endpoint_id: UUID, delivery_id: UUID, caller: Operator, desk: Desk) -> Response:
    """Send one delivery again."""
    found = await delivery_history.get(desk.tx, delivery_id, agency_code=caller.agency_code)
    if found is None or found.endpoint_id != endpoint_id:
        raise NotFound("delivery")
    await resend_delivery(desk.tx, caller, delivery_id)
    return after_post(f"/console/endpoints/{endpoint_id}", done="delivery_resent")
