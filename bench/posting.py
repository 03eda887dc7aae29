"""One sender of webhooks, in a process of its own: `python -m bench.posting WAY` with its orders on standard input.

The first line says what it needs; it makes itself ready, says so, waits for a second line, and works until its input
ends. Every way posts the same bodies with the same headers, signed with HMAC as they are sent; the bare loop, which is
the ceiling, has them signed beforehand and keeps nothing.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg  # type: ignore[import-untyped]
import httpx
import uvloop
from sqlalchemy import text

from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.domain.addresses import Reach
from app.domain.webhook import headers_of
from app.observability import configure_logging
from app.storage.database import normalised, open_engine, sessions_of
from app.storage.sealing import KeyRing

LINTAS, BARE, PROCRASTINATE, PGQUEUER = "lintas", "bare", "procrastinate", "pgqueuer"
LOOPBACK = Reach((ip_network("127.0.0.0/8"),))
AT_ONCE = 256
"""Posts under way: 64 endpoints with 4 each, which is as many as a worker of Lintas has under way."""
CONTENT = {"content-type": "application/json", "user-agent": "Lintas-Webhook/1"}
POST = "post"
"""What the task is called in the queues of others."""


@dataclass(frozen=True, slots=True)
class Job:
    """A webhook as a queue keeps it: where to, with which secret, and what."""

    id: str
    url: str
    secret: str
    body: str

    def signed(self) -> Mapping[str, str]:
        """Sign it as it is sent."""
        return CONTENT | headers_of(self.id, real_time(), self.body.encode(), [self.secret])


def real_time() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)  # noqa: TID251 - the edge of a benchmark


async def lintas(needs: dict[str, Any], go: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    """Run one worker as `lintas work` does."""
    configure_logging(level="WARNING", stream=sys.stderr)
    engine = open_engine(needs["database"], application_name="lintas bench")
    sessions = sessions_of(engine)
    longest = timedelta(seconds=needs.get("longest_post", 15))
    pace = Pace(lease=2 * longest + timedelta(seconds=10), longest_post=longest)
    async with sessions.begin() as tx:
        await tx.execute(text("SELECT 1"))
    ring = KeyRing.read(Path(needs["key_ring"]))
    async with open_post(LOOPBACK, deadlines=Deadlines(total=longest.total_seconds())) as post:
        worker = Dispatcher(sessions, ring, post, clock=real_time, pace=pace, listen_url=normalised(needs["database"]))
        await go()
        running = asyncio.create_task(worker.run())
        await ended.wait()
        worker.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await engine.dispose()


async def bare(needs: dict[str, Any], go: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    """Post what is already signed, in a loop."""
    ready = [(job.url, job.body.encode(), job.signed()) for job in map(_job, needs["jobs"])]
    left = iter(ready)

    async def post() -> None:
        for url, body, headers in left:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await go()
        await asyncio.gather(*(post() for _ in range(AT_ONCE)))
        await ended.wait()


async def procrastinate(needs: dict[str, Any], go: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    """Run a worker of procrastinate whose task posts with httpx."""
    library = import_module("procrastinate")
    connector = library.PsycopgConnector(conninfo=normalised(needs["database"]), min_size=4, max_size=needs["pool"])
    app = library.App(connector=connector)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client, app.open_async():

        async def post(**job: str) -> None:
            webhook = Job(**job)
            answer = await client.post(webhook.url, content=webhook.body.encode(), headers=dict(webhook.signed()))
            answer.raise_for_status()

        app.task(name=POST)(post)
        await go()
        await _until(ended, app.run_worker_async(concurrency=needs["at_once"], install_signal_handlers=False))


async def pgqueuer(needs: dict[str, Any], go: Callable[[], Awaitable[None]], ended: asyncio.Event) -> None:
    """Run a worker of pgqueuer whose entrypoint posts with aiohttp."""
    connector = aiohttp.TCPConnector(limit=0)
    pool = await asyncpg.create_pool(normalised(needs["database"]), min_size=4, max_size=needs["pool"])
    async with aiohttp.ClientSession(connector=connector) as session, pool:
        queue = import_module("pgqueuer").PgQueuer.from_asyncpg_pool(pool)

        async def post(queued: Any) -> None:
            job = _job(json.loads(queued.payload))
            async with session.post(job.url, data=job.body.encode(), headers=job.signed()) as answer:
                await answer.read()
                answer.raise_for_status()

        queue.entrypoint(POST)(post)
        await go()
        await _until(ended, queue.run(batch_size=needs["batch"], max_concurrent_tasks=needs["at_once"]))


async def _until(ended: asyncio.Event, work: Awaitable[Any]) -> None:
    running = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(ended.wait())
    await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _job(row: list[str]) -> Job:
    return Job(*row)


WAYS = {LINTAS: lintas, BARE: bare, PROCRASTINATE: procrastinate, PGQUEUER: pgqueuer}


async def main(way: str) -> None:
    """Make one way ready, and let it work."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 28)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    needs = json.loads(await orders.readline())
    ended = asyncio.Event()

    async def go() -> None:
        print("ready", flush=True)
        await orders.readline()
        ending.append(asyncio.create_task(end()))

    async def end() -> None:
        await orders.read()
        ended.set()

    ending: list[asyncio.Task[None]] = []
    await WAYS[way](needs, go, ended)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
