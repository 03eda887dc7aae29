"""A breaker and a rate are an address's own: they keep nobody from proving it, and an old address counts for none."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.domain.breaker import Breaker, BreakerState
from app.storage import endpoints
from app.storage.claims import Claimed, claim_due
from app.storage.endpoints import Endpoint
from app.storage.tables import endpoint_rates
from app.storage.tables import endpoints as endpoint_rows
from app.workflows.manage_endpoint import Wanted
from app.workflows.prove_endpoint import challenge_endpoint, verify_endpoint
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import World, has_attempts, until

NOWHERE = "http://127.0.0.1:9009/hook"
NOT_YET, NOW = timedelta(minutes=3), timedelta(seconds=-1)


async def open_breaker(world: World, endpoint_id: UUID, *, probe_in: timedelta) -> Breaker:
    now = world.clock()
    breaker = Breaker(opened_at=now, next_probe_at=now + probe_in, window_since=now, window_failed=10)
    async with world.sessions.begin() as tx:
        chosen = update(endpoint_rows).where(endpoint_rows.c.id == endpoint_id)
        await tx.execute(chosen.values(endpoints.columns_of(breaker)))
    return breaker


async def endpoint_of(world: World, endpoint_id: UUID) -> Endpoint:
    async with world.sessions.begin() as tx:
        found = await endpoints.get(tx, endpoint_id)
    assert found is not None
    return found


async def claim(world: World) -> list[Claimed]:
    async with world.sessions.begin() as tx:
        return await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=100)


async def test_an_address_whose_breaker_is_open_is_sent_its_challenge_at_once(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        await world.tell(times=3)
        await world.execute("UPDATE deliveries SET state = 'due'")  # nothing else may go out, by whatever mistake
        await open_breaker(world, endpoint_id, probe_in=NOT_YET)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
        claimed = await claim(world)

    assert [json.loads(webhook.body)["type"] for webhook in receiver.received] == ["endpoint.verification"]
    assert claimed == []
    assert (await endpoint_of(world, endpoint_id)).breaker_state is BreakerState.CLOSED, "it was the probe"


async def test_a_challenge_that_failed_waits_for_the_breaker_and_a_new_one_does_not(world: World) -> None:
    async with a_receiver(answering(500)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
    await open_breaker(world, endpoint_id, probe_in=NOT_YET)
    await world.execute("UPDATE deliveries SET due_at = now()")
    waiting = await claim(world)
    await world.execute("UPDATE endpoints SET challenged_at = now() - interval '1 minute'")
    async with world.sessions.begin() as tx:
        await challenge_endpoint(tx, world.caller(), endpoint_id, now=world.clock())

    assert waiting == []
    assert [(one.type, one.attempt) for one in await claim(world)] == [("endpoint.verification", 1)]


async def test_whoever_has_proven_an_address_finds_its_breaker_closed_and_its_news_sent(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        await world.tell(times=3)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            await open_breaker(world, endpoint_id, probe_in=NOT_YET)
            challenge = json.loads(receiver.received[0].body)["data"]["challenge"]
            async with world.sessions.begin() as tx:
                kept = await verify_endpoint(tx, world.caller(), endpoint_id, challenge, key_ring=world.key_ring)
            await until(lambda: len(receiver.received) == 4)

    assert kept.breaker == Breaker()


@pytest.mark.parametrize("status", [204, 500])
async def test_what_the_old_address_answers_moves_no_breaker(world: World, status: int) -> None:
    async with a_receiver(answering(status, headers={"retry-after": "60"})) as old:
        endpoint_id, _ = await world.endpoint(old.url)
        await world.change(endpoint_id, Wanted(NOWHERE))
        await world.execute("DELETE FROM deliveries WHERE event_id = (SELECT challenge_id FROM endpoints)")
        breaker = await open_breaker(world, endpoint_id, probe_in=NOW)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert len(old.received) == 1
    assert (await endpoint_of(world, endpoint_id)).breaker == breaker


async def test_news_to_the_old_address_takes_no_place_of_the_new_ones_rate(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)
    await world.change(endpoint_id, Wanted(NOWHERE.replace("9009", "9010"), max_per_minute=1))
    await world.execute("DELETE FROM deliveries WHERE event_id = (SELECT challenge_id FROM endpoints)")

    claimed = await claim(world)

    assert [one.to_former_address for one in claimed] == [True]
    assert await world.rows_of(endpoint_rates) == []
