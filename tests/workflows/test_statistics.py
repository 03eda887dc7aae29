"""Statistics without people: drawn once when a month has settled, and the same for everybody who may ask."""

import asyncio
import csv
import io
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.api import statistics as statistics_api
from app.domain.caller import Role
from app.domain.months import Month
from app.storage.statistics import draw_alone
from app.storage.tables import statistics
from app.workflows.draw_statistics import draw_settled_months
from tests.conftest import ClientFactory, KeyFactory
from tests.workflows.conftest import KUKAR, PPU, Service, a_referral, of
from tests.workflows.test_duties import of_sexual_violence

MARCH = Month(2025, 3)
SETTLED = datetime(2025, 4, 14, 17, 0, tzinfo=UTC)
IN_KUKAR = {"incident": "64.02.06", "domicile": "64.02.06", "current": "64.02.06"}


async def draw(service: Service, at: datetime = SETTLED) -> list[Month]:
    """Let it be a time, and draw what has settled."""
    service.clock.set(at)
    return await draw_settled_months(service.sessions, service.keeper, service.clock)


async def counted(service: Service, by: str, agency: str = KUKAR) -> dict[str, Any]:
    """Read March by one thing, and give its only table."""
    found = await service.read(agency, f"/statistics/referrals?from=2025-03&to=2025-03&by={by}")
    [table] = found["tables"]
    return dict(table)


def row(table: dict[str, Any], code: str) -> dict[str, Any]:
    return dict(next(one for one in table["rows"] if one["code"] == code))


async def test_a_month_is_counted_by_regency_and_category_once_it_has_settled(service: Service) -> None:
    for _ in range(7):
        await service.submit()
        await service.submit(a_referral(victim={"sex": "male", "age": 40}))
        await service.submit(a_referral(locations=IN_KUKAR))
        await service.submit(a_referral(locations=IN_KUKAR, victim={"sex": "male", "age": 12}))

    early = await draw(service, SETTLED - timedelta(seconds=1))
    drawn = await draw(service)

    assert (early, drawn) == ([], [MARCH])
    table = await counted(service, "sex")
    assert (table["month"], table["total"]) == ("2025-03", 28)
    # Of nobody the sex is not known: that is not told from few, and so stands with the smallest of the others.
    assert table["totals"] == {"female": None, "male": 14, "unknown": None, "rest": 14}
    assert row(table, "64.02") == {
        "code": "64.02",
        "id": "Kabupaten Kutai Kartanegara",
        "en": "Kabupaten Kutai Kartanegara",
        "total": 14,
        "counts": {"female": None, "male": 7, "unknown": None, "rest": 7},
    }
    ages = await counted(service, "age")
    assert ages["total"] == 28
    assert (await counted(service, "outcome"))["total"] == 28


async def test_who_was_received_at_the_turn_of_the_month_counts_by_the_clock_of_western_indonesia(
    service: Service,
) -> None:
    service.clock.set(MARCH.begins - timedelta(seconds=1))
    for _ in range(5):
        await service.submit()
    service.clock.set(MARCH.begins)
    for _ in range(6):
        await service.submit()

    await draw(service)

    found = await service.read(KUKAR, "/statistics/referrals?from=2025-02&to=2025-04&by=outcome")
    assert [(table["month"], table["total"]) for table in found["tables"]] == [("2025-02", 5), ("2025-03", 6)]
    assert found["not_drawn"] == ["2025-04"]


async def test_a_month_that_was_drawn_never_changes(service: Service) -> None:
    referrals = [await service.submit() for _ in range(6)]
    await draw(service)
    before = await counted(service, "outcome")

    await service.call(PPU, "POST", f"/referrals/{referrals[0]['id']}/cancel")
    async with service.sessions.begin() as tx:
        await tx.execute(text("UPDATE referrals SET received_at = received_at - interval '1 hour'"))
    again = await draw(service, SETTLED + timedelta(days=1))

    assert again == []
    assert await counted(service, "outcome") == before


async def test_what_was_entered_in_error_is_no_case(service: Service) -> None:
    referrals = [await service.submit() for _ in range(6)]
    answer = await service.call(PPU, "POST", f"/referrals/{referrals[0]['id']}/void")
    assert answer.status_code == 200

    await draw(service)

    assert (await counted(service, "outcome"))["total"] == 5


async def test_of_four_referrals_nothing_is_told_nor_kept(service: Service) -> None:
    for _ in range(4):
        await service.submit()

    await draw(service)

    table = await counted(service, "violence")
    assert (table["total"], table["rows"], set(table["totals"].values())) == (None, [], {None})
    async with service.sessions() as session:
        bodies = (await session.scalars(select(statistics.c.body))).all()
    numbers = {value for body in bodies for value in _numbers(body)}
    assert numbers == set()


def _numbers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [value] if isinstance(value, int) else []


async def test_what_all_of_a_month_suffered_is_not_told_by_its_kind_nor_by_the_duties_it_brings(
    service: Service,
) -> None:
    for _ in range(9):
        await service.submit(of_sexual_violence())

    await draw(service)

    assert set((await counted(service, "violence"))["totals"].values()) == {None}
    assert (await service.read(KUKAR, "/statistics/duties?from=2025-03&to=2025-03"))["tables"] == []


async def test_facts_count_as_they_were_amended(service: Service) -> None:
    for _ in range(6):
        await service.submit()
    referral = await service.submit()
    answer = await service.call(
        PPU,
        "POST",
        f"/referrals/{referral['id']}/amend",
        json={"locations": IN_KUKAR},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text

    await draw(service)

    # The one of Kutai Kartanegara stands with the others: nobody is alone.
    assert [(one["code"], one["total"]) for one in (await counted(service, "sex"))["rows"]] == [("rest", 7)]


async def test_everybody_who_may_ask_sees_the_same(service: Service) -> None:
    for _ in range(8):
        await service.submit()
    await draw(service)

    assert await counted(service, "service", KUKAR) == await counted(service, "service", "kemenpppa-sapa129")


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.COORDINATOR, 200), (Role.SENDER, 403)])
async def test_operators_and_coordinators_read_statistics(
    a_client: ClientFactory, a_key: KeyFactory, service: Service, role: Role, status: int
) -> None:
    client = await a_client(statistics_api.router, key=await a_key(KUKAR, role), reference=service.keeper)

    for path in ("referrals?by=sex&", "duties?"):
        answer = await client.get(f"/v1/statistics/{path}from=2025-01&to=2025-12")
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "from=2025-03&to=2025-02&by=sex",
        "from=2020-01&to=2025-12&by=sex",
        "from=2025-3&to=2025-04&by=sex",
        "from=2025-03-01&to=2025-04&by=sex",
        "from=2025-03&to=2025-04&by=name",
        "from=2025-03&to=2025-04",
        "from=2025-03&by=sex",
        "from=2025-03&to=2025-04&by=sex&region=64.02",
    ],
)
async def test_only_whole_months_and_the_tables_there_are_can_be_asked_for(service: Service, query: str) -> None:
    answer = await service.call(KUKAR, "GET", f"/statistics/referrals?{query}")

    assert answer.status_code in {400, 422}
    assert answer.json()["code"] == "invalid_parameter"


async def test_two_processes_that_draw_at_once_draw_each_month_once(service: Service) -> None:
    for _ in range(6):
        await service.submit()
    service.clock.set(SETTLED)
    async with service.sessions.begin() as other:
        assert await draw_alone(other)
        waiting = await draw_settled_months(service.sessions, service.keeper, service.clock)
    drawn = await asyncio.gather(
        *(draw_settled_months(service.sessions, service.keeper, service.clock) for _ in range(3))
    )

    assert waiting == []
    assert sorted(drawn) == [[], [], [MARCH]]


# --- duties ---


async def a_kept_duty(service: Service, handoff_id: str, receiver: str) -> None:
    body = {"document": "baseline-national", "clause": "report-sexual-violence"}
    answer = await service.call(receiver, "POST", f"/handoffs/{handoff_id}/keep-duty", json=body)
    assert answer.status_code == 200, answer.text


async def test_duties_are_counted_by_document_version_clause_regency_and_what_became_of_them(
    service: Service,
) -> None:
    for _ in range(5):
        await service.submit()
    handed = [of(await service.submit(of_sexual_violence()))["handoff"] for _ in range(30)]
    for handoff in handed:
        await service.act(handoff["agency"], handoff["id"], "accept")
    for handoff in handed[:12]:
        await a_kept_duty(service, handoff["id"], handoff["agency"])
    for handoff in handed[12:18]:
        await service.act(handoff["agency"], handoff["id"], "complete", outcome="service_given")
    await service.after(timedelta(hours=72))
    for handoff in handed[18:24]:
        await a_kept_duty(service, handoff["id"], handoff["agency"])

    await draw(service)

    found = await service.read(KUKAR, "/statistics/duties?from=2025-03&to=2025-03")
    [table] = found["tables"]
    assert {name: table[name] for name in ("document", "version", "clause", "duty")} == {
        "document": "baseline-national",
        "version": 1,
        "clause": "report-sexual-violence",
        "duty": "report_to_police",
    }
    # Nothing is not due any more: that is not told from few, and stands with the smallest of the others.
    counts = {"kept": 12, "kept_late": 6, "passed": 6, "not_due": None, "fell_away": None, "rest": 6}
    assert (table["total"], table["totals"]) == (30, counts)
    assert row(table, "64.02")["counts"] == counts
    assert [one["code"] for one in found["categories"]][:3] == ["kept", "kept_late", "passed"]


async def test_the_statistics_hold_nothing_personal_and_no_id(service: Service) -> None:
    referrals = [await service.submit(of_sexual_violence()) for _ in range(9)]
    await draw(service)

    async with service.sessions() as session:
        kept = "\n".join((await session.scalars(text("SELECT row_to_json(s)::text FROM statistics s"))).all())

    assert "Contoh" not in kept
    assert not any(referral["id"] in kept or of(referral)["id"] in kept for referral in referrals)


# --- the command line ---


async def lintas(database_url: str, *arguments: str) -> str:
    """Run `lintas statistics` as another process, and give what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.cli",
        "statistics",
        *arguments,
        env={**os.environ, "LINTAS_DATABASE_URL": database_url},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return out.decode()


async def test_the_command_line_draws_and_writes_the_same_tables_as_csv_and_as_json(
    service: Service, database_url: str, tmp_path: Path
) -> None:
    for _ in range(8):
        await service.submit(of_sexual_violence())
    for _ in range(5):
        await service.submit()
    march = ("--from", "2025-03", "--to", "2025-03")

    drawn = await lintas(database_url, "draw")
    lines = list(csv.DictReader(io.StringIO(await lintas(database_url, "referrals", "--by", "violence", *march))))
    as_json = json.loads(await lintas(database_url, "referrals", "--by", "violence", *march, "--json"))
    duties = list(csv.DictReader(io.StringIO(await lintas(database_url, "duties", *march))))
    await lintas(database_url, "page", *march, "--write", str(tmp_path / "page.html"))

    assert drawn.startswith("2025-03\n")
    assert as_json == await service.read(KUKAR, "/statistics/referrals?from=2025-03&to=2025-03&by=violence")
    assert ",".join(lines[0]) == "by,month,code,name_id,name_en,category,category_id,category_en,count"
    assert [line["count"] for line in lines if (line["code"], line["category"]) == ("all", "all")] == ["13"]
    assert [line["count"] for line in lines if line["category"] == "sexual"] == ["8", "8"]
    assert [line["count"] for line in lines if line["category"] == "neglect"] == ["", ""]
    assert {(line["document"], line["version"], line["clause"]) for line in duties} == {
        ("baseline-national", "1", "report-sexual-violence")
    }
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Kabupaten Penajam Paser Utara" in page
    assert 'aria-label="Seksual. 2025-03: 8"' in page
    assert not re.search(r"<script|https?:|url\((?!#)|@import", page)
    assert NoStrayTags().fed(page) == []


class NoStrayTags(HTMLParser):
    """Finds tags that are closed and were not open, or open and never closed."""

    VOID = frozenset({"meta"})

    def fed(self, page: str) -> list[str]:
        self.open: list[str] = []
        self.stray: list[str] = []
        self.feed(page)
        return self.stray + self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its own name
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.stray.append(tag)


async def test_the_command_line_says_how_a_month_is_written(database_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "statistics", "duties", "--from", "maret", "--to", "2025-03"),
        env={**os.environ, "LINTAS_DATABASE_URL": database_url},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 1
    assert err.decode() == "lintas: maret: bulan ditulis 2025-03\nlintas: maret: a month is written 2025-03\n"
