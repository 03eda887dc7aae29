import pytest

from app.domain.errors import RecoveryOfHeld
from app.storage.recoveries import HELD
from app.storage.tables import recoveries as recovery_rows
from app.workflows import recover_endpoint
from app.workflows.run_recoveries import TURNS_AHEAD, run_due_recoveries
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.recovering import (
    URL,
    all_end,
    at_once,
    begin,
    cancel,
    enable,
    has_ended,
    many,
    of_state,
    queued,
    read,
    recovering,
    stop,
)
from tests.delivery.world import World, all_are, until

# --- at the endpoint's own pace ---


async def test_no_more_is_queued_than_the_endpoint_takes_in_two_turns(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=50)
    await all_end(world, "failed")
    begun = await begin(world, endpoint_id)

    for _ in range(3):
        await at_once(world)

    assert await queued(world) == 6
    assert (await read(world, begun.id)).queued == 6


async def test_fresh_news_goes_before_what_is_recovered(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=20)
    await all_end(world, "failed")
    begun = await begin(world, endpoint_id)
    await world.tell(times=6)

    await at_once(world)

    assert (await read(world, begun.id)).queued == 0
    assert await queued(world) == 6


async def test_what_waits_for_its_next_attempt_holds_no_recovery_up(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=20)
    await all_end(world, "failed")
    begun = await begin(world, endpoint_id)
    await world.tell(times=6)
    await world.execute("UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE state = 'due'")

    await at_once(world)

    assert (await read(world, begun.id)).queued == 6


async def test_an_endpoint_that_fails_is_probed_and_not_flooded(world: World) -> None:
    async with a_receiver(answering(503)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=300)
        await all_end(world, "failed")
        await world.execute("UPDATE endpoints SET failing_since = now()")
        begun = await begin(world, endpoint_id)
        async with world.delivering():
            for _ in range(10):
                await at_once(world)
        halfway = await read(world, begun.id)

    assert halfway.queued <= 10
    assert halfway.probes == halfway.queued


async def test_ten_thousand_that_failed_are_recovered_in_batches(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=64)
    await many(world, 10_000, "failed")
    begun = await begin(world, endpoint_id)

    most = 0
    while not await has_ended(world, begun.id):
        await at_once(world)
        most = max(most, await of_state(world, "due"))
        await all_end(world, "delivered")

    ended = await read(world, begun.id)
    assert (begun.counted, ended.queued, ended.superseded) == (10_000, 10_000, 0)
    assert most == TURNS_AHEAD * 64
    assert await of_state(world, "failed") == 0


# --- endpoints that are not active ---


async def test_a_recovery_waits_while_its_endpoint_is_not_active_and_goes_on_once_it_is(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=3)
        await all_end(world, "failed")
        await stop(world, endpoint_id)
        begun = await begin(world, endpoint_id)
        await run_due_recoveries(world.sessions)
        waiting = await world.states()
        async with world.delivering(), recovering(world):
            await enable(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))

    assert waiting == ["failed"] * 3
    assert len(receiver.received) == 3


async def test_more_than_a_request_can_release_is_sent_after_it_and_none_is_forgotten(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=64)
    await many(world, recover_endpoint.RELEASED_AT_ONCE + 200, "held")
    await stop(world, endpoint_id)

    await enable(world, endpoint_id)
    (row,) = await world.rows(recovery_rows)
    await at_once(world)
    # Stopped in the middle, it holds again what it had not sent; enabled again, nothing is passed over.
    await stop(world, endpoint_id)
    await enable(world, endpoint_id)
    while not await has_ended(world, row.id):
        await at_once(world)
        await all_end(world, "delivered")

    assert (row.what, row.counted) == (HELD, recover_endpoint.RELEASED_AT_ONCE + 200)
    assert len(await world.rows(recovery_rows)) == 1
    assert await of_state(world, "delivered") == recover_endpoint.RELEASED_AT_ONCE + 200


async def test_what_was_held_cannot_be_cancelled(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await many(world, recover_endpoint.RELEASED_AT_ONCE + 1, "held")
    await stop(world, endpoint_id)
    await enable(world, endpoint_id)
    (row,) = await world.rows(recovery_rows)

    with pytest.raises(RecoveryOfHeld):
        await cancel(world, row.id)
