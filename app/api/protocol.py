"""HTTP as it comes off the wire: how large and slow a head may be, one Host, and one way to read where it ends."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import structlog
from uuid_utils.compat import uuid7
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.middleware import SECURITY_HEADERS
from app.api.problems import problem
from app.api.refusals import HeadTooLarge, MalformedRequest, Refusal

LARGEST_HEAD = 64 * 1024
LARGEST_REQUEST = 8 * 1024 * 1024
"""Far more than any body that is read, chunked as badly as may be: only trailers and the like can be longer."""
SLOWEST_HEAD = 20.0
"""Seconds from the first byte of a request, or from connecting, until its headers are complete."""

HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(:[0-9]{0,5})?\Z")
VERSIONS = frozenset({"1.0", "1.1"})

log = structlog.get_logger()


class _Refused(Exception):
    """Raised within the parser, which then stops."""


class StrictProtocol(HttpToolsProtocol):
    """Reads requests whose head has an end, in size and in time, and answers those that are none as problems."""

    refusal: Refusal | None = None
    head_timer: asyncio.TimerHandle | None = None
    in_head = True
    ended = 0
    """Heads and bodies that came in whole."""
    unended = 0
    """Bytes that came in of a head which has not ended."""
    said = 0
    """Bytes of the head as the parser tells them."""
    received = 0
    """Bytes that came in since a head last began."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless it is more than a request has."""
        if self.transport.is_closing():
            return
        if self.in_head or self.cycle is None or self.cycle.response_complete:
            # Also what comes after an answer, and is no request yet.
            self._await_head()
        ended, self.received = self.ended, self.received + len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.in_head and ended == self.ended:
            # What ended a body is none of the next head.
            self.unended += len(data)
        if self.unended > LARGEST_HEAD:
            self._refuse(HeadTooLarge())
        elif self.received > LARGEST_REQUEST:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.said = self.received = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. After the head come trailers, which are never taken for headers."""
        if self.in_head:
            self._count(len(name) + len(value) + 4)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request, if it says for which host it is (RFC 9112, 3.2) and is framed as all would read it."""
        if not self._has_one_host() or not self._is_framed_plainly():
            self._stop(MalformedRequest())
        self.in_head, self.unended = False, 0
        self.ended += 1
        self._end_wait()
        super().on_headers_complete()
        if self.parser.should_upgrade():
            # Nothing here speaks anything else; the parser takes what follows for that, and reads no request of it.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Be ready for another request."""
        self.in_head = True
        self.ended += 1
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what uvicorn says in plain text
        """Answer what the parser could not read."""
        self._refuse(self.refusal or MalformedRequest())

    def _has_one_host(self) -> bool:
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() == "1.0"
        return len(hosts) == 1 and HOST.match(hosts[0]) is not None

    def _is_framed_plainly(self) -> bool:
        """Say whether no proxy could find the end of the request elsewhere: the parser alone is kinder than that."""
        version = self.parser.get_http_version()
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        chunked = len(codings) == 1 and codings[0].strip().lower() == b"chunked" and version == "1.1"
        return version in VERSIONS and (chunked or not codings)

    def _count(self, length: int) -> None:
        self.said += length
        if self.said > LARGEST_HEAD:
            self._stop(HeadTooLarge())

    def _stop(self, refusal: Refusal) -> None:
        self.refusal = refusal
        raise _Refused

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and close, if no other answer is due here: it would be taken for this one."""
        under_way = self.cycle is not None and not self.cycle.response_complete
        if not under_way or not (self.in_head or self.pipeline or self.cycle.response_started):
            self.transport.write(self._written(refusal))
        self.transport.close()

    def _written(self, refusal: Refusal) -> bytes:
        request_id = str(uuid7())
        headers: list[tuple[bytes, bytes]] = self.headers or []
        scope: dict[str, Any] = {"headers": headers, "state": {"request_id": request_id}}
        answer = problem(scope, refusal)
        log.info("request", request_id=request_id, method="?", route="unread", status=answer.status_code)
        said = [
            *self.server_state.default_headers,
            *answer.raw_headers,
            *SECURITY_HEADERS,
            (b"x-request-id", request_id.encode()),
        ]
        lines = b"".join(b"%b: %b\r\n" % line for line in said)
        status = f"HTTP/1.1 {answer.status_code} {HTTPStatus(answer.status_code).phrase}\r\n".encode()
        return status + lines + b"\r\n" + bytes(answer.body)

    def _await_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(SLOWEST_HEAD, self.timeout_keep_alive_handler)

    def _end_wait(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
