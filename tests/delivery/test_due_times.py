"""What was scheduled while the database's clock was ahead: no lease and no retry lies further off than any can."""

from datetime import timedelta

from sqlalchemy import update
from uuid_utils.compat import uuid7

from app.storage.due_times import bring_near
from app.storage.tables import deliveries
from tests.delivery.receivers import a_receiver
from tests.delivery.world import World, all_are, until

LEASE = timedelta(seconds=40)


async def put_off(world: World, by: timedelta, *, leased: bool) -> None:
    async with world.sessions.begin() as tx:
        await tx.execute(update(deliveries).values(due_at=world.clock() + by, claim=uuid7() if leased else None))


async def brought_near(world: World) -> int:
    async with world.sessions.begin() as tx:
        return await bring_near(tx, lease=LEASE)


async def test_a_lease_or_a_retry_that_a_wrong_clock_gave_ends_now(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        for leased in (True, False):
            await world.tell()
            await put_off(world, timedelta(days=365), leased=leased)

            assert await brought_near(world) == 1

            async with world.delivering():
                await until(lambda: all_are(world, "delivered"))
            await world.execute("DELETE FROM attempts")
            await world.execute("DELETE FROM deliveries")

        assert len(receiver.ids) == 2


async def test_what_a_schedule_or_a_lease_may_give_stays_as_it_is(world: World) -> None:
    await world.endpoint("https://agency.example/lintas")
    await world.tell()

    for by, leased in ((timedelta(hours=24), False), (LEASE, True), (2 * LEASE - timedelta(seconds=5), True)):
        await put_off(world, by, leased=leased)
        before = await world.delivery()

        assert await brought_near(world) == 0
        assert await world.delivery() == before


async def test_what_is_finished_or_held_is_left_alone(world: World) -> None:
    await world.endpoint("https://agency.example/lintas")
    await world.tell()
    await put_off(world, timedelta(days=365), leased=False)
    for state in ("delivered", "held", "failed", "superseded"):
        async with world.sessions.begin() as tx:
            await tx.execute(update(deliveries).values(state=state))

        assert await brought_near(world) == 0
