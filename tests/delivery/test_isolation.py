import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.domain.retry import Answer, Phase
from app.storage.claims import claim_due
from app.storage.sealing import KeyRing
from app.storage.tables import every_delivery
from tests.delivery.receivers import a_bad_receiver, a_receiver, say_nothing
from tests.delivery.world import LOOPBACK, OTHER, QUICK, World, all_are, has_attempts, is_claimed, until

ENDLESS = Deadlines(total=300.0, resolve=300.0, connect=300.0, body=300.0)
"""Nothing that hangs ends before the test does."""


async def test_a_failing_endpoint_gets_one_post_at_a_time_and_a_share_of_the_whole(world: World) -> None:
    async with a_bad_receiver(say_nothing) as bad, a_receiver() as good:
        for _ in range(10):
            await world.endpoint(bad.url, agency=OTHER)
        await world.endpoint(good.url)
        await world.execute("UPDATE endpoints SET failing_since = now() WHERE agency_code = 'dp3a-kukar'")
        await world.tell(agency=OTHER, times=5)

        pace = Pace(poll=timedelta(milliseconds=50), concurrency=8, drain=timedelta(milliseconds=100))
        async with world.delivering(pace=pace, deadlines=ENDLESS):
            await until(lambda: bad.connections == 2)
            await world.tell(times=100)
            await until(lambda: len(good.received) == 100)
            tried = await world.attempts()

    assert bad.connections == 2, "a quarter of eight"
    assert {outcome for _, outcome, _ in tried} == {"delivered"}, "these two are under way still"


async def test_an_endpoint_has_no_more_posts_under_way_than_it_can_take(world: World) -> None:
    under_way, most = 0, 0

    async def count(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return web.Response(status=204)

    async with a_receiver(count) as receiver:
        await world.endpoint(receiver.url, max_in_flight=3)
        await world.tell(times=60)
        async with world.delivering(), world.delivering(), world.delivering():
            await until(lambda: all_are(world, "delivered"))

    assert most == 3
    assert len(receiver.received) == 60


async def test_what_two_workers_claim_at_the_same_moment_is_together_no_more_than_the_endpoint_can_take(
    world: World,
) -> None:
    async def claim(tx: AsyncSession) -> int:
        return len(await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=100))

    await world.endpoint("http://127.0.0.1:9009/hook", max_in_flight=4)
    await world.tell(times=20)
    async with world.sessions.begin() as one, world.sessions.begin() as other:
        claimed = [await claim(one)]
        # Another is first in line now, so the second worker does not merely stumble over what the first has locked.
        await world.execute(
            "UPDATE deliveries SET due_at = due_at - interval '1 minute'"
            " WHERE id = (SELECT id FROM deliveries ORDER BY due_at DESC, id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)"
        )
        claimed.append(await claim(other))
    async with world.sessions.begin() as later:
        claimed.append(await claim(later))

    assert claimed == [4, 0, 0]


async def test_endpoints_are_taken_in_turn(world: World) -> None:
    busy, _ = await world.endpoint("http://127.0.0.1:9009/hook", agency="busy", max_in_flight=50)
    quiet, _ = await world.endpoint("http://127.0.0.1:9009/hook", agency="quiet")
    await world.tell(agency="busy", times=50)
    await world.tell(agency="quiet", times=3)

    async with world.sessions.begin() as tx:
        claimed = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=6)

    assert Counter(delivery.endpoint_id for delivery in claimed) == {busy: 3, quiet: 3}


async def test_workers_that_work_at_once_never_post_the_same_claim(world: World) -> None:
    async with a_receiver() as receiver:
        for agency in ("a", "b", "c"):
            await world.endpoint(receiver.url, agency=agency, max_in_flight=16)
        for _ in range(10):
            for agency in ("a", "b", "c"):
                await world.tell(agency=agency, times=20)

        async with world.delivering(), world.delivering(), world.delivering(), world.delivering():
            await until(lambda: all_are(world, "delivered"), within=30)

    assert len(receiver.received) == 600
    assert Counter(receiver.ids) == Counter(str(row.event_id) for row in await world.rows(every_delivery))


async def test_who_records_late_changes_nothing(world: World) -> None:
    let_go = asyncio.Event()

    async def stall(_url: str, _body: bytes, _headers: object, _tls: object = None) -> Answer:
        await let_go.wait()
        return Answer(500)

    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        # It looks once: the next look is the other worker's.
        async with world.delivering(post=stall, pace=replace(QUICK, poll=timedelta(minutes=1))):
            await until(lambda: is_claimed(world))
            await world.execute("UPDATE deliveries SET due_at = now()")  # its lease ends
            async with world.delivering():
                await until(lambda: all_are(world, "delivered"))
            before = await world.delivery()
            let_go.set()
            await asyncio.sleep(0.2)

    assert await world.delivery() == before
    assert await world.attempts() == [(2, "delivered", 204)]
    assert (await world.the_endpoint()).failing_since is None


async def test_a_worker_that_slept_through_its_lease_leaves_the_post_to_the_next(world: World) -> None:
    read = 0

    def sleepy() -> datetime:
        """Tell the time, which is read first for the claim, and much later for the post."""
        nonlocal read
        read += 1
        return world.clock() + (QUICK.lease if read > 1 else timedelta(0))

    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        async with open_post(LOOPBACK) as post:
            worker = Dispatcher(world.sessions, world.key_ring, post, clock=sleepy, pace=QUICK)
            running = asyncio.create_task(worker.run())
            await until(lambda: all_are(world, "delivered"))
            worker.stop()
            await running

    assert len(receiver.received) == 1
    assert await world.attempts() == [(2, "delivered", 204)]


async def test_a_delivery_that_kills_every_worker_fails_in_the_end(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        await world.execute("UPDATE deliveries SET attempts = 10")
        async with world.delivering():
            await until(lambda: all_are(world, "failed"))

    assert not receiver.received
    assert await world.attempts() == [(11, "internal", None)]


async def test_a_secret_that_does_not_open_is_our_fault_and_not_the_endpoints(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        stranger = World(world.sessions, KeyRing.generate("other"), world.clock)
        async with stranger.delivering():
            await until(lambda: has_attempts(world, 1))

    assert await world.attempts() == [(1, Phase.INTERNAL.value, None)]
    assert (await world.the_endpoint()).failing_since is None
    assert not receiver.received


async def test_an_endpoint_with_a_backlog_leaves_the_next_free_place_to_one_that_has_none_under_way(
    world: World,
) -> None:
    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.15 + len(busy.received) * 37 % 100 / 500)
        return web.Response(status=204)

    async with a_receiver(slow) as busy, a_receiver() as fresh:
        await world.endpoint(busy.url, agency=OTHER)
        await world.endpoint(fresh.url)
        await world.tell(agency=OTHER, times=40)
        async with world.delivering(pace=Pace(poll=timedelta(milliseconds=50), concurrency=4)):
            await until(lambda: len(busy.received) >= 4)
            await world.tell()
            await until(lambda: len(fresh.received) == 1)
            meanwhile = len(busy.received)

    assert meanwhile <= 8, f"{meanwhile} of the backlog went first"


async def test_an_endpoint_that_failed_once_is_tried_again_beside_one_that_is_dead_and_has_a_backlog(
    world: World,
) -> None:
    async def dead(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.Response(status=500)

    async with a_receiver(dead) as gone, a_receiver() as well:
        await world.endpoint(gone.url, agency=OTHER)
        await world.endpoint(well.url)
        await world.execute("UPDATE endpoints SET failing_since = now()")
        await world.tell(agency=OTHER, times=40)
        async with world.delivering(pace=Pace(poll=timedelta(milliseconds=50), concurrency=4)):
            await until(lambda: len(gone.received) >= 2)
            await world.tell()
            await until(lambda: len(well.received) == 1)
            meanwhile = len(gone.received)

    assert meanwhile <= 10, f"the dead one was tried {meanwhile} times first"


async def test_a_worker_whose_clock_is_ahead_does_not_take_what_another_is_posting(world: World) -> None:
    await world.endpoint("http://127.0.0.1:1999/hook")
    await world.tell()
    lease = timedelta(seconds=40)
    async with world.sessions.begin() as tx:
        [first] = await claim_due(tx, now=world.clock(), lease=lease, limit=1)

    async with world.sessions.begin() as tx:
        second = await claim_due(tx, now=world.clock() + timedelta(seconds=45), lease=lease, limit=1)

    assert (first.attempt, second) == (1, [])
