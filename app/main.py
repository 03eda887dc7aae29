"""The composition root: what the API and the workers are made of."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import AF_INET, AF_INET6, create_server, socket

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.api import (
    agencies,
    agreements,
    deliveries,
    endpoint_equipment,
    endpoint_health,
    endpoints,
    events,
    handoffs,
    health,
    recoveries,
    reference,
    referrals,
    routing,
    service_requests,
    statistics,
    well_known,
)
from app.api.application import build
from app.api.server import Server
from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.domain.addresses import Reach
from app.domain.clock import BusinessClock
from app.observability import told_of
from app.settings import Settings
from app.storage import clocks, due_times, idempotency
from app.storage.database import Pool, is_passing, open_engine, sessions_of
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.shared_clock import SharedClock
from app.workflows import keep_history
from app.workflows.credit_outage import credit_outage
from app.workflows.desk import Terms
from app.workflows.draw_statistics import draw_settled_months
from app.workflows.link_audit import Said, link_audit
from app.workflows.run_clocks import run_due_clocks
from app.workflows.run_recoveries import run_due_recoveries

ROUTERS: tuple[APIRouter, ...] = (
    referrals.router,
    handoffs.router,
    service_requests.router,
    routing.router,
    events.router,
    endpoints.router,
    endpoint_equipment.router,
    endpoint_health.router,
    deliveries.router,
    recoveries.router,
    agencies.router,
    agreements.router,
    agreements.checking,
    agreements.publishing,
    reference.router,
    statistics.router,
    well_known.router,
)
"""The routers of the API, in the order in which the documents list them."""

KEPT_OF_ANSWERS = 1024
"""Bytes of an answer that are kept where the operator asks for it."""
RECOVERING_EVERY = 0.05
"""Seconds between two steps of a recovery that moves."""

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
    real_clock: SharedClock
    """What deliveries are scheduled and signed by; the business clock too, where none is set."""
    revision: str | None
    listen_url: str | None
    """The database's own address, for LISTEN; None where only a pooler is known, and polling has to do."""

    @property
    def terms(self) -> Terms:
        """What the operator has settled."""
        return Terms(
            public_url=self.settings.reached_at,
            outage_after=self.settings.outage_after,
            confirm_vital_interest=self.settings.confirm_vital_interest,
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
    clock: BusinessClock | None = None,
    machine_clock: BusinessClock = real_time,
    revision: str | None = None,
) -> Service:
    """Lay out a process; it connects when it first has something to do.

    `clock` is a business clock that is set, in a demonstration or a test; `machine_clock` is the clock of this machine.
    """
    pool = Pool(
        size=settings.database.pool_size,
        overflow=settings.database.pool_overflow,
        statement=settings.database.statement_timeout,
        through_pgbouncer=settings.database.through_pgbouncer,
    )
    engine = open_engine(url, application_name=f"lintas {name}", pool=pool)
    real_clock = SharedClock(machine_clock)
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
        clock=clock or real_clock,
        real_clock=real_clock,
        revision=revision,
        listen_url=listen_url,
    )


def listen(host: str, port: int) -> socket:
    """Take a port; OSError if it is in use."""
    family = AF_INET6 if ":" in host else AF_INET
    return create_server((host, port), family=family, backlog=2048)


async def serve(
    service: Service, listener: socket, stop: asyncio.Event, hurry: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Serve the API on a socket until told to stop, then let what is under way end."""
    settings = service.settings
    server = Server(
        create_app(service),
        on_ready,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        # Who waits for the database loses its connection first, and can still be answered.
        stop_within=settings.stop_within + timedelta(seconds=1),
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
    link = partial(link_audit, service.sessions, service.key_ring, Said(), is_stopped=stop.is_set)
    draw_statistics = partial(draw_settled_months, service.sessions, service.reference, service.clock)
    jobs: tuple[tuple[str, Callable[[], Awaitable[object]], float], ...] = (
        ("bring_near", partial(_bring_near, service), 60.0),
        ("audit_chain", link, 0.5),
        ("clocks", partial(_run_clocks, service), 1.0),
        ("recoveries", partial(_recover, service, stop), 1.0),
        ("forget_answers", partial(_forget_answers, service, stop), 60.0),
        ("make_months", partial(_make_months, service), 600.0),
        ("drop_months", partial(_drop_months, service), 3600.0),
        ("sweep_queue", partial(keep_history.sweep_queue, service.sessions), 60.0),
        ("statistics", draw_statistics, 600.0),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliver(service, stop))
        for name, job, every in jobs:
            tasks.create_task(repeat(name, job, every=every, stop=stop))


async def _run_clocks(service: Service) -> None:
    async with service.sessions.begin() as tx:
        answering = await credit_outage(tx, outage_after=service.terms.outage_after)
    if answering:
        await run_due_clocks(service.sessions, service.reference, service.key_ring, service.terms, service.clock)


async def _forget_answers(service: Service, stop: asyncio.Event) -> None:
    forgotten = idempotency.AT_ONCE
    while forgotten == idempotency.AT_ONCE and not stop.is_set():
        async with service.sessions.begin() as tx:
            forgotten = await idempotency.forget_expired(tx)


async def _bring_near(service: Service) -> None:
    async with service.sessions.begin() as tx:
        brought = await due_times.bring_near(tx, lease=pace_of(service.settings).lease)
    async with service.sessions.begin() as tx:
        started = await clocks.start_now(tx)
    if brought or started:
        log.warning("database_clock_was_ahead", count=brought, clocks=started)


async def _recover(service: Service, stop: asyncio.Event) -> None:
    # While one moves its endpoint takes what it is given within moments, and is given more.
    while await run_due_recoveries(service.sessions) and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RECOVERING_EVERY)


async def _make_months(service: Service) -> None:
    await keep_history.make_months(service.sessions, now=service.real_clock(), kept=service.settings.history_months)


async def _drop_months(service: Service) -> None:
    await keep_history.drop_months(service.sessions, now=service.real_clock(), kept=service.settings.history_months)


def pace_of(settings: Settings) -> Pace:
    """Say how deliveries are made: a lease is longer than twice the longest post, with time to record it."""
    longest = settings.webhook.total_timeout
    return Pace(
        lease=2 * longest + timedelta(seconds=10),
        longest_post=longest,
        concurrency=settings.webhook.concurrency,
        drain=settings.stop_within,
    )


async def deliver(service: Service, stop: asyncio.Event) -> None:
    """Deliver what is due until told to stop, then let the posts under way end."""
    webhook = service.settings.webhook
    within = Deadlines(total=webhook.total_timeout.total_seconds(), connect=webhook.connect_timeout.total_seconds())
    kept = KEPT_OF_ANSWERS if webhook.keep_answers else 0
    async with open_post(service.terms.reach, deadlines=within, kept=kept) as post, asyncio.TaskGroup() as tasks:
        dispatcher = Dispatcher(
            service.sessions,
            service.key_ring,
            post,
            clock=service.real_clock,
            pace=pace_of(service.settings),
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
