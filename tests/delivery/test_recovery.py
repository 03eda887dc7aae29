import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.domain.events import EventType, NewEvent
from app.storage import delivery_history, events
from app.storage.attempts import Attempt, record
from app.storage.claims import claim_due
from app.storage.tables import every_delivery
from app.workflows import manage_endpoint
from app.workflows.resend_delivery import resend_delivery
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import AGENCY, World, all_are, until

URL = "http://127.0.0.1:9009/hook"


async def pause(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)


async def enable(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())


async def resend(world: World, delivery_id: UUID, *, agency: str = AGENCY) -> delivery_history.Delivery:
    async with world.sessions.begin() as tx:
        return await resend_delivery(tx, world.caller(agency), delivery_id)


async def test_what_a_paused_endpoint_misses_is_held_and_goes_when_it_is_enabled(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell()
        await pause(world, endpoint_id)
        await world.tell()
        held = await world.states()

        async with world.delivering():
            await enable(world, endpoint_id)
            await until(lambda: all_are(world, "delivered"))

    assert held == ["held", "held"]
    assert len(set(receiver.ids)) == 2


async def test_all_that_is_due_is_held_however_much_it_is(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=7)

    async with world.sessions.begin() as tx:
        await delivery_history.hold(tx, endpoint_id, at_once=3)

    assert await world.states() == ["held"] * 7


async def test_news_written_while_its_endpoint_is_being_enabled_is_not_held_for_ever(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await pause(world, endpoint_id)
    async with world.sessions.begin() as tx:
        await events.announce(tx, NewEvent(AGENCY, EventType.REFERRAL_CLOSED), now=world.clock())
        enabling = asyncio.create_task(enable(world, endpoint_id))
        await until(lambda: _somebody_waits(world))
    await enabling

    assert await world.states() == ["due"]


async def test_a_disabled_endpoint_recovers_all_it_missed_but_offers_no_longer_open(world: World) -> None:
    async with a_receiver(answering(410, 204)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering():
            await until(lambda: all_are(world, "held"))
            handoff_id = await world.offer()
            await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
            await world.set_handoff(handoff_id, "expired")
            await enable(world, endpoint_id)
            await until(lambda: all_are(world, "delivered", "superseded"))

    assert await world.states() == ["delivered", "superseded"]
    assert len(set(receiver.ids)) == 1


async def test_a_post_under_way_while_its_endpoint_is_paused_is_still_recorded(world: World) -> None:
    claimed = await _claimed_once(world)
    await pause(world, claimed.endpoint_id)
    async with world.sessions.begin() as tx:
        made = _attempt(world, claimed, "delivered")
        assert await record(tx, [made], now=world.clock()) == {claimed.id}

    assert await world.states() == ["delivered"]


async def test_enabling_leaves_a_post_under_way_its_lease(world: World) -> None:
    claimed = await _claimed_once(world)
    await pause(world, claimed.endpoint_id)
    await enable(world, claimed.endpoint_id)

    after = await world.delivery()
    assert (after.state, after.claim, after.due_at, after.attempts) == ("due", claimed.claim, claimed.due_at, 1)


async def test_resending_twice_on_purpose_works_and_twice_by_accident_does_not(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))
            delivery = await world.delivery()
            for sent in (2, 3):
                await resend(world, delivery.id)
                await until(lambda sent=sent: len(receiver.received) == sent)  # type: ignore[misc]
                await until(lambda: all_are(world, "delivered"))
        await resend(world, delivery.id)
        again = await resend(world, delivery.id)
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))

    assert again.state == "due"
    assert len(receiver.received) == 4
    assert len(set(receiver.ids)) == 1


async def test_the_history_is_paged_from_the_newest_on(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=5)
    everything = [row.id for row in await world.rows(every_delivery)][::-1]

    async with world.sessions.begin() as tx:
        first = await delivery_history.list_deliveries(tx, endpoint_id=endpoint_id, agency_code=AGENCY, limit=3)
        rest = await delivery_history.list_deliveries(
            tx, endpoint_id=endpoint_id, agency_code=AGENCY, before=first[-1].id, limit=3
        )
        none = await delivery_history.list_deliveries(
            tx, endpoint_id=endpoint_id, agency_code=AGENCY, state="failed", limit=3
        )

    assert [delivery.id for delivery in (*first, *rest)] == everything
    assert none == []


async def _somebody_waits(world: World) -> bool:
    async with world.sessions.begin() as tx:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await tx.scalar(text(waits)))


async def _claimed_once(world: World) -> Row[Any]:
    await world.endpoint(URL)
    await world.tell()
    async with world.sessions.begin() as tx:
        await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=10)
    return await world.delivery()


def _attempt(world: World, claimed: Row[Any], state: str) -> Attempt:
    return Attempt(
        delivery_id=claimed.id,
        claim=claimed.claim,
        number=1,
        started_at=world.clock(),
        duration=timedelta(milliseconds=7),
        outcome="delivered",
        status=204,
        state=state,
        due_at=world.clock(),
    )


async def test_resending_by_hand_leaves_the_post_that_is_under_way_to_a_paused_endpoint_alone(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    async with world.sessions.begin() as tx:
        [claimed] = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=1)
        await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)
    async with world.sessions.begin() as tx:
        await resend_delivery(tx, world.caller(), claimed.id)
        await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())

    async with world.sessions.begin() as tx:
        now = world.clock()
        again = await claim_due(tx, now=now, lease=timedelta(seconds=40), limit=1)
        done = Attempt(claimed.id, claimed.claim, 1, now, timedelta(0), "delivered", 204, "delivered", now)
        won = await record(tx, [done], now=now)

    assert (again, won) == ([], {claimed.id}), "it was posted once and is recorded so"
