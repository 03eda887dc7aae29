"""Real time by the one clock that all processes share: the database's."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession


def since_boot() -> float:
    """Give the seconds since this machine was started, those it slept through included; nobody can set them."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


async def real_time(session: AsyncSession) -> datetime:
    """Tell real time by the database's clock, as it is now and not when the transaction began."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


class SharedClock:
    """Tells the time of the database's clock, counting on from the last look at it.

    A machine whose own clock is wrong, or is set, changes nothing by it. Until the first look it tells the machine's.
    """

    def __init__(self, machine_clock: Callable[[], datetime], *, elapsed: Callable[[], float] = since_boot) -> None:
        """Take the clock of this machine, and seconds that only ever count up."""
        self._machine_clock = machine_clock
        self._elapsed = elapsed
        self._seen: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """Tell the time."""
        if self._seen is None:
            return self._machine_clock()
        at, then = self._seen
        return at + timedelta(seconds=self._elapsed() - then)

    async def skew(self, session: AsyncSession) -> timedelta:
        """Say how far the clock of this machine is ahead of the database's; below zero it is behind."""
        before = self._machine_clock()
        at = await real_time(session)
        return before + (self._machine_clock() - before) / 2 - at

    async def look(self, session: AsyncSession) -> None:
        """Look at the database's clock."""
        asked = self._elapsed()
        at = await real_time(session)
        # It was read somewhere between question and answer.
        self._seen = at, (asked + self._elapsed()) / 2
