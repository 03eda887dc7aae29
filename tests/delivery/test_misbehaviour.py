"""However a receiver behaves, one post to it ends in time, reads little, and says what came of it."""

import asyncio
import tracemalloc

import pytest

from app.delivery.exchange import LARGEST_HEAD
from app.delivery.post import open_post
from app.domain.retry import Answer, Detail, Phase
from tests.delivery.misbehaviours import FLOODING, HANGING, NO_ANSWER, POOR_ANSWERS, SLOW_TLS
from tests.delivery.posting import answer_of
from tests.delivery.receivers import a_bad_receiver, a_receiver
from tests.delivery.world import LOOPBACK, SHORT

WITHIN = SHORT.total + 5
"""The deadline, and what a busy machine adds."""


async def made(url: str) -> Answer:
    async with asyncio.timeout(WITHIN):
        return await answer_of(url)


@pytest.mark.parametrize("name", HANGING)
async def test_who_holds_the_connection_is_let_go_at_the_deadline(name: str) -> None:
    async with a_bad_receiver(HANGING[name]) as receiver:
        assert await made(receiver.url) == Answer(failed=Phase.TIMEOUT)


@pytest.mark.parametrize("name", SLOW_TLS)
async def test_a_handshake_that_does_not_end_is_given_the_time_to_connect(name: str) -> None:
    async with a_bad_receiver(SLOW_TLS[name]) as receiver:
        answer = await made(receiver.url.replace("http:", "https:"))

    assert answer == Answer(failed=Phase.CONNECT, detail=Detail.TIMEOUT)


@pytest.mark.parametrize("name", FLOODING)
async def test_a_flood_before_the_answer_is_cut_off(name: str) -> None:
    async with a_bad_receiver(FLOODING[name]) as receiver:
        answer = await made(receiver.url)

    assert answer == Answer(failed=Phase.ANSWER, detail=Detail.NOT_HTTP)


@pytest.mark.parametrize("name", NO_ANSWER)
async def test_what_is_no_answer_is_a_failure_that_may_be_tried_again(name: str) -> None:
    async with a_bad_receiver(NO_ANSWER[name]) as receiver:
        answer = await made(receiver.url)

    assert answer.failed is Phase.ANSWER
    assert answer.detail in {Detail.CLOSED, Detail.NOT_HTTP}


@pytest.mark.parametrize("name", POOR_ANSWERS)
async def test_a_status_counts_whatever_becomes_of_the_rest(name: str) -> None:
    status, conversation = POOR_ANSWERS[name]
    async with a_bad_receiver(conversation) as receiver:
        assert await made(receiver.url) == Answer(status)


@pytest.mark.parametrize(
    "name", [*FLOODING, "pours a body", "pours chunks", "sends a gzip bomb", "sends a deflate bomb"]
)
async def test_whatever_is_poured_out_takes_little_memory(name: str) -> None:
    conversation = FLOODING[name] if name in FLOODING else POOR_ANSWERS[name][1]
    async with a_bad_receiver(conversation) as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        tracemalloc.start()
        try:
            for _ in range(3):
                await post(receiver.url, b"{}", {})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    # Of both sides, for the receiver lives in this process too.
    assert peak < 128 * LARGEST_HEAD


async def test_what_was_answered_too_often_is_not_taken_for_the_answer_to_the_next_post() -> None:
    status, twice = POOR_ANSWERS["answers twice"]
    async with a_bad_receiver(twice) as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        answers = [await post(receiver.url, b"{}", {}) for _ in range(3)]

    assert answers == [Answer(status)] * 3
    assert receiver.connections == 3, "a connection on which more came than was asked for is not used again"


async def test_a_well_behaved_connection_is_used_again_for_any_number_of_answers() -> None:
    async with a_receiver() as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        answers = [await post(receiver.url, bytes(2000), {"x-padding": "a" * 4000}) for _ in range(300)]

    assert set(answers) == {Answer(204)}
    assert len(receiver.received) == 300
