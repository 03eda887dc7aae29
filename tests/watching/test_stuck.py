"""A worker that does not get on is not ready, however alive it is."""

import asyncio

from sqlalchemy import text

from app.api.readying import Process, Readying, is_ready
from app.delivery.dispatcher import Dispatcher
from app.delivery.post import open_post
from app.domain.progress import CLAIMS, Progress
from tests.conftest import NoReference
from tests.delivery.world import LOOPBACK, QUICK, SHORT, World, until


async def test_a_worker_whose_claims_hang_is_not_ready_until_they_go_on(world: World) -> None:
    elapsed = [0.0]
    progress = Progress(lambda: elapsed[0], {CLAIMS: 45.0})
    checked = asyncio.Event()
    checked.set()
    readying = Readying(Process(world.sessions, world.key_ring, checked, NoReference(), None, progress=progress))

    async def claims() -> str:
        return (await readying.checks())["claims:age"].status

    async with open_post(LOOPBACK, deadlines=SHORT) as post:
        dispatcher = Dispatcher(world.sessions, world.key_ring, post, clock=world.clock, pace=QUICK, progress=progress)
        progress.begin()
        running = asyncio.create_task(dispatcher.run())
        try:
            elapsed[0] = 40.0
            await until(lambda: progress.ages()[CLAIMS] == 0)
            assert await claims() == "pass"
            async with world.sessions.begin() as tx:
                await tx.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
                elapsed[0] = 100.0
                stuck = await readying.checks()
            await until(lambda: progress.ages()[CLAIMS] == 0)
            again = await claims()
        finally:
            dispatcher.stop()
            await asyncio.wait_for(running, 30)

    assert stuck["database:responseTime"].status == "pass"
    assert stuck["claims:age"].status == "fail"
    assert not is_ready(stuck)
    assert again == "pass"


async def test_a_process_without_workers_is_not_asked_for_claims(world: World) -> None:
    checked = asyncio.Event()
    checked.set()
    readying = Readying(
        Process(world.sessions, world.key_ring, checked, NoReference(), None, progress=Progress(lambda: 0.0))
    )

    assert "claims:age" not in await readying.checks()
