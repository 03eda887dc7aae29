"""The agencies that a coordinator has to ring up: those that nothing leads to, and those that do not answer."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.api.desk import Desk
from app.api.pages import PageAsked
from app.api.reach import list_reach
from app.console.pages.service_requests import CoordinatorOrOperator
from app.console.rendering import page
from app.console.route import console_router
from app.storage.coordination_in_order import silent_agencies

router = console_router()

SILENT_SINCE = timedelta(days=30)
MOST_SILENT = 100


class ReachPart(StrEnum):
    """A part of what there is to know of agencies."""

    UNREACHED = "unreached"
    SILENT = "silent"
    ALL = "all"


@router.get("/reach")
async def show_reach(
    request: Request,
    caller: CoordinatorOrOperator,
    desk: Desk,
    paging: PageAsked,
    part: Annotated[ReachPart, Query()] = ReachPart.UNREACHED,
) -> Response:
    """Show which agencies no working way leads to, which let offers run out, or how each of them is told."""
    if part is ReachPart.SILENT:
        silent = await silent_agencies(desk.tx, caller.agency_code, since=desk.now - SILENT_SINCE, limit=MOST_SILENT)
        return page(request, "silent_agencies.html", part=part.value, silent=silent, days=SILENT_SINCE.days)
    found = await list_reach(caller, desk.tx, paging, False if part is ReachPart.UNREACHED else None)
    return page(request, "reach.html", part=part.value, lines=found.items, next=found.next)
