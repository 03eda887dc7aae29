"""The workers: what is done again and again beside the API, by any number of processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import structlog

from app import metrics
from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.mail import Mail, MailServer, Security, open_mail
from app.delivery.post import Deadlines, Post, open_post
from app.domain.breaker import BreakerRule
from app.domain.progress import CLOCKS
from app.observability import told_of
from app.service import Service, session_terms_of
from app.settings import Settings
from app.storage import clocks, console_sessions, due_times, ring_holders
from app.storage.database import is_passing
from app.workflows import keep_history
from app.workflows.answer_rights import watch_requests
from app.workflows.credit_outage import credit_outage
from app.workflows.draw_statistics import draw_settled_months
from app.workflows.forget_past import forget_answers, forget_past
from app.workflows.keep_retention import Worker, keep_retention
from app.workflows.lapse_proposals import lapse_proposals
from app.workflows.link_audit import Said, link_audit
from app.workflows.notice_failing import notice_failing
from app.workflows.notice_unreached import notice_unreached
from app.workflows.run_clocks import run_due_clocks
from app.workflows.run_recoveries import run_due_recoveries
from app.workflows.watch_keys import watch_keys

KEPT_OF_ANSWERS = 1024
"""Bytes of an answer that are kept where the operator asks for it."""
RECOVERING_EVERY = 0.05
"""Seconds between two steps of a recovery that moves."""

log = structlog.get_logger()


Job: TypeAlias = tuple[str, Callable[[], Awaitable[object]], float]
"""A name, what is done, and how many seconds pass between two times."""


async def work(service: Service, stop: asyncio.Event, *, through: Callable[[Post], Post] | None = None) -> None:
    """Run the workers until told to stop; any number of processes may do this at once.

    `through` wraps what webhooks are posted by, for who wants to see them.
    """
    service.progress.begin()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliver(service, stop, through=through))
        for name, job, every in jobs_of(service, stop):
            tasks.create_task(repeat(name, job, every=every, stop=stop))


def jobs_of(service: Service, stop: asyncio.Event) -> tuple[Job, ...]:
    """Say what the workers do beside delivering."""
    link = partial(link_audit, service.sessions, service.key_ring, Said(), is_stopped=stop.is_set)
    draw_statistics = partial(draw_settled_months, service.sessions, service.reference, service.clock)
    return (
        ("bring_near", partial(_bring_near, service), 60.0),
        ("audit_chain", link, 0.5),
        ("clocks", partial(_run_clocks, service), 1.0),
        ("failing_endpoints", partial(_notice_failing, service), 5.0),
        ("unreached_agencies", partial(_notice_unreached, service), 5.0),
        ("recoveries", partial(_recover, service, stop), 1.0),
        ("forget_answers", partial(forget_answers, service.sessions, is_stopped=stop.is_set), 60.0),
        ("forget_past", partial(_forget_past, service, stop), 3600.0),
        ("forget_sessions", partial(_forget_sessions, service, stop), 60.0),
        ("make_months", partial(_make_months, service), 600.0),
        ("drop_months", partial(_drop_months, service), 3600.0),
        ("sweep_queue", partial(keep_history.sweep_queue, service.sessions), 60.0),
        ("statistics", draw_statistics, 600.0),
        ("keys", partial(_watch_keys, service), 600.0),
        ("proposals", partial(_lapse_proposals, service), 60.0),
        ("rights", partial(watch_requests, service.sessions, service.clock), 60.0),
        ("retention", partial(_keep_retention, service, stop), 3600.0),
    )


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
    service.progress.note(CLOCKS)


async def _forget_past(service: Service, stop: asyncio.Event) -> None:
    kept = service.settings.history_months
    await forget_past(service.sessions, now=service.real_clock(), kept=kept, is_stopped=stop.is_set)


async def _forget_sessions(service: Service, stop: asyncio.Event) -> None:
    terms, forgotten = session_terms_of(service.settings), console_sessions.AT_ONCE
    while forgotten >= console_sessions.AT_ONCE and not stop.is_set():
        async with service.sessions.begin() as tx:
            forgotten = await console_sessions.forget_expired(tx, now=service.signing_clock(), terms=terms)


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


async def _notice_unreached(service: Service) -> None:
    now, public_url = service.real_clock(), service.settings.reached_at
    await notice_unreached(service.sessions, now=now, public_url=public_url)


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


async def deliver(service: Service, stop: asyncio.Event, *, through: Callable[[Post], Post] | None = None) -> None:
    """Deliver what is due until told to stop, then let the posts under way end."""
    webhook = service.settings.webhook
    within = Deadlines(total=webhook.total_timeout.total_seconds(), connect=webhook.connect_timeout.total_seconds())
    kept = KEPT_OF_ANSWERS if webhook.keep_answers else 0
    async with (
        open_post(service.terms.reach, deadlines=within, kept=kept) as post,
        _mail(service.settings, within) as mail,
        asyncio.TaskGroup() as tasks,
    ):
        dispatcher = Dispatcher(
            service.sessions,
            service.key_ring,
            post if through is None else through(post),
            mail=mail,
            public_url=service.settings.reached_at,
            clock=service.real_clock,
            signing_clock=service.signing_clock,
            pace=pace_of(service.settings),
            listen_url=service.listen_url,
            progress=service.progress,
        )
        tasks.create_task(dispatcher.run())
        await stop.wait()
        dispatcher.stop()


@asynccontextmanager
async def _mail(settings: Settings, within: Deadlines) -> AsyncIterator[Mail | None]:
    """Open what mail goes through, where the operator has a mail server."""
    if settings.mail.host is None or settings.mail.sender is None:
        yield None
        return
    password = settings.mail.password
    server = MailServer(
        host=settings.mail.host,
        port=settings.mail.server_port,
        security=Security(settings.mail.tls),
        sender=settings.mail.sender,
        username=settings.mail.username,
        password=None if password is None else password.get_secret_value(),
        authorities=settings.mail.ca_file,
        connections=settings.mail.connections,
    )
    async with open_mail(server, deadlines=within) as mail:
        yield mail


async def repeat(name: str, job: Callable[[], Awaitable[object]], *, every: float, stop: asyncio.Event) -> None:
    """Do a job again and again until told to stop; when it fails, say so and go on."""
    while not stop.is_set():
        try:
            await job()
            metrics.JOBS.labels(name, "done").inc()
        except Exception as error:  # noqa: BLE001 - the top of a loop that logs and goes on
            metrics.JOBS.labels(name, "failed").inc()
            if is_passing(error):
                log.warning("worker_waits_for_database", worker=name, error=type(error).__name__)
            else:
                log.error("worker_failed", worker=name, **told_of(error))  # noqa: TRY400 - its message may hold anything
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
