"""The composition root: what the API is made of, and how a process serves it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from socket import AF_INET, AF_INET6, create_server, socket

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.pool import QueuePool

from app import metrics, tracing
from app.api import (
    agencies,
    agreements,
    deliveries,
    endpoint_equipment,
    endpoint_health,
    endpoints,
    events,
    handoffs,
    keys,
    proposals,
    reach,
    recoveries,
    reference,
    referrals,
    rights,
    routing,
    service_requests,
    statistics,
    well_known,
)
from app.api.application import build
from app.api.contract import prepared
from app.api.issuer_keys import HttpKeySource, Issuer, IssuerKeys
from app.api.proxies import CertificateHeader
from app.api.rate_limit import Buckets
from app.api.server import Server
from app.api.tokens import Tokens
from app.api.watched import measure_loop, watched
from app.console.console import Console
from app.console.pages.everything import ROUTERS as PAGES
from app.console.provider import Client, Provider
from app.domain.access_token import TokenTerms
from app.domain.id_token import SignInTerms
from app.service import Service, session_terms_of
from app.settings import SignInSettings, TokenSettings
from app.storage import clocks, signals
from app.storage.database import sessions_of
from app.workers import repeat

ROUTERS: tuple[APIRouter, ...] = (
    referrals.router,
    handoffs.router,
    service_requests.router,
    rights.router,
    routing.router,
    events.router,
    endpoints.router,
    endpoint_equipment.router,
    endpoint_health.router,
    deliveries.router,
    recoveries.router,
    agencies.router,
    reach.router,
    keys.router,
    agreements.router,
    agreements.checking,
    agreements.publishing,
    proposals.router,
    proposals.confirming,
    reference.router,
    statistics.router,
    well_known.router,
)
"""The routers of the API, in the order in which the documents list them."""
SAYS_SANDBOX = (("Lintas-Sandbox", "true"),)
"""On every answer of a sandbox, so that nobody takes it for the real thing."""
LONGEST_ID_TOKEN = timedelta(hours=24)
"""From an ID token's issue to its end; it is looked at once, when it comes."""
LOOK_EVERY = 5.0
"""Seconds between two looks whether the issuer's keys are still fresh."""

SENT_WITHIN = 20
"""Twentieths of a second in which the last spans may be sent."""

log = structlog.get_logger()


def create_app(service: Service) -> FastAPI:
    """Compose the API."""
    limits, by = service.settings.rate_limit, service.settings.certificates
    console = console_in(service)
    api = build(
        ROUTERS if console is None else (*ROUTERS, *PAGES),
        sessions=service.sessions,
        readying=service.readying,
        key_ring=service.key_ring,
        ring_checked=service.ring_checked,
        reference=service.reference,
        clock=service.clock,
        terms=service.terms,
        revision=service.revision,
        requests_per_key=limits.per_key,
        failures_per_address=limits.failures_per_address,
        key_uses=service.key_uses,
        tokens=tokens_of(service.settings.tokens),
        forwarding=service.settings.forwarded_allow_ips,
        certificates=None if by.header is None else CertificateHeader(by.header, by.form, by.proxies),
        real_clock=service.real_clock,
        docs=service.settings.docs,
        prepared=prepared(),
    )
    api.state.console = console
    return api


def console_in(service: Service) -> Console | None:
    """Lay out the console; None where it is off."""
    settings = service.settings
    if not settings.console:
        return None
    limits = settings.rate_limit
    return Console(
        # By the clock of this machine, as a browser's cookies are: a sandbox's is moved.
        real_clock=service.signing_clock,
        sessions=session_terms_of(settings),
        leave_to=settings.sign_in.leave_to,
        provider=provider_of(settings.sign_in),
        links=settings.is_trial or service.sandbox,
        requests=Buckets(limits.per_key, time.monotonic) if limits.per_key else None,
        failures=Buckets(limits.failures_per_address, time.monotonic) if limits.failures_per_address else None,
    )


def provider_of(settings: SignInSettings) -> Provider | None:
    """Say where people sign in; None where there is no provider."""
    if settings.issuer is None or settings.client_id is None:
        return None
    terms = SignInTerms(
        issuer=settings.issuer,
        client_id=settings.client_id,
        algorithms=frozenset(settings.algorithms),
        agency_claim=settings.agency_claim,
        roles_claim=settings.roles_claim,
        leeway=settings.leeway,
        longest_life=LONGEST_ID_TOKEN,
    )
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    client = Client(settings.client_id, secret, settings.scope, settings.asks_again)
    issuer = Issuer(settings.issuer, allow_http=settings.issuer.startswith("http://"))
    return Provider(issuer, client, terms, clock=time.monotonic)


def tokens_of(settings: TokenSettings) -> Tokens | None:
    """Say how tokens of the outside issuer are verified; None where none are taken."""
    if settings.issuer is None or settings.audience is None:
        return None
    terms = TokenTerms(
        issuer=settings.issuer,
        audience=settings.audience,
        algorithms=frozenset(settings.algorithms),
        types=frozenset(settings.types),
        agency_claim=settings.agency_claim,
        roles_claim=settings.roles_claim,
        scope_claim=settings.scope_claim,
        leeway=settings.leeway,
        longest_life=settings.longest_life,
    )
    source = HttpKeySource(Issuer(settings.issuer, settings.key_set_url, allow_http=settings.on_this_machine))
    keys = IssuerKeys(
        source,
        clock=time.monotonic,
        fresh_for=settings.keys_fresh_for.total_seconds(),
        good_for=settings.keys_good_for.total_seconds(),
    )
    return Tokens(terms, keys)


def listen(host: str, port: int) -> socket:
    """Take a port; OSError if it is in use."""
    family = AF_INET6 if ":" in host else AF_INET
    return create_server((host, port), family=family, backlog=2048)


async def serve(
    service: Service, listener: socket, stop: asyncio.Event, hurry: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Serve the API on a socket until told to stop, then let what is under way end."""
    settings = service.settings
    api = create_app(service)
    server = Server(
        api,
        on_ready,
        # Who waits for the database loses its connection first, and can still be answered.
        stop_within=settings.stop_within + timedelta(seconds=1),
        headers=SAYS_SANDBOX if service.sandbox else (),
    )

    async def beat() -> None:
        async with service.sessions.begin() as tx:
            await clocks.beat(tx, api=True)

    async def end() -> None:
        await stop.wait()
        server.should_exit = True
        await hurry.wait()
        server.force_exit = True

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(repeat("api_beat", beat, every=1.0, stop=stop))
        tasks.create_task(repeat("key_uses", partial(service.key_uses.write, service.sessions), every=10.0, stop=stop))
        if (tokens := api.state.credentials.tokens) is not None:
            tasks.create_task(repeat("issuer_keys", tokens.keys.refresh, every=LOOK_EVERY, stop=stop))
        provider = api.state.console.provider if api.state.console is not None else None
        if provider is not None:
            tasks.create_task(repeat("provider", provider.refresh, every=LOOK_EVERY, stop=stop))
        ending = tasks.create_task(end())
        await server.serve([listener])
        ending.cancel()
        if tokens is not None:
            tokens.keys.close()
        if provider is not None:
            provider.close()
    try:
        await service.key_uses.write(service.sessions)
    except Exception as error:  # noqa: BLE001 - a stop ends whatever the database does
        log.warning("key_uses_lost", error=type(error).__name__)


@asynccontextmanager
async def shown(service: Service, listener: socket | None) -> AsyncIterator[None]:
    """Show on a socket, while something is done, how this process is and what it counts; without one, do nothing."""
    if listener is None:
        yield
        return
    count = sessions_of(service.health_engine)

    async def look() -> list[signals.Sample]:
        async with count.begin() as tx:
            return await signals.look(tx, now=service.clock(), real_now=service.real_clock())

    metrics.BUILD.labels(version("lintas"), service.process.partition(" ")[0]).set(1)
    server = Server(
        watched(service.readying, look, before=partial(_read_off, service)),
        partial(log.info, "watched", port=listener.getsockname()[1]),
        stop_within=timedelta(seconds=1),
    )
    over = asyncio.Event()
    tasks = [asyncio.create_task(server.serve([listener])), asyncio.create_task(measure_loop(over))]
    try:
        yield
    finally:
        over.set()
        server.should_exit = server.force_exit = True
        _, late = await asyncio.wait(tasks, timeout=1)
        for task in late:
            task.cancel()


@asynccontextmanager
async def traced(service: Service) -> AsyncIterator[None]:
    """Trace what is done, where the settings ask for it, and in the end wait a moment for what is left to be sent."""
    of = service.settings.tracing
    if of.endpoint is None:
        yield
        return
    # A hundred modules, which nobody loads who does not trace.
    from app.otlp import Otlp  # noqa: PLC0415

    at = str(of.endpoint)
    otlp = Otlp(
        at if (of.endpoint.path or "/") != "/" else f"{at.rstrip('/')}/v1/traces",
        share=of.share,
        process=service.process.partition(" ")[0],
        instance=service.id,
        version=version("lintas"),
    )
    tracing.tell_by(otlp)
    try:
        yield
    finally:
        tracing.tell_by(None)
        sending, left = otlp.end(), SENT_WITHIN
        while sending.is_alive() and left > 0:
            await asyncio.sleep(0.05)
            left -= 1


def _read_off(service: Service) -> None:
    pool = service.engine.sync_engine.pool
    if isinstance(pool, QueuePool):
        metrics.POOL.labels("in_use").set(pool.checkedout())
        metrics.POOL.labels("idle").set(pool.checkedin())
    metrics.POOL_SIZE.set(service.settings.database.pool_size + service.settings.database.pool_overflow)
