"""When each key was used last, as this process saw it: noted in passing, written now and then by somebody else."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.clock import BusinessClock
from app.storage import key_times

FORGOTTEN_AFTER = timedelta(minutes=5)
"""What cannot be written for so long belongs to no key."""


class KeyUses:
    """The last use of each key that is not written yet."""

    def __init__(self, clock: BusinessClock) -> None:
        self._clock = clock
        self._seen: dict[UUID, datetime] = {}

    def note(self, key_id: UUID) -> None:
        """Note that a key was used now."""
        self._seen[key_id] = self._clock()

    async def write(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        """Write what was noted, as far as it is time to; what is not is kept for the next time."""
        if not self._seen:
            return
        noted = dict(self._seen)
        async with sessions.begin() as tx:
            done = await key_times.note_uses(tx, noted)
        late = self._clock() - FORGOTTEN_AFTER
        for key_id, used_at in noted.items():
            # Used again meanwhile, it is another note.
            if self._seen.get(key_id) == used_at and (key_id in done or used_at < late):
                del self._seen[key_id]
