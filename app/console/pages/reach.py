"""The agencies that a coordinator has to ring up: those that do not answer."""

from datetime import timedelta

from fastapi import Request
from starlette.responses import Response

from app.api.desk import Desk
from app.console.pages.service_requests import CoordinatorOrOperator
from app.console.rendering import page
from app.console.route import console_router
from app.storage.coordination_in_order import silent_agencies

router = console_router()

SILENT_SINCE = timedelta(days=30)
MOST_SILENT = 100


@router.get("/reach")
async def show_reach(request: Request, caller: CoordinatorOrOperator, desk: Desk) -> Response:
    """Show which agencies let offers run out that the caller's agency coordinates."""
    silent = await silent_agencies(desk.tx, caller.agency_code, since=desk.now - SILENT_SINCE, limit=MOST_SILENT)
    return page(request, "reach.html", silent=silent, days=SILENT_SINCE.days)
