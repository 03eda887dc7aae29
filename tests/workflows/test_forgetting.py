"""What has ended long ago goes in portions, by any number of processes, and nobody waits for it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.months import months_later
from app.storage import idempotency
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.sealing import KeyRing
from app.storage.tables import former_addresses, proposals, recoveries
from app.workflows.forget_past import ADDRESSES_KEPT_FOR, forget_answers, forget_past
from tests.delivery.world import RealClock, World

Sessions = async_sessionmaker[AsyncSession]
KEPT = 13
MANY = 2 * idempotency.AT_ONCE + 500


@pytest.fixture
async def world(sessions: Sessions, key_ring: KeyRing) -> World:
    world = World(sessions, key_ring, RealClock())
    await world.endpoint("https://agency.example/lintas")
    return world


async def count(world: World, table: str) -> int:
    async with world.sessions.begin() as tx:
        return int(await tx.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - ours


async def some_answers(world: World, number: int, *, expired: bool) -> None:
    await world.execute(
        "INSERT INTO idempotency_records (agency_code, key_hash, request_hash, status, answer, expires_at)"  # noqa: S608
        f" SELECT code, decode(md5(n || '{expired}'), 'hex'), '', 200, '',"
        f" now() {'-' if expired else '+'} interval '1 hour' FROM agencies, generate_series(1, {number}) AS n"
    )


async def test_two_processes_forget_kept_answers_at_once_and_each_goes_once(world: World, database_url: str) -> None:
    await some_answers(world, MANY, expired=True)
    await some_answers(world, 10, expired=False)
    engines = [open_engine(database_url, pool=Pool(size=1, overflow=0)) for _ in range(2)]

    gone = await asyncio.gather(*(forget_answers(sessions_of(one), is_stopped=lambda: False) for one in engines))
    for engine in engines:
        await engine.dispose()

    assert sum(gone) == MANY
    assert await count(world, "idempotency_records") == 10


async def test_an_answer_that_somebody_is_at_is_left_for_the_next_time_and_not_waited_for(world: World) -> None:
    await some_answers(world, 3, expired=True)

    async with world.sessions.begin() as somebody:
        await somebody.execute(text("SELECT 1 FROM idempotency_records LIMIT 1 FOR UPDATE"))

        assert await forget_answers(world.sessions, is_stopped=lambda: False) == 2

    assert await forget_answers(world.sessions, is_stopped=lambda: False) == 1


async def a_past(world: World, *, ago: timedelta, ended: bool) -> None:
    """Write a recovery, a proposal and a former address of so long ago."""
    then = world.clock() - ago
    endpoint_id = (await world.the_endpoint()).id
    (event_id,) = await world.tell()
    await world.add(
        recoveries,
        id=uuid7(),
        endpoint_id=endpoint_id,
        what="all",
        until=then,
        state="finished" if ended else "running",
        counted=0,
        counted_all=True,
        last_id=uuid7(),
        next_at=then,
        created_at=then,
        finished_at=then if ended else None,
    )
    await world.add(
        proposals,
        id=uuid7(),
        kind="endpoint",
        subject=str(uuid7()),
        what={},
        state="confirmed" if ended else "pending",
        proposed_at=then,
        expires_at=then,
        decided_at=then if ended else None,
    )
    await world.add(former_addresses, event_id=event_id, endpoint_id=endpoint_id, sealed=b"")
    if ended:
        await world.execute("DELETE FROM deliveries")


async def test_what_ended_before_the_history_begins_is_forgotten_and_what_goes_on_is_not(world: World) -> None:
    now = world.clock()
    long_ago = now - months_later(now, -KEPT - 1) + timedelta(days=1)
    await a_past(world, ago=long_ago, ended=True)
    await a_past(world, ago=timedelta(days=1), ended=True)
    await a_past(world, ago=long_ago, ended=False)

    async def forget(kept: int, *, later: timedelta = timedelta(0)) -> dict[str, int]:
        seen = await asyncio.gather(*(forget_past(world.sessions, now=now + later, kept=kept) for _ in range(2)))
        return {table: sum(each.get(table, 0) for each in seen) for table in seen[0]}

    assert await forget(0) == {"former_addresses": 0}
    assert await forget(KEPT) == {"former_addresses": 0, "recoveries": 1, "proposals": 1}
    # The third has not been told yet.
    assert await forget(0, later=ADDRESSES_KEPT_FOR + timedelta(days=1)) == {"former_addresses": 2}
    assert [await count(world, table) for table in ("recoveries", "proposals", "former_addresses")] == [2, 2, 1]
