"""`lintas audit`: what an operator finds out on the database of a service, from another process."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.storage.sealing import KeyRing
from tests.audit.chain import link, logged, tamper
from tests.workflows.conftest import PPU, RECEIVER, Service, a_referral, of, service

__all__ = ["service"]

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path, key_ring: KeyRing) -> Path:
    key_ring.write(tmp_path / "ring.json")
    return tmp_path


async def lintas(
    database_url: str, place: Path, *arguments: str, ring: bool = True, group: str = "audit", **more: str
) -> Said:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LINTAS_DATABASE_URL": database_url, "COLUMNS": "200", **more}
    if ring:
        environment["LINTAS_KEY_RING_FILE"] = "ring.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        group,
        *arguments,
        cwd=place,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Said(process.returncode or 0, out.decode(), err.decode())


async def test_an_audit_is_verified_with_the_public_key_alone(
    service: Service, database_url: str, key_ring: KeyRing, place: Path
) -> None:
    await service.submit(a_referral())
    (place / "log.jsonl").write_bytes(b"\n".join(logged(await link(service.sessions, key_ring))))
    key = (await lintas(database_url, place, "key")).out.split()[0]

    said = await lintas(database_url, place, "verify", "--anchors", "log.jsonl", "--public-key", key, ring=False)

    assert said.status == 0, said.err
    assert "utuh / whole" in said.out
    assert "lapk_" in key


async def test_an_audit_that_was_tampered_with_ends_the_command_with_1_and_says_where(
    service: Service, database_url: str, key_ring: KeyRing, place: Path
) -> None:
    await service.submit(a_referral())
    (place / "log.jsonl").write_bytes(b"\n".join(logged(await link(service.sessions, key_ring, batch=1000))))
    await tamper(service.sessions, "DELETE FROM audit WHERE action = 'referral.submit'")

    said = await lintas(database_url, place, "verify", "--anchors", "log.jsonl")
    as_json = await lintas(database_url, place, "verify", "--anchors", "log.jsonl", "--json")

    assert (said.status, as_json.status) == (1, 1)
    assert "entries_removed" in said.out
    assert "segmen / segment 1" in said.out
    body = json.loads(as_json.out)
    assert (body["sound"], body["counts"]) == (False, {"entries_removed": 1})


async def test_without_anchors_it_says_what_it_cannot_know(
    service: Service, database_url: str, key_ring: KeyRing, place: Path
) -> None:
    await service.submit(a_referral())
    await link(service.sessions, key_ring)

    said = await lintas(database_url, place, "verify")

    assert said.status == 0
    assert "without anchors nobody can see an end that was cut" in said.out


@pytest.mark.parametrize(
    "arguments", [("verify", "--anchors", "nowhere.jsonl"), ("verify", "--public-key", "lapk_x"), ("of", "--zone", "x")]
)
async def test_what_cannot_be_used_is_said(
    service: Service, database_url: str, place: Path, arguments: tuple[str, ...]
) -> None:
    referral = await service.submit(a_referral())
    more = (referral["id"],) if arguments[0] == "of" else ()

    said = await lintas(database_url, place, *arguments, *more)

    assert said.status == 1
    assert "Traceback" not in said.err


async def test_the_story_of_a_case_is_told_with_looks_that_were_refused(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await service.submit(a_referral())
    handoff_id = of(referral)["handoff"]["id"]
    await service.read(RECEIVER, f"/handoffs/{handoff_id}")
    await service.act(RECEIVER, handoff_id, "accept")
    await service.read(RECEIVER, f"/handoffs/{handoff_id}")
    await service.call("dinsos-kukar", "GET", f"/referrals/{referral['id']}")
    await service.call("dinsos-kukar", "GET", f"/handoffs/{handoff_id}")

    told = await lintas(database_url, place, "of", referral["id"], "--zone", "Asia/Makassar", ring=False)
    again = await lintas(database_url, place, "of", referral["id"], "--json", ring=False)

    assert told.status == 0, told.err
    for words in (
        "WITA",
        "DP3AP2KB Kabupaten Penajam Paser Utara (sender)",
        "mengirim rujukan / sent the referral",
        "untuk melayani / to serve",
        "victim.name",
        "terlaksana / done (consent)",
        "Dinas Sosial Kutai Kartanegara",
        "mencoba / tried: read_handoff",
    ):
        assert words in told.out, told.out
    assert "Contoh Seorang" not in told.out
    lines = [json.loads(line) for line in again.out.splitlines()]
    assert [line["action"] for line in lines][-1] == "audit.read"
    assert sum(line["result"] == "not_found" for line in lines) == 2
    assert PPU in {line.get("agency_code") for line in lines}


async def test_of_a_case_that_is_not_there_nothing_is_told(service: Service, database_url: str, place: Path) -> None:
    await service.submit(a_referral())

    said = await lintas(database_url, place, "of", str(uuid4()))

    assert said.status == 1
    assert "the audit holds nothing of this case" in said.err


async def test_old_segments_are_dropped_by_command(
    service: Service, database_url: str, key_ring: KeyRing, place: Path
) -> None:
    await service.submit(a_referral())
    (place / "log.jsonl").write_bytes(b"\n".join(logged(await link(service.sessions, key_ring))))

    kept = await lintas(database_url, place, "drop", "--before", "2020-01-01", "--anchors", "log.jsonl")
    dropped = await lintas(database_url, place, "drop", "--before", "2100-01-01", "--anchors", "log.jsonl")

    assert (kept.status, dropped.status) == (0, 0), dropped.err
    assert "dihapus / dropped: 0" in kept.out
    assert "dihapus / dropped: 3" in dropped.out


async def test_migrating_gives_the_run_role_its_rights(service: Service, database_url: str, place: Path) -> None:
    said = await lintas(database_url, place, group="migrate", LINTAS_DATABASE__RUN_ROLE="lintas_run_by_migrate")

    async with service.sessions() as session:
        may = await session.execute(
            text(
                "SELECT has_table_privilege('lintas_run_by_migrate', 'audit', 'INSERT'),"
                " has_table_privilege('lintas_run_by_migrate', 'audit', 'DELETE'),"
                " has_table_privilege('lintas_run_by_migrate', 'referrals', 'UPDATE')"
            )
        )
    assert said.status == 0, said.err
    assert tuple(may.one()) == (True, False, True)
