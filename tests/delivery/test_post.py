import asyncio
import gzip
import socket
import tracemalloc
from pathlib import Path

import pytest
from aiohttp import web

from app.delivery.post import Deadlines, open_post
from app.domain.retry import Answer, Detail, Phase
from tests.delivery.posting import answer_of
from tests.delivery.receivers import (
    Conversation,
    a_bad_receiver,
    a_receiver,
    answering,
    hang_up,
    never_close,
    say_nothing,
    trickle_body,
    trickle_headers,
)
from tests.delivery.world import LOOPBACK, SHORT


async def test_a_body_is_posted_as_it_is_with_its_headers_and_no_cookie() -> None:
    async with (
        a_receiver(answering(200, headers={"set-cookie": "a=b"})) as receiver,
        open_post(LOOPBACK, deadlines=SHORT) as post,
    ):
        for _ in range(2):
            assert await post(receiver.url + "?token=%20a%2Fb", b'{"a":1}', {"webhook-id": "m"}) == Answer(200)

    first, second = receiver.received
    assert first.body == b'{"a":1}'
    assert first.headers["webhook-id"] == "m"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["accept-encoding"] == "identity"
    assert first.headers["user-agent"].startswith("Lintas")
    assert "cookie" not in second.headers


async def test_nothing_of_the_environment_is_used_neither_proxies_nor_passwords(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async with a_receiver() as receiver:
        assert await answer_of(receiver.url) == Answer(204)

    assert "authorization" not in receiver.received[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    async with a_receiver() as other, a_receiver(answering(status, headers={"location": other.url})) as receiver:
        answer = await answer_of(receiver.url)

    assert answer == Answer(status)
    assert not other.received


async def test_retry_after_is_handed_on_as_it_came() -> None:
    async with a_receiver(answering(503, headers={"retry-after": "120"})) as receiver:
        assert await answer_of(receiver.url) == Answer(503, retry_after="120")


@pytest.mark.parametrize(
    ("conversation", "expected"),
    [
        (say_nothing, Answer(failed=Phase.TIMEOUT)),
        (trickle_headers, Answer(failed=Phase.TIMEOUT)),
        (hang_up, Answer(failed=Phase.ANSWER, detail=Detail.CLOSED)),
        (trickle_body, Answer(500)),
        (never_close, Answer(200)),
    ],
)
async def test_a_bad_receiver_costs_no_more_than_the_deadline(conversation: Conversation, expected: Answer) -> None:
    async with a_bad_receiver(conversation) as receiver:
        # None of them ends by itself.
        async with asyncio.timeout(60):
            answer = await answer_of(receiver.url)

    assert answer == expected


async def test_what_is_not_http_is_no_answer() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async with a_bad_receiver(greet) as receiver:
        assert await answer_of(receiver.url) == Answer(failed=Phase.ANSWER, detail=Detail.NOT_HTTP)


async def test_a_giant_answer_is_read_to_the_cap_and_no_further() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    async with a_bad_receiver(pour) as receiver:
        answer = await answer_of(receiver.url)

    assert answer == Answer(200)
    assert sent < 32 * 1024 * 1024, "what the sockets of both sides hold, and no more"


async def test_an_answer_compressed_a_thousandfold_is_not_inflated() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"content-encoding": "gzip"})

    async with a_receiver(answer) as receiver:
        tracemalloc.start()
        try:
            assert await answer_of(receiver.url) == Answer(200)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < 8 * 1024 * 1024, "bytes of memory"


async def test_a_port_where_nobody_listens_fails_to_connect() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"

        assert await answer_of(url) == Answer(failed=Phase.CONNECT, detail=Detail.REFUSED)


async def test_an_answer_whose_status_came_in_time_counts_though_its_body_does_not_end() -> None:
    async def late_and_endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.8)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        await writer.drain()
        await asyncio.Event().wait()

    async with a_bad_receiver(late_and_endless) as receiver:
        answer = await answer_of(receiver.url, deadlines=Deadlines(total=1.0, resolve=1.0, connect=1.0, body=0.5))

    assert answer == Answer(200)
