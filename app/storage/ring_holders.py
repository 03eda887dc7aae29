"""The processes that run, and the keys each of them has: nothing may be sealed under a key that one of them lacks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.sealing import KeyRing
from app.storage.tables import ring_holders

SEEN_EVERY = timedelta(seconds=10)
GONE_AFTER = timedelta(seconds=45)
"""A process that was not seen for so long does not run any more."""
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that runs."""

    process: str
    active: str
    """The key that it seals under."""
    holds: frozenset[str]
    seen_at: datetime


async def hold(session: AsyncSession, key_ring: KeyRing, holder_id: UUID, process: str) -> None:
    """Say that a process runs, with these keys; forget those that have long been gone."""
    now = func.clock_timestamp()
    said = {"process": process, "active": key_ring.active, "holds": sorted(key_ring.ids), "seen_at": now}
    row = insert(ring_holders).values(id=holder_id, **said)
    await session.execute(row.on_conflict_do_update(index_elements=["id"], set_=said))
    gone = select(ring_holders.c.id).where(ring_holders.c.seen_at < now - FORGOTTEN_AFTER)
    await session.execute(delete(ring_holders).where(ring_holders.c.id.in_(gone.with_for_update(skip_locked=True))))


async def leave(session: AsyncSession, holder_id: UUID) -> None:
    """Say that a process ends."""
    await session.execute(delete(ring_holders).where(ring_holders.c.id == holder_id))


async def running(session: AsyncSession) -> list[Holder]:
    """List the processes that run, by what and where they are."""
    found = await session.execute(
        select(ring_holders.c.process, ring_holders.c.active, ring_holders.c.holds, ring_holders.c.seen_at)
        .where(ring_holders.c.seen_at >= func.clock_timestamp() - GONE_AFTER)
        .order_by(ring_holders.c.process, ring_holders.c.id)
    )
    return [Holder(row.process, row.active, frozenset(row.holds), row.seen_at) for row in found]
