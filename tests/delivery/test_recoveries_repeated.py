import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.errors import RecoveryRunning
from app.storage.recoveries import ALL, Wanted
from app.storage.tables import every_delivery
from app.storage.tables import recoveries as recovery_rows
from app.workflows.resend_delivery import resend_delivery
from app.workflows.run_recoveries import TURNS_AHEAD, run_due_recoveries
from tests.delivery.receivers import a_receiver
from tests.delivery.recovering import (
    URL,
    all_end,
    at_once,
    begin,
    has_ended,
    read,
    recovering,
    somebody_waits,
)
from tests.delivery.world import World, all_are, until

# --- safe to repeat ---


async def test_two_who_recover_the_same_at_once_begin_it_once(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=20)
        await all_end(world, "failed")
        async with world.delivering(), recovering(world, workers=3):
            first, second = await asyncio.gather(begin(world, endpoint_id), begin(world, endpoint_id))
            await until(lambda: has_ended(world, first.id))
            await until(lambda: all_are(world, "delivered"))

    assert first.id == second.id
    assert len(receiver.received) == len(set(receiver.ids)) == 20


async def test_another_recovery_of_the_endpoint_has_to_wait_and_is_told_for_which(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await all_end(world, "failed")
    running = await begin(world, endpoint_id)

    with pytest.raises(RecoveryRunning) as refused:
        await begin(world, endpoint_id, Wanted(ALL, since=world.clock()))

    assert refused.value.recovery_id == running.id
    assert len(await world.rows(recovery_rows)) == 1


async def test_recovering_again_on_purpose_sends_again(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=2)
        wanted = Wanted(ALL, since=world.clock() - timedelta(hours=1))
        async with world.delivering(), recovering(world):
            await until(lambda: all_are(world, "delivered"))
            for round_ in (2, 3):
                begun = await begin(world, endpoint_id, wanted)
                await until(lambda begun=begun: has_ended(world, begun.id))  # type: ignore[misc]
                await until(lambda round_=round_: len(receiver.received) == 2 * round_)  # type: ignore[misc]
                await until(lambda: all_are(world, "delivered"))

    assert len(set(receiver.ids)) == 2


async def test_what_is_due_already_is_not_queued_twice(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=2)
    await all_end(world, "failed")
    begun = await begin(world, endpoint_id)
    (one, _) = await world.rows(every_delivery)
    async with world.sessions.begin() as tx:
        await resend_delivery(tx, world.caller(), one.id)

    await run_due_recoveries(world.sessions)

    assert (await read(world, begun.id)).queued == 1
    assert await world.states() == ["due", "due"]


async def test_a_worker_that_dies_in_the_middle_of_a_step_has_done_nothing_and_another_goes_on(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=30)
        await all_end(world, "failed")
        begun = await begin(world, endpoint_id)
        await at_once(world)
        before = await read(world, begun.id)
        await all_end(world, "delivered")

        # Somebody holds the next delivery, so that the step stands in its middle when its worker is killed.
        async with world.sessions.begin() as holding:
            await holding.execute(text("SELECT id FROM finished_deliveries WHERE state = 'failed' FOR UPDATE"))
            dying = asyncio.create_task(at_once(world))
            await until(lambda: somebody_waits(world))
            dying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dying
        after = await read(world, begun.id)

        async with world.delivering(), recovering(world):
            await world.execute("UPDATE recoveries SET next_at = now()")
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))
        ended = await read(world, begun.id)

    assert before.queued == TURNS_AHEAD * 4
    assert after == before
    assert ended.queued == 30
    assert len(receiver.received) == len(set(receiver.ids)) == 30 - before.queued


async def test_workers_that_are_killed_again_and_again_lose_nothing_and_send_nothing_twice(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, max_in_flight=64)
        ids = await world.tell(times=200)
        await all_end(world, "failed")
        begun = await begin(world, endpoint_id)
        async with world.delivering():
            while not await has_ended(world, begun.id):
                dying = asyncio.create_task(run_due_recoveries(world.sessions))
                for _ in range(len(receiver.received) % 23):
                    await asyncio.sleep(0)
                dying.cancel()
                await asyncio.gather(dying, return_exceptions=True)
                await run_due_recoveries(world.sessions)
            await until(lambda: all_are(world, "delivered"), within=60)

    assert sorted(receiver.ids) == sorted(map(str, ids))
    assert (await read(world, begun.id)).queued == 200
