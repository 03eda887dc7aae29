"""`lintas rights`: what an operator does for a person on the database of a service, from another process."""

import json
from pathlib import Path

import pytest

from app.storage.sealing import KeyRing
from tests.audit.test_commands import lintas
from tests.rights.officers import CANARY, a_finished_case, a_telling_referral, rows
from tests.workflows.conftest import Service


@pytest.fixture
def place(tmp_path: Path, key_ring: KeyRing) -> Path:
    """A directory with the key ring, and a ledger to be."""
    key_ring.write(tmp_path / "ring.json")
    return tmp_path


async def rights(database_url: str, place: Path, *arguments: str) -> str:
    said = await lintas(
        database_url, place, *arguments, group="rights", LINTAS_ERASURE_LEDGER=str(place / "ledger.jsonl")
    )
    assert said.status == 0, said.err
    return said.out


async def test_a_person_is_erased_and_the_ledger_is_applied_with_a_count(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await a_finished_case(service)

    erased = await rights(database_url, place, "erase", referral["id"], "--yes")
    counts = await rights(database_url, place, "apply-ledger", "ledger.jsonl", "--json")
    said = await rights(database_url, place, "apply-ledger", "ledger.jsonl")

    assert referral["id"] in erased
    assert json.loads(counts) == {
        "entries": 1,
        "erased": 0,
        "already": 1,
        "unknown": 0,
        "unreadable": 0,
        "forged": 0,
    }
    assert "sudah terhapus / erased before" in said
    assert not await rows(service, "SELECT 1 FROM data_keys")


async def test_a_forged_ledger_is_an_error_that_names_its_line(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await a_finished_case(service)
    line = {"event": "erasure", "erasure_id": referral["id"], "referral_id": referral["id"]}
    (place / "theirs.jsonl").write_text(
        json.dumps(line | {"at": "2025-03-04T01:00:00+00:00", "cause": "request", "digest": "00"})
    )

    said = await lintas(database_url, place, "apply-ledger", "theirs.jsonl", group="rights")

    assert said.status == 1
    assert "theirs.jsonl:1" in said.err
    assert await rows(service, "SELECT 1 FROM data_keys")


async def test_all_that_is_held_is_printed_in_both_languages_or_for_a_program(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await a_finished_case(service)

    both = await rights(database_url, place, "export", referral["id"])
    english = await rights(database_url, place, "export", referral["id"], "--language", "en")
    held = json.loads(await rights(database_url, place, "export", referral["id"], "--json"))

    assert f"nama: {CANARY}" in both
    assert f"name: {CANARY}" in both
    assert f"nama: {CANARY}" not in english
    assert held["personal"]["victim.name"] == CANARY
    entries = await rows(service, "SELECT agency_code FROM audit WHERE action = 'rights.export'")
    assert [row.agency_code for row in entries] == [None] * 3


async def test_a_case_is_restricted_held_and_freed_and_what_is_not_possible_is_said_in_a_line(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await service.submit(a_telling_referral())

    await rights(database_url, place, "restrict", referral["id"])
    hold = (await rights(database_url, place, "hold", referral["id"], "court_proceedings")).partition(":")[0]
    refused = await lintas(database_url, place, "erase", referral["id"], "--yes", group="rights")
    await rights(database_url, place, "lift-hold", hold)
    await rights(database_url, place, "lift-restriction", referral["id"])
    again = await lintas(database_url, place, "lift-restriction", referral["id"], group="rights")
    nobody = await lintas(database_url, place, "export", hold, group="rights")

    assert (refused.status, refused.err.strip().splitlines()[-1]) == (
        1,
        "lintas: a legal hold keeps it: lift that first",
    )
    assert "it is not restricted" in again.err
    assert (nobody.status, nobody.err.strip()) == (1, "lintas: tidak ditemukan / not found")
    (stands,) = await rows(service, "SELECT restricted_at, erased_at FROM referrals")
    assert tuple(stands) == (None, None)


async def test_what_a_person_asked_for_is_listed_with_the_hours_that_are_left(
    service: Service, database_url: str, place: Path
) -> None:
    referral = await a_finished_case(service)

    await rights(database_url, place, "request", referral["id"], "access", "--asked", "2025-03-04T09:00:00+0800")
    listed = await rights(database_url, place, "list")

    assert "2025-03-07T" in listed
    assert referral["id"] in listed


async def test_a_retention_document_that_cannot_be_meant_stops_a_service_with_a_line(
    database_url: str, place: Path
) -> None:
    (place / "retention.yaml").write_text("adult: {served: soon}")

    said = await lintas(database_url, place, "list", group="rights", LINTAS_RETENTION_FILE="retention.yaml")

    assert said.status == 1
    assert "retention, adult, served: months from 1 to 1200, or forever" in said.err
