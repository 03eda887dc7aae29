"""Deliveries that are finished: out of the queue, and back into it when they are sent again."""

from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Boolean, ColumnElement, Insert, delete, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.deliveries import PLANNED_ONCE, is_among
from app.storage.tables import deliveries, finished_deliveries

AT_ONCE = 1000
"""How many are moved in one transaction."""
_IS_FINISHED = literal_column("deliveries.state IN ('delivered', 'superseded', 'failed')", Boolean)
"""Written as the index has it."""


def keep(left: CTE, **now_so: ColumnElement[Any]) -> Insert:
    """Write to the finished deliveries what left the queue in the same statement, with what has changed of it."""
    names = [column.name for column in finished_deliveries.c]
    return insert(finished_deliveries).from_select(names, select(*(now_so.get(name, left.c[name]) for name in names)))


async def finish(session: AsyncSession, *which: ColumnElement[bool], **now_so: ColumnElement[Any]) -> list[UUID]:
    """Take deliveries out of the queue, with what has changed of them; give their ids. `which` speaks of the queue."""
    as_they_end = (now_so.get(column.name, column).label(column.name) for column in deliveries.c)
    left = delete(deliveries).where(*which).returning(*as_they_end).cte("left")
    return list(await session.scalars(keep(left).returning(finished_deliveries.c.id)))


async def bring_back(session: AsyncSession, *which: ColumnElement[bool]) -> int:
    """Put finished deliveries back into the queue as they are, locked until the transaction ends; give the number.

    `which` speaks of `tables.finished_deliveries`. Whoever brings some back gives them another state in the same
    transaction: what is left finished is swept out again. Lock their endpoint first.
    """
    chosen = (
        select(finished_deliveries.c.event_id, finished_deliveries.c.id)
        .where(*which)
        # In one order for everybody.
        .order_by(finished_deliveries.c.id)
        .with_for_update()
        .cte("chosen")
    )
    back = (
        delete(finished_deliveries)
        .where(finished_deliveries.c.event_id == chosen.c.event_id, finished_deliveries.c.id == chosen.c.id)
        .returning(*finished_deliveries.c)
        .cte("back")
    )
    names = [column.name for column in finished_deliveries.c]
    queued = insert(deliveries).from_select(names, select(*(back.c[name] for name in names))).returning(deliveries.c.id)
    await session.execute(select(PLANNED_ONCE))
    return len((await session.scalars(queued)).all())


async def sweep(session: AsyncSession, *, limit: int = AT_ONCE) -> int:
    """Move some finished deliveries that were left in the queue, as code of before leaves them; give the number."""
    chosen = select(deliveries.c.id).where(_IS_FINISHED).limit(limit).with_for_update(skip_locked=True).cte("chosen")
    return len(await finish(session, is_among(select(chosen.c.id))))
