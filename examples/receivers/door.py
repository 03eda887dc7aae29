"""The way between Lintas and a receiver, in one direction: it carries posts, notes them, and can hold or lose some."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from examples.receivers.languages import HOST

OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-encoding", "date", "server"})
"""Headers that belong to one connection and not to what is carried."""
LOST = 502


class Fate(StrEnum):
    """What becomes of a request that a rule is about."""

    HELD = "held"
    """It is carried once it is let go."""
    LOST = "lost"
    """It does not arrive, and is answered with 502."""
    UNANSWERED = "unanswered"
    """It arrives, and its answer is lost: 502."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A request that came to the door, and the status with which it was answered."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def news(self) -> dict[str, Any]:
        """Give the body of a webhook."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(eq=False, slots=True)
class Rule:
    """What is done with some requests until it is lifted."""

    fate: Fate
    about: Callable[[str, bytes], bool]
    lifted: asyncio.Event = field(default_factory=asyncio.Event)
    met: int = 0

    def lift(self) -> None:
        """Carry what is held, and what comes from now on."""
        self.lifted.set()


class Door:
    """It listens on a free port, and carries to another."""

    def __init__(self, to_port: int) -> None:
        self._to = f"http://{HOST}:{to_port}"
        self._rules: list[Rule] = []
        self.carried: list[Carried] = []
        self.noting: Callable[[Carried], None] | None = None
        """Called when there is an answer, before it goes on to who asked."""
        self.port = 0

    def rule(self, fate: Fate, about: Callable[[str, bytes], bool] = lambda _path, _body: True) -> Rule:
        """Let requests that something is true of, by their path and body, meet a fate."""
        made = Rule(fate, about)
        self._rules.append(made)
        return made

    def of(self, webhook_id: str) -> list[Carried]:
        """List the posts of one webhook."""
        return [one for one in self.carried if one.headers.get("webhook-id") == webhook_id]

    async def __aenter__(self) -> Self:
        # A connection for each: one that is kept may lead to a process that has been killed.
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), auto_decompress=False)
        self._runner = web.ServerRunner(web.Server(self._carry), shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rule in self._rules:
            rule.lift()
        await self._runner.cleanup()
        await self._client.close()

    async def _carry(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        rule = next((one for one in self._rules if not one.lifted.is_set() and one.about(request.path, body)), None)
        if rule is not None:
            rule.met += 1
            if rule.fate is Fate.HELD:
                await rule.lifted.wait()
        status, answer, headers = LOST, b"", dict[str, str]()
        if rule is None or rule.fate is not Fate.LOST:
            status, answer, headers = await self._ask(request, body)
            if rule is not None and rule.fate is Fate.UNANSWERED:
                status, answer, headers = LOST, b"", {}
        sent = {name.lower(): value for name, value in request.headers.items()}
        self.carried.append(Carried(request.method, request.path, sent, body, status))
        if self.noting is not None:
            self.noting(self.carried[-1])
        return web.Response(status=status, body=answer, headers=headers)

    async def _ask(self, request: web.BaseRequest, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN}
        try:
            async with self._client.request(
                request.method, f"{self._to}{request.raw_path}", data=body, headers=headers, allow_redirects=False
            ) as answer:
                carried = {name: value for name, value in answer.headers.items() if name.lower() not in OWN}
                return answer.status, await answer.read(), carried
        except aiohttp.ClientError:
            return LOST, b"", {}
