"""Requests that a proxy could end elsewhere than the service does: refused over a raw socket, and nothing follows."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from app.api.json_body import LARGEST
from app.api.protocol import LARGEST_REQUEST
from app.storage.sealing import KeyRing
from tests.api.test_served import served

PATIENCE = 20.0
"""Seconds; nothing here waits for its own time to pass."""
HOST = b"Host: lintas.test\r\n"
POST = b"POST /v1/referrals HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
"""What must not be taken for a request of its own."""
ENDS = b"0\r\n\r\n"

LENGTHS = (b"+0", b"-1", b"0x0", b"", b"0 0", b"0, 0", b"0,46", b"9" * 40, "\u0660".encode())
CODINGS = (
    b"identity",
    b"xchunked",
    b"chunked, identity",
    b"gzip, chunked",
    b"chunked, chunked",
    b'"chunked"',
    b"\x0bchunked",
    b"chunked;q=1",
    b"",
)
SIZES = (b"0x2", b"-2", b"+2", b" 2", b"2 ", b"", b"2_", b"F" * 17, b"g", b"2;a\n", b"2\n", b"2\r", b"\xb2")
AMBIGUOUS: dict[str, bytes] = {
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + ENDS,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + ENDS,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 46\r\n\r\n",
    "the same length twice": POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + ENDS,
    "identity, then chunked": POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + ENDS,
    "chunked, then identity": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + ENDS,
    "chunks of an old client": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + ENDS,
    "a space before the colon": POST + b"Content-Length : 0\r\n\r\n",
    "a space before that of chunks": POST + b"Transfer-Encoding : chunked\r\n\r\n" + ENDS,
    "a folded header": POST + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + ENDS,
    "a folded first header": b"POST /v1/referrals HTTP/1.1\r\n X: y\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
    "lines that end in LF": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "a CR within a header": POST + b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "NUL within a header": POST + b"X-A: b\0c\r\nContent-Length: 0\r\n\r\n",
    "a name with a space": POST + b"X A: b\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": POST + b"XA\r\nContent-Length: 0\r\n\r\n",
    "a chunk that goes on": CHUNKED + b"2\r\n{}X" + ENDS,
    "a chunk that is short": CHUNKED + b"3\r\n{}\r\n" + ENDS,
    "an address of another service": b"GET evil.test:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.test:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2 as text": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": b"GET /health/live HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /health/live HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /health/live\r\n\r\n",
    **{f"the length {one!r}": POST + b"Content-Length: " + one + b"\r\n\r\n" for one in LENGTHS},
    **{f"the coding {one!r}": POST + b"Transfer-Encoding: " + one + b"\r\n\r\n" + ENDS for one in CODINGS},
    **{f"a chunk of size {one!r}": CHUNKED + one + b"\r\n{}\r\n" + ENDS for one in SIZES},
    **{
        f"the host {one!r}": b"GET /health/live HTTP/1.1\r\nHost: " + one + b"\r\n\r\n"
        for one in (b"", b"a b", b"a/../b", b"u@lintas.test", b"lintas.test:80a", b"[::1", b"\xff")
    },
}


@pytest.fixture
async def port(database_url: str, key_ring: KeyRing) -> AsyncIterator[int]:
    """The whole service, on a port of its own."""
    async with served(database_url, key_ring) as (_, _, port):
        yield port


async def said(port: int, sent: bytes) -> bytes:
    """Send all at once, and give all that comes back until the service closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(sent)
            found = b""
            try:
                while piece := await reader.read(65536):
                    found += piece
            except ConnectionError:
                pass
            return found
    finally:
        writer.close()


def statuses(answer: bytes) -> list[int]:
    """Read the status of each answer."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


async def test_what_could_end_elsewhere_is_refused_and_nothing_that_follows_is_served(port: int) -> None:
    for name, sent in AMBIGUOUS.items():
        answer = await said(port, sent + SECOND)

        assert statuses(answer) == [400], (name, answer)
        head = answer.lower().partition(b"\r\n\r\n")[0]
        assert b"connection: close" in head, name
        assert b"content-type: application/problem+json" in head, name
        assert b"evil" not in answer, name


async def test_requests_that_are_plain_are_answered_one_after_the_other(port: int) -> None:
    last = SECOND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    plain = (
        SECOND,
        CHUNKED + b"2;of=no-matter\r\n{}\r\n" + ENDS,
        POST + b"Transfer-Encoding:\tChunked\r\n\r\n2\r\n{}\r\n" + ENDS,
        POST + b"Content-Length: 2\r\n\r\n{}",
        b"GET http://evil.test/health/live HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    )

    answer = await said(port, b"".join(plain) + last)

    assert statuses(answer) == [200, 401, 401, 401, 200, 200, 200]
    assert b"evil" not in answer


@pytest.mark.parametrize("to", [b"h2c", b"websocket", b"anything"])
async def test_who_asks_for_another_protocol_is_answered_in_this_one_and_the_connection_ends(
    port: int, to: bytes
) -> None:
    asked = b"GET /health/live HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: " + to + b"\r\n\r\n"

    answer = await said(port, asked + SECOND)

    assert statuses(answer) == [200]
    assert b"connection: close" in answer.lower()


async def test_what_follows_an_answer_that_waited_for_no_body_is_that_body_still(port: int) -> None:
    last = SECOND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    length = LARGEST + 1
    asked = POST + b"Authorization: Bearer x\r\nContent-Length: %d\r\n\r\n" % length

    answer = await said(port, asked + SECOND + b" " * (length - len(SECOND)) + last)

    # Nobody is known by that key, which is said first; what follows is body all the same.
    assert statuses(answer) == [401, 200]


async def test_a_body_without_end_ends_the_connection(port: int) -> None:
    asked = POST + b"Authorization: Bearer x\r\nContent-Length: 18446744073709551615\r\n\r\n"

    answer = await said(port, asked + SECOND + b" " * 2 * LARGEST_REQUEST)

    assert statuses(answer) in ([401], [])
