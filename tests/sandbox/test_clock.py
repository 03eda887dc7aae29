"""The sandbox's clock goes forward alone, everybody goes by it, and what is signed carries real time."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.delivery.receivers import a_receiver, answering
from tests.sandbox.integrator import FIRST, Integrator, types_in


def moment(said: str) -> datetime:
    return datetime.fromisoformat(said)


async def test_the_clock_moves_by_what_is_asked_for_and_goes_on(integrator: Integrator) -> None:
    before = await integrator.done("GET", "/clock")
    moved = await integrator.advance("PT3H")
    after = await integrator.done("GET", "/clock")

    assert before["ahead_seconds"] == 0
    assert moved["reached"]
    assert timedelta(hours=3) <= moment(moved["now"]) - moment(before["now"]) < timedelta(hours=3, minutes=1)
    assert moment(moved["now"]) <= moment(after["now"])


async def test_the_clock_moves_to_a_moment(integrator: Integrator) -> None:
    target = moment((await integrator.done("GET", "/clock"))["now"]) + timedelta(days=40)

    passed = await integrator.done("POST", "/clock/advance", {"to": target.isoformat(), "within_seconds": 60})

    assert passed["reached"]
    assert target <= moment(passed["now"]) < target + timedelta(minutes=1)
    # What is told then lies in a month that is there.
    await integrator.send()


@pytest.mark.parametrize(
    ("asked", "pointer", "code"),
    [
        ({}, "/by", "contradiction"),
        ({"by": "PT1H", "to": "2030-01-01T00:00:00Z"}, "/by", "contradiction"),
        ({"by": "-PT1H"}, "/by", "duration_required"),
        ({"by": "an hour"}, "/by", "duration_required"),
        ({"to": "2020-01-01T00:00:00Z"}, "/to", "in_past"),
        ({"to": "2090-01-01T00:00:00Z"}, "/to", "out_of_range"),
        ({"to": "2090-01-01T00:00:00"}, "/to", "moment_required"),
        ({"by": "PT1H", "within_seconds": 0}, "/within_seconds", "not_above"),
    ],
)
async def test_it_never_goes_back_and_nothing_else_moves_it(
    integrator: Integrator, asked: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await integrator.control("POST", "/clock/advance", asked)

    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert (await integrator.done("GET", "/clock"))["ahead_seconds"] == 0


async def test_a_reminder_comes_when_half_of_the_time_to_answer_is_over(integrator: Integrator) -> None:
    await integrator.behave(FIRST, played_by="you")
    key = (await integrator.done("POST", "/keys", {"agency": FIRST}))["secret"]
    async with a_receiver() as receiver:
        await integrator.register(key, receiver)

        await integrator.send()
        await integrator.advance("PT11H")
        before = types_in(receiver)
        await integrator.advance("PT13H30M")
        after = types_in(receiver)

    assert "handoff.reminder" not in before
    assert after.count("handoff.reminder") == 1
    assert "handoff.expired" in after


async def test_what_was_leapt_over_is_no_outage(integrator: Integrator) -> None:
    await integrator.behave(FIRST, offers="silent")
    referral_id = await integrator.send()
    respond_by = (await integrator.request_of(referral_id))["handoff"]["respond_by"]

    await integrator.advance("PT20H")

    assert (await integrator.request_of(referral_id))["handoff"]["respond_by"] == respond_by


async def test_a_signature_carries_real_time_however_far_the_clock_was_moved(integrator: Integrator) -> None:
    async with a_receiver() as receiver:
        verifier = await integrator.register("sender", receiver)
        await integrator.advance("P2D")
        await integrator.send()
        await integrator.advance("PT1M")
        last = receiver.received[-1]

    # The library refuses what is more than five minutes old or new.
    news = verifier.verify(last.body, last.headers)
    signed_at = datetime.fromtimestamp(int(last.headers["webhook-timestamp"]), UTC)
    assert abs(time.time() - signed_at.timestamp()) < 120  # noqa: TID251 - what a receiver's own clock says
    assert moment(news["timestamp"]) - signed_at > timedelta(days=1)


async def test_a_server_that_hangs_keeps_nobody_waiting_longer_than_they_said(integrator: Integrator) -> None:
    await integrator.behave(FIRST, webhooks="hang", times=1)
    await integrator.send()

    first = await integrator.done("POST", "/clock/advance", {"by": "PT1H", "within_seconds": 1})
    later = await integrator.done("POST", "/clock/advance", {"by": "PT1H", "within_seconds": 50})

    assert not first["reached"]
    assert later["reached"]
    assert moment(later["now"]) >= moment(first["now"]) + timedelta(hours=1)


async def test_retries_to_a_server_that_never_answers_end_with_the_offer(integrator: Integrator) -> None:
    async with a_receiver(answering(204, 503)) as receiver:
        await integrator.register("sender", receiver, event_types=["handoff.accepted"])
        await integrator.send()

        await integrator.advance("P1D")
        sent = (await integrator.done("GET", "/sent"))["items"][0]

    assert sent["state"] == "due"
    # 5 s, 5 min, 30 min, 2 h, 5 h and 10 h later.
    assert len(sent["posts"]) in {7, 8}
    assert moment(sent["next_post_at"]) > moment((await integrator.done("GET", "/clock"))["now"])
