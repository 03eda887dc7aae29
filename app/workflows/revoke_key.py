"""The end of a key, from the very next request on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller, Role
from app.domain.errors import NotFound
from app.domain.events import EventType, NewEvent
from app.storage import api_keys, audit, events
from app.storage.api_keys import ApiKey


async def revoke_key(tx: AsyncSession, key_id: UUID, *, now: datetime, by: Caller | None = None) -> ApiKey:
    """Revoke a key at once, and tell its agency; NotFound if there is none that is not revoked yet.

    Over the API a key is revoked by its holder or by an operator, NotFound for anybody else.
    """
    may = by is None or by.key_id == key_id or by.may(Role.OPERATOR)
    ended = await api_keys.revoke(tx, key_id) if may else None
    if ended is None:
        raise NotFound("key")
    await audit.record(tx, by, "key.revoke", subject="key", subject_id=key_id)
    news = NewEvent(ended.agency_code, EventType.KEY_REVOKED, {"key_id": str(key_id)})
    await events.announce(tx, news, now=now)
    return ended
