"""The clock that every process goes by is the database's, whatever the machine's own says."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.shared_clock import SharedClock, since_boot

Sessions = async_sessionmaker[AsyncSession]
A_MOMENT = datetime(2031, 5, 1, tzinfo=UTC)


class Machine:
    """A machine whose clock can be set, and whose count of seconds cannot."""

    def __init__(self) -> None:
        self.time = A_MOMENT
        self.seconds = 1000.0

    def clock(self) -> datetime:
        return self.time

    def elapsed(self) -> float:
        return self.seconds


async def test_after_a_look_the_machines_own_clock_changes_nothing(sessions: Sessions) -> None:
    machine = Machine()
    clock = SharedClock(machine.clock, elapsed=machine.elapsed)

    async with sessions.begin() as tx:
        before = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
        await clock.look(tx)
        after = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
    seen = clock()
    machine.time += timedelta(days=400)
    machine.seconds += 90

    assert before <= seen <= after
    assert clock() == seen + timedelta(seconds=90)


def test_until_the_first_look_it_is_the_machines_own() -> None:
    assert SharedClock(Machine().clock)() == A_MOMENT


def test_seconds_are_counted_by_a_clock_that_nobody_sets() -> None:
    first, second = since_boot(), since_boot()

    assert 0 < first <= second
