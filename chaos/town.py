"""Everybody there is: PostgreSQL, the processes of Lintas, receivers of all agencies, senders, and what is poison."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.caller import Role
from app.reference.load import shipped
from app.storage.database import open_for_migrations, sessions_of
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.workflows.issue_key import issue_key
from app.workflows.seed import seed
from chaos import receiver, sender
from chaos.door import Door
from chaos.people import Person
from chaos.postgres import Postgres
from chaos.units import STOP_WITHIN, House

ROLES = (Role.SENDER, Role.RECEIVER, Role.COORDINATOR)
SENDERS = ("dp3a-kukar", "dp3ap2kb-ppu", "polda-kaltim-ppa", "rsud-kanujoso")
UNSEALABLE, DEADLY = "otorita-ikn", "bp3mi-kaltara"
"""Agencies that hear of nothing here, so that a poisoned endpoint costs no news."""
UNITS = (
    ("api-1", True, False),
    ("api-2", True, True),
    ("worker-1", False, False),
    ("worker-2", False, True),
    ("worker-3", False, True),
)
"""The name of each process of Lintas, whether it serves the API, and whether its machine's clock can be set."""
SETTINGS = {
    "LINTAS_WEBHOOK__ALLOW_HTTP": "true",
    "LINTAS_WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
    "LINTAS_WEBHOOK__TOTAL_TIMEOUT": "5",
    "LINTAS_WEBHOOK__CONNECT_TIMEOUT": "2",
    "LINTAS_RATE_LIMIT__PER_KEY": "0",
    "LINTAS_RATE_LIMIT__FAILURES_PER_ADDRESS": "0",
    "LINTAS_STOP_WITHIN": f"{STOP_WITHIN:.0f}",
    "LINTAS_FALLBACK_COORDINATOR": "lpsk",
    "LINTAS_SECOND_PERSON__ENDPOINTS": "false",
    "LINTAS_LOG_LEVEL": "DEBUG",
}

PROVEN_WITHIN = 60.0
FEW_UNITS = (("api-1", True, False), ("worker-1", False, False), ("worker-2", False, True))
QUICK = {"LINTAS_WEBHOOK__TOTAL_TIMEOUT": "1", "LINTAS_WEBHOOK__CONNECT_TIMEOUT": "1"}


@dataclass(slots=True)
class Town:
    """Everybody, and where they write."""

    directory: Path
    postgres: Postgres
    engine: AsyncEngine
    house: House
    door: Door
    keys: dict[str, str]
    receivers: list[Person]
    senders: Person
    records: list[Path]
    journal: Path
    acts: list[Path]
    complaints: Path
    counts: list[Path]
    endpoints: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The agency and the path of each endpoint, by its id."""
    poisoned: dict[str, str] = field(default_factory=dict)
    """The endpoint of each poison event, by the event's id."""


@asynccontextmanager
async def a_town(directory: Path, *, seed_: int, misbehaves: float, quick: bool) -> AsyncIterator[Town]:
    """Start everybody in a directory; nobody outlives this. Quick, leases are short and no worker is killed by news."""
    postgres = Postgres(directory / "postgres")
    await postgres.start()
    people: list[Person] = []
    house: House | None = None
    engine: AsyncEngine | None = None
    try:
        await asyncio.to_thread(migrate_to_head, postgres.url())
        ring = directory / "ring.json"
        KeyRing.generate("chaos").write(ring)
        engine = open_for_migrations(postgres.url())  # it keeps no connection, which would not outlive the next fault
        keys = await _seeded(engine)
        settings = SETTINGS | {"LINTAS_KEY_RING_FILE": str(ring)} | (QUICK if quick else {})
        house = House(directory, lambda: postgres.port, postgres.url(0), settings)
        await house.start(FEW_UNITS if quick else UNITS)
        people += [await Person.start("chaos.receiver", directory / f"receiver-{n}.log") for n in (1, 2)]
        people.append(await Person.start("chaos.sender", directory / "sender.log"))
        complaints = directory / "complaints"
        town = Town(
            directory=directory,
            postgres=postgres,
            engine=engine,
            house=house,
            door=Door(house.ports, complaints),
            keys=keys,
            receivers=people[:2],
            senders=people[2],
            records=[directory / f"record-{n}.jsonl" for n in (1, 2)],
            journal=directory / "journal.jsonl",
            acts=[directory / f"acts-{n}.jsonl" for n in (1, 2)],
            complaints=complaints,
            counts=[directory / f"counts-{name}.json" for name in ("receiver-1", "receiver-2", "sender")],
        )
        await _register(town, seed_, misbehaves)
        await _until_proven(town)
        await _poison(town, deadly=not quick)
        yield town
        await town.door.aclose()
    finally:
        for person in people:
            person.kill()
        if house is not None:
            house.kill_all()
            await house.end()
        if engine is not None:
            await engine.dispose()
        await postgres.stop()


async def _seeded(engine: AsyncEngine) -> dict[str, str]:
    sessions = sessions_of(engine)
    async with sessions.begin() as tx:
        await seed(tx, datetime.now(UTC))  # noqa: TID251 - an entry point
    async with sessions.begin() as tx:
        return {
            agency: (await issue_key(tx, agency_code=agency, roles=ROLES, label="chaos")).secret
            for agency in sorted(shipped().registry.agencies)
        }


async def _register(town: Town, seed_: int, misbehaves: float) -> None:
    """Register an endpoint for each agency, by turns with the two receivers, and give everybody their orders."""
    ports = [await person.heard() for person in town.receivers]
    orders: list[dict[str, tuple[str, str]]] = [{}, {}]
    for place, agency in enumerate(sorted(town.keys)):
        path = f"/deadly/{agency}" if agency == DEADLY else f"/{agency}"
        url = f"http://127.0.0.1:{ports[place % 2]}{path}"
        status, endpoint = await town.door.call(town.keys[agency], "POST", "/endpoints", {"url": url})
        if status != 201:
            raise RuntimeError(f"no endpoint for {agency}: {status} {endpoint}")
        town.endpoints[endpoint["id"]] = (agency, path)
        orders[place % 2][path] = (agency, endpoint["secret"])
    for place, person in enumerate(town.receivers):
        await person.order(
            receiver.Orders(
                endpoints=orders[place],
                keys=town.keys,
                record=str(town.records[place]),
                journal=str(town.acts[place]),
                ports=str(town.house.ports),
                complaints=str(town.complaints),
                counts=str(town.counts[place]),
                seed=seed_,
                misbehaves=misbehaves,
            )
        )
    await town.senders.order(
        sender.Orders(
            keys={agency: town.keys[agency] for agency in SENDERS},
            ports=str(town.house.ports),
            journal=str(town.journal),
            complaints=str(town.complaints),
            counts=str(town.counts[2]),
            seed=seed_,
        )
    )


async def _until_proven(town: Town) -> None:
    """Wait until each agency has given back what was posted to prove its address."""
    async with asyncio.timeout(PROVEN_WITHIN):
        while True:
            async with town.engine.begin() as connection:
                if await connection.scalar(text("SELECT bool_and(state = 'active') FROM endpoints")):
                    return
            await asyncio.sleep(0.1)


async def _poison(town: Town, *, deadly: bool) -> None:
    """Plant news that cannot be signed, and news that kills the worker that posts it, with two attempts left each."""
    for agency, attempts in ((UNSEALABLE, 9), (DEADLY, 8 if deadly else 10)):
        (endpoint_id,) = (id_ for id_, (whose, _) in town.endpoints.items() if whose == agency)
        async with town.engine.begin() as connection:
            if agency == UNSEALABLE:
                broken = "set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1))"
                await connection.execute(
                    text(f"UPDATE endpoint_secrets SET sealed = {broken} WHERE endpoint_id = :id"),  # noqa: S608 - no value in it
                    {"id": endpoint_id},
                )
            # Paused, the ping is held: its attempts can be set before any is made. Workers keep what they have opened
            # of a version.
            paused = "UPDATE endpoints SET state = 'paused', version = version + 1 WHERE id = :id"
            await connection.execute(text(paused), {"id": endpoint_id})
        status, _ = await town.door.call(town.keys[agency], "POST", f"/endpoints/{endpoint_id}/ping")
        if status != 202:
            raise RuntimeError(f"no ping for {agency}: {status}")
        async with town.engine.begin() as connection:
            planted = await connection.execute(
                text(
                    "UPDATE deliveries SET attempts = :attempts, state = 'due', due_at = now()"
                    " WHERE endpoint_id = :id AND state = 'held' RETURNING event_id"
                ),
                {"id": endpoint_id, "attempts": attempts},
            )
            await connection.execute(text("UPDATE endpoints SET state = 'active' WHERE id = :id"), {"id": endpoint_id})
            for row in planted:
                town.poisoned[str(row.event_id)] = endpoint_id


def posts_recorded(town: Town) -> int:
    """Count the lines of all records: a cheap measure of how many posts came."""
    return sum(file.read_bytes().count(b"\n") for file in town.records if file.exists())


def answered(town: Town) -> int:
    """Count the referrals that were answered."""
    return town.journal.read_bytes().count(b"\n") if town.journal.exists() else 0


def called(town: Town) -> tuple[dict[str, int], int]:
    """Give how often each status was answered to senders and agencies, and how many answers were replays."""
    statuses: dict[str, int] = dict(town.door.statuses)
    replayed = town.door.replayed
    for file in town.counts:
        if file.exists():
            found = json.loads(file.read_text())
            replayed += found["replayed"]
            for status, times in found["statuses"].items():
                statuses[status] = statuses.get(status, 0) + times
    return statuses, replayed


def a_chance(seed_: int) -> random.Random:
    """Give chance that is the same for the same seed."""
    return random.Random(seed_)  # noqa: S311 - it must be the same again
