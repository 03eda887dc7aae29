"""History by months: the months to come are made ahead, and those past their time go, but for what is needed."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TypeAlias, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.history_months import Month, is_over, through
from app.storage import finished_deliveries, partitions
from app.storage.database import is_gone, is_passing
from app.storage.partitions import Needed

log = structlog.get_logger(__name__)

T = TypeVar("T")
Sessions: TypeAlias = async_sessionmaker[AsyncSession]

AHEAD = 3
"""How many months after this one have their partitions."""


async def make_months(sessions: Sessions, *, now: datetime, kept: int) -> list[Month]:
    """Make the partitions of this month and the next three, and of any that is missing among those kept; give those.

    Any number of processes may do this at once; `now` is real time, and `kept` as `drop_months` has it. What lies in no
    month is moved where it belongs, and what belongs to none is an alert.
    """
    this = Month.of(now)
    async with sessions.begin() as tx:
        there = await partitions.months(tx)
    first = min([*there, this])
    made = []
    for month in through(max(first, this.later(-kept)) if kept else first, this.later(AHEAD)):
        moved = await _unless_locked(month, _make(sessions, month)) if month not in there else None
        if moved is not None:
            log.info("month_made", month=str(month), count=moved)
            made.append(month)
    async with sessions.begin() as tx:
        outside = await partitions.outside(tx)
    for table, count in outside.items():
        log.error("outside_every_month", table=table, count=count)
    return made


async def drop_months(sessions: Sessions, *, now: datetime, kept: int) -> dict[Month, Needed | None]:
    """Drop the months that lie more than `kept` whole months behind this one, the first one first; 0 keeps all.

    Give each that was past its time with what it was kept back for, None where it went.
    """
    if not kept:
        return {}
    async with sessions.begin() as tx:
        past = [month for month in await partitions.months(tx) if is_over(month, now, kept=kept)]
    seen: dict[Month, Needed | None] = {}
    for month in past:
        await _unless_locked(month, _drop(sessions, month, seen))
    for month, why in seen.items():
        if why is None:
            log.info("month_dropped", month=str(month))
        else:
            log.warning("month_kept", month=str(month), reason=why.reason, count=why.count)
    return seen


async def sweep_queue(sessions: Sessions) -> int:
    """Move finished deliveries out of the queue where a version of before left them; give their number."""
    moved = 0
    while True:
        async with sessions.begin() as tx:
            swept = await finished_deliveries.sweep(tx)
        moved += swept
        if swept < finished_deliveries.AT_ONCE:
            return moved


async def _make(sessions: Sessions, month: Month) -> int | None:
    async with sessions.begin() as tx:
        if not await partitions.hold(tx) or month in await partitions.months(tx):
            return None
        return await partitions.make(tx, month)


async def _drop(sessions: Sessions, month: Month, seen: dict[Month, Needed | None]) -> None:
    async with sessions.begin() as tx:
        if not await partitions.hold(tx) or month not in await partitions.months(tx):
            return
        why = await partitions.needed(tx, month)
        if why is None:
            await partitions.drop(tx, month)
    seen[month] = why


async def _unless_locked(month: Month, work: Awaitable[T]) -> T | None:
    """Do something about a month; where the service has its tables locked, leave it for the next look."""
    try:
        return await work
    except Exception as error:
        if is_gone(error) or not is_passing(error):
            raise
        log.warning("month_waits", month=str(month), error=type(error).__name__)
        return None
