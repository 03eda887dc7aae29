"""Workers in processes of their own, killed and stopped while they work."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from app.storage.sealing import KeyRing
from app.storage.tables import every_delivery
from tests.delivery.receivers import a_receiver
from tests.delivery.world import World, until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ring_file(tmp_path_factory: pytest.TempPathFactory, key_ring: KeyRing) -> Path:
    path: Path = tmp_path_factory.mktemp("ring") / "ring.json"
    key_ring.write(path)
    return path


@asynccontextmanager
async def a_worker(
    url: str, ring: Path, *, lease: float = 1.5, longest: float = 0.7
) -> AsyncIterator[asyncio.subprocess.Process]:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.delivery.worker", url, str(ring), str(lease), str(longest), cwd=ROOT
    )
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def all_delivered(world: World) -> bool:
    return set(await world.states()) == {"delivered"}


async def test_what_a_killed_worker_had_in_hand_is_posted_by_the_next(
    world: World, database_url: str, ring_file: Path
) -> None:
    async def hang_the_first_time(_: web.BaseRequest) -> web.StreamResponse:
        if len(receiver.received) == 1:
            await asyncio.sleep(30)
        return web.Response(status=204)

    async with a_receiver(hang_the_first_time) as receiver:
        await world.endpoint(receiver.url)
        (event_id,) = await world.tell()
        async with a_worker(database_url, ring_file, lease=4, longest=1.9) as first:
            await until(lambda: len(receiver.received) == 1, within=20)
            first.send_signal(signal.SIGKILL)
            await first.wait()
        left = await world.delivery()

        async with a_worker(database_url, ring_file):
            await until(lambda: all_delivered(world), within=20)

    assert (left.state, left.attempts) == ("due", 1)
    assert receiver.ids == [str(event_id)] * 2
    assert receiver.received[0].body == receiver.received[1].body
    assert receiver.received[1].at - receiver.received[0].at > 3, "the lease is waited for"
    assert await world.attempts() == [(2, "delivered", 204)]


async def test_workers_killed_again_and_again_lose_nothing(world: World, database_url: str, ring_file: Path) -> None:
    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return web.Response(status=204)

    async with a_receiver(slow) as receiver:
        await world.endpoint(receiver.url, max_in_flight=4)
        await world.tell(times=60)
        for seen in (10, 20):
            async with a_worker(database_url, ring_file) as doomed, a_worker(database_url, ring_file):
                await until(lambda seen=seen: len(receiver.received) >= seen, within=20)  # type: ignore[misc]
                doomed.send_signal(signal.SIGKILL)
                await doomed.wait()
                await world.tell(times=10)
        async with a_worker(database_url, ring_file):
            await until(lambda: all_delivered(world), within=30)

    rows = await world.rows(every_delivery)
    assert len(rows) == 80
    assert set(receiver.ids) == {str(row.event_id) for row in rows}
    assert {row.claim for row in rows} == {None}


async def test_a_stopped_worker_ends_its_posts_and_goes(world: World, database_url: str, ring_file: Path) -> None:
    let_go = asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.StreamResponse:
        await let_go.wait()
        return web.Response(status=204)

    async with a_receiver(wait) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        async with a_worker(database_url, ring_file, lease=40, longest=15) as worker:
            await until(lambda: len(receiver.received) == 1, within=20)
            worker.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
            let_go.set()
            assert await asyncio.wait_for(worker.wait(), 10) == 0

    assert await world.attempts() == [(1, "delivered", 204)]
