"""Keys that expire are announced to their agencies before they do."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.events import EventType, NewEvent
from app.storage import audit, events, key_times

AT_ONCE = 500


async def watch_keys(sessions: async_sessionmaker[AsyncSession], *, now: datetime) -> int:
    """Tell agencies which of their keys expire soon, each a few times; give how many were told of."""
    told, some = 0, AT_ONCE
    while some == AT_ONCE:
        async with sessions.begin() as tx:
            expiring = await key_times.take_expiring(tx, AT_ONCE)
            news = [
                NewEvent(agency, EventType.KEY_EXPIRING, {"key_id": str(key_id), "expires_at": end.isoformat()})
                for key_id, agency, end in expiring
            ]
            await events.announce(tx, news, now=now)
            for key_id, _, _ in expiring:
                await audit.record(tx, None, "key.warn", subject="key", subject_id=key_id)
        some = len(expiring)
        told += some
    return told
