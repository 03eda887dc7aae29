"""What a process shows to whoever watches it, on a port of its own: its metrics, and the same health as the API."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.api.health import HealthJson, Liveness, readiness_of
from app.api.readying import Readying, is_ready
from app.storage.signals import Sample

FRESH_FOR = 5.0
"""Seconds for which what was counted in the database is shown again, however many ask."""
DEADLINE = 2.0
LOOP_EVERY = 0.25

log = structlog.get_logger()

Count = Callable[[], Coroutine[Any, Any, list[Sample]]]
"""Counts what waits in the database."""


class Counted:
    """Counts what waits, once at a time, however many ask; what is not known is not shown."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._at = 0.0
        self._looking: asyncio.Task[list[Sample]] | None = None
        self.samples: list[Sample] = []

    async def look(self) -> None:
        """Count anew unless that was done a moment ago, within the deadline."""
        if self.samples and time.monotonic() - self._at < FRESH_FOR:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._count())
        looking = self._looking
        done, _ = await asyncio.wait({looking}, timeout=DEADLINE)
        self.samples = []
        if not done:
            looking.cancel()
            log.warning("signals_not_counted", error="TimeoutError")
        elif looking.cancelled() or (error := looking.exception()) is not None:
            log.warning("signals_not_counted", error="Cancelled" if looking.cancelled() else type(error).__name__)
        else:
            self.samples, self._at = looking.result(), time.monotonic()


class _OfService(Collector):
    """Shows what was counted last."""

    def __init__(self, counted: Counted, before: Callable[[], None]) -> None:
        self._counted = counted
        self._before = before

    def describe(self) -> Iterable[Metric]:
        """Describe nothing ahead: what is shown depends on what is known."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give every metric of this process, and then those of the whole service."""
        self._before()
        yield from metrics.REGISTRY.collect()
        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._counted.samples:
            told = metrics.DESCRIBED[sample.name]
            family = families.setdefault(
                sample.name, GaugeMetricFamily(sample.name, told.said, labels=list(told.labels))
            )
            family.add_metric(list(sample.labels), sample.value)
        yield from families.values()


def watched(readying: Readying, count: Count, *, before: Callable[[], None] = lambda: None) -> Starlette:
    """Build what is served on that port; `before` is done before metrics are shown, to set those that are read off."""
    counted = Counted(count)
    registry = CollectorRegistry()
    registry.register(_OfService(counted, before))

    async def show(request: Request) -> Response:
        await asyncio.gather(counted.look(), readying.checks())
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": media_type})

    async def live(_: Request) -> Response:
        return HealthJson(Liveness().model_dump())

    async def ready(_: Request) -> Response:
        return await _answer()

    async def startup(_: Request) -> Response:
        return HealthJson({"status": "pass", "checks": {}}) if readying.started else await _answer()

    async def _answer() -> Response:
        checks = await readying.checks()
        said: dict[str, Any] = readiness_of(checks).model_dump(exclude_none=True)
        return HealthJson(said, status_code=200 if is_ready(checks) else 503)

    shown = {"/metrics": show, "/health/live": live, "/health/ready": ready, "/health/startup": startup}
    return Starlette(routes=[Route(path, handle, methods=["GET"]) for path, handle in shown.items()])


async def measure_loop(stop: asyncio.Event) -> None:
    """Measure again and again how late the loop comes to what is due, until told to stop."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        due = loop.time() + LOOP_EVERY
        await asyncio.sleep(LOOP_EVERY)
        metrics.LOOP_LAG.observe(max(0.0, loop.time() - due))
