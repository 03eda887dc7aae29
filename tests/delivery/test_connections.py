"""Connections to receivers: used again where they can be, and never to the harm of a post."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from app.delivery.exchange import LARGEST_HEAD, Target, request_of
from app.delivery.post import open_post
from app.domain.retry import Answer, Detail, Phase
from tests.delivery.receivers import Conversation, a_bad_receiver, a_receiver
from tests.delivery.world import LOOPBACK, SHORT

BODY = b'{"a":1}'


async def posts(url: str, times: int) -> list[Answer]:
    """Post one after the other over the same pool."""
    async with open_post(LOOPBACK, deadlines=SHORT) as post:
        return [await post(url, BODY, {"webhook-id": str(number)}) for number in range(times)]


def saying(*answers: bytes) -> Conversation:
    """Answer each request of a connection with the next of some bytes, and close after the last."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(BODY)
            writer.write(answer)
            await writer.drain()

    return say


TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n"


async def test_a_connection_is_used_again() -> None:
    async with a_bad_receiver(saying(*[TAKEN] * 5)) as receiver:
        assert await posts(receiver.url, 5) == [Answer(204)] * 5

    assert receiver.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 16000\r\n\r\n" + bytes(16000),
        INTERIM + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_an_answer_that_ends_lets_its_connection_be_used_again(answer: bytes) -> None:
    async with a_bad_receiver(saying(answer, answer, answer)) as receiver:
        assert await posts(receiver.url, 3) == [Answer(200)] * 3

    assert receiver.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n" + bytes(20000),
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end of the connection",
    ],
)
async def test_an_answer_that_does_not_let_its_connection_be_used_again_gets_another(answer: bytes) -> None:
    async with a_bad_receiver(saying(answer)) as receiver:
        assert await posts(receiver.url, 2) == [Answer(200)] * 2

    assert receiver.connections == 2


async def test_a_connection_that_its_server_closed_meanwhile_costs_no_attempt() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(TAKEN)
        await writer.drain()
        # It reads the next request, and is gone before it answers.
        await reader.readuntil(b"\r\n\r\n")

    async with a_bad_receiver(once) as receiver:
        assert await posts(receiver.url, 3) == [Answer(204)] * 3

    assert receiver.connections == 3


async def test_what_comes_unasked_ends_the_connection_and_is_nobodys_answer() -> None:
    came = asyncio.Event()

    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(TAKEN)
        await came.wait()
        writer.write(b"HTTP/1.1 500 Unasked\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with a_bad_receiver(chatter) as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        first = await post(receiver.url, BODY, {})
        came.set()
        await asyncio.sleep(0.1)
        second = await post(receiver.url, BODY, {})

    assert (first, second) == (Answer(204), Answer(204))
    assert receiver.connections == 2


async def test_two_answers_to_one_post_are_one_and_the_connection_ends() -> None:
    async with a_bad_receiver(saying(TAKEN + b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", TAKEN)) as receiver:
        assert await posts(receiver.url, 2) == [Answer(204)] * 2

    assert receiver.connections == 2


async def test_a_head_without_end_is_no_answer() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"x: " + bytes(b"a" * 2 * LARGEST_HEAD) + b"\r\n\r\n")
        await writer.drain()

    async with a_bad_receiver(flood) as receiver:
        assert await posts(receiver.url, 1) == [Answer(failed=Phase.ANSWER, detail=Detail.NOT_HTTP)]


async def test_posts_at_once_have_connections_of_their_own() -> None:
    under_way, together = 0, asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal under_way
        under_way += 1
        if under_way == 10:
            together.set()
        await together.wait()
        return web.Response(status=204)

    async with a_receiver(wait) as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        answers = await asyncio.gather(*(post(receiver.url, BODY, {}) for _ in range(10)))

    assert answers == [Answer(204)] * 10


async def test_a_post_that_is_cancelled_takes_its_connection_with_it() -> None:
    async def stall(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        arrived.set()
        await reader.read()
        ended.set()

    arrived, ended = asyncio.Event(), asyncio.Event()
    async with a_bad_receiver(stall) as receiver, open_post(LOOPBACK, deadlines=SHORT) as post:
        posting = asyncio.ensure_future(post(receiver.url, BODY, {}))
        await arrived.wait()
        posting.cancel()
        async with asyncio.timeout(timedelta(seconds=5).total_seconds()):
            await ended.wait()

    assert posting.cancelled()


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nx: y", "a\rb", "a\0b"])
def test_a_header_cannot_end_before_its_line_does(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        request_of(Target.of("https://receiver.example/"), {"name": value}, b"")


@pytest.mark.parametrize(
    ("url", "head"),
    [
        ("https://receiver.example", "POST / HTTP/1.1\r\nhost: receiver.example\r\n"),
        ("https://receiver.example.:443/a", "POST /a HTTP/1.1\r\nhost: receiver.example\r\n"),
        ("https://receiver.example:8443?a=b", "POST /?a=b HTTP/1.1\r\nhost: receiver.example:8443\r\n"),
        ("http://127.0.0.1/%20a//b/../c?x=%2F&y", "POST /%20a//b/../c?x=%2F&y HTTP/1.1\r\nhost: 127.0.0.1\r\n"),
        ("http://[::1]:8080/", "POST / HTTP/1.1\r\nhost: [::1]:8080\r\n"),
        ("http://127.0.0.1//double?", "POST //double? HTTP/1.1\r\nhost: 127.0.0.1\r\n"),
    ],
)
def test_a_url_is_asked_for_as_it_is_written(url: str, head: str) -> None:
    assert Target.of(url).head == head
