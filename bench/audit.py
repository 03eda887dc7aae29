"""How fast, and in how much memory, an audit is linked and verified: `python -m bench.audit [ENTRIES]`.

The entries are made up in the database of a throw-away PostgreSQL, shaped as looks at handoffs are. They are linked by
the worker's own job, 5,000 a segment and then one a segment; then `lintas audit verify` runs on all, with all anchors,
in a process of its own, once on a tenth of the entries and once on all.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_chain import written_key
from app.observability import configure_logging
from app.storage.database import open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.workflows.link_audit import SIGNS_FOR, Said, link_audit

SMALL_SEGMENTS = 2000
AT_ONCE = 50_000
MADE_UP = text(
    "INSERT INTO audit (id, agency_code, key_id, action, subject, subject_id, referral_id, fields, request_id, roles,"
    " purpose, basis) SELECT gen_random_uuid(), 'uptd-ppa-ppu', gen_random_uuid(), 'handoff.read', 'handoff',"
    " gen_random_uuid()::text, gen_random_uuid(), '{victim.name,victim.safe_contact,victim.guardian,narrative}',"
    " gen_random_uuid()::text, '{receiver}', 'serve', 'consent' FROM generate_series(1, :count)"
)
Sessions = async_sessionmaker[AsyncSession]


async def make(sessions: Sessions, count: int) -> None:
    for done in range(0, count, AT_ONCE):
        async with sessions.begin() as tx:
            await tx.execute(MADE_UP, {"count": min(AT_ONCE, count - done)})


async def link(sessions: Sessions, ring: KeyRing, *, small: int = 0) -> float:
    began = time.perf_counter()
    for _ in range(small):
        await make(sessions, 1)
        await link_audit(sessions, ring, Said())
    if not small:
        await link_audit(sessions, ring, Said())
    return time.perf_counter() - began


def verify(url: str, key: str, log: Path, entries: int) -> None:
    command = [sys.executable, "-m", "app.cli", "audit", "verify", "--anchors", str(log), "--public-key", key]
    began = time.perf_counter()
    said = subprocess.run(  # noqa: S603 - our own program
        command, env={**os.environ, "LINTAS_DATABASE_URL": url}, check=True, capture_output=True, text=True
    )
    took = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"verify  {entries:>11,} entries  {took:8.1f} s  {entries / took:>9,.0f} entries/s  {most} MiB at most")
    print("        " + said.stdout.strip().splitlines()[-1])


async def main(count: int) -> None:
    ring = KeyRing.generate("bench")
    key = written_key(ring.signing_key(SIGNS_FOR).public_key())
    with tempfile.TemporaryDirectory() as place, EmbeddedPostgres.start(Path(place), durable=True) as server:
        server.create_database("bench")
        url, log = server.url("bench"), Path(place, "log.jsonl")
        await asyncio.to_thread(migrate_to_head, url)
        engine = open_engine(url, application_name="lintas bench")
        sessions = sessions_of(engine)
        with os.fdopen(os.open(log, os.O_CREAT | os.O_WRONLY), "w") as out:
            configure_logging(stream=out)
            for part in (count // 10, count - count // 10):
                await make(sessions, part)
                took = await link(sessions, ring)
                print(f"link    {part:>11,} entries  {took:8.1f} s  {part / took:>9,.0f} entries/s, 5,000 a segment")
                out.flush()
                verify(url, key, log, count // 10 if part == count // 10 else count)
            took = await link(sessions, ring, small=SMALL_SEGMENTS)
            each = took / SMALL_SEGMENTS * 1000
            print(
                f"link    {SMALL_SEGMENTS:>11,} entries  {took:8.1f} s  {each:.1f} ms each, one a segment, with writing"
            )
            out.flush()
            verify(url, key, log, count + SMALL_SEGMENTS)
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
