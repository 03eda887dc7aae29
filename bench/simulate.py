"""How fast, and in how much memory, a draft is tried on stored requests: `python -m bench.simulate [REQUESTS]`.

The requests are made up: 1,000 cases are decided by the shipped documents, and copied in the database of a throw-away
PostgreSQL until there are enough. Then `lintas agreements simulate` runs on all of them, in a process of its own.
"""

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.facts import Facts
from app.domain.record import record_of
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.reference import Reference, ReferenceKeeper
from app.storage.tables import decisions, facts, referrals, service_requests
from app.workflows.seed import seed
from tests.workflows.agreements import a_clause, a_document

KINDS = 1000
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = ("64.71", "64.72", "64.72", "64.02.06", "64.09.04", "63.71", None)
SERVICES = ("legal_service", "psychological_support", "health_service", "temporary_shelter", "case_management")


def draft() -> dict[str, Any]:
    care = {"services": ["psychological_support", "health_service", "temporary_shelter"]}
    partner = {"where": "partner", "kinds": ["uptd_ppa", "hospital"]}
    return a_document(
        a_clause(),
        a_clause("care", when=care, basis=["current", "domicile"], to={"where": "basis"}, rank=30),
        a_clause("care-by-partner", when=care, basis=["current", "domicile"], to=partner, rank=40),
    )


def made_up(chance: random.Random, number: int) -> Facts:
    places = {name: chance.choice(PLACES) for name in ("incident", "domicile", "current")}
    return Facts.from_json(
        {
            "received_at": (BEGINS + timedelta(minutes=number)).isoformat(),
            "urgency": chance.choice(("standard", "standard", "urgent", "emergency")),
            "case_types": [chance.choice(("physical", "sexual", "psychological", "trafficking"))],
            "locations": {name: place for name, place in places.items() if place},
            "victim": {"age": chance.choice((8, 16, 24, 31, 50, None)), "sex": chance.choice(("female", "male", None))},
            "perpetrator_in_household": chance.choice((True, False, None)),
        }
    )


async def store_kinds(tx: AsyncSession, reference: Reference) -> None:
    chance, now = random.Random(3), BEGINS  # noqa: S311 - chance, not secrecy
    for number in range(KINDS):
        case, service, referral_id, request_id = made_up(chance, number), chance.choice(SERVICES), uuid4(), uuid4()
        decision = reference.rules.decide(case, service)
        await tx.execute(insert(referrals).values(row(referral_id, number)))
        await tx.execute(insert(facts).values(referral_id=referral_id, version=1, body=case.to_json(), recorded_at=now))
        await tx.execute(
            insert(service_requests).values(
                id=request_id, referral_id=referral_id, service_type=service, state="routing"
            )
        )
        await tx.execute(
            insert(decisions).values(
                id=uuid4(),
                service_request_id=request_id,
                referral_id=referral_id,
                facts_version=1,
                consent=True,
                tried=[],
                registry_version=reference.version,
                code_sets_version=1,
                engine="1",
                cause="submitted",
                outcome=decision.outcome.value,
                result=record_of(reference.rules, decision, case.received_at),
                decided_at=case.received_at,
            )
        )


def row(referral_id: UUID, number: int) -> dict[str, Any]:
    return {
        "id": referral_id,
        "sender_code": "dp3ap2kb-ppu",
        "sender_reference_hash": str(number).encode(),
        "holder_code": "dp3ap2kb-ppu",
        "mode": "referral",
        "urgency": "standard",
        "state": "open",
        "received_at": BEGINS + timedelta(minutes=number),
    }


COPIES = (
    """
    CREATE TEMPORARY TABLE copy AS
    SELECT r.id AS old, gen_random_uuid() AS new, gen_random_uuid() AS request, n
    FROM referrals r CROSS JOIN generate_series(1, :times) AS n
    """,
    "CREATE INDEX ON copy (old)",
    """
    INSERT INTO referrals
    SELECT c.new, r.sender_code, c.new::text::bytea, r.holder_code, r.mode, r.urgency, r.state, r.version,
        r.facts_version, NULL, r.received_at
    FROM copy c JOIN referrals r ON r.id = c.old
    """,
    """
    INSERT INTO facts (referral_id, version, body, recorded_at)
    SELECT c.new, 1, f.body, f.recorded_at FROM copy c JOIN facts f ON f.referral_id = c.old
    """,
    """
    INSERT INTO service_requests (id, referral_id, service_type, state)
    SELECT c.request, c.new, s.service_type, s.state FROM copy c JOIN service_requests s ON s.referral_id = c.old
    """,
    """
    INSERT INTO decisions (id, service_request_id, referral_id, facts_version, consent, tried, registry_version,
        code_sets_version, engine, cause, outcome, result, decided_at)
    SELECT gen_random_uuid(), c.request, c.new, 1, d.consent, d.tried, d.registry_version, d.code_sets_version,
        d.engine, d.cause, d.outcome, d.result, d.decided_at + c.n * interval '1 second'
    FROM copy c JOIN decisions d ON d.referral_id = c.old
    """,
)


async def store(url: str, wanted: int) -> None:
    engine = open_engine(url, application_name="bench", pool=Pool(statement=timedelta(minutes=30)))
    async with sessions_of(engine).begin() as tx:
        await seed(tx, BEGINS)
    async with sessions_of(engine).begin() as tx:
        await store_kinds(tx, await ReferenceKeeper().current(tx))
    async with sessions_of(engine).begin() as tx:
        for statement in COPIES:
            await tx.execute(text(statement), {"times": wanted // KINDS - 1} if ":times" in statement else {})
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
    await engine.dispose()


def simulate(url: str, place: Path) -> tuple[dict[str, Any], float, int]:
    """Run the command; give what it said, how long it took and the most memory it had, in MiB."""
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app.cli", "agreements", "simulate", str(place), "--json"],
        env={**os.environ, "LINTAS_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.perf_counter() - began
    return json.loads(done.stdout), took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def main(wanted: int) -> None:
    with tempfile.TemporaryDirectory() as place, EmbeddedPostgres.start(Path(place) / "postgres") as server:
        server.create_database("simulate")
        url, file = server.url("simulate"), Path(place) / "draft.json"
        file.write_text(json.dumps(draft()))
        migrate_to_head(url)
        asyncio.run(store(url, wanted))
        said, took, memory = simulate(url, file)
    print(f"{said['examined']:,} decisions in {took:.1f} s: {said['examined'] / took:,.0f}/s, at most {memory} MiB")
    print({name: value for name, value in said.items() if name not in ("moves", "examples")})
    print(f"{len(said['moves'])} ways to go elsewhere")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
