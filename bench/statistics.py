"""How fast, and in how much memory, months are drawn and read: `python -m bench.statistics [REQUESTS]`.

The requests of `bench.simulate` are spread over two years and all regencies, and every third has a handoff with a duty,
in the database of a throw-away PostgreSQL. `lintas statistics draw` then draws every month, in a process of its own.
"""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from app.domain.months import Month
from app.storage import statistics as stored
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from bench.simulate import store

FIRST, LAST = Month(2024, 10), Month(2026, 9)

SPREAD = (
    """
    CREATE TEMPORARY TABLE regency AS
    SELECT code, row_number() OVER (ORDER BY code) AS place FROM regions WHERE level IN ('regency', 'city')
    """,
    "UPDATE referrals SET received_at = timestamptz '2024-10-01' + random() * interval '730 days'",
    # Few regencies have many cases, and many have few.
    """
    UPDATE facts SET body = jsonb_set(body, '{locations,incident}', to_jsonb(regency.code))
    FROM regency WHERE place = 1 + floor(514 * power(('x' || substr(md5(referral_id::text), 1, 8))::bit(32)::bigint
        / 4294967296.0, 2))
    """,
    """
    UPDATE service_requests SET state = (ARRAY['fulfilled', 'fulfilled', 'fulfilled', 'unmet', 'accepted',
        'needs_coordinator', 'cancelled'])[1 + floor(random() * 7)]
    """,
    """
    INSERT INTO handoffs (id, referral_id, service_request_id, decision_id, agency_code, state, urgency, respond,
        respond_by, offered_at, changed_at, duties)
    SELECT gen_random_uuid(), d.referral_id, d.service_request_id, d.id,
        (ARRAY['uptd-ppa-ppu', 'uptd-ppa-kukar', 'uptd-ppa-kaltim'])[1 + floor(random() * 3)], 'completed', 'standard',
        'PT24H', d.decided_at, d.decided_at, d.decided_at, jsonb_build_array(jsonb_build_object('duty',
        'report_to_police', 'due_at', d.decided_at, 'document', 'baseline-national', 'version', 1, 'clause',
        'report-sexual-violence', 'source', '', 'confirmed', false,
        'kept_at', CASE WHEN random() < 0.7 THEN d.decided_at END,
        'passed_at', CASE WHEN random() < 0.2 THEN d.decided_at END))
    FROM decisions d WHERE random() < 0.33
    """,
)


async def spread(url: str) -> None:
    engine = open_engine(url, application_name="bench", pool=Pool(statement=_HOUR))
    async with sessions_of(engine).begin() as tx:
        for statement in SPREAD:
            await tx.execute(text(statement))
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    await engine.dispose()


_HOUR = Pool().statement * 240


def draw(url: str) -> tuple[int, float, int]:
    """Run the command; give how many months it drew, how long it took and the most memory it had, in MiB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "statistics", "draw"],
        env={**os.environ, "LINTAS_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return len(done.stdout.split()), took, memory


async def read(url: str) -> tuple[float, list[str]]:
    """Give how many milliseconds two years of a table take to read, at the median, and how a month is found."""
    engine = open_engine(url, application_name="bench", pool=Pool(statement=_HOUR))
    took = []
    async with sessions_of(engine).begin() as tx:
        for _ in range(21):
            began = time.perf_counter()
            assert len(await stored.drawn(tx, "violence", first=FIRST, last=LAST)) == 24  # noqa: S101 - or all is void
            took.append((time.perf_counter() - began) * 1000)
        plans: list[str] = []
        for wanted in (stored.referrals_wanted(LAST), stored.duties_wanted(LAST)):
            asked = wanted.compile(engine.sync_engine, compile_kwargs={"literal_binds": True})
            plans += (await tx.scalars(text(f"EXPLAIN (ANALYZE) {asked}"))).all()
    await engine.dispose()
    return statistics.median(took), plans


def main(wanted: int) -> None:
    with tempfile.TemporaryDirectory() as place, EmbeddedPostgres.start(Path(place) / "postgres") as server:
        server.create_database("statistics")
        url = server.url("statistics")
        migrate_to_head(url)
        asyncio.run(store(url, wanted))
        asyncio.run(spread(url))
        months, took, memory = draw(url)
        reading, plans = asyncio.run(read(url))
    print(f"{wanted:,} requests, {months} months drawn in {took:.1f} s, at most {memory} MiB")
    print(f"two years of one table read in {reading:.1f} ms")
    print("\n".join(plans))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
