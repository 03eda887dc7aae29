"""The composition root: what the API and the workers are made of."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from os import getpid
from socket import AF_INET, AF_INET6, create_server, gethostname, socket
from uuid import UUID

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

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
    keys,
    proposals,
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
from app.api.issuer_keys import HttpKeySource, Issuer, IssuerKeys
from app.api.key_uses import KeyUses
from app.api.proxies import CertificateHeader
from app.api.server import Server
from app.api.tokens import Tokens
from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.domain.access_token import TokenTerms
from app.domain.addresses import Reach
from app.domain.breaker import BreakerRule
from app.domain.clock import BusinessClock
from app.domain.proposals import SecondPerson
from app.domain.retention import Retention, RetentionInvalid, read_retention
from app.observability import told_of
from app.reference.yaml_text import Unreadable, load_yaml
from app.settings import Settings, TokenSettings
from app.storage import clocks, due_times, idempotency, ring_holders
from app.storage.database import Pool, is_passing, open_engine, sessions_of
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.shared_clock import SharedClock
from app.workflows import keep_history
from app.workflows.answer_rights import watch_requests
from app.workflows.credit_outage import credit_outage
from app.workflows.desk import Terms
from app.workflows.draw_statistics import draw_settled_months
from app.workflows.keep_retention import Worker, keep_retention
from app.workflows.lapse_proposals import lapse_proposals
from app.workflows.link_audit import Said, link_audit
from app.workflows.notice_failing import notice_failing
from app.workflows.run_clocks import run_due_clocks
from app.workflows.run_recoveries import run_due_recoveries
from app.workflows.watch_keys import watch_keys

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

KEPT_OF_ANSWERS = 1024
"""Bytes of an answer that are kept where the operator asks for it."""
LOOK_EVERY = 5.0
"""Seconds between two looks whether the issuer's keys are still fresh."""
RECOVERING_EVERY = 0.05
"""Seconds between two steps of a recovery that moves."""

log = structlog.get_logger()


def real_time() -> datetime:
    """Read the clock: the business clock of a service in earnest, and what leases and outages are counted by."""
    return datetime.now(UTC)  # noqa: TID251 - this is the entry point that reads it for all


@dataclass(frozen=True, slots=True)
class Service:
    """What the API and the workers of one process share."""

    id: UUID
    process: str
    """What this process is and where it runs, as whoever looks after the key ring reads it."""
    settings: Settings
    engine: AsyncEngine
    health_engine: AsyncEngine
    """One connection of its own, so that a process which is busy does not look as if it were not ready."""
    sessions: async_sessionmaker[AsyncSession]
    key_ring: KeyRing
    ring_checked: asyncio.Event
    """Not set while it is not known yet whether the key ring is the one that the database was sealed by."""
    reference: ReferenceKeeper
    clock: BusinessClock
    real_clock: SharedClock
    """What deliveries are scheduled and signed by; the business clock too, where none is set."""
    retention: Retention
    revision: str | None
    key_uses: KeyUses
    """When each key was last used, as this process saw it."""
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
            retention=self.retention,
            erasure_ledger=self.settings.ledger,
            second_person=second_person_of(self.settings),
        )


def second_person_of(settings: Settings) -> SecondPerson:
    """Say for what a second person is asked for."""
    said, usual = settings.second_person, not settings.is_trial
    return SecondPerson(
        publishing=usual if said.publishing is None else said.publishing,
        endpoints=usual if said.endpoints is None else said.endpoints,
        within=said.within,
    )


def create_app(service: Service) -> FastAPI:
    """Compose the API."""
    limits, by = service.settings.rate_limit, service.settings.certificates
    return build(
        ROUTERS,
        sessions=service.sessions,
        health_sessions=sessions_of(service.health_engine),
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
    )


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
    ring_checked = asyncio.Event()
    ring_checked.set()
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
        id=uuid7(),
        process=f"{name} {gethostname()}:{getpid()}",
        settings=settings,
        engine=engine,
        health_engine=health_engine,
        sessions=sessions_of(engine),
        key_ring=key_ring,
        ring_checked=ring_checked,
        reference=ReferenceKeeper(),
        clock=clock or real_clock,
        real_clock=real_clock,
        retention=retention_of(settings),
        revision=revision,
        key_uses=KeyUses(real_clock),
        listen_url=listen_url,
    )


def retention_of(settings: Settings) -> Retention:
    """Read how long the operator keeps cases; RetentionInvalid if that cannot be read."""
    if settings.retention_file is None:
        return Retention()
    try:
        return read_retention(load_yaml(settings.retention_file.read_text("utf-8")).value)
    except (Unreadable, UnicodeDecodeError, OSError) as error:
        said = error.message if isinstance(error, Unreadable) else type(error).__name__
        raise RetentionInvalid(f"LINTAS_RETENTION_FILE cannot be read: {said}") from None


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
        ending = tasks.create_task(end())
        await server.serve([listener])
        ending.cancel()
        if tokens is not None:
            tokens.keys.close()
    try:
        await service.key_uses.write(service.sessions)
    except Exception as error:  # noqa: BLE001 - a stop ends whatever the database does
        log.warning("key_uses_lost", error=type(error).__name__)


async def work(service: Service, stop: asyncio.Event) -> None:
    """Run the workers until told to stop; any number of processes may do this at once."""
    link = partial(link_audit, service.sessions, service.key_ring, Said(), is_stopped=stop.is_set)
    draw_statistics = partial(draw_settled_months, service.sessions, service.reference, service.clock)
    jobs: tuple[tuple[str, Callable[[], Awaitable[object]], float], ...] = (
        ("bring_near", partial(_bring_near, service), 60.0),
        ("audit_chain", link, 0.5),
        ("clocks", partial(_run_clocks, service), 1.0),
        ("failing_endpoints", partial(_notice_failing, service), 5.0),
        ("recoveries", partial(_recover, service, stop), 1.0),
        ("forget_answers", partial(_forget_answers, service, stop), 60.0),
        ("make_months", partial(_make_months, service), 600.0),
        ("drop_months", partial(_drop_months, service), 3600.0),
        ("sweep_queue", partial(keep_history.sweep_queue, service.sessions), 60.0),
        ("statistics", draw_statistics, 600.0),
        ("keys", partial(_watch_keys, service), 600.0),
        ("proposals", partial(_lapse_proposals, service), 60.0),
        ("rights", partial(watch_requests, service.sessions, service.clock), 60.0),
        ("retention", partial(_keep_retention, service, stop), 3600.0),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliver(service, stop))
        for name, job, every in jobs:
            tasks.create_task(repeat(name, job, every=every, stop=stop))


async def hold_key_ring(service: Service, stop: asyncio.Event) -> None:
    """Say again and again which keys this process has, and at its end that it has gone."""

    async def hold() -> None:
        async with service.sessions.begin() as tx:
            await ring_holders.hold(tx, service.key_ring, service.id, service.process)

    async def leave() -> None:
        async with service.sessions.begin() as tx:
            await ring_holders.leave(tx, service.id)

    await repeat("key_ring", hold, every=ring_holders.SEEN_EVERY.total_seconds(), stop=stop)
    # Nobody waits for long for what a process that is gone still seals.
    with suppress(Exception):
        await leave()


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


async def _watch_keys(service: Service) -> None:
    await watch_keys(service.sessions, now=service.clock())


async def _lapse_proposals(service: Service) -> None:
    await lapse_proposals(service.sessions, now=service.clock())


async def _notice_failing(service: Service) -> None:
    await notice_failing(service.sessions, now=service.real_clock())


async def _recover(service: Service, stop: asyncio.Event) -> None:
    # While one moves its endpoint takes what it is given within moments, and is given more.
    while await run_due_recoveries(service.sessions) and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RECOVERING_EVERY)


async def _make_months(service: Service) -> None:
    await keep_history.make_months(service.sessions, now=service.real_clock(), kept=service.settings.history_months)


async def _drop_months(service: Service) -> None:
    await keep_history.drop_months(service.sessions, now=service.real_clock(), kept=service.settings.history_months)


async def _keep_retention(service: Service, stop: asyncio.Event) -> None:
    await keep_retention(
        Worker(service.sessions, service.reference, service.key_ring, service.terms, service.clock, stop.is_set)
    )


def pace_of(settings: Settings) -> Pace:
    """Say how deliveries are made: a lease is longer than twice the longest post, with time to record it."""
    longest, breaker = settings.webhook.total_timeout, settings.webhook.breaker
    return Pace(
        lease=2 * longest + timedelta(seconds=10),
        longest_post=longest,
        concurrency=settings.webhook.concurrency,
        breaker=BreakerRule(
            window=breaker.window,
            at_least=breaker.at_least,
            share=breaker.share,
            first_wait=breaker.first_wait,
            longest_wait=breaker.longest_wait,
        ),
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
