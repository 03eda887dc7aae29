"""What sealing and the audit cost an intake: `make bench-privacy` (docs/benchmarks.md says what is compared with what).

The same referrals are taken in by the product and by the program of `bench.unsealed`, in one process and one database
of a throw-away PostgreSQL, in pairs whose order changes: by the workflow alone, and over HTTP, from the request to the
answer. Both are to send the database the same statements but for those of sealing and audit, else nothing is measured.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import aiohttp
import httpx
import uvloop
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.server import Server
from app.domain.caller import Caller
from app.main import listen
from app.observability import configure_logging
from app.storage.database import open_engine
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.storage.tables import audit, data_keys, sealed_fields
from bench.effort import seconds_of, seconds_of_server
from bench.intake import WITH, WITHOUT, Both, Sessions, Side, headers_of, referral, settle
from bench.routing import table
from bench.unsealed import unsealed_fields

WORKFLOW, HTTP = "the workflow", "over HTTP"
OF_PRIVACY = frozenset({"audit", "data_keys", "sealed_fields", "unsealed_fields", "feed_state"})
"""The tables of sealing and audit; an audit entry reads from the last where in the chain it stands."""
TOUCHES = re.compile(r"\b(?:INTO|UPDATE|FROM|JOIN) +(\w+)")
AT_ONCE = 4
"""Requests under way over HTTP."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one referral came to in a round, in microseconds."""

    wall: float
    process: float
    """Processor time of the process that takes it in."""
    database: float
    """Processor time of PostgreSQL."""

    @property
    def processor(self) -> float:
        """Both together."""
        return self.process + self.database


async def by_workflow(both: Both, side: Side, caller: Caller, number: int, postmaster: int) -> Cost:
    """Take in some referrals one after the other."""
    ready = await both.submissions(number)
    database, processor, began = seconds_of_server(postmaster), process_time(), perf_counter()
    for submission in ready:
        await both.take_in(side, caller, submission)
    wall, processor = perf_counter() - began, process_time() - processor
    return Cost(*(_each(s, number) for s in (wall, processor, seconds_of_server(postmaster) - database)))


async def over_http(url: str, secret: str, number: int, server: int, postmaster: int) -> Cost:
    """Send some referrals over HTTP, a few at once, and take no answer but that they are kept."""
    bodies = iter([json.dumps(referral()).encode() for _ in range(number)])
    async with aiohttp.ClientSession() as client:

        async def send() -> None:
            for body in bodies:
                headers = headers_of(secret) | {"Content-Type": "application/json"}
                async with client.post(f"{url}/v1/referrals", data=body, headers=headers) as answer:
                    await answer.read()
                    if answer.status != 201:
                        raise AssertionError(f"a referral was answered by {answer.status}")

        database, process, began = seconds_of_server(postmaster), seconds_of(server), perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(send())
        wall = perf_counter() - began
    used = (seconds_of(server) - process, seconds_of_server(postmaster) - database)
    return Cost(*(_each(seconds, number) for seconds in (wall, *used)))


async def statements(both: Both, secret: str) -> list[Counter[str]]:
    """Give, by side, the statements by which one referral is taken in over HTTP."""
    found = []
    for side in both.sides:
        transport = httpx.ASGITransport(app=side.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench.test") as client:
            # The second time nothing is read that is read once a process.
            for _ in range(2):
                with _heard(both.engine) as heard:
                    answer = await client.post("/v1/referrals", json=referral(), headers=headers_of(secret))
                answer.raise_for_status()
        found.append(heard)
    return found


async def serve(url: str, ring: KeyRing) -> None:
    """Serve both programs in one process, each on a port that is said, until the input ends."""
    engine = open_engine(url, application_name="bench privacy")
    both = Both(engine, ring)
    listeners = [listen("127.0.0.1", 0) for _ in both.sides]
    up = asyncio.Semaphore(0)
    servers = [Server(side.api, up.release, stop_within=timedelta(seconds=5)) for side in both.sides]
    async with asyncio.TaskGroup() as tasks:
        for server, listener in zip(servers, listeners, strict=True):
            tasks.create_task(server.serve([listener]))
        for _ in servers:
            await up.acquire()
        print(json.dumps([f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for server in servers:
            server.should_exit = True
    await engine.dispose()


def differ(by_side: list[Counter[str]]) -> None:
    """Print the statements that only one of the two sends; refuse where they are of anything but sealing and audit."""
    ours, theirs = by_side
    for name, only in ((WITH, ours - theirs), (WITHOUT, theirs - ours)):
        print(f"Statements of a referral over HTTP, {name}: {(ours if name == WITH else theirs).total()}; only there:")
        for statement, times in only.items():
            touched = dict.fromkeys(TOUCHES.findall(statement))
            print(f"  {times} that touches {', '.join(touched)}")
            if not touched or not touched.keys() <= OF_PRIVACY:
                raise AssertionError(f"the two programs differ by more than sealing and audit: {statement}")


async def kept(sessions: Sessions, taken: int) -> None:
    """Count that each side kept what it should, for every referral that it took in."""
    async with sessions() as session:
        found = {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (data_keys, sealed_fields, unsealed_fields)
        }
        looks = await session.scalar(select(func.count()).where(audit.c.action == "referral.submit"))
    if not found["data_keys"] == looks == taken or found["sealed_fields"] != found["unsealed_fields"]:
        raise AssertionError(f"of {taken} referrals each, {found} and {looks} audit entries were kept")
    print(f"\n{taken:,} referrals each, of {found['sealed_fields'] // taken} personal fields and three services")


def report(found: dict[tuple[str, str], list[Cost]]) -> None:
    """Print what each came to, and the ratios pair by pair."""
    rows = []
    for way in (WORKFLOW, HTTP):
        ours, theirs = found[way, WITH], found[way, WITHOUT]
        for part, name in (
            ("wall", "time"),
            ("processor", "processor, all"),
            ("process", "processor, the process"),
            ("database", "processor, PostgreSQL"),
        ):
            one, two = ([getattr(cost, part) for cost in costs] for costs in (ours, theirs))
            ratios = [a / b for a, b in zip(one, two, strict=True)]
            rows.append([f"{way}, {name}", _shown(one, 0), _shown(two, 0), _shown(ratios, 2)])
    print(f"\nMicroseconds a referral: the middle of {len(ours)} rounds each, with the least and the most\n")
    table(["", WITH, WITHOUT, "ratio, pair by pair"], rows)


async def measure(server: EmbeddedPostgres, url: str, asked: argparse.Namespace) -> None:
    """Make both programs ready, compare their statements, measure them in pairs, and report."""
    engine, ring = open_engine(url, application_name="bench privacy"), KeyRing.generate("bench")
    both = Both(engine, ring)
    caller, secret = await settle(both.sessions, ring)
    differ(await statements(both, secret))
    ring.write(Path(asked.place) / "keys.json")
    serving = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.privacy", "--serve", url, "--place", asked.place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if serving.stdin is None or serving.stdout is None:
        raise AssertionError("there are pipes")
    urls = json.loads(await serving.stdout.readline())
    postmaster = int((server.data_dir / "cluster" / "postmaster.pid").read_text().split()[0])
    found: dict[tuple[str, str], list[Cost]] = {(way, side): [] for way in (WORKFLOW, HTTP) for side in (WITH, WITHOUT)}
    for number in range(-1, asked.pairs):
        turn = list(zip(both.sides, urls, strict=True))
        for way in (WORKFLOW, HTTP):
            for side, at in turn if number % 2 else reversed(turn):
                if way == WORKFLOW:
                    cost = await by_workflow(both, side, caller, asked.referrals, postmaster)
                else:
                    cost = await over_http(at, secret, asked.referrals, serving.pid, postmaster)
                if number >= 0:  # The pair before plans statements and fills caches.
                    found[way, side.name].append(cost)
    serving.stdin.close()
    await serving.wait()
    await kept(both.sessions, 2 + 2 * asked.referrals * (asked.pairs + 1))
    report(found)
    await engine.dispose()


def _each(seconds: float, number: int) -> float:
    return seconds / number * 1e6


def _shown(figures: list[float], digits: int) -> str:
    return f"{median(figures):,.{digits}f} ({min(figures):,.{digits}f} to {max(figures):,.{digits}f})"


class _heard:  # noqa: N801 - a context
    """Counts the statements that an engine is given meanwhile."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._found = engine.sync_engine, Counter[str]()

    def __enter__(self) -> Counter[str]:
        event.listen(self._engine, "before_cursor_execute", self._hear)
        return self._found

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._found[statement] += 1


def main() -> None:
    """Start a durable PostgreSQL in a directory that is thrown away, and measure on it."""
    parser = argparse.ArgumentParser("python -m bench.privacy", description=__doc__)
    parser.add_argument("--pairs", type=int, default=25)
    parser.add_argument("--referrals", type=int, default=40, help="in each round")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    configure_logging(level="ERROR", console=True)
    if asked.serve:
        uvloop.run(serve(asked.serve, KeyRing.read(Path(asked.place) / "keys.json")))
        return
    with (
        tempfile.TemporaryDirectory(prefix="lintas-bench-") as made,
        EmbeddedPostgres.start(Path(made) / "postgres", durable=True) as server,
    ):
        asked.place = made
        server.create_database("bench_privacy")
        url = server.url("bench_privacy")
        migrate_to_head(url)
        uvloop.run(measure(server, url, asked))


if __name__ == "__main__":
    main()
