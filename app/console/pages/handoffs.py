"""What a receiving agency has to do: its handoffs, most urgent first, with the time that is left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from app.api.dependencies import Receiver, Transaction
from app.api.pages import PageAsked
from app.console.rendering import page
from app.console.route import console_router
from app.domain.handoff import LIVE, HandoffState
from app.storage import worklists
from app.storage.work_in_order import work_of

router = console_router()


Part = Literal["waiting", "under_way", "ended"]
"""A part of the work list."""
STATES: Mapping[Part, frozenset[HandoffState]] = {
    # What an agency must answer or begin: somebody waits for it.
    "waiting": frozenset({HandoffState.OFFERED, HandoffState.ACCEPTED, HandoffState.CANCEL_REQUESTED}),
    "under_way": frozenset({HandoffState.IN_PROGRESS, HandoffState.ON_HOLD}),
    "ended": frozenset(HandoffState) - LIVE,
}


@router.get("/handoffs")
async def show_handoffs(
    request: Request,
    caller: Receiver,
    tx: Transaction,
    paging: PageAsked,
    part: Annotated[Part, Query()] = "waiting",
) -> Response:
    """Show what waits for an agency, what it is at, or what has ended, page by page."""
    lines: Sequence[Any]
    if part == "ended":
        place = paging.after(UUID)
        lines = await worklists.handoffs_of(
            tx,
            caller.agency_code,
            states=sorted(STATES[part]),
            before=place and place[0],
            limit=paging.look_ahead,
        )
        following = paging.following(lines, lambda line: (line.handoff.id,))
    else:
        lines = await work_of(
            tx,
            caller.agency_code,
            states=STATES[part],
            after=paging.after(int, datetime.fromisoformat, UUID),
            limit=paging.look_ahead,
        )
        following = paging.following(lines, lambda line: line.place)
    return page(
        request, "handoffs.html", part=part, parts_of_list=list(STATES), lines=lines[: paging.limit], next=following
    )
