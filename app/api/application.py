"""The API put together: routes in their frame, middleware around them, every error a problem."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import Pattern

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import compile_path

from app import tracing
from app.api import contract, health
from app.api.contract import Contract
from app.api.docs import routes as manual
from app.api.key_uses import KeyUses
from app.api.middleware import HeadAsGet, LastResort, RequestLog, SecurityHeaders
from app.api.presented import Credentials
from app.api.problems import on_domain_error, on_http_exception, on_invalid_request
from app.api.proxies import CertificateHeader, Networks, Proxies
from app.api.rate_limit import RateLimit
from app.api.readying import Process, Readying
from app.api.tokens import Tokens
from app.api.tracing import Traced
from app.api.validation import ReferenceSource
from app.domain.analysis import check
from app.domain.clock import BusinessClock
from app.domain.errors import DomainError
from app.storage.sealing import KeyRing
from app.workflows.check_document import Check
from app.workflows.desk import Terms

API_VERSION = "1"


@dataclass(frozen=True, slots=True)
class RouteAt:
    """A path and what may be done there."""

    regex: Pattern[str]
    methods: frozenset[str]


def build(
    routers: Iterable[APIRouter],
    *,
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    ring_checked: asyncio.Event | None = None,
    reference: ReferenceSource,
    clock: BusinessClock,
    terms: Terms,
    revision: str | None = None,
    check: Check = check,
    requests_per_key: int = 0,
    failures_per_address: int = 0,
    tokens: Tokens | None = None,
    forwarding: Networks = (),
    certificates: CertificateHeader | None = None,
    real_clock: BusinessClock | None = None,
    key_uses: KeyUses | None = None,
    docs: bool = True,
    prepared: bytes | None = None,
    readying: Readying | None = None,
) -> FastAPI:
    """Build the API; `revision` is the migration the database must stand at, None is whichever; 0 is no limit.

    With `readying`, that is who looks whether the process is ready. `forwarding` are the proxies whose word for an
    address is taken. `real_clock` is what tokens and certificates are judged by, where `clock` is set.
    With `ring_checked`, nothing is sealed or opened until it is set. `docs` serves the manual at /docs.
    `prepared` is the contract of these routers as it was written before; None has it worked out when it is asked for.
    """
    api = FastAPI(
        title="Lintas",
        version=API_VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_named_as_written,
        middleware=[
            Middleware(Proxies, forwarding=forwarding, certificates=certificates),
            *((Middleware(Traced),) if tracing.is_on() else ()),
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(
                RateLimit, per_key=requests_per_key, failures_per_address=failures_per_address, clock=time.monotonic
            ),
            Middleware(LastResort),
            Middleware(HeadAsGet),
        ],
        exception_handlers={
            DomainError: on_domain_error,
            RequestValidationError: on_invalid_request,
            HTTPException: on_http_exception,
        },
    )
    api.state.sessions = sessions
    api.state.credentials = Credentials(
        sessions, clock=real_clock or clock, tokens=tokens, certificates=certificates, sandbox=terms.sandbox
    )
    api.state.key_ring = key_ring
    api.state.ring_checked = ring_checked or _is_so()
    api.state.reference = reference
    api.state.clock = clock
    api.state.terms = terms
    api.state.revision = revision
    api.state.check = check
    api.state.key_uses = key_uses or KeyUses(clock)
    api.state.readying = readying or Readying(Process(sessions, key_ring, api.state.ring_checked, reference, revision))
    for router in (*routers, health.router, contract.router, *((manual.router,) if docs else ())):
        api.include_router(router)
    api.state.route_table = tuple(route_table(api))
    api.state.contract = Contract(api, prepared)
    api.openapi = lambda: api.state.contract.document  # type: ignore[method-assign]
    return api


def _is_so() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def route_table(api: FastAPI) -> Iterator[RouteAt]:
    """List the paths of an API, and what may be done there."""
    for context in iter_route_contexts(api.routes):
        if isinstance(context.original_route, APIRoute) and context.path is not None:
            regex, _, _ = compile_path(context.path)
            yield RouteAt(regex, frozenset(context.methods or ()))


def _named_as_written(route: APIRoute) -> str:
    return route.name
