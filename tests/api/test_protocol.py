"""HTTP off the wire, through a real server: requests that are none are refused, and nobody holds a connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.api import protocol
from app.api.protocol import LARGEST_HEAD, StrictProtocol

HOST = b"Host: lintas.test\r\n"


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer with the headers that were taken for the request's."""
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message["more_body"]
    told = json.dumps({name.decode(): value.decode() for name, value in scope["headers"]}).encode()
    head = [(b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        tell, port=0, http=StrictProtocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def answer_to(port: int, *pieces: bytes) -> tuple[bytes, dict[str, Any]]:
    """Send pieces one by one, and give the first answer's head and its JSON."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return head, json.loads(await reader.readexactly(length))
    finally:
        writer.close()


async def is_closed(reader: asyncio.StreamReader, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await reader.read() is not None
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_a_head_of_64_kib_is_read_and_a_larger_one_is_refused(port: int) -> None:
    fitting = b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"a" * (LARGEST_HEAD - 200) + b"\r\n\r\n"
    one_long = b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"a" * LARGEST_HEAD
    many = b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: a\r\n" % one for one in range(8000)) + b"\r\n"
    address = b"GET /" + b"a" * LARGEST_HEAD + b" HTTP/1.1\r\n" + HOST + b"\r\n"

    head, told = await answer_to(port, fitting)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert len(told["x-long"]) == LARGEST_HEAD - 200
    for pieces in ((one_long,), (one_long[:40_000], one_long[40_000:]), (many,), (address,)):
        head, problem = await answer_to(port, *pieces)
        assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert problem["code"] == "headers_too_large"


@pytest.mark.parametrize(
    "sent",
    [
        b"HELLO\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Host: other.test\r\n\r\n",
        b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
)
async def test_what_is_no_request_is_answered_as_a_problem_and_the_connection_ends(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.read()
    writer.close()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    for header in (b"content-type: application/problem+json", b"x-content-type-options: nosniff", b"connection: close"):
        assert header in head.lower()
    problem = json.loads(body)
    assert problem["code"] == "malformed_request"
    assert problem["instance"].encode().rpartition(b":")[2] in head


async def test_an_old_client_without_a_host_is_still_served(port: int) -> None:
    head, _ = await answer_to(port, b"GET / HTTP/1.0\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")


async def test_trailers_never_become_headers(port: int) -> None:
    head, told = await answer_to(
        port,
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"0\r\nAuthorization: Bearer lintas_x\r\nHost: other.test\r\n\r\n",
    )

    assert head.startswith(b"HTTP/1.1 200 ")
    assert told == {"host": "lintas.test", "transfer-encoding": "chunked"}


async def test_who_sends_no_request_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SLOWEST_HEAD", 0.3)
    silent, dripping, after = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    dripping[1].write(b"GET / HTTP/1.1\r\n")
    after[1].write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    await after[0].readuntil(b"\r\n\r\n")

    async def drip() -> None:
        while True:
            dripping[1].write(b"X-A: b\r\n")
            after[1].write(b"\r\n")
            await asyncio.sleep(0.05)

    dripper = asyncio.create_task(drip())
    closed = await asyncio.gather(*(is_closed(reader, 2) for reader, _ in (silent, dripping, after)))
    dripper.cancel()
    for _, writer in (silent, dripping, after):
        writer.close()

    assert closed == [True, True, True]


async def test_a_connection_in_use_is_not_ended_by_the_wait_for_a_head(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SLOWEST_HEAD", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for pause in (0.0, 0.4, 0.0):
        writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nab")
        await asyncio.sleep(pause)
        writer.write(b"cd")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        await reader.readuntil(b"}")
        await asyncio.sleep(pause)
    writer.close()


async def test_an_answer_under_way_is_not_followed_by_one_that_could_be_taken_for_it(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na" + b"HELLO\r\n\r\n")
    answer = await reader.read()
    writer.close()

    assert b"400" not in answer


async def test_a_body_is_no_head_however_much_of_it_comes_at_once(port: int) -> None:
    body = b"a" * (3 * LARGEST_HEAD)
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body)
    # How the bytes are cut on their way is the kernel's affair: at least one of these comes in large pieces.
    for pieces in ((head, body), (head + body[:10], body[10:]), (head + body,)) * 10:
        answer, told = await answer_to(port, *pieces)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert told["content-length"] == str(len(body))
