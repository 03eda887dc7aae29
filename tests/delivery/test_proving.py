"""Nothing but a challenge is sent to an address before its agency has given the challenge back."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from aiohttp import web
from sqlalchemy import text
from standardwebhooks import Webhook

from app.delivery.preparing import Preparer
from app.domain.errors import InvalidInput, NotFound, NotSentAgain, TooManyUnverified
from app.domain.events import EventType
from app.domain.own_headers import OwnHeader
from app.domain.retry import Answer, Phase
from app.storage import events, recoveries, ways
from app.storage.claims import Claimed, claim_due
from app.storage.endpoints import Endpoint
from app.storage.tables import clocks, deliveries, every_delivery
from app.storage.tables import endpoints as endpoint_rows
from app.workflows import manage_endpoint, prove_endpoint
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted
from app.workflows.recover_endpoint import begin_recovery
from app.workflows.resend_delivery import resend_delivery
from tests.delivery.receivers import Received, Receiver, a_receiver, answering
from tests.delivery.world import AGENCY, OTHER, World, all_are, has_attempts, until

URL = "http://127.0.0.1:9009/hook"


def types(receiver: Receiver) -> list[str]:
    return [json.loads(webhook.body)["type"] for webhook in receiver.received]


def challenge_in(webhook: Received) -> str:
    return str(json.loads(webhook.body)["data"]["challenge"])


async def verify(world: World, endpoint_id: UUID, challenge: str, *, agency: str = AGENCY) -> Endpoint:
    async with world.sessions.begin() as tx:
        return await prove_endpoint.verify_endpoint(
            tx, world.caller(agency), endpoint_id, challenge, key_ring=world.key_ring
        )


async def challenge_again(world: World, endpoint_id: UUID) -> Endpoint:
    async with world.sessions.begin() as tx:
        return await prove_endpoint.challenge_endpoint(tx, world.caller(), endpoint_id, now=world.clock())


async def states_by_type(world: World) -> list[tuple[str, str]]:
    async with world.sessions.begin() as tx:
        found = await tx.execute(
            text(
                "SELECT e.type, d.state FROM deliveries AS d JOIN events AS e ON e.id = d.event_id "
                "ORDER BY d.created_at, e.type"
            )
        )
        return [(row.type, row.state) for row in found]


async def test_nothing_but_the_challenge_reaches_a_new_endpoint_until_it_is_given_back(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, secret = await world.endpoint(receiver.url, verified=False)
        await world.tell(times=3)
        async with world.sessions.begin() as tx:
            await manage_endpoint.ping_endpoint(tx, world.caller(), endpoint_id, now=world.clock())

        async with world.delivering():
            await until(lambda: len(receiver.received) == 1)
            await until(lambda: has_attempts(world, 1))
            (challenge,) = receiver.received
            assert Webhook(secret).verify(challenge.body, challenge.headers)["type"] == "endpoint.verification"
            assert (await states_by_type(world)).count(("referral.closed", "held")) == 3

            kept = await verify(world, endpoint_id, challenge_in(challenge))
            await until(lambda: len(receiver.received) == 5)

    assert (kept.state, kept.verified_at is not None) == ("active", True)
    assert sorted(types(receiver)[1:]) == ["endpoint.ping", *["referral.closed"] * 3]


async def test_news_that_was_made_due_by_mistake_is_not_sent_to_an_address_that_is_not_proven(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url, verified=False)
        await world.tell(times=3)
        # As if it had been written by a transaction that saw the endpoint before it moved.
        await world.execute("UPDATE deliveries SET state = 'due'")

        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            async with world.sessions.begin() as tx:
                claimed = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=10)

    assert claimed == []
    assert types(receiver) == ["endpoint.verification"]


async def test_the_challenge_is_told_to_nobody_but_the_address(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
    challenge = challenge_in(receiver.received[0])

    async with world.sessions.begin() as tx:
        feed = await events.feed(tx, agency_code=AGENCY, after=None, limit=10)
        stored = [
            str((await tx.execute(text(f"SELECT * FROM {table}"))).all())  # noqa: S608
            for table in ("events", "deliveries", "endpoints", "endpoint_secrets", "attempts", "audit")
        ]

    assert [event.data for event in feed] == [{"endpoint_id": str(endpoint_id)}]
    assert challenge not in "".join(stored)


async def test_no_log_line_holds_a_challenge_or_a_header_of_the_agencys_own(world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        async with a_receiver(answering(500)) as receiver:
            carried = Carried((OwnHeader("X-Kanari", "kanari"),))
            await world.endpoint(receiver.url, verified=False, carried=carried)
            async with world.delivering():
                await until(lambda: has_attempts(world, 1))
    challenge = challenge_in(receiver.received[0])

    assert "posted" in [line["event"] for line in lines]
    assert challenge not in str(lines)
    assert "kanari" not in str(lines).lower()


async def test_an_endpoint_that_gives_everything_back_has_proven_nothing(world: World) -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=200, body=await request.read(), content_type="application/json")

    async with a_receiver(echo) as receiver:
        await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    assert (await world.the_endpoint()).state == "unverified"


async def test_a_challenge_is_good_for_its_endpoint_and_its_agency_alone(world: World) -> None:
    async with a_receiver() as mine, a_receiver() as theirs:
        my_endpoint, _ = await world.endpoint(mine.url, verified=False)
        other_endpoint, _ = await world.endpoint(theirs.url, agency=OTHER, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 2))
    challenge = challenge_in(mine.received[0])

    with pytest.raises(NotFound):
        await verify(world, my_endpoint, challenge, agency=OTHER)
    for wrong in (challenge, challenge_in(theirs.received[0])[:-1], "", "ñ", "x" * 200):
        with pytest.raises(InvalidInput) as raised:
            await verify(world, other_endpoint, wrong, agency=OTHER)
        assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [("/challenge", "challenge_wrong")]

    assert {row.state for row in await world.rows(endpoint_rows)} == {"unverified"}


async def test_an_old_challenge_verifies_no_new_address(world: World) -> None:
    async with a_receiver() as first, a_receiver() as second:
        endpoint_id, _ = await world.endpoint(first.url, verified=False)
        async with world.delivering():
            await until(lambda: len(first.received) == 1)
            await until(lambda: has_attempts(world, 1))
            await world.change(endpoint_id, Wanted(second.url))
            with pytest.raises(InvalidInput):
                await verify(world, endpoint_id, challenge_in(first.received[0]))
            # The next one waits its turn, so that nobody's address is posted to in a row.
            await world.execute("UPDATE deliveries SET due_at = now() WHERE state = 'due'")
            await until(lambda: len(second.received) == 1)
            # Back at the old address the old challenge is still an old one.
            await world.change(endpoint_id, Wanted(first.url))
            for old in (first.received[0], second.received[0]):
                with pytest.raises(InvalidInput):
                    await verify(world, endpoint_id, challenge_in(old))

    assert (await world.the_endpoint()).state == "unverified"


async def test_no_proof_of_an_address_is_taken_for_one_of_the_address_that_follows_it_at_that_moment(
    world: World,
) -> None:
    for _ in range(5):
        async with a_receiver() as receiver:
            endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
            async with world.delivering():
                await until(lambda receiver=receiver: len(receiver.received) == 1)  # type: ignore[misc]

        await asyncio.gather(
            world.change(endpoint_id, Wanted(URL)),
            verify(world, endpoint_id, challenge_in(receiver.received[0])),
            return_exceptions=True,
        )

    assert {(row.url, row.state, row.verified_at) for row in await world.rows(endpoint_rows)} == {
        (URL, "unverified", None)
    }


async def test_a_challenge_ends_with_the_next_one_and_after_72_hours(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            await challenge_again(world, endpoint_id)
            with pytest.raises(InvalidInput):
                await verify(world, endpoint_id, challenge_in(receiver.received[0]))
            await world.execute("UPDATE deliveries SET due_at = now() WHERE state = 'due'")
            await until(lambda: len(receiver.received) == 2)
            await until(lambda: has_attempts(world, 2))
    latest = challenge_in(receiver.received[1])

    await world.execute("UPDATE endpoints SET challenged_at = now() - interval '72 hours 1 second'")
    with pytest.raises(InvalidInput):
        await verify(world, endpoint_id, latest)
    await world.execute("UPDATE endpoints SET challenged_at = now() - interval '71 hours'")
    kept = await verify(world, endpoint_id, latest)
    again = await verify(world, endpoint_id, latest)

    assert kept.state == "active"
    assert again == kept, "to prove it twice changes nothing"


async def test_challenges_go_out_fifteen_seconds_apart_and_one_replaces_another(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, verified=False)
    made = [await world.the_endpoint()]
    for _ in range(3):
        await challenge_again(world, endpoint_id)
        made.append(await world.the_endpoint())

    waits = [(row.challenged_at - made[0].challenged_at).total_seconds() for row in made]
    due = [row for row in await world.rows(deliveries) if row.state == "due"]
    assert waits == [0, 15, 15, 15], "one that did not go out yet is only replaced"
    assert [(row.event_id, row.due_at) for row in due] == [(made[-1].challenge_id, made[-1].challenged_at)]
    assert (await world.states()).count("superseded") == 3


async def test_an_agency_has_no_more_than_ten_addresses_posted_to_that_are_not_proven(world: World) -> None:
    for _ in range(10):
        await world.endpoint(URL, verified=False)

    with pytest.raises(TooManyUnverified):
        await world.endpoint(URL, verified=False)

    assert len(await world.rows(endpoint_rows)) == 10
    await world.endpoint(URL, agency=OTHER, verified=False)


async def test_of_many_addresses_that_come_at_once_no_more_than_ten_are_posted_to(world: World) -> None:
    await world.endpoint(URL)
    come = await asyncio.gather(*(world.endpoint(URL, verified=False) for _ in range(20)), return_exceptions=True)

    assert [type(one) for one in come].count(TooManyUnverified) == 10
    assert [row.state for row in await world.rows(endpoint_rows)].count("unverified") == 10


async def test_to_stop_what_is_not_proven_makes_room_for_another_after_an_hour_and_not_before(world: World) -> None:
    for stop in [manage_endpoint.disable_endpoint, manage_endpoint.pause_endpoint] * 5:
        endpoint_id, _ = await world.endpoint(URL, verified=False)
        async with world.sessions.begin() as tx:
            await stop(tx, world.caller(), endpoint_id)
    with pytest.raises(TooManyUnverified):
        await world.endpoint(URL, verified=False)
    await world.execute("UPDATE endpoints SET challenged_at = now() - interval '61 minutes'")

    await world.endpoint(URL, verified=False)

    assert [row.state for row in await world.rows(endpoint_rows)].count("unverified") == 1


async def test_no_way_round_leads_to_an_address_that_is_not_proven(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, verified=False)
    await world.tell()
    async with world.sessions.begin() as tx:
        await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)
    async with world.sessions.begin() as tx:
        enabled = await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())
        await begin_recovery(tx, world.caller(), endpoint_id, recoveries.Wanted(recoveries.FAILED))
    for row in await world.rows(deliveries):
        with suppress(NotSentAgain):
            async with world.sessions.begin() as tx:
                await resend_delivery(tx, world.caller(), row.id)
    await world.execute("UPDATE deliveries SET due_at = now()")

    async with world.sessions.begin() as tx:
        claimed = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=10)

    assert enabled.state == "unverified"
    assert [delivery.type for delivery in claimed] == ["endpoint.verification"]


async def test_an_endpoint_that_was_proven_while_it_was_paused_needs_no_other_proof(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
        async with world.sessions.begin() as tx:
            await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)
        proven = await verify(world, endpoint_id, challenge_in(receiver.received[0]))
        async with world.sessions.begin() as tx:
            enabled = await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())

    assert (proven.state, enabled.state) == ("paused", "active")


async def test_410_to_a_challenge_is_the_end_of_it_and_other_failures_are_retried(world: World) -> None:
    async with a_receiver(answering(503, 410)) as receiver:
        await world.endpoint(receiver.url, verified=False)
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            assert await world.states() == ["due"]
            world.clock.ahead += timedelta(seconds=10)
            await until(lambda: has_attempts(world, 2))

    row = await world.the_endpoint()
    assert (row.state, row.state_reason) == ("disabled", "gone")


# --- the address changes ---


async def test_a_new_address_is_sent_what_was_held_once_it_is_proven_and_the_old_one_is_told(world: World) -> None:
    async with a_receiver() as old, a_receiver() as new:
        token = Carried((OwnHeader("X-Token", "kanari"),))
        endpoint_id, _ = await world.endpoint(old.url, event_types=("referral.closed",), carried=token)
        await world.tell(times=2)
        changed = await world.change(endpoint_id, Wanted(new.url, ("referral.closed",)))
        await world.tell()

        async with world.delivering():
            await until(lambda: len(old.received) == 1 and len(new.received) == 1)
            await until(lambda: has_attempts(world, 2))
            before = types(new)
            await verify(world, endpoint_id, challenge_in(new.received[0]))
            await until(lambda: len(new.received) == 4)

    assert (changed.state, changed.verified_at) == ("unverified", None)
    assert types(old) == ["endpoint.changed"]
    assert json.loads(old.received[0].body)["data"] == {
        "changed": ["url"],
        "endpoint_id": str(endpoint_id),
        "state": "unverified",
    }
    assert old.received[0].headers["x-token"] == "kanari"
    assert before == ["endpoint.verification"]
    assert types(new)[1:] == ["referral.closed"] * 3
    assert not any("x-token" in webhook.headers for webhook in new.received), "it was the old host's to know"


async def test_an_address_that_was_never_proven_is_not_told_that_it_is_one_no_more(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, verified=False)

    await world.change(endpoint_id, Wanted("http://127.0.0.1:9010/hook"))

    assert await world.told(EventType.ENDPOINT_CHANGED) == []


@pytest.mark.parametrize(("status", "state"), [(204, "delivered"), (410, "failed"), (500, "due")])
async def test_what_the_old_address_answers_says_nothing_of_the_endpoint(world: World, status: int, state: str) -> None:
    async with a_receiver(answering(status)) as old:
        endpoint_id, _ = await world.endpoint(old.url)
        await world.change(endpoint_id, Wanted(URL))
        await world.execute("DELETE FROM deliveries WHERE event_id = (SELECT challenge_id FROM endpoints)")
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))

    row = await world.the_endpoint()
    assert (row.state, row.failing_since, row.last_success_at) == ("unverified", None, None)
    assert types(old) == ["endpoint.changed"]
    assert await world.states() == [state]


async def test_nobody_is_woken_because_nobody_is_left_at_an_old_address_or_answers_at_a_new_one(world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        async with a_receiver(answering(410)) as old, a_receiver(answering(500)) as new:
            endpoint_id, _ = await world.endpoint(old.url)
            await world.change(endpoint_id, Wanted(new.url))
            await world.execute("UPDATE deliveries SET attempts = 9")
            async with world.delivering():
                await until(lambda: has_attempts(world, 2))
                await until(lambda: all_are(world, "failed"))

    assert (await world.the_endpoint()).state == "unverified"
    assert [line["event"] for line in lines if line["log_level"] == "error"] == []
    assert [line["event"] for line in lines].count("address_not_told") == 2


async def test_what_was_told_to_an_address_is_not_told_to_the_next_one_by_hand(world: World) -> None:
    async with a_receiver() as old, a_receiver() as other:
        endpoint_id, _ = await world.endpoint(old.url)
        other_id, _ = await world.endpoint(other.url)
        await world.change(endpoint_id, Wanted(URL))
        async with world.delivering():
            await until(lambda: len(old.received) == 1 and len(other.received) == 1)
            await until(lambda: has_attempts(world, 2))
        before = await states_by_type(world)

        for row in await world.rows(every_delivery):
            if row.endpoint_id == other_id:
                continue
            with pytest.raises(NotSentAgain):
                async with world.sessions.begin() as tx:
                    await resend_delivery(tx, world.caller(), row.id)
        after = await states_by_type(world)
        async with world.sessions.begin() as tx:
            (news,) = [row for row in await world.rows(every_delivery) if row.endpoint_id == other_id]
            again = await resend_delivery(tx, world.caller(), news.id)

    assert before == after
    assert (again.type, again.state) == ("endpoint.changed", "due"), "to another endpoint it is news as any other"


async def test_other_endpoints_of_the_agency_hear_of_the_change_at_their_own_address(world: World) -> None:
    async with a_receiver() as old, a_receiver() as other:
        endpoint_id, _ = await world.endpoint(old.url)
        await world.endpoint(other.url)
        await world.change(endpoint_id, Wanted(URL))
        async with world.delivering():
            await until(lambda: len(old.received) == 1 and len(other.received) == 1)

    assert (types(old), types(other)) == (["endpoint.changed"], ["endpoint.changed"])


async def test_what_was_claimed_for_the_old_address_is_not_posted_to_the_new_one(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    async with world.sessions.begin() as tx:
        (claimed,) = await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=1)
    await world.change(endpoint_id, Wanted("http://127.0.0.1:9010/hook"))

    prepared = await Preparer(world.sessions, world.key_ring).prepare(claimed, now=world.clock())

    assert isinstance(claimed, Claimed)
    assert prepared == Answer(failed=Phase.INTERNAL)


async def test_an_agency_whose_only_address_is_not_proven_has_no_working_way_to_be_told(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.offer()

    await world.change(endpoint_id, Wanted("http://127.0.0.1:9010/hook"))

    async with world.sessions.begin() as tx:
        assert await ways.reachable(tx, [AGENCY]) == set()
    assert [row.kind for row in await world.rows(clocks)] == ["undelivered_offer"]


async def test_a_change_that_leaves_the_address_as_it_is_asks_for_no_proof(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)

    changed = await world.change(endpoint_id, Wanted(URL, ("referral.closed",), 2))

    assert changed.state == "active"
    assert await world.states() == []
