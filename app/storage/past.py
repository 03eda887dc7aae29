"""What has ended and is needed no more: deleted a portion at a time, by any number of processes at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.tables import deliveries, former_addresses, proposals, recoveries

AT_ONCE = 1000
"""How many rows are deleted in one transaction: a moment's work, and whoever else is at one of them keeps it."""


async def forget_former_addresses(session: AsyncSession, *, told_before: UUID, limit: int = AT_ONCE) -> int:
    """Delete former addresses that were told, or could not be, of an event below that id; give their number."""
    waits = select(deliveries.c.id).where(deliveries.c.event_id == former_addresses.c.event_id).exists()
    return await _forget(session, former_addresses, former_addresses.c.event_id < told_before, ~waits, limit=limit)


async def forget_recoveries(session: AsyncSession, *, finished_before: datetime, limit: int = AT_ONCE) -> int:
    """Delete recoveries that finished or were cancelled before; give their number."""
    ended = recoveries.c.state != "running"
    return await _forget(session, recoveries, ended, recoveries.c.finished_at < finished_before, limit=limit)


async def forget_proposals(session: AsyncSession, *, ended_before: datetime, limit: int = AT_ONCE) -> int:
    """Delete proposals that were decided, or lapsed, before; the audit keeps who decided. Give their number."""
    ended = func.coalesce(proposals.c.decided_at, proposals.c.expires_at) < ended_before
    return await _forget(session, proposals, proposals.c.state != "pending", ended, limit=limit)


async def _forget(session: AsyncSession, table: Table, *which: ColumnElement[bool], limit: int) -> int:
    (key,) = table.primary_key.columns
    chosen = select(key).where(*which).order_by(key).limit(limit).with_for_update(skip_locked=True).cte("chosen")
    gone = await session.execute(delete(table).where(key.in_(select(chosen))).returning(key))
    return len(gone.all())
