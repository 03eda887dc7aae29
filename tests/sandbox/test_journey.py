"""A whole exchange in a sandbox, as an integrator has it in an afternoon."""

import itertools
from datetime import datetime, timedelta

from tests.delivery.receivers import a_receiver, answering
from tests.sandbox.integrator import FIRST, LAWYER, SECOND, THIRD, Integrator, types_in, until


async def test_whom_a_silent_agency_leaves_waiting_the_next_one_takes_and_completes(integrator: Integrator) -> None:
    await integrator.behave(FIRST, offers="silent")
    await integrator.behave(SECOND, offers="accept", after_minutes=30, completes_after_minutes=60)
    async with a_receiver() as receiver:
        verifier = await integrator.register("sender", receiver)

        referral_id = await integrator.send()
        before = await integrator.advance("PT23H")
        silent = await integrator.journey(referral_id)
        await integrator.advance("PT1H10M")
        passed_on = await integrator.journey(referral_id)
        await integrator.advance("PT30M")
        accepted = await integrator.journey(referral_id)
        await integrator.advance("PT1H")
        completed = await integrator.journey(referral_id)
        news = [verifier.verify(one.body, one.headers) for one in receiver.received]

    assert before["reached"]
    assert silent == [(FIRST, "offered")]
    assert passed_on == [(FIRST, "expired"), (SECOND, "offered")]
    assert accepted == [(FIRST, "expired"), (SECOND, "accepted")]
    assert completed == [(FIRST, "expired"), (SECOND, "completed")]
    told = [one["type"] for one in news]
    assert [one for one in told if one.startswith("handoff.")] == [
        "handoff.offered",
        "handoff.expired",
        "handoff.offered",
        "handoff.accepted",
        "handoff.started",
        "handoff.completed",
    ]
    assert told[-1] == "referral.closed"
    at = {one["type"]: datetime.fromisoformat(one["timestamp"]) for one in news}
    asked = datetime.fromisoformat(
        (await integrator.ask("sender", "GET", f"/referrals/{referral_id}")).json()["received_at"]
    )
    # Each at its own time, however far the clock was moved at once.
    assert timedelta(0) <= at["handoff.expired"] - asked - timedelta(hours=24) < timedelta(seconds=30)
    assert timedelta(0) <= at["handoff.accepted"] - at["handoff.expired"] - timedelta(minutes=30) < timedelta(minutes=1)
    assert timedelta(0) <= at["handoff.completed"] - at["handoff.accepted"] - timedelta(hours=1) < timedelta(minutes=1)


async def test_one_long_leap_is_as_many_short_ones(integrator: Integrator) -> None:
    await integrator.behave(FIRST, offers="silent")
    await integrator.behave(SECOND, offers="decline", decline_reason="outside_mandate")
    await integrator.behave(THIRD, offers="accept", after_minutes=45, completes_after_minutes=90)

    referral_id = await integrator.send()
    await integrator.advance("P3D")
    request = await integrator.request_of(referral_id)

    assert await integrator.journey(referral_id) == [(FIRST, "expired"), (SECOND, "declined"), (THIRD, "completed")]
    assert request["state"] == "fulfilled"
    declined = (await integrator.ask("sender", "GET", f"/handoffs/{request['earlier_handoffs'][1]['id']}")).json()
    assert declined["reason"] == "outside_mandate"


async def test_a_receiving_agency_is_the_integrators_own_to_play(integrator: Integrator) -> None:
    async with a_receiver() as receiver:
        await integrator.register("receiver", receiver)

        referral_id = await integrator.send(LAWYER)
        handoff_id = (await integrator.request_of(referral_id))["handoff"]["id"]

        async def offered() -> bool:
            return "handoff.offered" in types_in(receiver)

        await until(offered)
        accepted = await integrator.ask("receiver", "POST", f"/handoffs/{handoff_id}/accept", {})
        started = await integrator.ask("receiver", "POST", f"/handoffs/{handoff_id}/start", {})
        outcome = {"outcome": "service_given"}
        completed = await integrator.ask("receiver", "POST", f"/handoffs/{handoff_id}/complete", outcome)

    assert [one.status_code for one in (accepted, started, completed)] == [200, 200, 200]
    assert await integrator.journey(referral_id) == [("uptd-ppa-ppu", "completed")]


async def test_what_the_integrators_server_did_not_take_is_sent_again_when_it_is_due(integrator: Integrator) -> None:
    async with a_receiver(answering(204, 500, 500, 500, 204)) as receiver:
        verifier = await integrator.register("sender", receiver, event_types=["handoff.accepted"])

        await integrator.send()

        async def refused() -> bool:
            sent = (await integrator.done("GET", "/sent?agency=dp3ap2kb-ppu"))["items"]
            return bool(sent and sent[0]["posts"] and sent[0]["next_post_at"])

        await until(refused)
        await integrator.advance("PT2H")
        again = receiver.received[1:]
        sent = (await integrator.done("GET", "/sent"))["items"][0]

    assert [verifier.verify(one.body, one.headers)["type"] for one in again] == ["handoff.accepted"] * 4
    assert len({one.id for one in again}) == 1
    assert [(one["outcome"], one["status"]) for one in sent["posts"]] == [("status", 500)] * 3 + [("delivered", 204)]
    moments = [datetime.fromisoformat(one["sent_at"]) for one in sent["posts"]]
    waits = [later - earlier for earlier, later in itertools.pairwise(moments)]
    # By the schedule of every delivery: 5 s, 5 min, 30 min, each with 20 % more or less.
    for wait, planned in zip(waits, (5, 300, 1800), strict=True):
        assert 0.8 * planned <= wait.total_seconds() <= 1.2 * planned + 30
