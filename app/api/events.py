"""The feed: all that a webhook would have said, for who has none or missed one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.api.dependencies import CurrentCaller, Transaction
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.storage import events

router = v1_router("events")


class EventView(Answer):
    """One piece of news; `id` is the `webhook-id` under which a webhook told the same."""

    id: UUID
    type: str
    timestamp: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: events.Event) -> "EventView":
        """Show a piece of news."""
        return cls(id=event.id, type=event.type, timestamp=event.occurred_at, data=event.data)


@router.get("/events")
async def list_events(caller: CurrentCaller, tx: Transaction, paging: PageAsked) -> Page[EventView]:
    """Read what happened, oldest first. Keep `next` and come back with it: nothing is missed and nothing is twice."""
    found = await events.feed(tx, agency_code=caller.agency_code, after=paging.after(int, UUID), limit=paging.limit)
    return paging.feed(found, EventView.of, lambda event: (event.xact, event.id))
