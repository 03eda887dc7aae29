"""The composition root: what the API and the workers are made of."""

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from socket import AF_INET, AF_INET6, create_server, socket

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.api import (
    agencies,
    agreements,
    endpoints,
    events,
    handoffs,
    health,
    reference,
    referrals,
    routing,
    service_requests,
)
from app.api.application import build
from app.api.server import Server
from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.domain.addresses import Reach
from app.domain.clock import BusinessClock
from app.observability import told_of
from app.settings import Settings
from app.storage import clocks, idempotency
from app.storage.database import Pool, is_passing, open_engine, sessions_of
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows import keep_history
from app.workflows.credit_outage import credit_outage
from app.workflows.desk import Terms
from app.workflows.run_clocks import run_due_clocks

ROUTERS: tuple[APIRouter, ...] = (
    referrals.router,
    handoffs.router,
    service_requests.router,
    routing.router,
    events.router,
    endpoints.router,
    agencies.router,
    agreements.router,
    agreements.publishing,
    reference.router,
)
"""The routers of the API, in the order in which the documents list them."""

log = structlog.get_logger()


def real_time() -> datetime:
    """Read the clock: the business clock of a service in earnest, and what leases and outages are counted by."""
    return datetime.now(UTC)  # noqa: TID251 - this is the entry point that reads it for all


@dataclass(frozen=True, slots=True)
class Service:
    """What the API and the workers of one process share."""

    settings: Settings
    engine: AsyncEngine
    health_engine: AsyncEngine
    """One connection of its own, so that a process which is busy does not look as if it were not ready."""
    sessions: async_sessionmaker[AsyncSession]
    key_ring: KeyRing
    reference: ReferenceKeeper
    clock: BusinessClock
    revision: str | None
    listen_url: str | None
    """The database's own address, for LISTEN; None where only a pooler is known, and polling has to do."""

    @property
    def terms(self) -> Terms:
        """What the operator has settled."""
        return Terms(
            public_url=self.settings.reached_at,
            outage_after=self.settings.outage_after,
            fallback_coordinator=self.settings.fallback_coordinator,
            reach=Reach(self.settings.webhook.allow_networks, self.settings.webhook.allow_http),
        )


def create_app(service: Service) -> FastAPI:
    """Compose the API."""
    limits = service.settings.rate_limit
    return build(
        ROUTERS,
        sessions=service.sessions,
        health_sessions=sessions_of(service.health_engine),
        key_ring=service.key_ring,
        reference=service.reference,
        clock=service.clock,
        terms=service.terms,
        revision=service.revision,
        requests_per_key=limits.per_key,
        failures_per_address=limits.failures_per_address,
    )


def compose(
    settings: Settings,
    *,
    url: str,
    key_ring: KeyRing,
    name: str,
    clock: BusinessClock = real_time,
    revision: str | None = None,
) -> Service:
    """Lay out a process; it connects when it first has something to do."""
    pool = Pool(
        size=settings.database.pool_size,
        overflow=settings.database.pool_overflow,
        statement=settings.database.statement_timeout,
        through_pgbouncer=settings.database.through_pgbouncer,
    )
    engine = open_engine(url, application_name=f"lintas {name}", pool=pool)
    moment = timedelta(seconds=health.DEADLINE)
    own = Pool(
        size=1,
        overflow=0,
        wait=moment,
        connect=moment,
        statement=moment,
        through_pgbouncer=settings.database.through_pgbouncer,
    )
    health_engine = open_engine(url, application_name=f"lintas {name} health", pool=own)
    direct = settings.database.listen_url
    listen_url = str(direct) if direct else None if settings.database.through_pgbouncer else url
    return Service(
        settings=settings,
        engine=engine,
        health_engine=health_engine,
        sessions=sessions_of(engine),
        key_ring=key_ring,
        reference=ReferenceKeeper(),
        clock=clock,
        revision=revision,
        listen_url=listen_url,
    )


def listen(host: str, port: int) -> socket:
    """Take a port; OSError if it is in use."""
    family = AF_INET6 if ":" in host else AF_INET
    return create_server((host, port), family=family, backlog=2048)


async def run(
    service: Service,
    *,
    listener: socket | None,
    workers: bool,
    on_ready: Callable[[], None] = lambda: None,
    parent: int | None = None,
) -> None:
    """Run API, workers or both until SIGINT, SIGTERM or SIGHUP, then end what is under way; a second signal hurries.

    With `parent`, the id of the process that started this one, its end is a signal too.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    try:
        async with asyncio.TaskGroup() as tasks:
            if listener is not None:
                tasks.create_task(serve(service, listener, stop, hurry, on_ready))
            if workers:
                tasks.create_task(work(service, stop))
            if parent is not None:
                tasks.create_task(_stop_with(parent, stop))
    finally:
        await service.engine.dispose()
        await service.health_engine.dispose()


async def _stop_with(parent: int, stop: asyncio.Event) -> None:
    """Stop when what started this process ends, or when the terminal it runs in is closed."""
    terminal = select.poll()
    if os.isatty(0):
        terminal.register(0, 0)
    while not stop.is_set():
        # A parent that leads the terminal's session may outlive a hang-up, and pass no signal on.
        if os.getppid() != parent or terminal.poll(0):
            log.info("stopping", signal="PARENT_GONE")
            stop.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)


async def serve(
    service: Service, listener: socket, stop: asyncio.Event, hurry: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Serve the API on a socket until told to stop, then let what is under way end."""
    settings = service.settings
    server = Server(
        create_app(service),
        on_ready,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        stop_within=settings.stop_within,
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
        ending = tasks.create_task(end())
        await server.serve([listener])
        ending.cancel()


async def work(service: Service, stop: asyncio.Event) -> None:
    """Run the workers until told to stop; any number of processes may do this at once."""

    async def run_clocks() -> None:
        async with service.sessions.begin() as tx:
            answering = await credit_outage(tx, outage_after=service.terms.outage_after)
        if answering:
            await run_due_clocks(service.sessions, service.reference, service.key_ring, service.terms, service.clock)

    async def forget_answers() -> None:
        forgotten = idempotency.AT_ONCE
        while forgotten == idempotency.AT_ONCE and not stop.is_set():
            async with service.sessions.begin() as tx:
                forgotten = await idempotency.forget_expired(tx)

    kept = service.settings.history_months

    async def make_months() -> None:
        await keep_history.make_months(service.sessions, now=real_time(), kept=kept)

    async def drop_months() -> None:
        await keep_history.drop_months(service.sessions, now=real_time(), kept=kept)

    async def sweep_queue() -> None:
        await keep_history.sweep_queue(service.sessions)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliver(service, stop))
        tasks.create_task(repeat("clocks", run_clocks, every=1.0, stop=stop))
        tasks.create_task(repeat("forget_answers", forget_answers, every=60.0, stop=stop))
        tasks.create_task(repeat("make_months", make_months, every=600.0, stop=stop))
        tasks.create_task(repeat("drop_months", drop_months, every=3600.0, stop=stop))
        tasks.create_task(repeat("sweep_queue", sweep_queue, every=60.0, stop=stop))


async def deliver(service: Service, stop: asyncio.Event) -> None:
    """Deliver what is due until told to stop, then let the posts under way end."""
    webhook = service.settings.webhook
    longest = webhook.total_timeout
    pace = Pace(
        lease=max(Pace().lease, 2 * longest + timedelta(seconds=10)),
        longest_post=longest,
        concurrency=webhook.concurrency,
        drain=service.settings.stop_within,
    )
    within = Deadlines(total=longest.total_seconds(), connect=webhook.connect_timeout.total_seconds())
    async with open_post(service.terms.reach, deadlines=within) as post, asyncio.TaskGroup() as tasks:
        dispatcher = Dispatcher(
            service.sessions,
            service.key_ring,
            post,
            clock=real_time,
            pace=pace,
            listen_url=service.listen_url,
        )
        tasks.create_task(dispatcher.run())
        await stop.wait()
        dispatcher.stop()


async def repeat(name: str, job: Callable[[], Awaitable[object]], *, every: float, stop: asyncio.Event) -> None:
    """Do a job again and again until told to stop; when it fails, say so and go on."""
    while not stop.is_set():
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - the top of a loop that logs and goes on
            if is_passing(error):
                log.warning("worker_waits_for_database", worker=name, error=type(error).__name__)
            else:
                log.error("worker_failed", worker=name, **told_of(error))  # noqa: TRY400 - its message may hold anything
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
