"""When keys were last used, and which of them expire soon: written beside the requests, never by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.api_keys import SOON
from app.storage.tables import Moment, api_keys

WRITTEN_EVERY = timedelta(minutes=1)
"""A key's last use is written no more often than this, however many processes saw it."""
WARNED_BEFORE = (SOON, timedelta(days=3), timedelta(days=1))
"""How long before its end the agency of a key is told."""


async def note_uses(session: AsyncSession, uses: Mapping[UUID, datetime]) -> set[UUID]:
    """Keep when keys were used last, in real time; give those of which there is nothing more to write.

    A key whose last use was written within the minute, or that somebody is at work on, is left for later.
    """
    ids, moments = list(uses), list(uses.values())
    seen = select(
        func.unnest(literal(ids, ARRAY(Uuid()))).label("id"), func.unnest(literal(moments, ARRAY(Moment))).label("at")
    ).subquery()
    written_long_ago = or_(
        api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= func.clock_timestamp() - WRITTEN_EVERY
    )
    free = (
        select(api_keys.c.id)
        .join(seen, seen.c.id == api_keys.c.id)
        .where(written_long_ago)
        .with_for_update(of=api_keys, key_share=True, skip_locked=True)
        .cte("free")
    )
    written = await session.execute(
        update(api_keys)
        .where(api_keys.c.id == free.c.id, seen.c.id == free.c.id)
        .values(last_used_at=func.greatest(api_keys.c.last_used_at, seen.c.at))
        .returning(api_keys.c.id)
    )
    done = set(written.scalars())
    known = await session.execute(select(api_keys.c.id, api_keys.c.last_used_at).where(api_keys.c.id.in_(ids)))
    return done | {row.id for row in known if row.last_used_at is not None and row.last_used_at >= uses[row.id]}


async def take_expiring(session: AsyncSession, limit: int) -> Sequence[tuple[UUID, str, datetime]]:
    """Take keys whose agency is due to be told that they expire, each with its end; told is told.

    It is told 14, 3 and 1 days before, of those that are less than half of the key's whole time, and of no key that was
    rotated: its holder has set that end.
    """
    left = api_keys.c.expires_at - func.now()
    lifetime = api_keys.c.expires_at - api_keys.c.created_at
    passed = [
        (and_(left <= before, literal(2 * before) <= lifetime), api_keys.c.expires_at - before)
        for before in reversed(WARNED_BEFORE)
    ]
    due_since = case(*passed)
    due = (
        select(api_keys.c.id)
        .where(
            api_keys.c.revoked_at.is_(None),
            api_keys.c.replaced_by.is_(None),
            api_keys.c.expires_at > func.now(),
            due_since.is_not(None),
            or_(api_keys.c.warned_at.is_(None), api_keys.c.warned_at < due_since),
        )
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
        .cte("due")
    )
    taken = await session.execute(
        update(api_keys)
        .where(api_keys.c.id == due.c.id)
        .values(warned_at=func.now())
        .returning(api_keys.c.id, api_keys.c.agency_code, api_keys.c.expires_at)
    )
    return [(row.id, row.agency_code, row.expires_at) for row in taken]
