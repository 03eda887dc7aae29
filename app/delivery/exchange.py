"""One connection and the exchanges over it: a post goes out, a status comes back, and no more is read than must be.

HTTP/1.1 as RFC 9112 has it, parsed by httptools. A client library does ten times the work for what is needed here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

import httptools

from app.domain.retry import Answer

LARGEST_ANSWER = 16 * 1024
LARGEST_HEAD = 64 * 1024
"""Bytes that may come before an answer's head has ended."""
MOST_ANNOUNCED = 16
"""Answers that only announce one (100, 103)."""
SWITCHING_PROTOCOLS = 101


class AnswerBroken(Exception):
    """The connection ended before there was a status; the cause is what it ended by, where that is known."""


class Unanswered(AnswerBroken):
    """The connection ended before a single byte came."""


class AnswerNotHttp(AnswerBroken):
    """Something that is not HTTP came before there was a status, or more than is read."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: the host and port to connect to, whether by TLS, and the lines that say what is asked for."""

    host: str
    port: int
    tls: bool
    head: str
    """The request line and the Host header."""

    @classmethod
    @lru_cache(maxsize=4096)
    def of(cls, url: str) -> "Target":
        """Read a URL that was found to be in order."""
        parts = urlsplit(url)
        tls = parts.scheme.lower() == "https"
        host = (parts.hostname or "").removesuffix(".")
        usual = 443 if tls else 80
        port = parts.port or usual
        shown = f"[{host}]" if ":" in host else host
        authority = shown if port == usual else f"{shown}:{port}"
        path = url.partition("://")[2].removeprefix(parts.netloc)
        if not path.startswith("/"):
            path = f"/{path}"
        return cls(host, port, tls, f"POST {path} HTTP/1.1\r\nhost: {authority}\r\n")


def request_of(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a whole request; ValueError where a header would end before its line does."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise ValueError("a header holds a line break")
    return f"{target.head}{lines}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body


class Exchange(asyncio.Protocol):
    """A connection that is open; one post at a time goes over it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, forget: Callable[["Exchange"], None]) -> None:
        """Take the loop, and what is to be called once the connection has ended."""
        self._loop = loop
        self._forget = forget
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._status: asyncio.Future[int] | None = None
        self._body: asyncio.Future[None] | None = None
        self._begin()
        self.is_free = True
        """Whether another post may go over it."""
        self.idle_since = 0.0
        self.may_have_been_refused = False
        """Whether TLS lets a server see who we are, and refuse us, only after we took it to have come about."""
        self._kept = 0

    def _begin(self) -> None:
        self._received = self._body_received = self._announced = 0
        self._retry_after: str | None = None
        self._start = b""
        self._is_interim = self._is_complete = self._is_kept = False

    async def post(self, request: bytes, *, until: float, body_within: float, kept: int = 0) -> Answer:
        """Send a request and give its answer; TimeoutError at `until`, AnswerBroken where none comes.

        The status is the answer. Its body is read for little but to use the connection again, and no longer than
        `body_within` seconds; so many bytes of it are given back as are to be kept.
        """
        transport, loop = self._transport, self._loop
        if transport is None or not self.is_free:
            raise Unanswered
        self._begin()
        self._kept = kept
        self.is_free = False
        self._status = loop.create_future()
        timer = loop.call_at(until, self._expire)
        try:
            transport.write(request)
            status, retry_after = await self._status, self._retry_after
            if not self._is_complete:
                await self._read_body(min(until, loop.time() + body_within))
            self.is_free = self._is_complete and self._is_kept and self._transport is not None
            return Answer(status, retry_after=retry_after, start=self._start)
        finally:
            timer.cancel()
            self._status = None
            if not self.is_free:
                (transport.close if self._is_complete else transport.abort)()

    async def _read_body(self, until: float) -> None:
        self._body = self._loop.create_future()
        timer = self._loop.call_at(until, self._end_body)
        try:
            await self._body
        finally:
            timer.cancel()
            self._body = None

    def close(self) -> None:
        """End the connection."""
        self.is_free = False
        if self._transport is not None:
            self._transport.abort()

    def _expire(self) -> None:
        if self._status is not None and not self._status.done():
            self._status.set_exception(TimeoutError())

    def _end_body(self) -> None:
        if self._body is not None and not self._body.done():
            self._body.set_result(None)

    def _break(self, error: Exception) -> None:
        if self._status is not None and not self._status.done():
            self._status.set_exception(error)
        self._end_body()
        self.close()

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        over = transport.get_extra_info("ssl_object")
        self.may_have_been_refused = over is not None and over.version() == "TLSv1.3"

    def connection_lost(self, why: Exception | None) -> None:
        """Let whoever waits know."""
        self._transport = None
        error = AnswerBroken() if self._received else Unanswered()
        error.__cause__ = why
        self._break(error)
        self._forget(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._status is None:
            # Nothing was asked.
            self.close()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_kept = False
        except httptools.HttpParserError:
            self._break(AnswerNotHttp())
            return
        if not self._status.done() and (self._received > LARGEST_HEAD or self._announced > MOST_ANNOUNCED):
            self._break(AnswerNotHttp())
        elif self._body_received > LARGEST_ANSWER or self._received > LARGEST_HEAD + 2 * LARGEST_ANSWER:
            self._end_body()
            self.close()

    # --- what the parser calls ---

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that says something."""
        if self._retry_after is None and name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Give the status to who waits for it."""
        status = self._parser.get_status_code()
        self._is_interim = 100 <= status < 200 and status != SWITCHING_PROTOCOLS
        self._announced += self._is_interim
        if not self._is_interim and self._status is not None and not self._status.done():
            self._status.set_result(status)

    def on_body(self, body: bytes) -> None:
        """Count what comes."""
        self._body_received += len(body)
        if len(self._start) < self._kept:
            self._start += body[: self._kept - len(self._start)]

    def on_message_complete(self) -> None:
        """End the answer, or a note that came before it."""
        if self._is_interim:
            self._retry_after = None
            return
        # What sends a second answer after the first could send it as the next one's.
        self._is_kept = not self._is_complete and self._parser.should_keep_alive()
        self._is_complete = True
        self._end_body()
