"""The news: written with what it announces, read as a feed that loses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, insert, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import tracing
from app.domain.events import NewEvent
from app.storage import deliveries
from app.storage.tables import audit, events, feed_state
from app.storage.transactions import NEXT_TO_COME, OFFSET, OLDEST_RUNNING, THIS_TRANSACTION


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news as its agency reads it, with its place in the feed."""

    id: UUID
    type: str
    occurred_at: datetime
    data: dict[str, Any]
    xact: int


async def announce(session: AsyncSession, news: NewEvent | Sequence[NewEvent], *, now: datetime) -> list[UUID]:
    """Write news and a delivery for each endpoint it goes to, in the transaction of what it announces; give its ids."""
    told = [news] if isinstance(news, NewEvent) else list(news)
    if not told:
        return []
    ids, of_trace = [uuid7() for _ in told], tracing.traceparent()
    rows = [
        {
            "id": event_id,
            "agency_code": event.agency_code,
            "type": event.type.value,
            "occurred_at": now,
            "data": event.data,
            "referral_id": event.referral_id,
            "handoff_id": event.handoff_id,
            "traceparent": of_trace,
        }
        for event_id, event in zip(ids, told, strict=True)
    ]
    # What reads them back is planned after this, and spared a statement of its own to say how.
    planned = case((deliveries.PLANNED_ONCE.is_not(None), THIS_TRANSACTION))
    await session.execute(insert(events).values(xact=planned), rows)
    await deliveries.enqueue(session, ids, now=now)
    return ids


async def feed(session: AsyncSession, *, agency_code: str, after: tuple[int, UUID] | None, limit: int) -> list[Event]:
    """List an agency's news in the order it was committed, after a place in the feed.

    A row is shown once every transaction that began before it has ended, so a reader that pages on never misses one.
    """
    shown = (
        select(events.c.id, events.c.type, events.c.occurred_at, events.c.data, events.c.xact)
        .where(
            events.c.agency_code == agency_code,
            events.c.xact < OLDEST_RUNNING + OFFSET,
        )
        .order_by(events.c.xact, events.c.id)
        .limit(limit)
    )
    if after is not None:
        shown = shown.where(tuple_(events.c.xact, events.c.id) > tuple_(literal(after[0]), literal(after[1])))
    return [Event(*row) for row in await session.execute(shown)]


async def is_cut_off(session: AsyncSession) -> bool:
    """Say whether feed or audit hold what no transaction of this cluster can have written: a dump was restored here.

    Nothing of it is shown until the cluster has counted that far, and what is new would stand before it.
    """
    ahead: bool | None = await session.scalar(select(_last() >= NEXT_TO_COME + OFFSET))
    return bool(ahead)


async def go_on(session: AsyncSession) -> bool:
    """Let new events follow those of the cluster before this one; False where they do already.

    Every reader goes on from where it was.
    """
    # Whoever wrote an event has committed then, and whoever comes next counts by what is found here.
    await session.execute(text("LOCK TABLE events, audit IN EXCLUSIVE MODE"))
    if not await is_cut_off(session):
        return False
    line = upsert(feed_state).values(xact_offset=_last() + 1 - OLDEST_RUNNING)
    await session.execute(
        line.on_conflict_do_update(index_elements=["only"], set_={"xact_offset": line.excluded.xact_offset})
    )
    return True


def _last() -> ColumnElement[int]:
    of_feed = select(func.max(events.c.xact)).scalar_subquery()
    of_audit = select(func.max(audit.c.xact)).scalar_subquery()
    return func.coalesce(func.greatest(of_feed, of_audit), 0)
