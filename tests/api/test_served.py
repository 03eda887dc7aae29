"""The service as its entry point puts it together, over a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.clock import SettableClock
from app.main import listen, serve
from app.service import Service, compose
from app.settings import DatabaseSettings, Settings
from app.storage.sealing import KeyRing
from app.workflows.seed import seed


@asynccontextmanager
async def served(url: str, key_ring: KeyRing) -> AsyncIterator[tuple[Service, str, int]]:
    """Serve on a port of its own, with one connection for requests."""
    settings = Settings(database=DatabaseSettings(pool_size=1, pool_overflow=0))
    service = compose(settings, url=url, key_ring=key_ring, name="tests")
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(serve(service, listener, stop, hurry, ready.set))
    await ready.wait()
    try:
        yield service, f"http://127.0.0.1:{port}", port
    finally:
        stop.set()
        hurry.set()
        await running
        await service.engine.dispose()
        await service.health_engine.dispose()


async def test_a_busy_service_is_ready_and_what_is_no_request_is_a_problem(
    database_url: str, sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock
) -> None:
    async with sessions.begin() as tx:
        await seed(tx, clock())
    async with served(database_url, key_ring) as (service, url, port), httpx.AsyncClient(base_url=url) as client:
        async with service.sessions.begin() as tx:
            await tx.execute(text("SELECT 1"))
            patience = time.monotonic() + 10
            while (answer := await client.get("/health/ready")).status_code != 200:
                assert time.monotonic() < patience, answer.text
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HELLO\r\n\r\n")
        said = await reader.read()
        writer.close()

    assert b"400 Bad Request" in said
    assert b"application/problem+json" in said


async def test_a_service_without_its_database_says_so_and_does_not_hang(key_ring: KeyRing) -> None:
    held: list[asyncio.StreamWriter] = []

    async def never_answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    silent = await asyncio.start_server(never_answers, "127.0.0.1", 0)
    gone = "postgresql://nobody@127.0.0.1:1/nothing"
    hanging = f"postgresql://nobody@127.0.0.1:{silent.sockets[0].getsockname()[1]}/nothing"
    for database in (gone, hanging):
        async with served(database, key_ring) as (_, url, _), httpx.AsyncClient(base_url=url) as client:
            for _ in range(3):
                answer = await client.get("/health/ready", timeout=30)
                assert answer.status_code == 503
                assert (await client.get("/health/live")).status_code == 200
    for writer in held:
        writer.close()
    silent.close()
