"""What was sent to an integrator can be looked at, sent again, and called for."""

import json
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from app.domain.events import EventType
from tests.delivery.receivers import a_receiver
from tests.description.news import schema_of
from tests.sandbox.integrator import FIRST, Integrator, types_in, until

ON_DEMAND = [one for one in EventType if one is not EventType.ENDPOINT_VERIFICATION]


async def test_every_post_is_shown_as_it_went_out_and_with_what_came_back(integrator: Integrator) -> None:
    async with a_receiver() as receiver:
        await integrator.register("sender", receiver, event_types=["handoff.offered"])
        referral_id = await integrator.send()

        async def came() -> bool:
            return len(receiver.received) == 2

        await until(came)
        [came_in] = receiver.received[1:]

        async def shown() -> bool:
            return bool((await integrator.done("GET", "/sent"))["items"][0]["state"] == "delivered")

        await until(shown)
        sent = (await integrator.done("GET", "/sent"))["items"][0]

    [post] = sent["posts"]
    assert post["headers"].items() <= came_in.headers.items()
    assert {"webhook-id", "webhook-timestamp", "webhook-signature", "lintas-sandbox"} <= post["headers"].keys()
    assert post["body"].encode() == came_in.body
    assert json.loads(post["body"])["data"]["referral_id"] == referral_id
    assert (post["outcome"], post["status"], post["url"]) == ("delivered", 204, receiver.url)
    assert (sent["webhook_id"], sent["agency"]) == (came_in.id, "dp3ap2kb-ppu")
    assert sent["next_post_at"] is None


async def test_a_webhook_is_sent_again_under_the_same_id(integrator: Integrator) -> None:
    async with a_receiver() as receiver:
        await integrator.register("sender", receiver, event_types=["handoff.offered"])
        await integrator.send()
        await integrator.advance("PT1M")
        delivery_id = (await integrator.done("GET", "/sent"))["items"][0]["delivery_id"]

        answer = await integrator.control("POST", f"/sent/{delivery_id}/resend")
        await integrator.advance("PT1M")
        [first, again] = receiver.received[1:]

    assert answer.status_code == 202
    assert first.id == again.id
    assert first.body == again.body


async def test_what_was_never_sent_is_not_sent_again(integrator: Integrator) -> None:
    answer = await integrator.control("POST", f"/sent/{UUID(int=7)}/resend")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_news_of_every_type_comes_when_it_is_called_for_and_is_as_the_contract_says(
    integrator: Integrator,
) -> None:
    async with a_receiver() as receiver:
        verifier = await integrator.register("receiver", receiver)
        listed = (await integrator.done("GET", "/event-types"))["items"]

        for type_ in ON_DEMAND:
            told = await integrator.done("POST", "/events", {"agency": "uptd-ppa-ppu", "type": type_.value})
            assert len(told["delivery_ids"]) == len(told["webhook_ids"]) == 1
        await integrator.advance("PT1M")
        news = [verifier.verify(one.body, one.headers) for one in receiver.received]

    assert listed == [one.value for one in EventType]
    assert sorted(one["type"] for one in news) == sorted(one.value for one in EventType)
    for one in news:
        jsonschema.validate(one, schema_of(one["type"]), format_checker=jsonschema.FormatChecker())


async def test_a_challenge_is_called_for_where_an_endpoint_is_not_proven(integrator: Integrator) -> None:
    async with a_receiver() as receiver:
        await integrator.ask("receiver", "POST", "/endpoints", {"url": receiver.url})

        async def challenged() -> bool:
            return len(receiver.received) == 1

        await until(challenged)
        wanted = {"agency": "uptd-ppa-ppu", "type": "endpoint.verification"}
        told = await integrator.done("POST", "/events", wanted)
        await integrator.advance("PT5M")

    assert len(told["delivery_ids"]) == 1
    assert types_in(receiver) == ["endpoint.verification"] * 2


async def test_news_of_a_handoff_on_demand_leads_to_that_handoff(integrator: Integrator) -> None:
    await integrator.behave(FIRST, offers="silent")
    referral_id = await integrator.send()
    handoff_id = (await integrator.request_of(referral_id))["handoff"]["id"]
    async with a_receiver() as receiver:
        verifier = await integrator.register("sender", receiver, event_types=["handoff.accepted"])

        wanted = {"agency": "dp3ap2kb-ppu", "type": "handoff.accepted", "handoff_id": handoff_id}
        await integrator.done("POST", "/events", wanted)
        await integrator.advance("PT1M")
        news = verifier.verify(receiver.received[-1].body, receiver.received[-1].headers)

    path = news["data"]["url"].partition("/v1")[2]
    assert (await integrator.ask("sender", "GET", path)).json()["referral_id"] == referral_id
    # It was told, and nothing more.
    assert await integrator.journey(referral_id) == [(FIRST, "offered")]


async def test_no_news_is_told_of_a_handoff_that_the_agency_may_not_see(integrator: Integrator) -> None:
    referral_id = await integrator.send()
    handoff_id = (await integrator.request_of(referral_id))["handoff"]["id"]

    wanted = {"agency": "lpsk", "type": "handoff.accepted", "handoff_id": handoff_id}
    answer = await integrator.control("POST", "/events", wanted)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"agency": "nobody", "type": "handoff.offered"}, 404),
        ({"agency": "uptd-ppa-ppu", "type": "handoff.dreamt_of"}, 422),
        ({"type": "handoff.offered"}, 422),
    ],
)
async def test_what_nobody_can_be_told_is_refused(integrator: Integrator, wanted: dict[str, Any], status: int) -> None:
    answer = await integrator.control("POST", "/events", wanted)

    assert answer.status_code == status
    assert "nobody" not in answer.text
    assert "dreamt" not in answer.text
