"""The frame around every route under /v1: body, caller, idempotency, one transaction that ends before the answer."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import json_body
from app.api.dependencies import RequireRole, reference
from app.api.idempotency import slot
from app.api.json_body import JsonRequest
from app.api.refusals import BodyTooLarge, BodyTooSlow, Unauthenticated, Unavailable
from app.api.validation import Judging, judged_by
from app.domain.caller import Caller
from app.domain.errors import DomainError
from app.storage import api_keys
from app.storage.database import is_passing

IDEMPOTENT: dict[str, Any] = {"x-idempotency": "required"}
"""`openapi_extra` of a POST that must carry an Idempotency-Key."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
READING = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger()


def v1_router(tag: str, *, changes_registry: bool = False) -> APIRouter:
    """Make a router whose routes lie under /v1 and stand in this frame."""
    return APIRouter(prefix="/v1", route_class=RegistryRoute if changes_registry else LintasRoute, tags=[tag])


class LintasRoute(APIRoute):
    """A route that answers only what is committed: a 2xx is a promise kept."""

    changes_registry = False

    @property
    def roles(self) -> tuple[RequireRole, ...]:
        """The roles that the route asks for, by its own parameters."""
        return tuple(_roles(self.dependant))

    def get_route_handler(self) -> Handler:
        """Put the frame around FastAPI's own handler."""
        handle = super().get_route_handler()
        roles = self.roles
        required = (self.openapi_extra or {}).get("x-idempotency") == "required"

        async def framed(request: Request) -> Response:
            request.state.changes_registry = self.changes_registry
            try:
                return await _in_one_transaction(request, handle, roles, idempotency_required=required)
            except DomainError:
                raise
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("database_unavailable", error=type(error).__name__)
                raise Unavailable from None

        return framed


async def _in_one_transaction(
    request: Request, handle: Handler, roles: tuple[RequireRole, ...], *, idempotency_required: bool
) -> Response:
    secret = _secret(request)
    # Read before a connection is taken: a slow caller holds none.
    body, refusal = await _body(request)
    async with request.app.state.sessions.begin() as tx:
        caller = await _authenticated(tx, secret)
        request.state.tx, request.state.caller, request.state.now = tx, caller, request.app.state.clock()
        for role in roles:
            role.check(caller)
        if refusal is not None:
            raise refusal
        understood = JsonRequest(request.scope, request.receive)
        if body:
            json_body.check_media_type(request)
            understood.keep(body, json_body.parse(body))
        else:
            understood.keep(body, None)
        answer = await _answer(understood, body, handle, required=idempotency_required)
        if answer.status_code >= 400:
            await tx.rollback()
    return answer


async def _answer(request: JsonRequest, body: bytes, handle: Handler, *, required: bool) -> Response:
    if request.method in READING:
        return await handle(request)
    tx: AsyncSession = request.state.tx
    ring = request.app.state.key_ring
    place = slot(request, body, request.state.caller, ring, required=required) if request.method == "POST" else None
    if place is not None and (first := await place.first_answer(tx)) is not None:
        return first
    with judged_by(Judging(request.state.now, await reference(request))):
        answer = await handle(request)
    if place is not None and 200 <= answer.status_code < 300:
        await place.keep(tx, answer)
    return answer


def _secret(request: Request) -> str:
    given = request.headers.getlist("authorization")
    scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > 500:
        raise Unauthenticated(key_given=False)
    return secret


async def _authenticated(tx: AsyncSession, secret: str) -> Caller:
    caller = await api_keys.caller_of(tx, secret)
    if caller is None:
        raise Unauthenticated(key_given=True)
    return caller


async def _body(request: Request) -> tuple[bytes, DomainError | None]:
    """Read the body; what is wrong with it waits until the caller is known."""
    if request.method in READING:
        return b"", None
    try:
        return await json_body.read(request), None
    except (BodyTooLarge, BodyTooSlow) as refusal:
        return b"", refusal


def _roles(dependant: Dependant) -> Iterator[RequireRole]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, RequireRole):
            yield inner.call
        yield from _roles(inner)


class RegistryRoute(LintasRoute):
    """A route whose writes change what referrals are decided by: it waits until none is being decided."""

    changes_registry = True
