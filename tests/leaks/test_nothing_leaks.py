"""Whatever a person's data can enter, and whatever fails: it is found in sealed and authorised reads, nowhere else."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import typer.main
from sqlalchemy import text

from app.cli import cli
from app.domain.intake_fields import FIELDS, FieldClass
from app.storage.sealing import KeyRing
from app.workflows.rotate_seal import rotate_seal
from tests.leaks.bodies import JUDGED, KNOWN, NO_PERSONS
from tests.leaks.breakage import break_everything
from tests.leaks.canaries import BIRTH_DATE, CITIZENSHIP, MARK, NATIONAL_ID, PHONE, found_in
from tests.leaks.cases import LONE_NAME, LONE_REGENCY, Cases, do_everything
from tests.leaks.hostile import send_wrongly
from tests.leaks.looks import PROCESSES, commands, commands_that_show, look_everywhere
from tests.leaks.places import dumped, files_below, planners_statistics, views_of_the_server
from tests.leaks.world import SENDER, World, a_world
from tests.sealing.filled import changed

DRIVEN_WITHIN = 480
"""Seconds; alone on a machine of two cores it takes about a tenth of it."""
PLANTED_CASES = f"""
- name: one
  tried: [{MARK}]
  facts:
    received_at: {MARK}
    urgency: {MARK}
    case_types: [{MARK}]
    services: [{MARK}, {NATIONAL_ID}]
    locations: {{incident: {MARK}}}
    victim: {{sex: {MARK}, age: {NATIONAL_ID}}}
    conflicts: [{MARK}]
"""
NEVER_KEPT = "/v1/routing/preview"


@dataclass(frozen=True, slots=True)
class Driven:
    """The product after everything was done with it that can be, well and badly."""

    world: World
    cases: Cases
    printed: dict[str, str]
    """What commands printed that may show nothing."""
    for_the_person: dict[str, str]


@pytest.fixture(scope="module")
async def driven(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Driven]:
    """Drive the whole product, once for all that is looked for."""
    async with asyncio.timeout(DRIVEN_WITHIN), a_world(tmp_path_factory.mktemp("leaks")) as world:
        cases = await do_everything(world)
        await send_wrongly(world, cases)
        await break_everything(world, cases)
        await world.execute("UPDATE referrals SET received_at = received_at - interval '60 days'")
        await world.run(("statistics", "draw"))
        await look_everywhere(world, cases)
        (world.directory / "broken.yaml").write_text(": [")
        (world.directory / "planted.yaml").write_text(PLANTED_CASES)
        shows = commands_that_show(cases)
        await world.run(*shows, *commands(world, cases))
        ring = changed(KeyRing.read(world.directory / "ring.json"), world.directory, active="second")
        assert (await rotate_seal(world.sessions, ring)).resealed
        world.statements.append(await views_of_the_server(world.sessions))
        await world.execute("CHECKPOINT", alone=True)
        printed = {words: world.output_of(words) for words in world.codes}
        showing = {" ".join(words) for words in shows}
        yield Driven(
            world,
            cases,
            {words: said for words, said in printed.items() if words not in showing},
            {words: said for words, said in printed.items() if words in showing},
        )


# --- what is planted, and that it came where it belongs ---


async def test_every_text_that_may_be_said_of_a_person_was_planted_taken_and_read_again_by_those_who_may(
    driven: Driven,
) -> None:
    world, contract = driven.world, driven.world.contract
    seen = set().union(*(world.canaries.places_in(answer.content) for answer in world.shown))
    missing = [
        f"{method} {path} {at}"
        for method, path, _ in contract.operations()
        if (schema := contract.body_of(method, path)) is not None and not path.startswith(tuple(NO_PERSONS))
        for at in contract.texts_of(schema)
        if at not in KNOWN and f"{path} {at}" not in JUDGED and path != NEVER_KEPT
        if f"{method} {path} {at}" not in seen
    ]
    tried = {place.split(" ")[1] for place in world.canaries.places if place.startswith("POST /")}

    assert missing == []
    assert NEVER_KEPT in tried
    everything = "\n".join(answer.content for answer in world.shown)
    assert all(value in everything for value in (NATIONAL_ID, PHONE, BIRTH_DATE.isoformat(), f'"{CITIZENSHIP}"'))
    assert all(found_in(said) for said in driven.for_the_person.values())


async def test_a_receiver_was_shown_what_it_decides_by_and_its_sender_what_it_shared(driven: Driven) -> None:
    world = driven.world
    looks = [one for one in world.shown if one.asked.startswith("GET /v1/handoffs/")]
    first = next(one for one in looks if one.to == driven.cases.receiver)
    senders = next(one for one in looks if one.to == SENDER)
    to_decide = {
        f"POST /v1/referrals {path}".replace("services.", "services[].") for path in FIELDS[FieldClass.TO_DECIDE]
    }

    assert world.canaries.places_in(first.content) == {one for one in to_decide if world.canaries.planted_at(one)}
    assert world.canaries.places_in(senders.content) == {"POST /v1/handoffs/{handoff_id}/complete note"}


# --- where it must not be ---


async def test_nothing_is_in_any_answer_to_who_may_not_see_it(driven: Driven) -> None:
    told = driven.world.told

    assert [(one, found_in(one.content)) for one in told if found_in(one.content)] == []
    # It was refused in every way there is.
    assert {one.status for one in told} >= {200, 202, 400, 401, 403, 404, 405, 409, 415, 422, 428, 500, 503}


async def test_nothing_is_in_any_webhook(driven: Driven) -> None:
    received = driven.world.receivers.received

    assert [webhook for webhook in received if found_in(webhook)] == []
    assert len(received) > 50


async def test_nothing_is_in_any_trace_and_metrics_were_looked_at(driven: Driven) -> None:
    exported, told = driven.world.collector.received, driven.world.told

    assert [found_in(spans) for spans in exported if found_in(spans)] == []
    assert any(b"deliver webhook" in spans for spans in exported)
    assert any(b"POST /v1/referrals" in spans for spans in exported)
    assert any("lintas_coordinator_queue{" in one.content for one in told)


async def test_nothing_is_in_any_mail(driven: Driven) -> None:
    mailbox = driven.world.mailbox
    read = [f"{message}\n{message.get_content()}" for message in mailbox.messages]

    assert [mail for mail in mailbox.taken if found_in(mail)] == []
    assert [mail for mail in read if found_in(mail)] == []
    assert len(read) > 10
    # They are news of cases, and the servers that refused them said what a person is called.
    assert any("Rujukan / Reference:" in mail for mail in read)
    async with driven.world.sessions.begin() as tx:
        details = set(await tx.scalars(text("SELECT DISTINCT detail FROM attempts WHERE detail IS NOT NULL")))
    assert {"recipient_unknown", "recipient_refused", "mailbox_full"} <= details


async def test_nothing_is_in_the_log_of_any_process(driven: Driven) -> None:
    logs = {file.name: file.read_bytes() for file in driven.world.directory.glob("*.log")}

    assert {name: found_in(log) for name, log in logs.items() if found_in(log)} == {}
    said = b"".join(logs.values())
    for happened in (
        b'"debug"',
        b"request_broke",
        b"IntegrityError",
        b"SealBroken",
        b"Fatal Python error",
        b"stopped_unfinished",
    ):
        assert happened in said, happened


async def test_nothing_is_in_what_any_command_prints(driven: Driven) -> None:
    assert {words: found_in(said) for words, said in driven.printed.items() if found_in(said)} == {}
    assert set(driven.world.codes.values()) >= {0, 1}


def test_every_command_there_is_was_run(driven: Driven) -> None:
    run = set(driven.world.codes)

    for command in every_command():
        assert command in PROCESSES or any(f"{words} ".startswith(f"{command} ") for words in run), command


def every_command() -> Iterator[str]:
    """List the commands by their words."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        groups: Mapping[str, Any] | None = getattr(command, "commands", None)
        if groups is None:
            yield " ".join(words)
            return
        for name, one in groups.items():
            yield from below(one, (*words, name))

    yield from below(typer.main.get_command(cli), ())


async def test_nothing_is_in_statistics_and_nobody_who_is_alone_can_be_read_off(driven: Driven) -> None:
    drawn = {words: said for words, said in driven.printed.items() if words.startswith("statistics")}
    page = (driven.world.directory / "page.html").read_text()
    asked = [one.content for one in driven.world.told if "/v1/statistics/" in one.asked and one.status == 200]
    everything = [*drawn.values(), page, *asked]

    assert [said for said in everything if found_in(said)] == []
    assert any('"total":' in one for one in asked)
    # One referral of the month came from there, and no row of any table tells it.
    assert [said for said in everything if f'"{LONE_REGENCY}"' in said or f",{LONE_REGENCY}," in said] == []
    assert [said for said in everything if LONE_NAME in said] == []
    # No place is named that is narrower than a regency: whose shelter is where, nobody counts.
    assert [said for said in everything if re.search(r"(?<![0-9.])[0-9]{2}(\.[0-9]{2}){2}", said)] == []


async def test_nothing_is_in_a_dump_the_planners_statistics_or_the_servers_views(driven: Driven) -> None:
    world = driven.world
    statistics = await planners_statistics(world.sessions)
    dump, rows = dumped(world.postgres.url()), dumped(world.postgres.url(), "--inserts", "--column-inserts")

    for place in (statistics, dump, rows, *world.statements):
        assert found_in(place) == []
    assert all(
        f"COPY public.{name} " in dump for name in ("sealed_fields", "deliveries", "audit", "idempotency_records")
    )
    assert "most_common_vals" in statistics
    assert any("FOR UPDATE" in view for view in world.statements)
    assert any("INSERT INTO sealed_fields" in view and '"calls"' in view for view in world.statements)


async def test_nothing_is_in_the_servers_own_log_though_it_logs_all(driven: Driven) -> None:
    log = (driven.world.directory / "postgres" / "postgres.log").read_text(errors="replace")

    assert found_in(log) == []
    for logged in (
        "INSERT INTO sealed_fields",
        "Query Parameters: $1",
        "arameters: $1",
        "violates check constraint",
        "Failing row contains",
        "was terminated by signal",
    ):
        assert logged in log, logged


async def test_nothing_is_in_any_file(driven: Driven) -> None:
    world = driven.world
    ours = {world.directory / "planted.yaml"}
    theirs = {world.commands / f"{list(world.codes).index(words)}.txt" for words in driven.for_the_person}

    found = {
        str(file): found_in(content) for file, content in files_below(world.directory) if file not in ours | theirs
    }

    assert {file: forms for file, forms in found.items() if forms} == {}
    assert {"erasures.jsonl", "ring.json", "pg_control"} <= {Path(file).name for file in found}


async def test_no_process_leaves_its_memory_behind_when_it_dies(driven: Driven) -> None:
    for unit in driven.world.house.units:
        limits = await asyncio.to_thread(Path(f"/proc/{unit.process.pid}/limits").read_text)
        [core] = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"], unit.name


# --- that it would be found ---

FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "in small letters": lambda said: said.lower().encode(),
    "in capitals": lambda said: said.upper().encode(),
    "reversed": lambda said: said[::-1].encode(),
    "in JSON": lambda said: json.dumps({"a": said}).encode(),
    "escaped": lambda said: "".join(f"\\u{ord(letter):04X}" for letter in said).encode(),
    "escaped as bytes": lambda said: "".join(f"\\x{ord(letter):02x}" for letter in said).encode(),
    "percent-encoded": lambda said: quote(f"/{said} é").encode(),
    "percent-encoded throughout": lambda said: "".join(f"%{ord(letter):02X}" for letter in said).encode(),
    "as entities": lambda said: "".join(f"&#{ord(letter)};" for letter in said).encode(),
    "in hexadecimal": lambda said: said.encode().hex().encode(),
    "in UTF-16": lambda said: said.encode("utf-16"),
    "in UTF-16, the other way": lambda said: said.encode("utf-16-be"),
    "in Base64": lambda said: base64.b64encode(said.encode()),
    "in Base64, one further": lambda said: base64.b64encode(f"x{said}yz".encode()),
    "in Base64, two further": lambda said: base64.b64encode(f"xy{said}z".encode()),
    "in Base64 of small letters": lambda said: base64.urlsafe_b64encode(f"?~?{said.lower()}".encode()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("planted", [f"{MARK}0042", NATIONAL_ID, PHONE, "1957-11-23"])
def test_the_search_finds_what_was_planted_in_every_form(form: str, planted: str) -> None:
    assert found_in(b"\x00\xff before " + FORMS[form](planted) + b" behind") != []


@pytest.mark.parametrize(
    "written", ["6402 0699 0731 0042", "640-206-990-731-004-2", "23/11/1957", "23 November 1957", "11/23/1957"]
)
def test_the_search_finds_numbers_and_days_as_people_write_them(written: str) -> None:
    assert found_in(f"about {written}.") != []


def test_the_search_finds_nothing_in_what_holds_nothing() -> None:
    assert found_in("Contoh Seorang, 6402069907310043, 1994-02-17") == []


async def test_what_is_planted_on_purpose_is_found_in_each_place(driven: Driven) -> None:
    """It comes last: what it leaves behind would be found by the others."""
    world = driven.world
    leak = f"{MARK}9997"
    world.receivers.received.clear()
    await world.execute("UPDATE api_keys SET label = :leak", leak=leak)
    async with world.sessions.begin() as tx:
        await tx.execute(text("SELECT :leak ||pg_sleep(0)"), {"leak": leak})
        await tx.execute(text(f"SELECT '{leak}'"))
        views = await views_of_the_server(world.sessions)
    await world.execute("CHECKPOINT", alone=True)
    await world.run(("keys", "list", "--agency", SENDER))
    answer = await world.call(SENDER, "GET", "/v1/keys")
    async with httpx.AsyncClient() as client:
        await client.post(f"http://127.0.0.1:{world.receivers.port}/takes", json={"name": leak})
    (world.directory / "planted.log").write_text(leak)

    found = found_in
    assert found(views)
    assert found(await planners_statistics(world.sessions))
    assert found(dumped(world.postgres.url()))
    assert found((world.directory / "postgres" / "postgres.log").read_bytes())
    assert found(world.output_of(f"keys list --agency {SENDER}"))
    assert found(answer.text)
    assert any(found(webhook) for webhook in world.receivers.received)
    assert any(found(content) for file, content in files_below(world.directory / "postgres" / "cluster") if file)
    assert any(found(file.read_bytes()) for file in world.directory.glob("*.log"))
