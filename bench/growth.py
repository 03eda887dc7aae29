"""What years of history cost the work of today: every step with nothing behind it, and with ten million deliveries."""

import argparse
import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar
from uuid import uuid4

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import ClauseElement, Executable, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from app.domain.events import EventType, NewEvent
from app.storage import attempts, claims, deliveries, delivery_history, events
from app.storage.claims import Claimed, claim_due
from app.storage.database import open_engine, open_for_migrations, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration, migrate_to_head
from app.storage.tables import endpoints, finished_deliveries
from app.storage.tables import events as event_rows
from bench.growth_load import AGENCIES, add_agencies, load, load_before, make_past

LEASE = timedelta(seconds=40)
MONTHS = "0009"
"""The migration that parts history into months."""
STEPS = (
    "enqueue",
    "claim",
    "record",
    "feed, from its beginning",
    "feed, what is new",
    "history, the newest 50",
    "history, the failed ones",
    "one delivery with its attempts",
    "readiness, the feed's part",
)
READER = "agency-7"
NEW, OLD = "lintas_new", "lintas_old"
UNTIMED = 6
"""Rounds before the timed ones: until then PostgreSQL plans each statement anew."""
NOISE = re.compile(r"Index Searches|Storage:|Sort Method|Buckets:|Heap Blocks|Heap Fetches|Window:|^Planning Time")
WIDEST = 150
VALUE = re.compile(r"'\{.*|'\d{4}-\d\d-\d\d [^']*'?")
T = TypeVar("T")


class Explained(Executable, ClauseElement):
    """A statement's plan, with what came of it."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explained)
def _(element: Explained, compiler: SQLCompiler, **given: Any) -> str:
    return f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) {compiler.process(element.statement, **given)}"


@dataclass(slots=True)
class Times:
    """How long each step took, in milliseconds."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})

    def shown(self, step: str) -> str:
        """Show the median, and between which times eight of ten lie."""
        times = sorted(self.taken[step])
        return f"{median(times):.2f} ({times[len(times) // 10]:.2f} to {times[len(times) * 9 // 10]:.2f})"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--deliveries", type=int, default=10_000_000, help="how many are finished")
    arguments.add_argument("--rounds", type=int, default=40, help="how often each step is timed")
    arguments.add_argument("--migration", action="store_true", help="time the migration of so many instead")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="lintas-growth-") as place:
        Path(place).chmod(0o755)
        with EmbeddedPostgres.start(Path(place) / "postgres") as server:
            for name in (NEW, OLD):
                server.create_database(name)
            if asked.migration:
                time_migration(server.url(OLD), asked.deliveries)
            else:
                for name in (NEW, OLD):
                    migrate_to_head(server.url(name))
                asyncio.run(compare(server, asked.deliveries, asked.rounds))


def time_migration(url: str, count: int) -> None:
    """Fill the tables of before, and say how long parting them into months takes."""
    migration = ScriptDirectory.from_config(configuration(url)).get_revision(MONTHS)
    before = migration.down_revision if migration else None
    command.upgrade(configuration(url), str(before))

    async def fill() -> None:
        engine = open_for_migrations(url)
        async with sessions_of(engine).begin() as tx:
            await add_agencies(tx)
        await load_before(engine, now(), count)
        await engine.dispose()

    asyncio.run(fill())
    started = perf_counter()
    command.upgrade(configuration(url), MONTHS)
    print(f"{count:,} finished deliveries parted into months in {perf_counter() - started:.0f} s")


async def compare(server: EmbeddedPostgres, count: int, rounds: int) -> None:
    """Do the same in a database with nothing behind it and in one with so many deliveries, in turn."""
    new, old = (open_for_migrations(server.url(name)) for name in (NEW, OLD))
    started = perf_counter()
    for engine, behind in ((new, 0), (old, count)):
        async with sessions_of(engine).begin() as tx:
            await add_agencies(tx)
            await make_past(tx, now())
        await load(engine, now(), behind)
    async with old.begin() as connection:
        found = await connection.scalar(select(func.count()).select_from(finished_deliveries))
        size = await connection.scalar(select(func.pg_size_pretty(func.pg_database_size(OLD))))
    print(f"{found:,} finished deliveries, {size}, loaded in {perf_counter() - started:.0f} s\n")
    engines = [open_engine(server.url(name), application_name="lintas bench") for name in (NEW, OLD)]
    times = [Times(), Times()]
    for number in range(rounds + UNTIMED):
        for engine, of in zip(engines, times, strict=True):
            await work_round(engine, Times() if number < UNTIMED else of)
    print(f"| milliseconds | nothing behind it | {found:,} finished deliveries behind it | ratio |\n|---|---|---|---|")
    for step in STEPS:
        ratio = median(behind / before for before, behind in zip(*(of.taken[step] for of in times), strict=True))
        print(f"| {step} | {times[0].shown(step)} | {times[1].shown(step)} | {ratio:.2f} |")
    plans = [await plans_of(engine) for engine in engines]
    for name, own in zip(("nothing", f"{found:,} finished deliveries"), plans, strict=True):
        print(f"\nThe claim's plan, {name} behind it:")
        for plan in own:
            print("\n".join(folded(plan)), end="\n\n")
    same = all(list(shapes(one)) == list(shapes(other)) for one, other in zip(*plans, strict=True))
    print("The plans are the same." if same else "THE PLANS DIFFER.")
    for engine in (new, old, *engines):
        await engine.dispose()


async def work_round(engine: AsyncEngine, times: Times) -> None:
    """Tell every agency something, deliver it, and let one of them read."""
    sessions = sessions_of(engine)

    async def timed(step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        started = perf_counter()
        async with sessions.begin() as tx:
            found = await do(tx)
        times.taken[step].append((perf_counter() - started) * 1000)
        return found

    news = [news_for(number) for number in range(1, AGENCIES + 1)]
    await timed("enqueue", lambda tx: events.announce(tx, news, now=now()))
    taken = await timed("claim", lambda tx: claim_due(tx, now=now(), lease=LEASE, limit=AGENCIES))
    won = await timed("record", lambda tx: attempts.record(tx, [delivered(one) for one in taken], now=now()))
    if len(won) != AGENCIES:
        raise AssertionError("not all that was told could be claimed and recorded")
    async with sessions.begin() as tx:
        last = select(event_rows.c.xact, event_rows.c.id).where(event_rows.c.agency_code == READER)
        place = (await tx.execute(last.order_by(event_rows.c.xact.desc(), event_rows.c.id.desc()).limit(1))).one()
        own = await tx.scalar(select(endpoints.c.id).where(endpoints.c.agency_code == READER))
    if own is None:
        raise AssertionError("every agency has an endpoint")
    (latest,) = (one.id for one in taken if one.endpoint_id == own)

    async def history(tx: AsyncSession, state: str | None = None) -> Sequence[Any]:
        return await delivery_history.list_deliveries(tx, endpoint_id=own, agency_code=READER, state=state)

    async def one(tx: AsyncSession) -> None:
        await delivery_history.get(tx, latest, agency_code=READER)
        await delivery_history.list_attempts(tx, latest, agency_code=READER)

    await timed("feed, from its beginning", lambda tx: events.feed(tx, agency_code=READER, after=None, limit=100))
    after = (place.xact - 1, place.id)
    await timed("feed, what is new", lambda tx: events.feed(tx, agency_code=READER, after=after, limit=100))
    await timed("history, the newest 50", history)
    await timed("history, the failed ones", lambda tx: history(tx, deliveries.FAILED))
    await timed("one delivery with its attempts", one)
    await timed("readiness, the feed's part", events.is_cut_off)


async def plans_of(engine: AsyncEngine) -> list[list[str]]:
    """Give the plans of the claim's two statements, with something due to everybody."""
    sessions = sessions_of(engine)
    async with engine.connect() as connection:
        # While it is empty: the least that PostgreSQL can know of it.
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql("VACUUM (ANALYZE) deliveries")
    async with sessions.begin() as tx:
        await events.announce(tx, [news_for(number) for number in range(1, AGENCIES + 1)], now=now())
    async with sessions() as session:
        moment = {"moment": now()}
        # As the claim itself has them.
        looking, claiming = claims._CLAIMABLE, claims._CLAIM  # noqa: SLF001
        free = (await session.scalars(looking, moment)).all()
        chosen = {"claimable": free, "lease": LEASE, "leased_until": now(), "new_claim": uuid4()}
        chosen |= {"most": AGENCIES, "most_failing": AGENCIES}
        plans = [
            list(await session.scalars(Explained(looking), moment)),
            list(await session.scalars(Explained(claiming), moment | chosen)),
        ]
        await session.rollback()
    return plans


def folded(plan: Sequence[str]) -> Iterator[str]:
    """Write a plan without what was never executed, and without how memory was used."""
    passed_over = None
    for line in plan:
        depth = len(line) - len(line.lstrip())
        if passed_over is not None and depth > passed_over and "->" not in line:
            continue
        passed_over = depth if "never executed" in line else None
        if passed_over is None and not NOISE.search(line):
            yield line if len(line) < WIDEST else f"{line[:WIDEST]} ..."


def shapes(plan: Sequence[str]) -> Iterator[str]:
    """Write a plan without figures: what is done, by which index."""
    lines = (VALUE.sub("...", line.split(" (actual", 1)[0]) for line in folded(plan))
    return (line for line in lines if "->" in line or "Index Cond" in line)


def delivered(claimed: Claimed) -> attempts.Attempt:
    moment = now()
    return attempts.Attempt(
        claimed.id,
        claimed.claim,
        claimed.attempt,
        moment,
        timedelta(milliseconds=9),
        "delivered",
        204,
        "delivered",
        moment,
    )


def news_for(number: int) -> NewEvent:
    return NewEvent(f"agency-{number}", EventType.REFERRAL_CLOSED, {"referral_id": str(uuid4())}, uuid4())


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - an entry point


if __name__ == "__main__":
    main()
