"""What docs/runbook.md says of backups and standbys, done with real clusters while the service runs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.storage.database import open_engine, sessions_of
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from tests.delivery.receivers import a_receiver
from tests.delivery.world import until
from tests.deploy.clusters import Cluster, a_place
from tests.deploy.processes import ROOT, Town, lintas
from tests.workflows.conftest import PPU, a_referral

Clusters = tuple[Cluster, list[Cluster]]
pytestmark = pytest.mark.skipif(
    not os.environ.get("LINTAS_TEST_REHEARSE"), reason="takes some minutes: make rehearse-restore"
)


@pytest.fixture
async def clusters() -> AsyncIterator[Clusters]:
    """A migrated cluster that runs, and the list of those to be ended."""
    with a_place() as (place, running):
        primary = Cluster(place, "primary")

        def begin() -> None:
            primary.lay_out()
            running.append(primary)
            primary.start()
            place.run("createdb", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "lintas", "lintas")
            migrate_to_head(primary.url)

        await asyncio.to_thread(begin)
        yield primary, running


async def command(place: Path, key_ring: KeyRing, url: str, *words: str) -> str:
    """Run `lintas` with these words, and give what it printed."""
    ring = place / "command-ring.json"
    if not ring.exists():
        key_ring.write(ring)
    settings = {"LINTAS_DATABASE_URL": url, "LINTAS_KEY_RING_FILE": str(ring), "LINTAS_DATA_DIR": str(place / "data")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        *words,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, (words, said.decode())
    return said.decode()


def engine_of(cluster: Cluster) -> AsyncEngine:
    return open_engine(cluster.url, application_name="lintas tests")


async def ask(engine: AsyncEngine, statement: str) -> object:
    async with engine.begin() as connection:
        found = await connection.execute(text(statement))
        return found.scalar() if found.returns_rows else None


STATES = "SELECT string_agg(id || state, ',' ORDER BY id) FROM handoffs"


async def test_a_restore_to_the_moment_before_a_mistake_brings_back_all_up_to_it(
    tmp_path: Path, key_ring: KeyRing, clusters: Clusters
) -> None:
    primary, running = clusters
    engine = engine_of(primary)
    town = Town(sessions_of(engine), key_ring)
    async with a_receiver() as receiver, town.settled(receiver):
        async with (
            lintas(tmp_path, key_ring, primary.url, "serve") as api,
            lintas(tmp_path, key_ring, primary.url, "work"),
        ):
            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)
            person = (await town.ask(PPU, api.port, "POST", "/referrals", json=a_referral())).json()["id"]
            backup = await asyncio.to_thread(primary.back_up, "restored")

            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)
            moment = str(await ask(engine, "SELECT clock_timestamp()::text"))
            states = await ask(engine, STATES)
            await town.ask(PPU, api.port, "POST", f"/referrals/{person}/cancel", json={})
            await command(tmp_path, key_ring, primary.url, "rights", "erase", person, "--yes")

            # The mistake, and what is in the archive when it is noticed.
            await ask(engine, "UPDATE handoffs SET state = 'expired'")
            segment = await ask(engine, "SELECT pg_walfile_name(pg_switch_wal())")
            await until((primary.place.archive / str(segment)).exists, within=30)
        await engine.dispose()
        await asyncio.to_thread(primary.lose)

        backup.restore_to(moment)
        running.append(backup)
        await asyncio.to_thread(backup.start)
        engine = engine_of(backup)

        async def is_open() -> bool:
            return await ask(engine, "SELECT pg_is_in_recovery()") is False

        await until(is_open, within=60)
        assert await ask(engine, STATES) == states
        await command(tmp_path, key_ring, backup.url, "migrate")
        assert "whole" in await command(tmp_path, key_ring, backup.url, "repair-feed")
        applied = await command(
            tmp_path,
            key_ring,
            backup.url,
            "rights",
            "apply-ledger",
            str(tmp_path / "data" / "erasures.jsonl"),
            "--json",
        )
        assert '"erased":1' in applied
        assert await ask(engine, f"SELECT erased_at IS NOT NULL FROM referrals WHERE id = '{person}'") is True  # noqa: S608

        town.sessions = sessions_of(engine)
        async with (
            lintas(tmp_path, key_ring, backup.url, "serve") as api,
            lintas(tmp_path, key_ring, backup.url, "work"),
        ):
            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)
        await command(tmp_path, key_ring, backup.url, "audit", "verify")
        await engine.dispose()


async def test_a_standby_takes_over_with_all_that_it_had_received(
    tmp_path: Path, key_ring: KeyRing, clusters: Clusters
) -> None:
    primary, running = clusters
    engine = engine_of(primary)
    town = Town(sessions_of(engine), key_ring)
    standby = await asyncio.to_thread(primary.back_up, "standby", "-R")
    standby.set("archive_mode = off")
    running.append(standby)
    await asyncio.to_thread(standby.start)
    async with a_receiver() as receiver, town.settled(receiver):
        async with (
            lintas(tmp_path, key_ring, primary.url, "serve") as api,
            lintas(tmp_path, key_ring, primary.url, "work"),
        ):
            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)
        states = await ask(engine, STATES)
        last = await ask(engine, "SELECT pg_current_wal_flush_lsn()::text")
        other = engine_of(standby)

        async def has_all() -> bool:
            return bool(await ask(other, f"SELECT pg_last_wal_replay_lsn() >= '{last}'::pg_lsn"))

        await until(has_all, within=30)
        await engine.dispose()
        await asyncio.to_thread(primary.lose)
        await asyncio.to_thread(standby.promote)

        assert await ask(other, STATES) == states
        async with (
            lintas(tmp_path, key_ring, standby.url, "serve") as api,
            lintas(tmp_path, key_ring, standby.url, "work"),
        ):
            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)
        await command(tmp_path, key_ring, standby.url, "audit", "verify")
        assert "whole" in await command(tmp_path, key_ring, standby.url, "repair-feed")
        await other.dispose()
