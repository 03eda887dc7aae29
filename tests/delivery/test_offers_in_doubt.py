# ruff: noqa: S608
"""An offer whose agency can no longer be told of it is its coordinator's concern at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.events import EventType, NewEvent
from app.storage import events, ways
from app.storage.tables import clocks
from app.workflows.manage_endpoint import Wanted, disable_endpoint
from app.workflows.notice_failing import notice_failing
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import World, has_attempts, until


async def test_an_agency_whose_only_endpoint_wants_no_offers_has_no_working_way_to_be_told_of_one(
    world: World,
) -> None:
    await world.endpoint("http://127.0.0.1:1999/hook", event_types=(EventType.REFERRAL_CLOSED.value,))

    async with world.sessions.begin() as tx:
        found = await ways.reachable(tx, ["uptd-ppa-ppu"])

    assert found == set()


async def test_an_open_offer_to_an_endpoint_that_has_failed_for_five_minutes_is_its_coordinators_concern(
    world: World,
) -> None:
    async with a_receiver(answering(500)) as receiver:
        await world.endpoint(receiver.url)
        await world.execute("UPDATE endpoints SET failing_since = now() - interval '6 minutes'")
        handoff = await world.offer(urgency="urgent")
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert (await world.the_endpoint()).state_reason == "failing"
    assert [row.kind for row in await world.rows(clocks)] == ["undelivered_offer"]


async def test_an_endpoint_that_failed_and_is_not_posted_to_is_noticed_after_five_minutes_and_once(
    world: World,
) -> None:
    async with a_receiver(answering(500)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        handoff = await world.offer(urgency="urgent")
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
    since = (await world.the_endpoint()).failing_since

    await notice_failing(world.sessions, now=since + timedelta(minutes=4, seconds=59))
    early = await world.told(EventType.ENDPOINT_FAILING), await world.rows(clocks)
    await asyncio.gather(*(notice_failing(world.sessions, now=since + timedelta(minutes=5)) for _ in range(4)))
    await notice_failing(world.sessions, now=since + timedelta(minutes=6))

    assert early == ([], [])
    (told,) = await world.told(EventType.ENDPOINT_FAILING)
    assert (told["endpoint_id"], told["reason"], told["state"]) == (str(endpoint_id), "failing", "active")
    assert (await world.the_endpoint()).state_reason == "failing"
    assert [(row.kind, row.handoff_id) for row in await world.rows(clocks)] == [("undelivered_offer", handoff)]


async def test_an_endpoint_that_took_something_meanwhile_or_was_stopped_is_not_said_to_fail(world: World) -> None:
    await world.endpoint("http://127.0.0.1:1999/one")
    for state in ("paused", "unverified", "disabled"):
        await world.execute(f"UPDATE endpoints SET failing_since = now() - interval '6 minutes', state = '{state}'")
        await notice_failing(world.sessions, now=world.clock())
    await world.execute("UPDATE endpoints SET failing_since = NULL, state = 'active'")
    await notice_failing(world.sessions, now=world.clock())

    assert await world.told(EventType.ENDPOINT_FAILING) == []


async def test_a_referral_that_somebody_is_at_work_on_puts_the_notice_off_and_loses_nothing(world: World) -> None:
    await world.endpoint("http://127.0.0.1:1999/hook")
    handoff = await world.offer(urgency="urgent")
    await world.execute("UPDATE endpoints SET failing_since = now() - interval '6 minutes'")
    async with world.sessions.begin() as tx:
        await tx.execute(text("SELECT 1 FROM referrals FOR UPDATE"))
        await notice_failing(world.sessions, now=world.clock())
        before = await world.told(EventType.ENDPOINT_FAILING)

    await notice_failing(world.sessions, now=world.clock())

    assert before == []
    assert len(await world.told(EventType.ENDPOINT_FAILING)) == 1
    assert [row.handoff_id for row in await world.rows(clocks)] == [handoff]


@pytest.mark.parametrize(("kept", "doubted"), [("referral.closed", ["undelivered_offer"]), ("handoff.offered", [])])
async def test_an_endpoint_that_wants_offers_no_longer_leaves_the_open_ones_to_their_coordinators(
    world: World, kept: str, doubted: list[str]
) -> None:
    url = "http://127.0.0.1:1999/hook"
    endpoint_id, _ = await world.endpoint(url)
    await world.offer()

    await world.change(endpoint_id, Wanted(url, (kept,)))

    assert [row.kind for row in await world.rows(clocks)] == doubted


async def test_ending_a_paused_endpoint_and_a_story_about_its_open_offer_do_not_wait_crosswise(world: World) -> None:
    endpoint_id, _ = await world.endpoint("http://127.0.0.1:1999/hook")
    handoff = await world.offer()
    await world.execute("UPDATE endpoints SET state = 'paused'")
    async with world.sessions.begin() as tx:
        locked = await tx.scalar(text("SELECT referral_id FROM handoffs"))

    async def story() -> None:
        async with world.sessions.begin() as tx:
            await tx.execute(text(f"SELECT 1 FROM referrals WHERE id = '{locked}' FOR UPDATE"))
            await asyncio.sleep(0.5)
            news = NewEvent("uptd-ppa-ppu", EventType.HANDOFF_WITHDRAWN, {}, locked, handoff)
            await events.announce(tx, news, now=world.clock())

    async def ending() -> None:
        async with world.sessions.begin() as tx:
            await asyncio.sleep(0.2)
            await disable_endpoint(tx, world.caller(), endpoint_id)

    broke = await asyncio.gather(story(), ending(), return_exceptions=True)

    assert [str(getattr(error, "orig", error)) for error in broke if error] == []
