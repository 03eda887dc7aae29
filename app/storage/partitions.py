"""The monthly partitions of events, finished deliveries and attempts: what is there, making one, dropping one.

A month's three partitions come and go together. What no partition is there for lies in the default ones, where all
works as ever but retention.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.history_months import Month
from app.storage.database import wait_for_locks

PARTITIONED = ("attempts", "finished_deliveries", "events")
"""The tables, in the order in which a month's partitions go."""
LOCK_WAIT = timedelta(milliseconds=500)
"""Whoever writes waits behind us for no longer than this."""
COUNTED = 10_000
"""Rows outside of every month are counted up to here."""
UNDELIVERED, UNANSWERED = "undelivered", "unanswered"

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('lintas months'))")
_NEEDED = {
    UNDELIVERED: text(
        "SELECT count(*) FROM deliveries JOIN events ON events.id = deliveries.event_id"
        " WHERE events.id >= :first AND events.id < :ends"
    ),
    UNANSWERED: text(
        "SELECT count(*) FROM handoffs WHERE state IN ('offered', 'cancel_requested') AND EXISTS"
        " (SELECT 1 FROM events WHERE handoff_id = handoffs.id AND events.id >= :first AND events.id < :ends)"
    ),
}
_MONTHS = text(
    "SELECT substr(child.relname, length('events_') + 1)"
    " FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
    " WHERE inhparent = CAST('events' AS regclass) AND child.relname <> 'events_default'"
)


@dataclass(frozen=True, slots=True)
class Needed:
    """Why a month cannot go: deliveries that are `undelivered`, or news of handoffs that are `unanswered`."""

    reason: str
    count: int


async def hold(session: AsyncSession) -> bool:
    """Be the only one to make and drop months until the transaction ends; False, without waiting, if another is.

    Nothing in this transaction waits long for a lock then.
    """
    held: bool = (await session.execute(_LOCK)).scalar_one()
    await wait_for_locks(session, LOCK_WAIT)
    return held


async def months(session: AsyncSession) -> list[Month]:
    """List the months that have their partitions, the first one first."""
    return sorted(Month.named(name) for name in await session.scalars(_MONTHS))


async def make(session: AsyncSession, month: Month) -> int:
    """Make a month's partitions, and move there what lay in the default ones; give the number of rows moved.

    For whoever holds the months. The database does it as the owner of the tables (migration 0021).
    """
    moved: int = (await session.execute(select(func.lintas_make_month(str(month))))).scalar_one()
    return moved


async def outside(session: AsyncSession) -> dict[str, int]:
    """Count what lies in no month, by table, up to COUNTED; a table with nothing of it is left out."""
    found = {}
    for table in PARTITIONED:
        some = text(f"SELECT count(*) FROM (SELECT 1 FROM {table}_default LIMIT {COUNTED}) AS counted")  # noqa: S608 - ours
        found[table] = (await session.execute(some)).scalar_one()
    return {table: count for table, count in found.items() if count}


async def needed(session: AsyncSession, month: Month) -> Needed | None:
    """Say why a month cannot go; None where it can.

    Due and held deliveries need their events. So does a handoff that waits for its agency's answer: whether that was
    told of it is looked up there.
    """
    bounds = {"first": month.first_id, "ends": month.later(1).first_id}
    for reason, counting in _NEEDED.items():
        count: int = (await session.execute(counting, bounds)).scalar_one()
        if count:
            return Needed(reason, count)
    return None


async def drop(session: AsyncSession, month: Month) -> None:
    """Drop a month's partitions with all that lies in them, for whoever holds the months.

    The database refuses (IntegrityError) where a delivery in the queue needs an event of it after all, and to whoever
    does not own the tables (ProgrammingError) where the month is not over.
    """
    await session.execute(select(func.lintas_drop_month(str(month))))
