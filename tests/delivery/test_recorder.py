"""Outcomes are recorded whatever else is locked, refused or broken."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from sqlalchemy import func, select

from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import open_post
from app.storage import endpoints
from app.storage.tables import every_delivery
from tests.delivery.receivers import a_receiver
from tests.delivery.world import LOOPBACK, OTHER, World, all_are, until


async def test_one_endpoint_that_somebody_holds_locked_keeps_no_other_from_being_recorded(world: World) -> None:
    async def fail(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(len(held.received) * 0.1)
        return web.Response(status=500)

    async with a_receiver(fail) as held, a_receiver() as free:
        locked, _ = await world.endpoint(held.url, agency=OTHER)
        await world.endpoint(free.url, max_in_flight=4)
        async with world.sessions.begin() as person:
            # As `recover` and `enable` do for as long as their backlog takes.
            await endpoints.get(person, locked, lock=True)
            await world.tell(agency=OTHER, times=4)
            async with world.delivering(pace=Pace(poll=timedelta(milliseconds=50))):
                await until(lambda: len(held.received) == 4)
                await world.tell(times=20)
                await asyncio.sleep(2)
                reached = len(free.received)
                async with world.sessions.begin() as tx:
                    recorded = await tx.scalar(
                        select(func.count()).select_from(every_delivery).where(every_delivery.c.state == "delivered")
                    )
                await person.rollback()

    assert (reached, recorded) == (20, 20)


async def test_the_success_of_an_endpoint_that_somebody_holds_locked_is_recorded_at_once_and_noted_later(
    world: World,
) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.execute("UPDATE endpoints SET failing_since = now() - interval '119 hours'")
        async with world.sessions.begin() as person:
            await endpoints.get(person, endpoint_id, lock=True)
            await world.tell()
            async with world.delivering():
                await until(lambda: all_are(world, "delivered"), within=3)
                noted_before = (await world.the_endpoint()).last_success_at
                await person.rollback()
                await until(lambda: _is_forgiven(world))

    assert noted_before is None


async def test_a_recorder_that_dies_ends_the_dispatcher_loudly(world: World) -> None:
    class Broken(Exception):
        pass

    async def die() -> None:
        raise Broken

    async with open_post(LOOPBACK) as post:
        dispatcher = Dispatcher(world.sessions, world.key_ring, post, clock=world.clock)
        dispatcher._recorder.run = die  # type: ignore[method-assign]
        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(dispatcher.run(), 5)

    assert ended.group_contains(Broken)


async def _is_forgiven(world: World) -> bool:
    return (await world.the_endpoint()).failing_since is None
