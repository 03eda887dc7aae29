"""What happens to every request and answer alike, in pure ASGI: a cancelled request leaks nothing through it."""

import asyncio
import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from uuid_utils.compat import uuid7

from app import metrics
from app.api.problems import problem, unexpected
from app.api.refusals import Unavailable
from app.observability import told_of

log = structlog.get_logger()

# An id of a kind that programs make, and no word, name or number that a person might have put there: of digits alone
# it could be a citizen's number and a family's, and what is made by chance hardly ever is.
WELL_FORMED = re.compile(
    r"(?=.*[A-Za-z])([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[0-7][0-9A-HJKMNP-TV-Z]{25})\Z"
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that are told by their names."""

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class RequestLog:
    """Gives each request an id, answers it back, and writes one line when the request is over."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = _request_id(scope)
        status = 499
        started = time.perf_counter()

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = message.setdefault("headers", [])
                told.append((b"x-request-id", request_id.encode()))
                # What a route says of itself stands on its refusals too (app/api/deprecation.py).
                told += [
                    (name.lower().encode(), value.encode()) for name, value in state.get("own_headers", {}).items()
                ]
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answered)
            finally:
                _log_request(scope, state, status, started)


class SecurityHeaders:
    """Adds to every answer the headers that keep browsers and caches away from it, where it has none of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                there = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in SECURITY_HEADERS if name not in there]
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


class LastResort:
    """Answers what nobody else caught, and logs it by class and place, never by its message."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except ClientDisconnect:
            log.info("client_left")
        except asyncio.CancelledError:
            # The service stops and waits no longer. What became of it nobody knows; a repeat with its key is safe.
            if begun:
                raise
            log.warning("request_cut_off")
            await problem(scope, Unavailable())(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the top of the stack: nothing may leave it but a problem
            log.error("request_broke", **told_of(error))  # noqa: TRY400 - the message may hold anything
            if begun:
                raise AnswerBrokeOff from None
            await unexpected(scope)(scope, receive, send)


class HeadAsGet:
    """Answers HEAD wherever GET is answered, with the same headers and no body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = {**scope, "method": "GET"}
        try:
            await self.app(asked, receive, without_body)
        finally:
            scope["route"] = asked.get("route")


class AnswerBrokeOff(Exception):
    """The answer cannot be finished; the server closes the connection."""


def method_of(scope: Scope) -> str:
    """Name a request's method where it is one of HTTP; a caller's own could be anybody's name, and is told as ?."""
    method: str = scope["method"]
    return method if method in METHODS else "?"


def _request_id(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    text = given[0].decode("latin-1") if len(given) == 1 else ""
    return text if WELL_FORMED.match(text) else str(uuid7())


def _log_request(scope: Scope, state: MutableMapping[str, Any], status: int, started: float) -> None:
    route = getattr(scope.get("route"), "path_format", None) or "unmatched"
    caller = state.get("caller")
    seconds = time.perf_counter() - started
    method = method_of(scope)
    is_health = route.startswith("/health")
    if not is_health:
        _count_request(method, route, status, seconds)
    write = log.debug if is_health else log.info
    desk = state.get("desk")
    write(
        "request",
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        agency=getattr(caller, "agency_code", None),
        key_id=getattr(caller, "key_id", None),
        # The case that the answer tells of; of a list, none.
        referral_id=next(iter(desk.told_of), None) if desk is not None else None,
    )


def _count_request(method: str, route: str, status: int, seconds: float) -> None:
    # Whoever asks for what is not there chooses the method: it is no label of ours.
    known = "other" if route == "unmatched" else method
    metrics.REQUESTS.labels(known, route, f"{status // 100}xx").observe(seconds)
