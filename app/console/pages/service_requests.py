"""What a coordinator has to see to: what waits for a person, what is offered and to whom, and what runs."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.api.dependencies import RequireRole
from app.api.desk import Desk
from app.api.language import Language
from app.api.pages import PageAsked
from app.console import times
from app.console.languages import said
from app.console.rendering import page
from app.console.route import console_router
from app.domain.caller import Caller, Role
from app.storage import ways
from app.storage.coordination_in_order import Standing, coordinated_in_order, count_waiting

router = console_router()
A_MINUTE = timedelta(minutes=1)

CoordinatorOrOperator = Annotated[Caller, Depends(RequireRole(Role.COORDINATOR, Role.OPERATOR))]


@router.get("/service-requests")
async def show_service_requests(
    request: Request,
    caller: CoordinatorOrOperator,
    desk: Desk,
    paging: PageAsked,
    part: Annotated[Standing, Query()] = Standing.WAITING,
) -> Response:
    """Show a part of what an agency coordinates, emergencies first; an operator also sees what nobody coordinates."""
    lines = await coordinated_in_order(
        desk.tx,
        caller.agency_code,
        standing=part,
        orphans=caller.may(Role.OPERATOR),
        after=paging.after(int, datetime.fromisoformat, UUID),
        limit=paging.look_ahead,
    )
    following = paging.following(lines, lambda line: line.place)
    shown = [
        line
        for line in lines[: paging.limit]
        if line.coordinated or not desk.is_off_list(caller.agency_code, line.facts)
    ]
    offered_to = {line.offered_to for line in shown if line.offered_to}
    return page(
        request,
        "service_requests.html",
        unreached=offered_to - await ways.reachable(desk.tx, offered_to) if offered_to else set(),
        part=part.value,
        parts_of_list=list(Standing),
        lines=shown,
        counts=await count_waiting(desk.tx, caller.agency_code) if part is Standing.WAITING else {},
        waited=partial(waited, desk.now, request.state.language),
        next=following,
    )


def waited(now: datetime, language: Language, since: datetime) -> str:
    """Say for how long something has waited."""
    if now - since < A_MINUTE:
        return said("service_requests.just_now", language)
    return said("service_requests.waiting_for", language, span=times.span(now - since, language))
