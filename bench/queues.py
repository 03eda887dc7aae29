"""The queues that webhooks are measured beside, filled with the same jobs, and what they say is left."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from app.storage.database import normalised
from bench.posting import POST, Job

AT_ONCE = 1000


class Pgqueuer:
    """pgqueuer, in a database of its own."""

    def __init__(self, url: str) -> None:
        self._url = normalised(url)

    async def install(self) -> None:
        """Make its tables, with what it makes them with by default."""
        connection = await asyncpg.connect(self._url)
        await self._queries(connection).install()
        await connection.close()

    async def fill(self, jobs: Sequence[Job]) -> None:
        """Forget what was, and queue the jobs."""
        connection = await asyncpg.connect(self._url)
        queue = self._queries(connection)
        await queue.clear_queue()
        await queue.clear_queue_log()
        for start in range(0, len(jobs), AT_ONCE):
            some = [json.dumps(list(asdict(job).values())).encode() for job in jobs[start : start + AT_ONCE]]
            await queue.enqueue([POST] * len(some), some, [0] * len(some))
        await connection.execute("CHECKPOINT")
        await connection.close()

    async def left(self) -> int:
        """Count what is not done."""
        return await _count(self._url, "SELECT count(*) FROM pgqueuer")

    async def done(self) -> int:
        """Count what it keeps as done."""
        return await _count(self._url, "SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'")

    def _queries(self, connection: Any) -> Any:
        library = import_module("pgqueuer")
        return library.Queries(library.AsyncpgDriver(connection))


class Procrastinate:
    """Procrastinate, in a database of its own."""

    def __init__(self, url: str) -> None:
        self._url = normalised(url)

    async def install(self) -> None:
        """Make its tables."""
        async with self._app().open_async() as app:
            await app.schema_manager.apply_schema_async()

    async def fill(self, jobs: Sequence[Job]) -> None:
        """Forget what was, and queue the jobs."""
        connection = await asyncpg.connect(self._url)
        await connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        async with self._app().open_async() as app:
            for start in range(0, len(jobs), AT_ONCE):
                some = [asdict(job) for job in jobs[start : start + AT_ONCE]]
                await app.configure_task(POST, allow_unknown=True).batch_defer_async(*some)
        await connection.execute("CHECKPOINT")
        await connection.close()

    async def left(self) -> int:
        """Count what is not done."""
        return await _count(self._url, "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'")

    async def done(self) -> int:
        """Count what it keeps as done."""
        return await _count(self._url, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")

    def _app(self) -> Any:
        library = import_module("procrastinate")
        return library.App(connector=library.PsycopgConnector(conninfo=self._url, min_size=1, max_size=2))


async def _count(url: str, statement: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(statement))
    finally:
        await connection.close()
