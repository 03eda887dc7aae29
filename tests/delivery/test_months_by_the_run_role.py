"""The role that the service runs as owns no table, and the months come and go by it all the same."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from structlog.testing import capture_logs

from app.domain.history_months import Month, through
from app.storage import partitions
from app.workflows.keep_history import drop_months, make_months
from tests.audit.test_run_role import as_owner, run_sessions
from tests.delivery.test_history_by_months import URL, a_moment, lies_in, months_of, news_of, world
from tests.delivery.world import World

__all__ = ["as_owner", "run_sessions", "world"]

Sessions = async_sessionmaker[AsyncSession]
KEPT = 13


async def divide_the_past(world: World, *months: Month) -> None:
    """Have months of the past, which the first month that there ever was holds all of."""
    async with world.sessions.begin() as tx:
        await partitions.drop(tx, this := Month.of(world.clock()))
        for month in (*months, this):
            await partitions.make(tx, month)


async def test_two_processes_make_the_months_ahead_at_once_and_each_is_made_once(
    world: World, run_sessions: Sessions
) -> None:
    this = Month.of(world.clock()).later(12)
    there = await months_of(world)
    await world.endpoint(URL)
    astray = await news_of(world, a_moment(this))

    made = await asyncio.gather(*(make_months(run_sessions, now=a_moment(this), kept=KEPT) for _ in range(2)))
    with capture_logs() as logs:
        left = await make_months(run_sessions, now=a_moment(this), kept=KEPT)

    everything = sorted(month for each in (*made, left) for month in each)
    assert everything == list(through(there[-1].later(1), this.later(3)))
    assert (await lies_in(world))["events"] == [str(this)], astray
    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_what_lies_in_no_month_is_seen_and_said(world: World, run_sessions: Sessions) -> None:
    far_off = Month.of(world.clock()).later(120)
    await world.endpoint(URL)
    await news_of(world, a_moment(far_off))

    with capture_logs() as logs:
        await make_months(run_sessions, now=world.clock(), kept=KEPT)

    assert {"event": "outside_every_month", "log_level": "error", "table": "events", "count": 1} in logs


async def test_a_month_past_its_time_goes_and_one_that_holds_something_due_stays(
    world: World, run_sessions: Sessions
) -> None:
    now = world.clock()
    old, older = Month.of(now).later(-KEPT - 1), Month.of(now).later(-KEPT - 2)
    await world.endpoint(URL)
    await divide_the_past(world, older, old)
    await news_of(world, a_moment(older), state="delivered")
    await news_of(world, a_moment(old), state="due")

    seen = await asyncio.gather(*(drop_months(run_sessions, now=now, kept=KEPT) for _ in range(2)))

    assert older not in await months_of(world)
    assert old in await months_of(world)
    assert {month for each in seen for month, why in each.items() if why is None} == {older}


@pytest.mark.parametrize("name", ["2026_13", "events", "2026_11; DROP TABLE audit", "default", "2026_1", ""])
async def test_the_functions_take_a_month_and_nothing_else(run_sessions: Sessions, name: str) -> None:
    for function in ("lintas_make_month", "lintas_drop_month"):
        with pytest.raises(DBAPIError):
            async with run_sessions.begin() as tx:
                await tx.execute(text(f"SELECT {function}(:name)"), {"name": name})


async def test_who_does_not_own_the_tables_drops_no_month_that_is_not_over(
    world: World, run_sessions: Sessions
) -> None:
    this = Month.of(world.clock())

    for month in (this, this.later(1)):
        with pytest.raises(DBAPIError, match="not over"):
            async with run_sessions.begin() as tx:
                await partitions.drop(tx, month)

    assert {this, this.later(1)} <= set(await months_of(world))


async def test_nobody_else_may_call_them(as_owner: Sessions) -> None:
    async with as_owner.begin() as tx:
        found = await tx.scalars(
            text(
                "SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS granted"
                " WHERE proname LIKE 'lintas_%' AND granted.grantee = 0"
            )
        )
        assert found.all() == []
