import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from aiohttp import web
from standardwebhooks import Webhook

from app.delivery.dispatcher import Pace
from app.delivery.post import Deadlines
from app.domain.events import EventType
from app.domain.retry import Answer
from app.storage.database import open_engine, sessions_of
from app.storage.tables import agencies, every_delivery
from app.workflows.manage_endpoint import Wanted
from app.workflows.prove_endpoint import verify_endpoint
from tests.delivery.receivers import (
    a_bad_receiver,
    a_receiver,
    answering,
    say_nothing,
)
from tests.delivery.world import AGENCY, OTHER, QUICK, World, all_are, has_attempts, is_claimed, until


async def test_news_reaches_its_receiver_signed_and_is_recorded(world: World) -> None:
    async with a_receiver() as receiver:
        _, secret = await world.endpoint(receiver.url)
        (event_id,) = await world.tell()

        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)

    (webhook,) = receiver.received
    assert Webhook(secret).verify(webhook.body, webhook.headers) == json.loads(webhook.body)
    assert webhook.id == str(event_id)
    assert await world.states() == ["delivered"]
    assert await world.attempts() == [(1, "delivered", 204)]
    assert (await world.the_endpoint()).last_success_at is not None


async def test_a_failed_attempt_is_retried_on_schedule_with_the_same_id_and_body(world: World) -> None:
    async with a_receiver(answering(500, 503, 200)) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()

        async with world.delivering():
            for made, wait in ((1, timedelta(seconds=5)), (2, timedelta(minutes=5))):
                await until(lambda made=made: has_attempts(world, made))  # type: ignore[misc]
                row = await world.delivery()
                assert row.state == "due"
                assert abs(row.due_at - world.clock() - wait) < timedelta(seconds=2)
                world.clock.ahead += wait
            await until(lambda: all_are(world, "delivered"))

    assert await world.attempts() == [(1, "status", 500), (2, "status", 503), (3, "delivered", 200)]
    assert len(set(receiver.ids)) == 1
    assert len({webhook.body for webhook in receiver.received}) == 1
    assert (await world.the_endpoint()).failing_since is None


async def test_after_the_last_delay_the_delivery_has_failed_where_people_see_it(world: World) -> None:
    async with a_receiver(answering(500)) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()

        async with world.delivering():
            for made in range(1, 11):
                await until(lambda made=made: has_attempts(world, made))  # type: ignore[misc]
                if made < 10:
                    world.clock.ahead += (await world.delivery()).due_at - world.clock() + timedelta(milliseconds=1)

    assert await world.states() == ["failed"]
    assert [number for number, _, _ in await world.attempts()] == list(range(1, 11))
    assert (await world.delivery()).finished_at is not None


async def test_an_open_offer_of_an_emergency_is_tried_every_five_minutes(world: World) -> None:
    async with a_receiver(answering(500)) as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer(urgency="emergency")
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)

        async with world.delivering():
            waits = []
            for made in range(1, 8):
                await until(lambda made=made: has_attempts(world, made))  # type: ignore[misc]
                waits.append((await world.delivery()).due_at - world.clock())
                world.clock.ahead += waits[-1] + timedelta(milliseconds=1)

    assert [round(wait.total_seconds()) for wait in waits] == [2, 10, 30, 60, 300, 300, 300]


async def test_an_offer_that_is_no_longer_open_is_not_sent(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        await world.tell(EventType.HANDOFF_REMINDER, handoff_id=handoff_id)
        await world.set_handoff(handoff_id, "withdrawn")
        (told,) = await world.tell(EventType.HANDOFF_WITHDRAWN, handoff_id=handoff_id, state="withdrawn")

        async with world.delivering():
            await until(lambda: all_are(world, "superseded", "delivered"))

    assert receiver.ids == [str(told)]
    assert await world.states() == ["superseded", "superseded", "delivered"]
    assert len(await world.attempts()) == 1


async def test_a_sender_is_told_of_an_offer_also_when_it_was_answered_before_the_news_went_out(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url, agency=OTHER)
        await world.add(agencies, code=AGENCY, body={}, registry_version=0)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, agency=OTHER, handoff_id=handoff_id)
        await world.set_handoff(handoff_id, "accepted")

        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)

    assert await world.states() == ["delivered"]


async def test_a_reminder_of_an_accepted_handoff_is_sent(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer(state="accepted")
        await world.tell(EventType.HANDOFF_REMINDER, handoff_id=handoff_id, state="accepted")

        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)


async def test_a_hint_brings_news_at_once(world: World, database_url: str) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        pace = Pace(poll=timedelta(seconds=60))
        async with world.delivering(pace=pace, listen_url=database_url):
            await world.tell()
            await until(lambda: len(receiver.received) == 1)
            await asyncio.sleep(0.2)
            await world.tell()
            await until(lambda: len(receiver.received) == 2)  # which is long before it looks by itself


async def test_lost_connections_and_a_database_that_refuses_are_lived_with(world: World, database_url: str) -> None:
    doomed = open_engine(database_url, application_name="doomed")
    theirs = World(sessions_of(doomed), world.key_ring, world.clock)
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        async with theirs.delivering(listen_url=database_url):
            await world.tell()
            await until(lambda: len(receiver.received) == 1)
            for _ in range(5):
                await world.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name IN ('doomed', 'lintas listen')"
                )
                await asyncio.sleep(0.05)
            await world.execute("ALTER TABLE deliveries RENAME TO deliveries_away")
            await asyncio.sleep(0.3)
            await world.execute("ALTER TABLE deliveries_away RENAME TO deliveries")
            await world.tell()
            await until(lambda: len(set(receiver.ids)) == 2)
            await until(lambda: all_are(world, "delivered"))
    await doomed.dispose()


async def test_the_first_news_of_a_new_endpoint_and_the_first_to_a_new_address_go_where_they_should(
    world: World,
) -> None:
    async with a_receiver() as old, a_receiver() as new, world.delivering():
        await asyncio.sleep(0.2)  # it has looked, and found nothing
        endpoint_id, _ = await world.endpoint(old.url)
        (first,) = await world.tell()
        await until(lambda: old.ids == [str(first)])
        await world.change(endpoint_id, Wanted(new.url))
        (second,) = await world.tell()
        await until(lambda: len(new.received) == 1)
        challenge = json.loads(new.received[0].body)["data"]["challenge"]
        async with world.sessions.begin() as tx:
            await verify_endpoint(tx, world.caller(), endpoint_id, challenge, key_ring=world.key_ring)
        await until(lambda: new.ids[1:] == [str(second)])

    assert old.ids[0] == str(first)
    assert str(second) not in old.ids


async def test_a_post_that_is_cut_off_when_the_worker_stops_is_recorded_as_nothing_and_made_again(
    world: World,
) -> None:
    async with a_receiver(answering(204)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell()

        async def hang(_url: str, _body: bytes, _headers: object, _tls: object = None) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        async with world.delivering(post=hang, pace=replace(QUICK, drain=timedelta(milliseconds=100))):
            await until(lambda: is_claimed(world))
        cut_off = await world.attempts()
        await world.execute("UPDATE deliveries SET due_at = now()")  # its lease ends
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))

    assert cut_off == []
    assert await world.attempts() == [(2, "delivered", 204)]
    assert (await world.the_endpoint()).id == endpoint_id
    assert (await world.the_endpoint()).failing_since is None


async def test_stopping_waits_for_posts_under_way_and_claims_nothing_more(world: World) -> None:
    let_go = asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.StreamResponse:
        await let_go.wait()
        return web.Response(status=204)

    async with a_receiver(wait) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering() as dispatcher:
            await until(lambda: len(receiver.received) == 1)
            dispatcher.stop()
            await world.tell()
            let_go.set()

    assert len(receiver.received) == 1
    assert await world.states() == ["delivered", "due"]
    assert [row.claim for row in await world.rows(every_delivery)] == [None, None]


async def test_draining_ends_with_its_deadline(world: World) -> None:
    async with a_bad_receiver(say_nothing) as receiver:
        await world.endpoint(receiver.url)
        await world.tell()
        pace = Pace(poll=timedelta(milliseconds=50), drain=timedelta(milliseconds=300))
        # The post would go on for longer than the dispatcher's end is waited for.
        async with world.delivering(pace=pace, deadlines=Deadlines(total=300.0)):
            await until(lambda: receiver.connections == 1)

    assert await world.states() == ["due"]
    assert await world.attempts() == []


@pytest.mark.parametrize("status", [204, 500])
async def test_no_log_line_holds_a_url_a_secret_or_an_answer(
    world: World, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text="kanari-answer")

    with structlog.testing.capture_logs() as lines:
        async with a_receiver(answer) as receiver:
            _, secret = await world.endpoint(receiver.url + "?token=kanari-token")
            await world.tell(name="kanari-data")
            async with world.delivering():
                await until(lambda: has_attempts(world, 1))

    assert "posted" in [line["event"] for line in lines]
    assert "kanari" not in str(lines)
    assert secret not in str(lines)


def test_a_lease_is_longer_than_two_posts() -> None:
    with pytest.raises(ValueError, match="lease"):
        Pace(lease=timedelta(seconds=30), longest_post=timedelta(seconds=15))
