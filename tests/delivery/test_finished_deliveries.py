"""What is finished leaves the queue, is shown as before, and comes back only where somebody asks for it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.events import EventType
from app.storage import attempts, delivery_history
from app.storage import deliveries as queue
from app.storage.claims import Claimed, claim_due
from app.storage.tables import deliveries, finished_deliveries
from app.workflows.keep_history import sweep_queue
from app.workflows.resend_delivery import resend_delivery
from tests.delivery.receivers import a_receiver
from tests.delivery.world import AGENCY, OTHER, World, all_are, until

URL = "http://127.0.0.1:9009/hook"
LEASE = timedelta(seconds=40)


async def a_claim(world: World, *, lease: timedelta = LEASE) -> Claimed:
    async with world.sessions.begin() as tx:
        (claimed,) = await claim_due(tx, now=world.clock(), lease=lease, limit=1)
    return claimed


def what_came_of(world: World, claimed: Claimed, state: str) -> attempts.Attempt:
    outcome, status = ("delivered", 204) if state == "delivered" else ("answer", 500)
    now, took = world.clock(), timedelta(milliseconds=7)
    return attempts.Attempt(claimed.id, claimed.claim, claimed.attempt, now, took, outcome, status, state, now)


async def record(world: World, claimed: Claimed, state: str = "delivered") -> bool:
    async with world.sessions.begin() as tx:
        return bool(await attempts.record(tx, [what_came_of(world, claimed, state)], now=world.clock()))


async def resend(world: World, claimed: Claimed) -> delivery_history.Delivery:
    async with world.sessions.begin() as tx:
        return await resend_delivery(tx, world.caller(), claimed.id)


@pytest.mark.parametrize("state", ["delivered", "failed"])
async def test_what_is_delivered_or_failed_leaves_the_queue(world: World, state: str) -> None:
    await world.endpoint(URL)
    await world.tell()
    claimed = await a_claim(world)

    assert await record(world, claimed, state)

    assert await world.rows(deliveries) == []
    (kept,) = await world.rows(finished_deliveries)
    assert (kept.id, kept.event_id, kept.state, kept.attempts) == (claimed.id, claimed.event_id, state, 1)
    assert kept.finished_at is not None


async def test_what_is_superseded_leaves_the_queue_and_no_attempt_is_counted(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer(state="expired")
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        async with world.delivering():
            await until(lambda: all_are(world, "superseded"))

    assert await world.rows(deliveries) == []
    assert [row.attempts for row in await world.rows(finished_deliveries)] == [0]


@pytest.mark.parametrize("state", ["due", "held"])
async def test_what_is_to_be_tried_again_or_held_stays_in_the_queue(world: World, state: str) -> None:
    await world.endpoint(URL)
    await world.tell()

    assert await record(world, await a_claim(world), state)

    assert await world.rows(finished_deliveries) == []
    assert [(row.state, row.claim, row.attempts) for row in await world.rows(deliveries)] == [(state, None, 1)]


async def test_the_history_shows_what_is_in_the_queue_and_what_has_left_it_in_one_order(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=4)
    everything = [row.id for row in await world.rows(deliveries)][::-1]
    async with world.sessions.begin() as tx:
        taken = await claim_due(tx, now=world.clock(), lease=LEASE, limit=2)
    await record(world, taken[0])
    await record(world, taken[1], "failed")
    await world.execute("UPDATE deliveries SET state = 'held' WHERE id = (SELECT id FROM deliveries LIMIT 1)")

    async with world.sessions.begin() as tx:
        asked = {"endpoint_id": endpoint_id, "agency_code": AGENCY}
        listed = await delivery_history.list_deliveries(tx, **asked)  # type: ignore[arg-type]
        rest = await delivery_history.list_deliveries(tx, **asked, before=everything[1])  # type: ignore[arg-type]
        failed = await delivery_history.list_deliveries(tx, **asked, state="failed")  # type: ignore[arg-type]
        one = await delivery_history.get(tx, taken[0].id, agency_code=AGENCY)
        attempts = await delivery_history.list_attempts(tx, taken[1].id, agency_code=AGENCY)
        others = await delivery_history.get(tx, taken[0].id, agency_code=OTHER)
        others_attempts = await delivery_history.list_attempts(tx, taken[1].id, agency_code=OTHER)

    assert [delivery.id for delivery in listed] == everything
    assert sorted(delivery.state for delivery in listed) == ["delivered", "due", "failed", "held"]
    assert [delivery.id for delivery in rest] == everything[2:]
    assert [delivery.id for delivery in failed] == [taken[1].id]
    assert one is not None
    assert (one.state, one.type) == ("delivered", "referral.closed")
    assert [(made.number, made.status) for made in attempts] == [(1, 500)]
    assert (others, others_attempts) == (None, [])


async def test_an_offer_that_was_delivered_counts_as_delivered_when_it_has_left_the_queue(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        async with world.sessions.begin() as tx:
            before = await queue.has_delivered(tx, handoff_id, EventType.HANDOFF_OFFERED, AGENCY)
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))

    async with world.sessions.begin() as tx:
        after = await queue.has_delivered(tx, handoff_id, EventType.HANDOFF_OFFERED, AGENCY)
    assert (before, after) == (False, True)


async def test_who_lost_the_lease_changes_nothing_where_another_has_recorded_it_since(world: World) -> None:
    await world.endpoint(URL)
    await world.tell()
    late = await a_claim(world, lease=timedelta(microseconds=1))
    winner = await a_claim(world)

    assert await record(world, winner)
    before = await world.rows(finished_deliveries)
    assert not await record(world, late, "failed")

    assert await world.rows(finished_deliveries) == before
    assert await world.attempts() == [(2, "delivered", 204)]


async def test_who_lost_the_lease_changes_nothing_where_it_is_sent_again_since(world: World) -> None:
    await world.endpoint(URL)
    await world.tell()
    late = await a_claim(world, lease=timedelta(microseconds=1))
    await record(world, await a_claim(world))
    again = await resend(world, late)

    assert not await record(world, late)

    assert (again.state, again.attempts) == ("due", 0)
    assert [row.state for row in await world.rows(deliveries)] == ["due"]
    assert await world.rows(finished_deliveries) == []
    assert await world.attempts() == [(2, "delivered", 204)]


async def test_who_is_late_and_whose_lease_nobody_took_is_still_recorded(world: World) -> None:
    await world.endpoint(URL)
    await world.tell()
    slow = await a_claim(world, lease=timedelta(microseconds=1))

    assert await record(world, slow)
    assert await world.states() == ["delivered"]


async def test_what_is_recorded_while_somebody_asks_to_resend_it_is_sent_again(world: World) -> None:
    await world.endpoint(URL)
    await world.tell()
    claimed = await a_claim(world)
    async with world.sessions.begin() as worker:
        await attempts.record(worker, [what_came_of(world, claimed, "delivered")], now=world.clock())
        asking = asyncio.create_task(resend(world, claimed))
        await until(lambda: _somebody_waits(world))
    again = await asyncio.wait_for(asking, 10)

    assert again.state == "due"
    assert [row.state for row in await world.rows(deliveries)] == ["due"]
    assert await world.rows(finished_deliveries) == []


async def test_what_a_version_of_before_left_in_the_queue_is_moved_and_nothing_else(world: World) -> None:
    await world.endpoint(URL)
    await world.tell(times=4)
    for state in ("delivered", "superseded", "failed"):
        await world.execute(
            f"UPDATE deliveries SET state = '{state}', finished_at = now()"  # noqa: S608 - a word of ours
            " WHERE id = (SELECT id FROM deliveries WHERE state = 'due' LIMIT 1)"
        )

    assert await sweep_queue(world.sessions) == 3
    assert await sweep_queue(world.sessions) == 0

    assert [row.state for row in await world.rows(deliveries)] == ["due"]
    assert sorted(await world.states()) == ["delivered", "due", "failed", "superseded"]


async def _somebody_waits(world: World) -> bool:
    async with world.sessions.begin() as tx:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await tx.scalar(text(waits)))
