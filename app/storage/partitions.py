"""The monthly partitions of events, finished deliveries and attempts: what is there, making one, dropping one.

A month's three partitions come and go together. What no partition is there for lies in the default ones, where all
works as ever but retention.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.history_months import Month
from app.storage.database import wait_for_locks

PARTITIONED = (("attempts", "delivery_id"), ("finished_deliveries", "event_id"), ("events", "id"))
"""The tables and the ids by which they are parted, in the order in which a month's partitions go."""
LOCK_WAIT = timedelta(milliseconds=500)
"""Whoever writes waits behind us for no longer than this."""
COUNTED = 10_000
"""Rows outside of every month are counted up to here."""
GROWING = (
    "autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05,"
    " autovacuum_analyze_scale_factor = 0.05, autovacuum_freeze_min_age = 1000000"
)
"""Only added to: vacuumed as it grows, so that it is marked as visible and frozen by the time its month is over."""
_REFERENCE = "fk_deliveries_event_id_events"
UNDELIVERED, UNANSWERED = "undelivered", "unanswered"

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('lintas months'))")
_ASTRAY = text("SELECT EXISTS (SELECT 1 FROM events_default WHERE id >= :first AND id < :ends)")
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

    For whoever holds the months.
    """
    for table, _ in PARTITIONED:
        # What is written meanwhile would be in the way of the new partition.
        await session.execute(text(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE"))
    bounds = {"first": month.first_id, "ends": month.later(1).first_id}
    astray: bool = (await session.execute(_ASTRAY, bounds)).scalar_one()
    if astray:
        # A reference holds an event where it lies; it is checked again for all of the queue below.
        await session.execute(text(f"ALTER TABLE deliveries DROP CONSTRAINT {_REFERENCE}"))
    moved = 0
    for table, key in PARTITIONED:
        own = f"{table}_{month}"
        await session.execute(text(f"CREATE TABLE {own} (LIKE {table} INCLUDING ALL) WITH ({GROWING})"))
        moving = text(
            f"WITH stray AS (DELETE FROM {table}_default WHERE {key} >= :first AND {key} < :ends RETURNING *),"  # noqa: S608 - our own names
            f" there AS (INSERT INTO {own} SELECT * FROM stray RETURNING 1) SELECT count(*) FROM there"
        )
        moved += (await session.execute(moving, bounds)).scalar_one()
    await session.execute(
        text(
            f"ALTER TABLE finished_deliveries_{month} ADD CONSTRAINT fk_finished_deliveries_event_id_events"
            f" FOREIGN KEY (event_id) REFERENCES events_{month} (id)"
        )
    )
    for table, _ in reversed(PARTITIONED):
        limits = "FOR VALUES FROM ('{first}') TO ('{ends}')".format(**bounds)
        await session.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {table}_{month} {limits}"))
    if astray:
        referring = f"ADD CONSTRAINT {_REFERENCE} FOREIGN KEY (event_id) REFERENCES events (id)"
        await session.execute(text(f"ALTER TABLE deliveries {referring}"))
    return moved


async def outside(session: AsyncSession) -> dict[str, int]:
    """Count what lies in no month, by table, up to COUNTED; a table with nothing of it is left out."""
    found = {}
    for table, _ in PARTITIONED:
        some = text(f"SELECT count(*) FROM (SELECT 1 FROM {table}_default LIMIT {COUNTED}) AS counted")  # noqa: S608 - ours
        found[table] = (await session.execute(some)).scalar_one()
    return {table: count for table, count in found.items() if count}


async def needed(session: AsyncSession, month: Month) -> Needed | None:
    """Say why a month cannot go; None where it can.

    Due and held deliveries need their events. So does a handoff that waits for its agency's answer: whether that was
    told of it is looked up there.
    """
    news = f"events_{month}"
    undelivered = text(f"SELECT count(*) FROM deliveries JOIN {news} ON {news}.id = deliveries.event_id")  # noqa: S608 - ours
    unanswered = text(
        "SELECT count(*) FROM handoffs WHERE state IN ('offered', 'cancel_requested')"  # noqa: S608 - our own names
        f" AND EXISTS (SELECT 1 FROM {news} WHERE handoff_id = handoffs.id)"
    )
    for reason, counting in ((UNDELIVERED, undelivered), (UNANSWERED, unanswered)):
        count: int = (await session.execute(counting)).scalar_one()
        if count:
            return Needed(reason, count)
    return None


async def drop(session: AsyncSession, month: Month) -> None:
    """Drop a month's partitions with all that lies in them, for whoever holds the months.

    The database refuses (IntegrityError) where a delivery in the queue needs an event of it after all.
    """
    for table, _ in PARTITIONED:
        await session.execute(text(f"ALTER TABLE {table} DETACH PARTITION {table}_{month}"))
        await session.execute(text(f"DROP TABLE {table}_{month}"))
