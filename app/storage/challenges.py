"""Challenges: what only who reads an endpoint's posts can know, worked out from the key ring and never stored."""

import base64
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, literal, null, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.deliveries import DUE, HELD, SUPERSEDED
from app.storage.finished_deliveries import finish
from app.storage.sealing import KeyRing
from app.storage.tables import Moment, deliveries

PURPOSE = "endpoint-challenge"
VALID_FOR = timedelta(hours=72)
APART = timedelta(seconds=15)
"""An address that may be somebody else's is not posted to more often than this."""


def challenge_of(key_ring: KeyRing, *, endpoint_id: UUID, event_id: UUID, url: str) -> str:
    """Work out the challenge that an event carries to a URL: 43 characters that nobody else can work out."""
    keyed = key_ring.hash(PURPOSE, endpoint_id.bytes + event_id.bytes + url.encode())
    return base64.urlsafe_b64encode(keyed).rstrip(b"=").decode()


def next_due(challenged_at: datetime | None, *, now: datetime) -> datetime:
    """Say when the next challenge may go out, in real time: one that has not gone out yet is only replaced."""
    if challenged_at is None:
        return now
    return challenged_at if challenged_at > now else max(now, challenged_at + APART)


async def withdraw(session: AsyncSession, event_id: UUID, *, now: datetime) -> None:
    """Send a challenge no more; one that is under way changes nothing when it ends."""
    await finish(
        session,
        deliveries.c.event_id == event_id,
        deliveries.c.state.in_([DUE, HELD]),
        state=literal(SUPERSEDED, Text),
        claim=null(),
        finished_at=literal(now, Moment),
    )


async def put_off(session: AsyncSession, event_id: UUID, *, due_at: datetime) -> None:
    """Let a challenge that was just written fall due then."""
    await session.execute(update(deliveries).where(deliveries.c.event_id == event_id).values(due_at=due_at))
