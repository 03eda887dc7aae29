"""Months of history are made ahead, hold what was made in them, and go when nobody needs them any more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from app.domain.history_months import Month, through
from app.storage import partitions
from app.storage.partitions import Needed
from app.storage.tables import attempts, deliveries, events, finished_deliveries
from app.workflows.keep_history import drop_months, make_months, sweep_queue
from tests.delivery.world import AGENCY, World

KEPT = 13
URL = "http://127.0.0.1:9009/hook"
PARTED = ("events", "finished_deliveries", "attempts")


@pytest.fixture
async def world(sessions: async_sessionmaker[AsyncSession], world: World) -> AsyncIterator[World]:
    """Empty tables with the months that they have today, and only those again when the test has ended."""
    async with sessions.begin() as tx:
        usual = await partitions.months(tx)
    yield world
    async with sessions.begin() as tx:
        await tx.execute(text("TRUNCATE events, deliveries, finished_deliveries, attempts"))
        there = await partitions.months(tx)
        for month in set(there) - set(usual):
            await partitions.drop(tx, month)
    for month in sorted(set(usual) - set(there)):
        async with sessions.begin() as tx:
            await partitions.make(tx, month)


def a_moment(month: Month, *, day: int = 15) -> datetime:
    return datetime(month.year, month.month, day, tzinfo=UTC)


def an_id(moment: datetime) -> UUID:
    """Make an id as uuid7 does at a moment."""
    return UUID(int=Month.of(moment).first_id.int + (1 << 100) + uuid7().int % (1 << 60))


async def news_of(world: World, moment: datetime, *, state: str | None = None, handoff_id: UUID | None = None) -> UUID:
    """Write an event as it was written at a moment, and where a state is given a delivery of it and an attempt."""
    event_id, delivery_id = an_id(moment), an_id(moment)
    async with world.sessions.begin() as tx:
        await tx.execute(
            insert(events).values(
                id=event_id,
                agency_code=AGENCY,
                type="handoff.offered",
                occurred_at=moment,
                data={},
                handoff_id=handoff_id,
            )
        )
        if state is not None:
            table = deliveries if state in {"due", "held"} else finished_deliveries
            row = {"id": delivery_id, "event_id": event_id, "endpoint_id": (await world.the_endpoint()).id}
            await tx.execute(insert(table).values(**row, state=state, due_at=moment, created_at=moment))
            made = {"delivery_id": delivery_id, "id": an_id(moment), "number": 1, "started_at": moment}
            await tx.execute(insert(attempts).values(**made, duration_ms=1, outcome="http", status=500))
    return event_id


async def lies_in(world: World) -> dict[str, list[str]]:
    """Say in which partition each row lies."""
    found: dict[str, list[str]] = {}
    async with world.sessions.begin() as tx:
        for table in PARTED:
            rows = await tx.scalars(text(f"SELECT tableoid::regclass::text FROM {table}"))  # noqa: S608 - ours
            found[table] = [row.removeprefix(f"{table}_") for row in rows]
    return found


async def months_of(world: World) -> list[Month]:
    async with world.sessions.begin() as tx:
        return await partitions.months(tx)


async def test_this_month_and_the_next_three_are_there_from_the_first_migration_on(world: World) -> None:
    this = Month.of(world.clock())

    assert set(await months_of(world)) >= {this, this.later(1), this.later(2), this.later(3)}


async def test_a_month_that_begins_has_its_partition_and_the_fourth_one_is_made(world: World) -> None:
    next_year = a_moment(Month.of(world.clock()).later(12))
    this = Month.of(next_year)
    await world.endpoint(URL)

    there = await months_of(world)
    made = await make_months(world.sessions, now=next_year, kept=KEPT)
    again = await make_months(world.sessions, now=next_year, kept=KEPT)
    following = await make_months(world.sessions, now=a_moment(this.later(1), day=1), kept=KEPT)
    await news_of(world, next_year, state="delivered")
    await news_of(world, a_moment(this.later(1), day=1), state="failed")

    assert made == list(through(there[-1].later(1), this.later(3)))
    assert again == []
    assert following == [this.later(4)]
    assert await lies_in(world) == {table: [str(this), str(this.later(1))] for table in PARTED}


async def test_any_number_of_workers_may_make_the_months_at_once(world: World) -> None:
    next_year = a_moment(Month.of(world.clock()).later(12))

    made = await asyncio.gather(*(make_months(world.sessions, now=next_year, kept=KEPT) for _ in range(4)))
    left = await make_months(world.sessions, now=next_year, kept=KEPT)

    everything = sorted(month for each in (*made, left) for month in each)
    assert everything == sorted(set(everything))
    assert everything[-4:] == list(through(Month.of(next_year), Month.of(next_year).later(3)))


async def test_what_is_told_and_delivered_lies_in_the_month_of_its_event(world: World) -> None:
    await world.endpoint(URL)
    await world.tell(times=2)
    await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now()")

    assert await sweep_queue(world.sessions) == 2
    lying = await lies_in(world)
    assert lying["events"] == lying["finished_deliveries"]
    assert set(lying["events"]) <= {str(Month.of(world.clock()).later(by)) for by in (-1, 0)}
    async with world.sessions.begin() as tx:
        ids = (await tx.execute(select(finished_deliveries.c.id, finished_deliveries.c.event_id))).all()
    assert all(Month.of(_moment_of(id_)) == Month.of(_moment_of(event_id)) for id_, event_id in ids)


async def test_an_event_of_no_month_is_reported_and_moved_when_its_month_is_made(world: World) -> None:
    next_year = a_moment(Month.of(world.clock()).later(12))
    await world.endpoint(URL)
    queued = await news_of(world, next_year, state="held")
    await news_of(world, next_year, state="delivered")

    with capture_logs() as said:
        await make_months(world.sessions, now=world.clock(), kept=KEPT)
    before = await lies_in(world)
    await make_months(world.sessions, now=next_year, kept=KEPT)

    alerts = [(line["table"], line["count"]) for line in said if line["event"] == "outside_every_month"]
    assert sorted(alerts) == [("attempts", 2), ("events", 2), ("finished_deliveries", 1)]
    assert before["events"] == ["default", "default"]
    assert await lies_in(world) == {
        "events": [str(Month.of(next_year))] * 2,
        "finished_deliveries": [str(Month.of(next_year))],
        "attempts": [str(Month.of(next_year))] * 2,
    }
    assert [row.event_id for row in await world.rows(deliveries)] == [queued], "it refers to its event as before"


async def test_months_in_which_no_worker_ran_are_made_afterwards_and_those_that_were_dropped_are_not(
    world: World,
) -> None:
    this = Month.of(world.clock()).later(12)
    await world.endpoint(URL)
    await news_of(world, a_moment(this.later(-2)), state="delivered")
    await make_months(world.sessions, now=a_moment(this), kept=KEPT)
    lying = await lies_in(world)
    handoff_id = await world.offer()
    await news_of(world, a_moment(this.later(-2)), handoff_id=handoff_id)

    later = a_moment(this.later(KEPT))
    await make_months(world.sessions, now=later, kept=KEPT)
    await drop_months(world.sessions, now=later, kept=KEPT)
    again = await make_months(world.sessions, now=later, kept=KEPT)

    assert lying["events"] == [str(this.later(-2))]
    assert [month for month in await months_of(world) if month < this] == [this.later(-2)]
    assert again == []


async def test_a_month_past_its_time_goes_with_all_that_lies_in_it(world: World) -> None:
    this = Month.of(world.clock()).later(12)
    await make_months(world.sessions, now=a_moment(this), kept=KEPT)
    await world.endpoint(URL)
    await news_of(world, a_moment(this), state="delivered")
    later = await news_of(world, a_moment(this.later(1)), state="superseded")

    too_early = await drop_months(world.sessions, now=a_moment(this.later(13)), kept=KEPT)
    gone = await drop_months(world.sessions, now=a_moment(this.later(14)), kept=KEPT)

    assert this not in too_early
    assert gone == {this: None}
    assert this not in await months_of(world)
    assert [row.id for row in await world.rows(events)] == [later]
    assert len(await world.rows(finished_deliveries)) == len(await world.rows(attempts)) == 1


async def test_history_without_an_end_is_kept(world: World) -> None:
    before = await months_of(world)

    assert await drop_months(world.sessions, now=a_moment(before[-1].later(1200)), kept=0) == {}
    assert await months_of(world) == before


@pytest.mark.parametrize("state", ["held", "due"])
async def test_a_month_with_something_undelivered_is_kept_and_the_others_go(world: World, state: str) -> None:
    this = Month.of(world.clock()).later(12)
    await make_months(world.sessions, now=a_moment(this), kept=KEPT)
    await world.endpoint(URL)
    waiting = await news_of(world, a_moment(this), state=state)
    await news_of(world, a_moment(this.later(1)), state="delivered")

    with capture_logs() as said:
        seen = await drop_months(world.sessions, now=a_moment(this.later(15)), kept=KEPT)

    assert (seen[this], seen[this.later(1)]) == (Needed("undelivered", 1), None)
    (kept_back,) = (line for line in said if line["event"] == "month_kept")
    assert (kept_back["month"], kept_back["reason"], kept_back["count"]) == (str(this), "undelivered", 1)
    assert [row.id for row in await world.rows(events)] == [waiting]


async def test_a_month_with_news_of_an_offer_that_is_open_is_kept_until_it_is_answered(world: World) -> None:
    this = Month.of(world.clock()).later(12)
    await make_months(world.sessions, now=a_moment(this), kept=KEPT)
    await world.endpoint(URL)
    handoff_id = await world.offer()
    await news_of(world, a_moment(this), state="failed", handoff_id=handoff_id)

    open_ = await drop_months(world.sessions, now=a_moment(this.later(14)), kept=KEPT)
    await world.set_handoff(handoff_id, "accepted")
    answered = await drop_months(world.sessions, now=a_moment(this.later(14)), kept=KEPT)

    assert (open_[this], answered[this]) == (Needed("unanswered", 1), None)


async def test_the_database_itself_refuses_to_drop_an_event_that_the_queue_needs(world: World) -> None:
    this = Month.of(world.clock()).later(12)
    await make_months(world.sessions, now=a_moment(this), kept=KEPT)
    await world.endpoint(URL)
    await news_of(world, a_moment(this), state="held")

    with pytest.raises(Exception, match="violates foreign key constraint"):
        async with world.sessions.begin() as tx:
            await partitions.drop(tx, this)
    assert this in await months_of(world)


async def test_who_is_at_work_on_the_tables_is_not_waited_for_long(world: World) -> None:
    next_year = a_moment(Month.of(world.clock()).later(12))
    async with world.sessions.begin() as busy:
        await busy.execute(text("LOCK TABLE events_default IN SHARE MODE"))
        with capture_logs() as said:
            made = await asyncio.wait_for(make_months(world.sessions, now=next_year, kept=KEPT), 10)

    assert made == []
    assert {line["event"] for line in said} == {"month_waits"}
    assert (await make_months(world.sessions, now=next_year, kept=KEPT))[-1] == Month.of(next_year).later(3)


def _moment_of(id_: Any) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=id_.int >> 80)
