"""The end of a key, from the very next request on."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller
from app.domain.errors import NotFound
from app.storage import api_keys, audit


async def revoke_key(tx: AsyncSession, key_id: UUID, *, by: Caller | None = None) -> None:
    """Revoke a key at once; NotFound if there is none that is still valid."""
    if not await api_keys.revoke(tx, key_id):
        raise NotFound("key")
    await audit.record(tx, by, "key.revoke", subject="key", subject_id=key_id)
