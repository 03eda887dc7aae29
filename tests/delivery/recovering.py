"""Recoveries as tests begin, drive and look at them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from app.storage import recoveries
from app.storage.recoverable import Count
from app.storage.recoveries import FAILED, Recovery, Wanted
from app.storage.tables import every_delivery
from app.workflows import recover_endpoint
from app.workflows.keep_history import sweep_queue
from app.workflows.manage_endpoint import enable_endpoint, pause_endpoint
from app.workflows.run_recoveries import run_due_recoveries
from tests.delivery.world import AGENCY, World

URL = "http://127.0.0.1:9009/hook"


async def begin(world: World, endpoint_id: UUID, wanted: Wanted | None = None, *, agency: str = AGENCY) -> Recovery:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.begin_recovery(tx, world.caller(agency), endpoint_id, wanted or Wanted(FAILED))


async def count(world: World, endpoint_id: UUID, wanted: Wanted) -> Count:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.count_recovery(tx, world.caller(), endpoint_id, wanted)


async def cancel(world: World, recovery_id: UUID, *, agency: str = AGENCY) -> Recovery:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.cancel_recovery(tx, world.caller(agency), recovery_id)


async def read(world: World, recovery_id: UUID) -> Recovery:
    async with world.sessions.begin() as tx:
        found = await recoveries.get(tx, recovery_id, agency_code=AGENCY)
    assert found is not None
    return found


async def has_ended(world: World, recovery_id: UUID) -> bool:
    return (await read(world, recovery_id)).ended


async def at_once(world: World) -> bool:
    """Take every recovery one step further, whenever its turn would be."""
    await world.execute("UPDATE recoveries SET next_at = now()")
    return await run_due_recoveries(world.sessions)


@asynccontextmanager
async def recovering(world: World, *, workers: int = 1) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run recoveries while the block runs, in tasks that each stand for a worker."""

    async def work() -> None:
        while True:
            await run_due_recoveries(world.sessions)
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in results), results


async def all_end(world: World, state: str) -> None:
    """Have everything that is due end so."""
    async with world.sessions.begin() as tx:
        await tx.execute(
            text("UPDATE deliveries SET state = :state, attempts = 10, finished_at = now() WHERE state = 'due'"),
            {"state": state},
        )
    await sweep_queue(world.sessions)


async def many(world: World, number: int, state: str) -> None:
    """Have many deliveries of the only endpoint in a state, without telling of each alone."""
    await world.tell()
    async with world.sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO events SELECT (r).* FROM (SELECT jsonb_populate_record(e, jsonb_build_object("
                "'id', overlay(gen_random_uuid()::text placing left(e.id::text, 13) from 1 for 13))) AS r"
                " FROM events e, generate_series(2, :number)) s"
            ),
            {"number": number},
        )
        await tx.execute(
            text(
                "INSERT INTO deliveries (id, event_id, endpoint_id, state, due_at, created_at) SELECT overlay("
                "gen_random_uuid()::text placing left(d.id::text, 13) from 1 for 13)::uuid, e.id, d.endpoint_id,"
                " 'due', now(), now() FROM events e, deliveries d WHERE e.id <> d.event_id"
            )
        )
    if state == "held":
        await world.execute("UPDATE deliveries SET state = 'held'")
    else:
        await all_end(world, state)


async def queued(world: World) -> int:
    return (await world.states()).count("due")


async def stop(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await pause_endpoint(tx, world.caller(), endpoint_id)


async def enable(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())


async def somebody_waits(world: World) -> bool:
    async with world.sessions.begin() as tx:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await tx.scalar(text(waits)))


async def database_time(world: World) -> Any:
    async with world.sessions.begin() as tx:
        return await tx.scalar(text("SELECT clock_timestamp()"))


async def of_state(world: World, state: str) -> int:
    async with world.sessions.begin() as tx:
        return await tx.scalar(select(func.count()).where(every_delivery.c.state == state)) or 0
