"""What an answer asks for by Retry-After is honoured, within bounds, and silences nobody."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from aiohttp import web

from app.domain.events import EventType
from app.storage import endpoints
from app.storage.tables import every_delivery
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import World, all_are, has_attempts, until


async def quiet_until(world: World, endpoint_id: UUID) -> datetime | None:
    async with world.sessions.begin() as tx:
        found = await endpoints.get(tx, endpoint_id)
    return None if found is None else found.breaker.quiet_until


async def test_retry_after_is_waited_for(world: World) -> None:
    async with a_receiver(answering(429, headers={"retry-after": "3600"})) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()

        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    wait = (await world.delivery()).due_at - world.clock()
    assert timedelta(minutes=59) < wait <= timedelta(minutes=60)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_an_absurd_retry_after_is_bounded_to_a_day_and_for_an_emergencys_offer_to_five_minutes(
    world: World, status: int
) -> None:
    async with a_receiver(answering(status, headers={"retry-after": "31536000"})) as receiver:
        await world.endpoint(receiver.url, max_in_flight=2)
        handoff_id = await world.offer(urgency="emergency")
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            emergency = (await world.delivery()).due_at - world.clock()
            world.clock.ahead += timedelta(minutes=1, seconds=1)
            await world.tell()
            await until(lambda: has_attempts(world, 2))
            ordinary = max(row.due_at for row in await world.rows(every_delivery)) - world.clock()

    assert timedelta(minutes=4) < emergency <= timedelta(minutes=5)
    assert timedelta(hours=23) < ordinary <= timedelta(hours=24)


async def test_of_several_retry_afters_the_first_counts(world: World) -> None:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503, headers=[("retry-after", "1800"), ("retry-after", "7200")])

    async with a_receiver(answer) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    wait = (await world.delivery()).due_at - world.clock()
    assert timedelta(minutes=29) < wait <= timedelta(minutes=30)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_left_alone_as_long_as_it_asked_and_what_waits_uses_no_attempt(
    world: World, status: int
) -> None:
    async with a_receiver(answering(status, 204, headers={"retry-after": "120"})) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, max_in_flight=1)
        await world.tell(times=20)
        async with world.delivering():
            await until(lambda: is_quiet(world, endpoint_id))
            await asyncio.sleep(0.3)
            meanwhile = len(receiver.received)
            world.clock.ahead += timedelta(seconds=130)
            await until(lambda: all_are(world, "delivered"))

    assert meanwhile == 1
    assert sum(row.attempts for row in await world.rows(every_delivery)) == 21


async def test_an_absurd_pause_silences_no_agency_for_longer_than_five_minutes_nor_an_emergency_at_all(
    world: World,
) -> None:
    async with a_receiver(answering(429, 204, headers={"retry-after": "86400"})) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, max_in_flight=1)
        (first,) = await world.tell()
        async with world.delivering():
            await until(lambda: is_quiet(world, endpoint_id))
            until_then = await quiet_until(world, endpoint_id)
            handoff_id = await world.offer(urgency="emergency")
            (told,) = await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
            await until(lambda: len(receiver.received) == 2)

    assert until_then is not None
    assert timedelta(minutes=4) < until_then - world.clock() <= timedelta(minutes=5)
    assert receiver.ids == [str(first), str(told)]


async def is_quiet(world: World, endpoint_id: UUID) -> bool:
    return await quiet_until(world, endpoint_id) is not None
