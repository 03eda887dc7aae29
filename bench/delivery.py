"""How fast webhooks are delivered: `make bench-delivery` (docs/benchmarks.md says what is compared with what)."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import uvloop

from app.storage.database import Pool, open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from bench.effort import seconds_of, seconds_of_server
from bench.news import ENDPOINTS, News
from bench.posting import BARE, LINTAS, PGQUEUER, PROCRASTINATE
from bench.queues import Pgqueuer, Procrastinate
from bench.receiving import ROOT, Receivers
from bench.routing import table

ROUNDS = 5
HANGING = ENDPOINTS * 3 // 10
RATE = 200
"""Events a second, where it is measured how long each takes."""
WARM_UP = RATE
"""Events that come first at this rate and are not counted: the worker has just started."""
PATIENCE = 120.0
LOOK_EVERY = 0.02
LOST, TWICE, UNSIGNED = "lost", "twice", "wrongly signed"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is delivered in a round, by way, and for how long the rate is held.

    So much that what a worker does once (connections, plans, secrets) weighs little, with every one of them.
    """

    lintas: int = 40_000
    bare: int = 80_000
    pgqueuer: int = 20_000
    procrastinate: int = 2_000
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one way came to."""

    a_second: float
    sender: float
    """Microseconds of processor time for a webhook, of the process that sends."""
    database: float
    """The same of PostgreSQL."""


@dataclass
class Figures:
    """What the rounds came to: webhooks a second and milliseconds, by what they are of."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Keep the figure of a round."""
        self.rounds.setdefault(name, []).append(value)

    def shown(self, name: str, digits: int = 0) -> str:
        """Show the middle round, with the smallest and the largest."""
        return _shown(self.rounds[name], digits)

    def times(self, name: str, other: str) -> str:
        """Show one figure by the other, round by round."""
        return _shown([one / two for one, two in zip(self.rounds[name], self.rounds[other], strict=True)], 2)


class Bench:
    """Everything that a round needs: the receivers, the databases, and the news."""

    def __init__(self, receivers: Receivers, news: News, server: EmbeddedPostgres, key_ring: Path, size: Size) -> None:
        self.receivers, self.news, self.key_ring, self.size = receivers, news, key_ring, size
        self.urls = {way: server.url(_database(way)) for way in (LINTAS, PGQUEUER, PROCRASTINATE)}
        self.figures = Figures()
        self.checked = 0
        self.queues: dict[str, Pgqueuer | Procrastinate] = {
            PGQUEUER: Pgqueuer(self.urls[PGQUEUER]),
            PROCRASTINATE: Procrastinate(self.urls[PROCRASTINATE]),
        }
        self._postmaster = int((server.data_dir / "cluster" / "postmaster.pid").read_text().split()[0])

    def places(self, hanging: int = 0) -> list[str]:
        """Give the addresses of all endpoints, of which the last ones hang."""
        return [self.receivers.url(n, hangs=n >= ENDPOINTS - hanging) for n in range(ENDPOINTS)]

    async def lintas(self, hanging: int = 0) -> Round:
        """Deliver through the whole path, to those that take it."""
        well, each = ENDPOINTS - hanging, self.size.lintas // ENDPOINTS
        await self._anew(hanging)
        await self.news.tell([each] * ENDPOINTS)
        takers = [one.endpoint_id for one in self.news.told[:well]]
        async with self._worker() as sender:
            began = await self._begin(sender)
            await self._taken(each * well)
            await _until(lambda: self.news.undelivered(takers))
            measured = self._measured(each * well, sender, began)
        await self._compare(well)
        return measured

    async def bare(self) -> Round:
        """Post the same bodies in a loop."""
        count = self.size.bare
        jobs = await self._jobs(count)
        async with _sender(BARE, {"jobs": [list(asdict(job).values()) for job in jobs]}) as sender:
            began = await self._begin(sender)
            await self._taken(count)
            measured = self._measured(count, sender, began)
        self._agree({job.id for job in jobs})
        return measured

    async def queue(self, way: str) -> Round:
        """Deliver the same bodies by a queue of others."""
        queue, count = self.queues[way], getattr(self.size, way)
        jobs = await self._jobs(count)
        await queue.fill(jobs)
        async with _sender(way, {"database": self.urls[way], **TUNED[way]}) as sender:
            began = await self._begin(sender)
            await self._taken(count)
            await _until(queue.left)
            measured = self._measured(count, sender, began)
        if await queue.done() != count:
            raise AssertionError(f"{way} does not say that all was done")
        self._agree({job.id for job in jobs})
        return measured

    async def at_a_rate(self, hanging: int) -> tuple[list[float], Round]:
        """Tell news at a steady rate, and give how long each took to who takes it, in milliseconds, sorted."""
        well = ENDPOINTS - HANGING
        await self._anew(hanging)
        async with self._worker() as sender:
            await self._begin(sender)
            await asyncio.sleep(1.0)
            started = self._used(sender)
            began, count = started[0], WARM_UP + int(RATE * self.size.seconds)
            told = [asyncio.create_task(self._tell_at(began + number / RATE, number)) for number in range(count)]
            at = dict(await asyncio.gather(*told))
            takers = [one.endpoint_id for one in self.news.told[: ENDPOINTS - hanging]]
            await _until(lambda: self.news.undelivered(takers))
            measured = self._measured(count, sender, started)
        await self._compare(ENDPOINTS - hanging)
        numbers = await self.news.numbers()
        kept = [(numbers[one.id], one.at) for one in self.receivers.kept() if one.key < well]
        return sorted((came - at[number]) * 1000 for number, came in kept if number >= WARM_UP), measured

    async def _tell_at(self, moment: float, number: int) -> tuple[int, float]:
        await asyncio.sleep(max(0.0, moment - monotonic()))
        return number, await self.news.tell_now(number)

    async def _anew(self, hanging: int = 0) -> None:
        await self.news.move(self.places(hanging))
        await self.news.forget()
        self.receivers.forget()

    async def _jobs(self, count: int) -> list[Any]:
        await self._anew()
        await self.news.tell([count // ENDPOINTS] * ENDPOINTS)
        return await self.news.jobs()

    def _worker(self) -> AbstractAsyncContextManager[Process]:
        return _sender(LINTAS, {"database": self.urls[LINTAS], "key_ring": str(self.key_ring)})

    async def _begin(self, sender: Process) -> tuple[float, float, float]:
        """Let a sender begin, and note when, and what it and the database have used of the processors until then."""
        used = self._used(sender)
        sender.stdin.write(b"go\n")  # type: ignore[union-attr]
        return used

    def _used(self, sender: Process) -> tuple[float, float, float]:
        return monotonic(), seconds_of(sender.pid), seconds_of_server(self._postmaster)

    def _measured(self, count: int, sender: Process, began: tuple[float, float, float]) -> Round:
        took, own, database = (after - before for before, after in zip(began, self._used(sender), strict=True))
        return Round(count / took, own / count * 1e6, database / count * 1e6)

    async def _taken(self, count: int) -> None:
        async def missing() -> int:
            return count - self.receivers.count()

        await _until(missing)

    async def _compare(self, well: int) -> None:
        """Compare what the receivers kept with what the database says of it, id by id."""
        takers = {one.endpoint_id for one in self.news.told[:well]}
        recorded = [one for one in await self.news.delivered() if one.endpoint_id in takers]
        wrong = [one for one in recorded if (one.state, one.attempts, one.recorded) != ("delivered", 1, 1)]
        if wrong:
            raise AssertionError(f"{len(wrong)} deliveries are not recorded as delivered by one attempt: {wrong[0]}")
        self._agree({one.event_id for one in recorded})

    def _agree(self, wanted: set[str]) -> None:
        kept = self.receivers.kept()
        counted = Counter(one.id for one in kept)
        wrong = {
            LOST: wanted - counted.keys(),
            TWICE: {id_ for id_, times in counted.items() if times > 1} | (counted.keys() - wanted),
            UNSIGNED: {one.id for one in kept if not one.is_signed},
        }
        if any(wrong.values()):
            raise AssertionError(", ".join(f"{len(ids)} {what}" for what, ids in wrong.items()))
        self.checked += len(kept)


TUNED: dict[str, dict[str, Any]] = {
    PGQUEUER: {"batch": 40, "at_once": 80, "pool": 10},
    PROCRASTINATE: {"at_once": 20, "pool": 10},
}
"""What each was fastest with on the machine of docs/benchmarks.md."""


@asynccontextmanager
async def _sender(way: str, needs: dict[str, Any]) -> AsyncIterator[Process]:
    """Start a sender, which begins when it is told; end it with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.posting", way, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("a sender is spoken to over pipes")
    process.stdin.write(json.dumps(needs).encode() + b"\n")
    await process.stdin.drain()
    while (line := await process.stdout.readline()) != b"ready\n":
        if not line:
            raise AssertionError(f"{way} did not become ready")

    try:
        yield process
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until(left: Callable[[], Awaitable[int]]) -> None:
    """Wait until nothing is left."""
    patience = monotonic() + PATIENCE
    while (count := await left()) > 0:
        if monotonic() > patience:
            raise AssertionError(f"{count} were left after {PATIENCE:g} s")
        await asyncio.sleep(LOOK_EVERY)


def _database(way: str) -> str:
    return f"bench_{way}"


def _shown(values: Sequence[float], digits: int) -> str:
    numbers = (median(values), min(values), max(values))
    middle, least, most = (f"{number:,.{digits}f}" for number in numbers)
    return f"{middle} ({least} to {most})"


def percentile(times: Sequence[float], share: float) -> float:
    """Return the value that a share of the sorted values does not exceed."""
    return times[min(len(times) - 1, int(len(times) * share))]


NONE, SOME = "none hanging", "30 % hanging"
WHOLE, WHOLE_HANGING = "Lintas, the whole path", "Lintas, 30 % of the endpoints hanging"
CEILING, HTTPX, AIOHTTP = "a bare aiohttp loop", "procrastinate, httpx", "pgqueuer, aiohttp"


async def measure(bench: Bench, rounds: int, only: str | None) -> None:
    """Measure everything in turn, as many times as there are rounds."""
    figures = bench.figures
    ways: dict[str, Callable[[], Awaitable[Round]]] = {
        WHOLE: bench.lintas,
        CEILING: bench.bare,
        AIOHTTP: lambda: bench.queue(PGQUEUER),
        HTTPX: lambda: bench.queue(PROCRASTINATE),
        WHOLE_HANGING: lambda: bench.lintas(HANGING),
    }
    for number in range(rounds):
        for name, deliver in ways.items():
            if only is None or name.startswith(only):
                measured = await deliver()
                figures.add(name, measured.a_second)
                figures.add(f"{name}, sender", measured.sender)
                figures.add(f"{name}, database", measured.database)
                shown = f"{measured.a_second:,.0f} a second, {measured.sender:.0f} + {measured.database:.0f} µs"
                print(f"round {number + 1}: {name}: {shown}", file=sys.stderr)
        if only in {None, "rate"}:
            for name, hanging in ((NONE, 0), (SOME, HANGING)):
                times, measured = await bench.at_a_rate(hanging)
                figures.add(f"{name}, sender", measured.sender)
                figures.add(f"{name}, database", measured.database)
                for share in (50, 99):
                    figures.add(f"{name}, p{share}", percentile(times, share / 100))
                p50, p99 = (figures.rounds[f"{name}, p{share}"][-1] for share in (50, 99))
                used = f"{measured.sender:.0f} + {measured.database:.0f} µs"
                print(f"round {number + 1}: {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {used}", file=sys.stderr)


def report(bench: Bench) -> None:
    """Print the tables."""
    figures = bench.figures
    rows = [
        [
            name,
            figures.shown(name),
            figures.times(name, CEILING),
            figures.times(WHOLE, name),
            figures.shown(f"{name}, sender"),
            figures.shown(f"{name}, database"),
        ]
        for name in (CEILING, WHOLE, WHOLE_HANGING, AIOHTTP, HTTPX)
    ]
    print(f"\nWebhooks a second, {ENDPOINTS} endpoints; {bench.checked:,} compared id by id\n")
    table(
        ["", "a second", "of the bare loop", "times faster is Lintas", "processor, sender (µs)", "PostgreSQL (µs)"],
        rows,
    )
    print(f"\nMilliseconds from the commit to the receiver at {RATE} events a second, endpoints that take them\n")
    table(
        ["", "p50", "p99"],
        [[name, *(figures.shown(f"{name}, p{share}", 1) for share in (50, 99))] for name in (NONE, SOME)]
        + [[f"{SOME} by {NONE}", *(figures.times(f"{SOME}, p{share}", f"{NONE}, p{share}") for share in (50, 99))]],
    )


async def run(server: EmbeddedPostgres, key_ring: Path, size: Size, rounds: int, only: str | None) -> None:
    """Make everything ready, measure and report."""
    engine = open_engine(
        server.url(_database(LINTAS)),
        application_name="lintas bench news",
        pool=Pool(size=20, overflow=0, wait=timedelta(minutes=2)),
    )
    ring = KeyRing.generate("bench")
    ring.write(key_ring)
    news = News(sessions_of(engine), ring)
    await news.settle([f"http://127.0.0.1:1024/{n}" for n in range(ENDPOINTS)])
    with Receivers([one.secret for one in news.told]) as receivers:
        bench = Bench(receivers, news, server, key_ring, size)
        for queue in bench.queues.values():
            await queue.install()
        await measure(bench, rounds, only)
        if only is None:
            report(bench)
    await engine.dispose()


def main() -> None:
    """Start a durable PostgreSQL in a directory that is thrown away, and measure on it."""
    parser = argparse.ArgumentParser("python -m bench.delivery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", help="the beginning of one way's name, or 'rate'")
    parser.add_argument("--share", type=float, default=1.0, help="deliver this share of the usual numbers")
    asked = parser.parse_args()
    whole = Size()
    counts = {name: ENDPOINTS * max(1, int(n * asked.share / ENDPOINTS)) for name, n in asdict(whole).items()}
    size = Size(**{**counts, "seconds": whole.seconds * asked.share})
    with (
        tempfile.TemporaryDirectory(prefix="lintas-bench-") as made,
        EmbeddedPostgres.start(Path(made) / "postgres") as server,
    ):
        for way in (LINTAS, PGQUEUER, PROCRASTINATE):
            server.create_database(_database(way))
        migrate_to_head(server.url(_database(LINTAS)))
        uvloop.run(run(server, Path(made) / "keys.json", size, asked.rounds, asked.only))


if __name__ == "__main__":
    main()
