"""The life of a process of the service: it starts, runs until it is told to stop, and then ends within its time."""

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from socket import socket

import structlog

from app.commands.running import CannotGoOn, unfit
from app.main import listen, serve, shown, traced
from app.service import Service
from app.settings import Settings
from app.storage.database import break_off, is_passing
from app.workers import hold_key_ring, repeat, work
from app.workflows.check_key_ring import check_key_ring

log = structlog.get_logger()

ENDS_WITHIN = timedelta(seconds=1)
"""How long what is under way may take to end once its connections were dropped, and again once it was cancelled."""
LOOK_EVERY = 1.0
KEY_RING_WITHIN = 3.0
"""Seconds that a start waits for a database to look at the key ring by; then it goes on looking while it runs."""


async def run(
    service: Service,
    *,
    listener: socket | None,
    workers: bool,
    on_ready: Callable[[], None] = lambda: None,
    first: Callable[[], Awaitable[None]] | None = None,
    parent: int | None = None,
) -> None:
    """Run API, workers or both until SIGINT, SIGTERM or SIGHUP, then end what is under way; a second signal hurries.

    `first` is done before; to stop ends that, too. With `parent`, the id of the process that started this one, its end
    is a signal too. What has not ended in the time that the settings give it loses its connections: a database that
    went silent keeps no process from ending, and what was under way there falls due again. No request is taken before
    the key ring is known to be the right one; CannotGoOn where it is not.
    """
    service.ring_checked.clear()
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    try:
        async with traced(service), shown(service, watchers_port(service.settings)):
            beginning = _begin(service, first)
            if await _unless_stopped(service, beginning, stop, timedelta(0)):
                everything = _everything(service, listener, stop, hurry, on_ready, workers=workers, parent=parent)
                await _unless_stopped(service, everything, stop, service.settings.stop_within)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN.total_seconds()):
                await asyncio.gather(service.engine.dispose(), service.health_engine.dispose())


def watchers_port(settings: Settings) -> socket | None:
    """Take the port for metrics and health, where there is to be one; CannotGoOn where it cannot be had."""
    of = settings.metrics
    if of.port is None:
        return None
    try:
        return listen(of.host, of.port)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise CannotGoOn(
            f"{of.host}:{of.port} tidak dapat dipakai; pilih lain dengan LINTAS_METRICS__PORT, LINTAS_METRICS__HOST",
            f"{of.host}:{of.port} cannot be used ({why}); choose another: LINTAS_METRICS__PORT, LINTAS_METRICS__HOST",
        ) from None


async def _begin(service: Service, first: Callable[[], Awaitable[None]] | None) -> None:
    if first is not None:
        await first()
    with suppress(TimeoutError):
        async with asyncio.timeout(KEY_RING_WITHIN):
            try:
                await _check_key_ring(service)
            except Exception as error:
                if not is_passing(error):
                    raise


async def _check_key_ring(service: Service) -> None:
    flaws = await check_key_ring(service.sessions, service.key_ring)
    if flaws:
        raise unfit(flaws)
    if flaws is not None:
        service.ring_checked.set()


async def _unless_stopped(service: Service, what: Awaitable[None], stop: asyncio.Event, patience: timedelta) -> bool:
    """Do something to its end, or for so long after the order to stop; say whether it came to its end."""
    doing, stopping = asyncio.ensure_future(what), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            await asyncio.wait({doing}, timeout=patience.total_seconds())
        if not doing.done():
            # What still waits for a database that does not answer is told so, and ends as it would at any other time.
            log.warning("stopped_unfinished", count=break_off(service.engine) + break_off(service.health_engine))
            await asyncio.wait({doing}, timeout=ENDS_WITHIN.total_seconds())
        if doing.done():
            await doing
            return True
        return False
    finally:
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing}, timeout=ENDS_WITHIN.total_seconds())


async def _everything(
    service: Service,
    listener: socket | None,
    stop: asyncio.Event,
    hurry: asyncio.Event,
    on_ready: Callable[[], None],
    *,
    workers: bool,
    parent: int | None,
) -> None:
    async def look() -> None:
        async with service.sessions.begin() as tx:
            await service.real_clock.look(tx)

    if workers:
        # No worker claims anything by the clock of its own machine.
        await _until_done(look, stop)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(repeat("shared_clock", look, every=LOOK_EVERY, stop=stop))
        tasks.create_task(_look_after_key_ring(service, stop))
        if listener is not None:
            tasks.create_task(serve(service, listener, stop, hurry, on_ready))
        if workers:
            tasks.create_task(work(service, stop))
        if parent is not None:
            tasks.create_task(stop_with(parent, stop))


async def _look_after_key_ring(service: Service, stop: asyncio.Event) -> None:
    while not (stop.is_set() or service.ring_checked.is_set()):
        await _until_done(partial(_check_key_ring, service), stop)
        if not service.ring_checked.is_set():
            # Not migrated yet, as readiness says.
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
    await hold_key_ring(service, stop)


async def _until_done(job: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await job()
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("worker_waits_for_database", worker="start", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        else:
            return


async def stop_with(parent: int, stop: asyncio.Event) -> None:
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
