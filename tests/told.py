"""Listens to all that a service answers, and finds what its description does not tell of."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.application import build
from app.api.description.headers import HEADERS
from app.api.description.problems import codes_in
from app.main import ROUTERS
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms

WORTH_TELLING = frozenset(name.lower() for name in HEADERS)
"""The headers that the description knows of."""


class Nowhere:
    """Stands for the reference data, of which a description needs nothing."""

    version: int | None = None

    async def current(self, _: AsyncSession, /, *, to_change: bool = False) -> object:  # noqa: ARG002
        """Give nothing in particular."""
        return self


@cache
def description() -> dict[str, Any]:
    """Give the document of the service, as it is written to openapi/openapi.json."""
    api = build(
        ROUTERS,
        sessions=async_sessionmaker[AsyncSession](),
        key_ring=KeyRing.generate("none"),
        reference=Nowhere(),
        clock=lambda: datetime(2025, 3, 4, 1, 0, tzinfo=UTC),
        terms=Terms(),
    )
    return api.openapi()


@cache
def answers() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Give which problems each operation tells of, by its id and the status; none where the answer is good."""
    document = description()
    shared = document["components"]["responses"]
    return {
        operation["operationId"]: {
            status: codes_in(shared[said["$ref"].rpartition("/")[2]] if "$ref" in said else said)
            for status, said in operation["responses"].items()
        }
        for path in document["paths"].values()
        for operation in path.values()
    }


@cache
def told_headers() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Give which headers each operation tells of, by its id and the status."""
    document = description()
    shared = document["components"]["responses"]
    return {
        operation["operationId"]: {
            status: frozenset(
                name.lower()
                for name in (shared[said["$ref"].rpartition("/")[2]] if "$ref" in said else said).get("headers", {})
            )
            for status, said in operation["responses"].items()
        }
        for path in document["paths"].values()
        for operation in path.values()
    }


class Told:
    """Passes everything on, and keeps what was answered and is not told of: operation, status, code or header."""

    def __init__(self, app: ASGIApp, untold: set[tuple[str, int, str | None]]) -> None:
        self.app = app
        self.untold = untold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        status, body, headers = 0, b"", frozenset[str]()

        async def heard(message: Message) -> None:
            nonlocal status, body, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = frozenset(name.decode().lower() for name, _ in message.get("headers", ()))
            elif status >= 400:
                body += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, heard)
        operation = answers().get(getattr(scope.get("route"), "name", ""))
        # That an address takes no such method is told once, for all of them.
        if operation is None or status == HTTPStatus.METHOD_NOT_ALLOWED:
            return
        code = json.loads(body).get("code") if body else None
        told = operation.get(str(status))
        if told is None or (code is not None and code not in told):
            self.untold.add((scope["route"].name, status, code))
        for header in headers & WORTH_TELLING - told_headers()[scope["route"].name].get(str(status), frozenset()):
            self.untold.add((scope["route"].name, status, header))
