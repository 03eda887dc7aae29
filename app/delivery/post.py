"""One function that posts: to addresses that were checked, within one deadline, reading no more than it must."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from yarl import URL

from app.delivery.bounded import BoundedConnector
from app.delivery.failures import FAILURES, answer_of
from app.delivery.resolver import CheckedResolver, LookUp, look_up
from app.domain.addresses import Reach
from app.domain.retry import Answer, Detail, Phase


class Post(Protocol):
    """Posts a body with headers to a URL, and says what came of it; nothing a receiver or its network does raises."""

    async def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None = None, /
    ) -> Answer:
        """Post; with `tls`, which is an endpoint's own, over connections that are shared with no other endpoint."""


HEADERS = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "Lintas-Webhook/1"}
LARGEST_ANSWER = 16 * 1024
IDLE_CONNECTION = 4.0
"""Seconds. Shorter than what common servers keep one open, so that none is used just as its server closes it."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a post may take, in seconds: in all, to resolve, to connect with TLS, and to read an answer's body."""

    total: float = 15.0
    resolve: float = 5.0
    connect: float = 5.0
    body: float = 2.0


@asynccontextmanager
async def open_post(
    reach: Reach,
    *,
    deadlines: Deadlines | None = None,
    tls: ssl.SSLContext | None = None,
    look_up: LookUp = look_up,
    kept: int = 0,
) -> AsyncIterator[Post]:
    """Open what posts go through: one pool of connections and one TLS context for the whole process.

    `kept` is how many bytes of an answer's body are given back; the rest, and usually all, is read for nothing.
    """
    within = deadlines or Deadlines()
    connector = BoundedConnector(
        resolver=CheckedResolver(reach, within=within.resolve, look_up=look_up),
        use_dns_cache=False,
        ssl=tls or ssl.create_default_context(),
        limit=0,  # the dispatcher bounds what is under way
        keepalive_timeout=IDLE_CONNECTION,
        socket_factory=lambda info: _socket(reach, info),
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=within.connect),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=LARGEST_ANSWER // 2,
        headers=HEADERS,
    )
    async with session:

        async def post(
            url: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None = None, /
        ) -> Answer:
            if reach.faults_of(url):
                return Answer(failed=Phase.ADDRESS, detail=Detail.ADDRESS_NOT_ALLOWED)
            try:
                return await _post(session, url, body, headers, tls, within, kept)
            except FAILURES as error:
                return answer_of(error)

        yield post


async def _post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    tls: ssl.SSLContext | None,
    within: Deadlines,
    kept: int,
) -> Answer:
    time = asyncio.get_running_loop().time
    end = time() + within.total
    async with asyncio.timeout_at(end):
        # Connections are pooled by their TLS context, so one that shows a client certificate is its endpoint's alone.
        response = await session.post(
            URL(url, encoded=True), data=body, headers=headers, allow_redirects=False, ssl=tls or True
        )
    # The status is the answer. The body is read for little but to use the connection again.
    start = await _drain(response, until=min(time() + within.body, end), kept=kept)
    return Answer(response.status, retry_after=response.headers.get("retry-after"), start=start)


async def _drain(response: aiohttp.ClientResponse, *, until: float, kept: int) -> bytes:
    left, start = LARGEST_ANSWER, b""
    try:
        async with asyncio.timeout_at(until):
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
                start += chunk[: kept - len(start)] if len(start) < kept else b""
    except (TimeoutError, OSError, aiohttp.ClientError):
        pass
    finally:
        # It gives back what was read to its end, and closes all else.
        response.close()
    return start


def _socket(reach: Reach, info: Any) -> socket.socket:
    """Make the socket for one address, which is checked a last time, however it came here."""
    family, kind, proto, _, place = info
    if not reach.may_post_to(str(place[0])):
        raise OSError("this address may not be posted to")
    return socket.socket(family, kind, proto)
