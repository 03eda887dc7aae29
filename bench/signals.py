"""What metrics and traces cost an intake: `python -m bench.signals` (docs/benchmarks.md).

The same referrals are sent over HTTP to `lintas serve` as it is started by default, to one whose metrics are scraped
each second, and to one that traces every request besides, to a collector on this machine; in rounds whose order
changes, on one database. With `--before DIR`, a checkout of another version is measured beside them.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp
import uvloop
from aiohttp import web

from app.observability import configure_logging
from app.storage.database import open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from bench.intake import settle
from bench.privacy import Cost, over_http
from bench.routing import table
from chaos.units import free_port

ROOT = Path(__file__).parents[1]
BEFORE, OFF, WATCHED, TRACED = "the version before", "as shipped", "scraped each second", "and traced"


@dataclass(slots=True)
class Side:
    """One process that serves, and what a referral came to in each round."""

    name: str
    url: str
    process: int
    costs: list[Cost] = field(default_factory=list)


@asynccontextmanager
async def serving(name: str, root: Path, url: str, ring: Path, **settings: str) -> AsyncIterator[Side]:
    """Run `lintas serve` of a checkout."""
    port = free_port()
    given = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
    given |= {
        "LINTAS_DATABASE_URL": url,
        "LINTAS_KEY_RING_FILE": str(ring),
        "LINTAS_PORT": str(port),
        "LINTAS_RATE_LIMIT__PER_KEY": "0",
        "LINTAS_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(root),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "serve", cwd=root, env=given | settings, stdout=asyncio.subprocess.DEVNULL
    )
    at = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(60):
            while True:
                try:
                    async with client.get(f"{at}/health/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        yield Side(name, at, process.pid)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def collecting() -> AsyncIterator[str]:
    """Take traces, and drop them."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def scrape(ports: list[int]) -> None:
    """Scrape as Prometheus would, but each second."""
    async with aiohttp.ClientSession() as client:
        while True:
            for port in ports:
                async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    await answer.read()
            await asyncio.sleep(1)


async def measure(server: EmbeddedPostgres, url: str, place: Path, asked: argparse.Namespace) -> None:
    """Start all sides, measure them in turn, and report."""
    ring = KeyRing.generate("bench")
    ring.write(place / "ring.json")
    engine = open_engine(url, application_name="bench signals")
    _, secret = await settle(sessions_of(engine), ring)
    await engine.dispose()
    postmaster = int((server.data_dir / "cluster" / "postmaster.pid").read_text().split()[0])
    ports = [free_port(), free_port()]
    watched = [{"LINTAS_METRICS__PORT": str(port)} for port in ports]
    async with AsyncExitStack() as stack:
        collector = await stack.enter_async_context(collecting())
        wanted = [
            *([(BEFORE, Path(asked.before), {})] if asked.before else []),
            (OFF, ROOT, {}),
            (WATCHED, ROOT, watched[0]),
            (TRACED, ROOT, watched[1] | {"LINTAS_TRACING__ENDPOINT": collector}),
        ]
        sides = [
            await stack.enter_async_context(serving(name, root, url, place / "ring.json", **settings))
            for name, root, settings in wanted
        ]
        scraping = asyncio.create_task(scrape(ports))
        for number in range(-1, asked.rounds):
            turn = number % len(sides)
            for side in [*sides[turn:], *sides[:turn]]:
                cost = await over_http(side.url, secret, asked.referrals, side.process, postmaster)
                if number >= 0:  # The round before plans statements and fills caches.
                    side.costs.append(cost)
        scraping.cancel()
    report(sides)


def report(sides: list[Side]) -> None:
    """Print what each came to, and its ratio to the first, round by round."""
    first = sides[0]
    rows = []
    for side in sides:
        for part, name in (("wall", "time"), ("process", "processor, the process"), ("database", "PostgreSQL")):
            own = [getattr(cost, part) for cost in side.costs]
            ratios = [one / getattr(cost, part) for one, cost in zip(own, first.costs, strict=True)]
            rows.append([f"{side.name}, {name}", _shown(own, 0), _shown(ratios, 2)])
    print(f"\nMicroseconds a referral: the middle of {len(first.costs)} rounds, with the least and the most\n")
    table(["", "microseconds", f"ratio to {first.name}, round by round"], rows)


def _shown(figures: list[float], digits: int) -> str:
    return f"{median(figures):,.{digits}f} ({min(figures):,.{digits}f} to {max(figures):,.{digits}f})"


def main() -> None:
    """Start a durable PostgreSQL in a directory that is thrown away, and measure on it."""
    parser = argparse.ArgumentParser("python -m bench.signals", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--referrals", type=int, default=60, help="in each round")
    parser.add_argument("--before", help="a checkout of another version")
    asked = parser.parse_args()
    configure_logging(level="ERROR", console=True)
    with (
        tempfile.TemporaryDirectory(prefix="lintas-bench-") as made,
        EmbeddedPostgres.start(Path(made) / "postgres", durable=True) as server,
    ):
        server.create_database("bench_signals")
        url = server.url("bench_signals")
        migrate_to_head(url)
        uvloop.run(measure(server, url, Path(made), asked))


if __name__ == "__main__":
    main()
