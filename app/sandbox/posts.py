"""What was sent: each post is written down with its headers, its signature among them, and what came of it."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.delivery.post import HEADERS, Post
from app.domain.retry import Answer
from app.sandbox.records import posts
from app.storage.tables import endpoints, events, every_delivery

SAYS_SANDBOX = {"lintas-sandbox": "true"}


def written_down(sessions: async_sessionmaker[AsyncSession], clock: Callable[[], datetime]) -> Callable[[Post], Post]:
    """Give what wraps a post so that all that goes through it says that it is a sandbox's, and is written down."""

    def through(post: Post) -> Post:
        async def posting(
            url: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None = None, /
        ) -> Answer:
            sent = {**headers, **SAYS_SANDBOX}
            at, began = clock(), monotonic()
            answer = await post(url, body, sent, *(() if tls is None else (tls,)))
            line = {
                "event_id": UUID(headers["webhook-id"]),
                "url": url,
                "sent_at": at,
                "headers": {**HEADERS, **sent},
                "body": body.decode(),
                "outcome": answer.outcome,
                "status": answer.status,
                "detail": answer.detail.value if answer.detail else None,
                "milliseconds": round(1000 * (monotonic() - began)),
                "answer": answer.start.decode(errors="replace").replace("\0", "\ufffd"),
            }
            async with sessions.begin() as tx:
                await tx.execute(insert(posts).values(line))
            return answer

        return posting

    return through


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook, and every post of it."""

    delivery_id: UUID
    webhook_id: UUID
    agency: str
    endpoint_id: UUID
    url: str
    type: str
    state: str
    due_at: datetime | None
    """When it is posted next; None where it is not, or is under way."""
    posts: tuple[Mapping[str, Any], ...]


async def listed(
    tx: AsyncSession,
    *,
    players_at: str,
    agency: str | None = None,
    delivery_id: UUID | None = None,
    limit: int = 50,
) -> list[Sent]:
    """List what goes to endpoints that are not the sandbox's own, the newest first; those begin with `players_at`.

    Of an agency that is named, or a delivery, the sandbox's own count too.
    """
    wanted = (
        select(
            every_delivery.c.id,
            every_delivery.c.event_id,
            endpoints.c.agency_code,
            endpoints.c.id.label("endpoint_id"),
            endpoints.c.url,
            events.c.type,
            every_delivery.c.state,
            every_delivery.c.due_at,
            every_delivery.c.claim,
        )
        .join_from(every_delivery, events, events.c.id == every_delivery.c.event_id)
        .join(endpoints, endpoints.c.id == every_delivery.c.endpoint_id)
        .order_by(every_delivery.c.id.desc())
    )
    if agency is not None:
        wanted = wanted.where(endpoints.c.agency_code == agency)
    if delivery_id is not None:
        wanted = wanted.where(every_delivery.c.id == delivery_id)
    if agency is None and delivery_id is None:
        wanted = wanted.where(~endpoints.c.url.startswith(players_at, autoescape=True))
    found = (await tx.execute(wanted.limit(limit))).all()
    made = await _posts_of(tx, [row.event_id for row in found])
    return [
        Sent(
            row.id,
            row.event_id,
            row.agency_code,
            row.endpoint_id,
            row.url,
            row.type,
            row.state,
            row.due_at if row.state == "due" and row.claim is None else None,
            tuple(one for one in made.get(row.event_id, ()) if one["url"] == row.url),
        )
        for row in found
    ]


async def _posts_of(tx: AsyncSession, event_ids: list[UUID]) -> dict[UUID, list[Mapping[str, Any]]]:
    made: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in (await tx.execute(select(posts).where(posts.c.event_id.in_(event_ids)).order_by(posts.c.id))).mappings():
        made.setdefault(row["event_id"], []).append(dict(row))
    return made
