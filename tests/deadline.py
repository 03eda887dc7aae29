"""No test waits for ever: one that does fails alone, and says where it stood and what the database was doing."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

LONGEST_TEST = 180.0  # seconds; the slowest takes about a tenth of it

SESSIONS = text(
    "SELECT pid, state, wait_event_type, wait_event, now() - state_change AS since,"
    " pg_blocking_pids(pid) AS waits_for, left(query, 300) AS query FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY state, pid"
)


def in_time(test: Callable[..., Awaitable[None]], engine: Callable[[], object]) -> Callable[..., Awaitable[None]]:
    """Give the test with an end to its time; whoever is late leaves what the database's sessions did in the error.

    `engine` gives the database of the test while it runs: what a test worked with is not held until the last one.
    """

    @wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        running = asyncio.ensure_future(test(*args, **kwargs))
        await asyncio.wait({running}, timeout=LONGEST_TEST)
        if running.done():
            return running.result()
        late = TimeoutError(f"the test had not ended after {LONGEST_TEST:.0f} s")
        for line in await _sessions(engine()):
            late.add_note(line)
        running.cancel()
        try:
            await running
        except asyncio.CancelledError as stood:
            raise late from stood
        raise late

    return limited


async def _sessions(engine: object) -> list[str]:
    if not isinstance(engine, AsyncEngine):
        return ["the test had no database"]
    async with engine.connect() as connection:
        return [str(row._asdict()) for row in await connection.execute(SESSIONS)]
