"""The frame around every route under /v1: body, caller, idempotency, one transaction that ends before the answer."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import asked, json_body
from app.api.dependencies import RequireRole, reference
from app.api.deprecation import Deprecation, declared
from app.api.desk import told_of
from app.api.idempotency import slot
from app.api.json_body import JsonRequest
from app.api.presented import Lookup
from app.api.refusals import BodyTooLarge, BodyTooSlow, Unauthenticated, Unavailable
from app.api.refused import record_refusal, record_repeat
from app.api.scopes import scope_of
from app.api.strictness import check_nothing_sent, check_parameters
from app.api.validation import Judging, judged_by
from app.domain.caller import Caller, Scope
from app.domain.errors import DomainError, ScopeRequired
from app.storage.database import is_passing

IDEMPOTENT: dict[str, Any] = {"x-idempotency": "required"}
"""`openapi_extra` of a POST that must carry an Idempotency-Key."""
BY_KEY: dict[str, Any] = {"x-idempotency": "by_key"}
"""`openapi_extra` of a POST whose first answer is for the very key that it went to."""
KEY_EXPIRES = "Lintas-Key-Expires"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
READING = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger()


def v1_router(tag: str, *, changes_registry: bool = False, route_class: "type[LintasRoute] | None" = None) -> APIRouter:
    """Make a router whose routes lie under /v1 and stand in this frame."""
    route_class = route_class or (RegistryRoute if changes_registry else LintasRoute)
    return APIRouter(prefix="/v1", route_class=route_class, tags=[tag])


class LintasRoute(APIRoute):
    """A route that answers only what is committed: a 2xx is a promise kept."""

    changes_registry = False
    keeps_registry = False
    """Whether nobody else may change the registry meanwhile."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        if declared(endpoint) is not None:
            more["deprecated"] = True
        super().__init__(path, endpoint, **more)

    async def beforehand(self, request: Request) -> None:
        """Do what the route wants done for a caller who may ask, before its transaction begins: here, nothing."""

    @property
    def roles(self) -> tuple[RequireRole, ...]:
        """The roles that the route asks for, by its own parameters."""
        return asked.roles(self.dependant)

    @property
    def _idempotency(self) -> str | None:
        said: str | None = (self.openapi_extra or {}).get("x-idempotency")
        return said

    @property
    def scope(self) -> Scope:
        """The scope that a narrowed credential must hold."""
        (method,) = tuple(self.methods or ())
        return scope_of(method, self.path)

    def get_route_handler(self) -> Handler:
        """Put the frame around FastAPI's own handler."""
        handle = super().get_route_handler()
        asks = _Asks(
            roles=self.roles,
            scope=self.scope,
            query=asked.query_names(self.dependant),
            repeatable=asked.repeatable_names(self.dependant),
            body=asked.takes_body(self.dependant),
            idempotency_key=self._idempotency == IDEMPOTENT["x-idempotency"],
            answers_key=self._idempotency == BY_KEY["x-idempotency"],
            deprecation=declared(self.endpoint),
            path=self.path,
            beforehand=self.beforehand if type(self).beforehand is not LintasRoute.beforehand else None,
        )

        async def framed(request: Request) -> Response:
            if asks.deprecation is not None:
                request.state.own_headers = asks.deprecation.headers()
            request.state.changes_registry = self.changes_registry
            request.state.keeps_registry = self.keeps_registry
            try:
                return await _in_one_transaction(request, handle, asks)
            except DomainError as error:
                await record_refusal(request, error.code)
                raise
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("database_unavailable", error=type(error).__name__)
                raise Unavailable from None

        return framed


@dataclass(frozen=True, slots=True)
class _Asks:
    """What a route asks for."""

    roles: tuple[RequireRole, ...]
    scope: Scope
    query: frozenset[str]
    repeatable: frozenset[str]
    body: bool
    idempotency_key: bool
    answers_key: bool
    """Whether what it answers is for the caller's own key alone."""
    deprecation: Deprecation | None
    path: str
    beforehand: Callable[[Request], Coroutine[Any, Any, None]] | None

    def let_in(self, caller: Caller) -> None:
        """Let a caller pass, else RoleRequired or ScopeRequired."""
        for role in self.roles:
            role.check(caller)
        if not caller.reaches(self.scope):
            raise ScopeRequired(self.scope)


async def _in_one_transaction(request: Request, handle: Handler, asks: _Asks) -> Response:
    if not request.app.state.ring_checked.is_set():
        # Whether this process has the right keys is not known yet: what it sealed, others might never open.
        raise Unavailable
    # Before any transaction: to verify a token, its issuer may have to be asked for its keys.
    look_up: Lookup = await request.app.state.credentials.look_up(request.scope)
    # Read before a connection is taken: a slow caller holds none.
    body, refusal = await _body(request)
    if asks.beforehand is not None and refusal is None:
        async with request.app.state.sessions.begin() as tx:
            request.state.caller = await _authenticated(tx, look_up, request, asks)
        asks.let_in(request.state.caller)
        await asks.beforehand(request)
    async with request.app.state.sessions.begin() as tx:
        caller = await _authenticated(tx, look_up, request, asks)
        request.state.tx, request.state.caller, request.state.now = tx, caller, request.app.state.clock()
        if asks.deprecation is not None:
            log.info("deprecated_operation_used", route=asks.path, agency=caller.agency_code, key_id=caller.key_id)
        asks.let_in(caller)
        check_parameters(request, asks.query, asks.repeatable)
        if refusal is not None:
            raise refusal
        understood = JsonRequest(request.scope, request.receive)
        if body:
            json_body.check_media_type(request)
            understood.keep(body, json_body.parse(body))
        else:
            understood.keep(body, None)
        if not asks.body:
            check_nothing_sent(await understood.json())
        answer = await _answer(understood, body, handle, asks)
        if answer.status_code >= 400:
            await tx.rollback()
    if caller.ends_soon_at is not None:
        answer.headers[KEY_EXPIRES] = caller.ends_soon_at.isoformat()
    return answer


async def _answer(request: JsonRequest, body: bytes, handle: Handler, asks: _Asks) -> Response:
    if request.method in READING:
        return await handle(request)
    tx: AsyncSession = request.state.tx
    ring = request.app.state.key_ring
    place = None
    if request.method == "POST":
        caller, required = request.state.caller, asks.idempotency_key
        place = slot(request, body, caller, ring, required=required, by_key=asks.answers_key)
    if place is not None and (first := await place.first_answer(tx)) is not None:
        await record_repeat(request)
        return first
    with judged_by(Judging(request.state.now, await reference(request))):
        answer = await handle(request)
    if place is not None and 200 <= answer.status_code < 300:
        await place.keep(tx, answer, referral_id=told_of(request))
    return answer


async def _authenticated(tx: AsyncSession, look_up: Lookup, request: Request, asks: _Asks) -> Caller:
    caller = await look_up(tx)
    if caller is None:
        raise Unauthenticated(key_given=True)
    if caller.lineage_id is not None:
        request.app.state.key_uses.note(caller.key_id)
    open_to = frozenset(one for role in asks.roles for one in role.roles)
    return replace(caller, acting=caller.roles & open_to, request_id=request.state.request_id)


async def _body(request: Request) -> tuple[bytes, DomainError | None]:
    """Read the body; what is wrong with it waits until the caller is known."""
    if request.method in READING:
        return b"", None
    try:
        return await json_body.read(request), None
    except (BodyTooLarge, BodyTooSlow) as refusal:
        return b"", refusal


class RegistryRoute(LintasRoute):
    """A route whose writes change what referrals are decided by: it waits until none is being decided."""

    changes_registry = True
