"""How long intake waits for a publication: `python -m bench.publishing [CLAUSES] [AGENCIES]`.

The document is made up and national, on the database of a throw-away PostgreSQL. While it is published over the API,
another process takes what each intake takes, the registry's lock in common with others, again and again: its longest
wait is what a referral would have waited. Beside it the same for a lock that nobody holds, which is the noise.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.domain.caller import Role
from app.main import ROUTERS
from app.observability import configure_logging
from app.reference import load
from app.storage import api_keys, registry
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.reference import REGISTRY_LOCK, ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from app.workflows.seed import seed

PATIENT = Pool(statement=timedelta(minutes=30), lock=timedelta(minutes=30), idle_in_transaction=timedelta(minutes=30))
"""With limits, intake gives up after five seconds and an idle transaction after thirty, and there is no figure."""
NOBODYS_LOCK = 0
OPERATOR = "kemenpppa-sapa129"
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def document(clauses: int) -> dict[str, Any]:
    """Write an agreement of the whole country: services by age, sex and urgency, each rank its own."""
    services = list(load.shipped().vocabulary.service_types)
    kinds = list(load.shipped().vocabulary.agency_kinds)
    written = []
    for number in range(clauses):
        turn = number // len(services)
        when = {
            "services": [services[number % len(services)]],
            "age_from": turn % 10 * 10,
            "age_below": turn % 10 * 10 + 10,
            "sexes": [("female", "male")[turn // 10 % 2]],
        }
        written.append(
            {
                "key": f"clause-{number}",
                "kind": "assign",
                "cite": {"source": "made up", "confirmed": True},
                "when": when,
                "basis": ["current", "domicile"],
                "to": {"where": ("basis", "partner", "province")[number % 3], "kinds": [kinds[number % len(kinds)]]},
                "rank": number,
            }
        )
    return {
        "format": 1,
        "id": "national",
        "version": 1,
        "kind": "agreement",
        "precedence": 90,
        "title": {"id": "Nasional", "en": "National"},
        "effective": {"from": "2025-01-01"},
        "timezone": "Asia/Jakarta",
        "parties": [{"agency": "dp3a-kukar", "territory": ["ID"]}, {"agency": "dp3ap2kb-ppu", "territory": ["64.09"]}],
        "clauses": written,
    }


async def add_agencies(tx: AsyncSession, wanted: int) -> None:
    """Let the shipped agencies have namesakes in other regencies until there are enough."""
    bodies = load.written_registry()["agencies"]
    regencies = sorted(code for code in load.shipped().regions.by_code if code.count(".") == 1)
    version = await registry.open_for_change(tx)
    for number in range(wanted - len(bodies)):
        body = deepcopy(bodies[number % len(bodies)])
        home = regencies[number % len(regencies)]
        body |= {"code": f"{body['code'][:40]}-{number}", "region": home}
        body.pop("part_of", None)
        body.pop("coordinator_for", None)
        for service in body.get("services", {}).values():
            service["area"] = [home]
        await registry.put_agency(tx, body, version=version, now=NOW)


async def probe(url: str) -> None:
    """Take the lock as intake does until the input ends, and say how often that was and the longest wait."""
    engine = open_engine(url, application_name="bench probe", pool=PATIENT)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    waits: dict[int, list[float]] = {REGISTRY_LOCK: [], NOBODYS_LOCK: []}
    async with engine.connect() as connection:
        print("ready", flush=True)
        while not ended.done():
            for lock, waited in waits.items():
                start = time.perf_counter()
                async with connection.begin():
                    await connection.execute(select(func.pg_advisory_xact_lock_shared(lock)))
                waited.append(time.perf_counter() - start)
            await asyncio.sleep(0.001)
    longest, noise = (sorted(waited, reverse=True)[:3] for waited in waits.values())
    print(json.dumps({"longest": longest, "noise": noise, "count": len(waits[REGISTRY_LOCK])}))
    await engine.dispose()


async def publish(sessions: async_sessionmaker[AsyncSession], url: str, written: dict[str, Any]) -> None:
    ring, keeper = KeyRing.generate("bench"), ReferenceKeeper()
    secret = api_keys.new_secret((Role.OPERATOR,))
    async with sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=OPERATOR, roles=(Role.OPERATOR,), label="", expires_at=None)
    api = build(ROUTERS, sessions=sessions, key_ring=ring, reference=keeper, clock=lambda: NOW, terms=Terms())
    headers = {"Authorization": f"Bearer {secret}"}
    at = f"/v1/agreements/{written['id']}/versions/1"
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.test", headers=headers) as client:
        drafted = await client.put(at, json=written)
        drafted.raise_for_status()
        probing = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.publishing",
            "--probe",
            url,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if probing.stdout is not None:
            await probing.stdout.readline()
        start = time.perf_counter()
        published = await client.post(f"{at}/publish", timeout=600)
        took = time.perf_counter() - start
        out, _ = await probing.communicate(b"")
    published.raise_for_status()
    said = json.loads(out)
    print(
        f"published in {took:.1f} s with {len(published.json()['findings'])} findings ({len(published.content):,} "
        f"bytes); of {said['count']:,} times that the registry was asked for, the longest waits were "
        f"{_milliseconds(said['longest'])}, and for a lock that nobody holds {_milliseconds(said['noise'])}"
    )


def _milliseconds(waits: list[float]) -> str:
    return ", ".join(f"{wait * 1000:.1f}" for wait in waits) + " ms"


async def run(url: str, clauses: int, agencies: int) -> None:
    engine = open_engine(url, application_name="bench", pool=PATIENT)
    sessions = sessions_of(engine)
    async with sessions.begin() as tx:
        await seed(tx, NOW)
    async with sessions.begin() as tx:
        await add_agencies(tx, agencies)
    await publish(sessions, url, document(clauses))
    await engine.dispose()


def main(clauses: int = 500, agencies: int = 2000) -> None:
    """Measure once."""
    configure_logging(level="ERROR", console=True)
    with (
        tempfile.TemporaryDirectory() as place,
        EmbeddedPostgres.start(Path(place) / "bench", durable=True) as server,
    ):
        server.create_database("bench_publishing")
        url = server.url("bench_publishing")
        migrate_to_head(url)
        print(f"{clauses} clauses, {agencies} agencies")
        asyncio.run(run(url, clauses, agencies))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--probe"]:
        asyncio.run(probe(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:3]))
