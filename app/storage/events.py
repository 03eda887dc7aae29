"""The news: written with what it announces, read as a feed that loses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, insert, literal, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.events import NewEvent
from app.storage import deliveries
from app.storage.tables import events


@dataclass(frozen=True, slots=True)
class Event:
    """One piece of news as its agency reads it, with its place in the feed."""

    id: UUID
    type: str
    occurred_at: datetime
    data: dict[str, Any]
    xact: int


async def announce(session: AsyncSession, news: NewEvent | Sequence[NewEvent], *, now: datetime) -> None:
    """Write news and a delivery for each endpoint it goes to, in the transaction of what it announces."""
    told = [news] if isinstance(news, NewEvent) else list(news)
    if not told:
        return
    ids = [uuid7() for _ in told]
    rows = [
        {
            "id": event_id,
            "agency_code": event.agency_code,
            "type": event.type.value,
            "occurred_at": now,
            "data": event.data,
            "referral_id": event.referral_id,
            "handoff_id": event.handoff_id,
        }
        for event_id, event in zip(ids, told, strict=True)
    ]
    await session.execute(insert(events), rows)
    await deliveries.enqueue(session, ids, now=now)


async def feed(session: AsyncSession, *, agency_code: str, after: tuple[int, UUID] | None, limit: int) -> list[Event]:
    """List an agency's news in the order it was committed, after a place in the feed.

    A row is shown once every transaction that began before it has ended, so a reader that pages on never misses one.
    """
    shown = (
        select(events.c.id, events.c.type, events.c.occurred_at, events.c.data, events.c.xact)
        .where(
            events.c.agency_code == agency_code,
            events.c.xact < literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger),
        )
        .order_by(events.c.xact, events.c.id)
        .limit(limit)
    )
    if after is not None:
        shown = shown.where(tuple_(events.c.xact, events.c.id) > tuple_(literal(after[0]), literal(after[1])))
    return [Event(*row) for row in await session.execute(shown)]
