"""`lintas agreements` on the database: another process than the service, which follows it without a restart."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.workflows.agreements import (
    BALIKPAPAN,
    ID,
    OPERATOR,
    PROVINCE,
    a_clause,
    a_document,
    hurt_in_balikpapan,
)
from tests.workflows.conftest import PPU, Service, a_referral, of

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "third.json").write_text(json.dumps(a_document()))
    return tmp_path


async def lintas(
    database_url: str, place: Path, *arguments: str, group: str = "agreements", alone: bool = True
) -> Said:
    """Run a command, as in a service where one person publishes; not `alone` as in one in earnest."""
    settings = {"LINTAS_DATABASE_URL": database_url} | ({"LINTAS_SECOND_PERSON__PUBLISHING": "no"} if alone else {})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        group,
        *arguments,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Said(process.returncode or 0, out.decode(), err.decode())


async def test_a_service_decides_by_what_another_process_published(
    service: Service, database_url: str, place: Path
) -> None:
    before = of(await service.submit(hurt_in_balikpapan()))["decision"]["agency"]

    drafted = await lintas(database_url, place, "draft", "third.json")
    still = of(await service.submit(hurt_in_balikpapan()))["decision"]["agency"]
    published = await lintas(database_url, place, "publish", ID, "1")
    after = of(await service.submit(hurt_in_balikpapan()))["decision"]["agency"]
    listed = await lintas(database_url, place, "list")

    assert (drafted.status, published.status, listed.status) == (0, 0, 0), drafted.err + published.err
    assert [before, still, after] == [PROVINCE, PROVINCE, BALIKPAPAN]
    sha256 = (await service.read(PPU, f"/agreements/{ID}/versions/1"))["sha256"]
    assert sha256 in published.out
    assert f"{ID}" in listed.out
    assert sha256 in listed.out


async def test_readings_are_confirmed_one_by_one_into_one_next_version(
    service: Service, database_url: str, place: Path
) -> None:
    unread = {"source": "pasal 5", "confirmed": False}
    both = a_document(a_clause(cite=unread), a_clause("legal-later", rank=30, cite=unread))
    (place / "unread.json").write_text(json.dumps(both))
    await lintas(database_url, place, "draft", "unread.json")
    await lintas(database_url, place, "publish", ID, "1")

    one = await lintas(
        database_url, place, "confirm", ID, "legal-at-incident", "--by", "Biro Hukum", "--on", "2025-03-01"
    )
    other = await lintas(database_url, place, "confirm", ID, "legal-later", "--by", "Kepala Dinas")
    nobody = await lintas(database_url, place, "confirm", ID, "no-such-clause", "--by", "Kepala Dinas")
    drafted = (await service.read(OPERATOR, f"/agreements/{ID}/versions/2"))["document"]
    published = await lintas(database_url, place, "publish", ID, "2")

    assert (one.status, other.status, nobody.status, published.status) == (0, 0, 1, 0), one.err + other.err
    first, second = (clause["cite"] for clause in drafted["clauses"])
    assert first == {
        "source": "pasal 5",
        "confirmed": True,
        "confirmed_by": "Biro Hukum",
        "confirmed_on": "2025-03-01",
    }
    assert (second["confirmed"], second["confirmed_by"]) == (True, "Kepala Dinas")
    assert [drafted["clauses"][0] | {"cite": unread}, drafted["clauses"][1] | {"cite": unread}] == both["clauses"]
    assert (await service.read(PPU, f"/agreements/{ID}/versions/1"))["document"]["clauses"][0]["cite"] == unread


async def test_in_earnest_the_command_line_proposes_and_a_key_confirms(
    service: Service, database_url: str, place: Path
) -> None:
    await lintas(database_url, place, "draft", "third.json")
    path = f"/agreements/{ID}/versions/1"

    first = await lintas(database_url, place, "publish", ID, "1", alone=False)
    withdrawn = await lintas(database_url, place, "withdraw", first.out.partition(":")[0], group="proposals")
    again = await lintas(database_url, place, "withdraw", first.out.partition(":")[0], group="proposals")
    second = await lintas(database_url, place, "publish", ID, "1", alone=False)
    proposal = second.out.partition(":")[0]
    waiting = await lintas(database_url, place, "list", group="proposals")
    before = (await service.read(OPERATOR, path))["status"]
    confirmed = await service.call(OPERATOR, "POST", f"/proposals/{proposal}/confirm")

    assert (first.status, withdrawn.status, second.status) == (0, 0, 0), first.err + withdrawn.err + second.err
    assert (again.status, "withdrawn" in again.err) == (1, True)
    assert [line.split()[0] for line in waiting.out.splitlines()[1:]] == [proposal]
    assert before == "draft"
    assert (confirmed.status_code, confirmed.json()["proposed_by"]) == (200, None)
    assert (await service.read(OPERATOR, path))["status"] == "published"


async def test_a_draft_is_withdrawn_and_what_is_published_is_not(
    service: Service, database_url: str, place: Path
) -> None:
    await lintas(database_url, place, "draft", "third.json")

    withdrawn = await lintas(database_url, place, "withdraw", ID, "1")
    again = await lintas(database_url, place, "withdraw", ID, "1")
    law = await lintas(database_url, place, "withdraw", "baseline-national", "1")

    assert (withdrawn.status, again.status, law.status) == (0, 1, 1)
    assert "tidak ditemukan / not found" in again.err
    assert (await service.call(OPERATOR, "GET", f"/agreements/{ID}/versions/1")).status_code == 404
    assert (await service.read(PPU, "/agreements/baseline-national/versions/1"))["status"] == "published"


async def test_a_simulation_counts_and_says_where_requests_would_go(
    service: Service, database_url: str, place: Path
) -> None:
    for _ in range(3):
        await service.submit(hurt_in_balikpapan())
    await service.submit(a_referral())

    told = await lintas(database_url, place, "simulate", "third.json", "--json")
    shown = await lintas(database_url, place, "simulate", "third.json", "--from", "2025-03-04", "--to", "2025-03-05")
    none = await lintas(database_url, place, "simulate", "third.json", "--json", "--from", "2025-03-05")

    said: dict[str, Any] = json.loads(told.out)
    assert (said["examined"], said["moved"], said["moves"][0]["count"]) == (4, 3, 3)
    assert PROVINCE in shown.out
    assert BALIKPAPAN in shown.out
    assert json.loads(none.out)["examined"] == 0


@pytest.mark.usefixtures("service")
async def test_a_simulation_reads_a_draft_by_its_id_and_a_file_of_cases(database_url: str, place: Path) -> None:
    await lintas(database_url, place, "draft", "third.json")

    told = await lintas(
        database_url, place, "simulate", ID, "--json", "--cases", str(ROOT / "tests/cases/routing.yaml")
    )

    assert told.status == 0, told.err
    assert json.loads(told.out)["examined"] > 50


async def test_what_is_wrong_is_said_with_its_line_and_changes_nothing(
    service: Service, database_url: str, place: Path
) -> None:
    (place / "bad.yaml").write_text("format: 1\nid: x\nversion: 1\ncovers:\n  domicile: [64.02]\n")
    (place / "bomb.yaml").write_text("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n" * 2)
    rivals = a_document(a_clause(), a_clause("another", basis=["current"]))
    (place / "rivals.json").write_text(json.dumps(rivals))

    number = await lintas(database_url, place, "draft", "bad.yaml")
    bomb = await lintas(database_url, place, "draft", "bomb.yaml")
    kept = await lintas(database_url, place, "draft", "rivals.json")
    again = await lintas(database_url, place, "draft", "rivals.json")
    refused = await lintas(database_url, place, "publish", ID, "1")
    nothing = await lintas(database_url, place, "publish", "none", "1")
    missing = await lintas(database_url, place, "draft", "nowhere.yaml")

    assert number.status == 2
    assert "bad.yaml: line 5: /covers/domicile/0" in number.err
    assert "write it in quotes" in number.err
    assert (bomb.status, kept.status, again.status) == (2, 0, 1)
    assert "--replace" in again.err
    assert refused.status == 1
    assert '"legal_service"' in refused.err
    assert (nothing.status, missing.status) == (1, 2)
    assert all("Traceback" not in one.err for one in (number, bomb, again, refused, nothing, missing))
    assert of(await service.submit(hurt_in_balikpapan()))["decision"]["agency"] == PROVINCE


@pytest.mark.usefixtures("service")
async def test_a_version_of_the_database_is_explained_checked_and_shown_by_its_id(
    database_url: str, place: Path
) -> None:
    await lintas(database_url, place, "draft", "third.json")
    await lintas(database_url, place, "publish", ID, "1")

    explained = await lintas(database_url, place, "explain", ID, "--version", "1", "--json")
    checked = await lintas(database_url, place, "check", ID, "--json")
    covered = await lintas(database_url, place, "coverage", ID)
    shipped = await lintas(database_url, place, "explain", "baseline-national", "--language", "en")
    unknown = await lintas(database_url, place, "explain", ID, "--version", "7")

    assert [one["clause"] for one in json.loads(explained.out) if one["clause"]] == ["legal-at-incident"]
    assert "refuse" not in {one["severity"] for one in json.loads(checked.out)}
    assert BALIKPAPAN in covered.out
    assert "Article 1" in shipped.out
    assert unknown.status == 1
    assert unknown.out == ""
