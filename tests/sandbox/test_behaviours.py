"""The agencies that a sandbox plays do what they are told to, towards webhooks and towards offers."""

from typing import Any

import pytest

from tests.sandbox.integrator import FIRST, SECOND, Integrator, until


async def posts_to(integrator: Integrator, agency: str) -> list[dict[str, Any]]:
    """List the posts of the last webhook to an agency's played server."""
    sent = (await integrator.done("GET", f"/sent?agency={agency}"))["items"]
    offers = [one for one in sent if one["type"] == "handoff.offered"]
    posts: list[dict[str, Any]] = offers[0]["posts"] if offers else []
    return posts


async def until_posted(integrator: Integrator, agency: str, times: int = 1) -> list[dict[str, Any]]:
    async def posted() -> bool:
        return len(await posts_to(integrator, agency)) >= times

    await until(posted)
    return await posts_to(integrator, agency)


async def endpoint_of(integrator: Integrator, agency: str) -> dict[str, Any]:
    key = (await integrator.done("POST", "/keys", {"agency": agency}))["secret"]
    found: dict[str, Any] = (await integrator.ask(key, "GET", "/endpoints")).json()["items"][0]
    return found


async def test_unless_told_otherwise_an_agency_accepts_at_once(integrator: Integrator) -> None:
    referral_id = await integrator.send()

    async def accepted() -> bool:
        return await integrator.journey(referral_id) == [(FIRST, "accepted")]

    await until(accepted)


async def test_one_that_accepts_later_does_so_by_the_sandboxs_clock(integrator: Integrator) -> None:
    await integrator.behave(FIRST, after_minutes=90)

    referral_id = await integrator.send()
    await integrator.advance("PT85M")
    before = await integrator.journey(referral_id)
    await integrator.advance("PT10M")
    after = await integrator.journey(referral_id)

    assert (before, after) == ([(FIRST, "offered")], [(FIRST, "accepted")])


async def test_one_that_declines_gives_its_reason_and_the_next_is_asked(integrator: Integrator) -> None:
    await integrator.behave(FIRST, offers="decline", decline_reason="unsafe_for_victim")

    referral_id = await integrator.send()

    async def passed_on() -> bool:
        return await integrator.journey(referral_id) == [(FIRST, "declined"), (SECOND, "accepted")]

    await until(passed_on)
    request = await integrator.request_of(referral_id)
    declined = (await integrator.ask("sender", "GET", f"/handoffs/{request['earlier_handoffs'][0]['id']}")).json()
    assert declined["reason"] == "unsafe_for_victim"


async def test_a_server_that_answers_500_so_many_times_takes_the_news_then(integrator: Integrator) -> None:
    await integrator.behave(FIRST, webhooks="answer_500", times=2)

    referral_id = await integrator.send()
    await until_posted(integrator, FIRST)
    nothing_taken = await integrator.journey(referral_id)
    await integrator.advance("PT20M")

    assert nothing_taken == [(FIRST, "offered")]
    assert [one["status"] for one in await posts_to(integrator, FIRST)] == [500, 500, 204]
    assert await integrator.journey(referral_id) == [(FIRST, "accepted")]


async def test_a_server_that_answers_410_is_given_up_until_the_agency_takes_again(integrator: Integrator) -> None:
    await integrator.behave(FIRST, webhooks="answer_410")

    referral_id = await integrator.send()
    [post] = await until_posted(integrator, FIRST)

    async def given_up() -> bool:
        return bool((await endpoint_of(integrator, FIRST))["state"] == "disabled")

    await until(given_up)
    disabled = await endpoint_of(integrator, FIRST)
    await integrator.behave(FIRST, webhooks="take")

    assert (post["outcome"], post["status"]) == ("status", 410)
    assert (disabled["state"], disabled["state_reason"]) == ("disabled", "gone")
    assert (await endpoint_of(integrator, FIRST))["state"] == "active"

    async def accepted() -> bool:
        return await integrator.journey(referral_id) == [(FIRST, "accepted")]

    await until(accepted)


async def test_a_server_that_answers_too_late_has_taken_the_news_all_the_same(integrator: Integrator) -> None:
    await integrator.behave(FIRST, webhooks="time_out", times=1)

    referral_id = await integrator.send()

    async def accepted() -> bool:
        return await integrator.journey(referral_id) == [(FIRST, "accepted")]

    await until(accepted)
    [post] = await until_posted(integrator, FIRST)
    assert (post["outcome"], post["status"]) == ("timeout", None)
    assert post["milliseconds"] >= 14_000


async def test_a_server_that_hangs_takes_nothing(integrator: Integrator) -> None:
    await integrator.behave(FIRST, webhooks="hang", times=1)

    referral_id = await integrator.send()
    [post] = await until_posted(integrator, FIRST)
    hung = await integrator.journey(referral_id)
    await integrator.advance("PT1M")

    assert (post["outcome"], post["status"]) == ("timeout", None)
    assert hung == [(FIRST, "offered")]
    assert await integrator.journey(referral_id) == [(FIRST, "accepted")]


async def test_an_agency_that_is_yours_to_play_has_no_played_server(integrator: Integrator) -> None:
    await integrator.behave(FIRST, played_by="you")
    referral_id = await integrator.send()
    yours = await endpoint_of(integrator, FIRST)
    await integrator.advance("PT2H")
    left_alone = await integrator.journey(referral_id)
    await integrator.behave(FIRST, played_by="sandbox")
    again = await endpoint_of(integrator, FIRST)

    assert (yours["state"], again["state"]) == ("disabled", "active")
    assert left_alone == [(FIRST, "offered")]


@pytest.mark.parametrize(
    ("behaviour", "pointer"),
    [
        ({"offers": "perhaps"}, "/offers"),
        ({"after_minutes": -1}, "/after_minutes"),
        ({"webhooks": "answer_302"}, "/webhooks"),
        ({"times": 0}, "/times"),
        ({"decline_reason": "tired"}, "/decline_reason"),
        ({"mood": "good"}, "/mood"),
    ],
)
async def test_a_behaviour_that_is_none_is_refused_by_its_name(
    integrator: Integrator, behaviour: dict[str, Any], pointer: str
) -> None:
    answer = await integrator.control("PUT", f"/agencies/{FIRST}/behaviour", behaviour)

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_nobody_plays_an_agency_that_is_not_there(integrator: Integrator) -> None:
    answer = await integrator.control("PUT", "/agencies/nobody/behaviour", {})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
