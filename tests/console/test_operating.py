"""What an operator does in the browser: looks after endpoints, agreements, the audit, and who is signed in."""

import itertools
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, update

from app.domain.caller import Role
from app.storage.recoveries import first_id_of
from app.storage.tables import attempts, audit, deliveries, endpoints, every_delivery, recoveries
from tests.console.conftest import Browser, House, hidden
from tests.delivery.recovering import all_end
from tests.delivery.world import RealClock, World
from tests.workflows.conftest import KUKAR, RECEIVER, a_referral

OPERATOR = "kemenpppa-sapa129"
PAGES = ("/console/endpoints", "/console/agreements", "/console/audit", "/console/persons")
URL = "http://127.0.0.1:9009/hook"
_SERIAL = itertools.count(1)


def world_of(house: House) -> World:
    return World(house.service.sessions, house.service.key_ring, RealClock())


async def as_operator(house: House, **more: str) -> Browser:
    return await house.signed_in(OPERATOR, Role.OPERATOR, name="Pak Operator", **more)


async def attempted(house: House, endpoint_id: UUID, outcome: str, *, ago: timedelta, times: int) -> None:
    """Put attempts into the history that ended so long ago by the console's clock."""
    world = world_of(house)
    (row, *_) = await world.rows(every_delivery)
    ended = house.clock() - ago
    lines = [
        {
            "id": UUID(int=first_id_of(ended).int + next(_SERIAL)),
            "delivery_id": row.id,
            "endpoint_id": endpoint_id,
            "number": 1,
            "started_at": ended,
            "duration_ms": 10,
            "outcome": outcome,
            "status": None,
        }
        for _ in range(times)
    ]
    async with house.service.sessions.begin() as tx:
        await tx.execute(insert(attempts), lines)


async def test_each_endpoint_shows_its_last_day_as_bars_and_in_words(house: House) -> None:
    world = world_of(house)
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(house, endpoint_id, "delivered", ago=timedelta(minutes=5), times=3)
    await attempted(house, endpoint_id, "timeout", ago=timedelta(hours=3), times=2)
    await attempted(house, endpoint_id, "timeout", ago=timedelta(hours=30), times=2)
    browser = await as_operator(house)

    page = await browser.open("/console/endpoints?part=all")

    assert 'aria-label="3 terkirim, 2 gagal"' in page.text
    assert len(re.findall(r'<rect class="good"', page.text)) == 1
    assert re.findall(r'<rect class="bad" x="(\d+)"', page.text) == ["161"]


async def test_an_endpoint_that_fails_stands_among_those_in_trouble(house: House) -> None:
    world = world_of(house)
    bad, _ = await world.endpoint(URL)
    good, _ = await world.endpoint(URL, agency=KUKAR)
    async with house.service.sessions.begin() as tx:
        await tx.execute(update(endpoints).where(endpoints.c.id == bad).values(failing_since=func.now()))
    browser = await as_operator(house)

    page = await browser.open("/console/endpoints")

    assert f"/console/endpoints/{bad}" in page.text
    assert f"/console/endpoints/{good}" not in page.text


async def test_an_endpoint_of_another_agency_is_paused_and_enabled_but_not_recovered(house: House) -> None:
    endpoint_id, _ = await world_of(house).endpoint(URL)
    path = f"/console/endpoints/{endpoint_id}"
    browser = await as_operator(house)
    fields = hidden(await browser.open(path), f"{path}/pause")

    paused = await browser.follow(await browser.post(f"{path}/pause", fields))
    enabled = await browser.follow(await browser.send(paused, f"{path}/enable"))
    refused = await browser.post(f"{path}/recover", fields | {"form_key": uuid4().hex})

    assert "Endpoint dijeda" in paused.text
    assert "Endpoint diaktifkan." in enabled.text
    assert f"{path}/recover" not in enabled.text
    assert refused.status_code == 404


async def test_what_failed_at_the_operators_own_endpoint_is_sent_again(house: House) -> None:
    world = world_of(house)
    endpoint_id, _ = await world.endpoint(URL, agency=OPERATOR)
    await world.tell(agency=OPERATOR, times=2)
    await all_end(world, "failed")
    path = f"/console/endpoints/{endpoint_id}"
    browser = await as_operator(house)
    page = await browser.open(path)
    action = re.findall(rf'action="({path}/deliveries/[^"]*/resend)"', page.text)

    one = await browser.send(page, action[0])
    everything = await browser.send(page, f"{path}/recover")
    again = await browser.send(page, f"{path}/recover")

    assert len(action) == 2
    assert (one.status_code, everything.status_code, again.status_code) == (303, 303, 303)
    async with house.service.sessions.begin() as tx:
        assert list(await tx.scalars(select(deliveries.c.state))) == ["due"]
        assert len(list(await tx.scalars(select(recoveries.c.id)))) == 1
    assert "Pengiriman ulang berjalan" in (await browser.open(path)).text


async def test_a_delivery_of_another_endpoint_is_not_sent_again_from_here(house: House) -> None:
    world = world_of(house)
    endpoint_id, _ = await world.endpoint(URL, agency=OPERATOR)
    theirs, _ = await world.endpoint(URL)
    await world.tell()
    row = await world.delivery()
    path = f"/console/endpoints/{endpoint_id}"
    browser = await as_operator(house)
    fields = hidden(await browser.open(path), f"{path}/recover")

    for of in (path, f"/console/endpoints/{theirs}"):
        assert (await browser.post(f"{of}/deliveries/{row.id}/resend", fields)).status_code == 404


async def test_agreements_say_how_much_of_them_nobody_has_confirmed(house: House) -> None:
    browser = await as_operator(house)

    listed = await browser.open("/console/agreements")
    document = await browser.open("/console/agreements/pks-kukar-ppu-2024/versions/1")
    covered = await browser.open("/console/agreements/pks-kukar-ppu-2024/versions/1/coverage")

    assert re.search(r"\d+ klausul", listed.text)
    assert "klausul belum dikonfirmasi para pihak" in document.text
    assert "Belum dikonfirmasi" in document.text
    assert "UPTD PPA Kutai Kartanegara" in covered.text
    assert "Menunggu orang" in covered.text
    for one in ("nothing/versions/1", "pks-kukar-ppu-2024/versions/9", "pks-kukar-ppu-2024/versions/0"):
        assert (await browser.open(f"/console/agreements/{one}")).status_code == 404


async def test_the_story_of_a_case_is_told_and_the_look_is_part_of_it(house: House) -> None:
    referral = await house.service.submit()
    browser = await as_operator(house)

    first = await browser.send(await browser.open("/console/audit"), "/console/audit", referral=referral["id"])
    second = await browser.send(first, "/console/audit", referral=referral["id"])

    assert "mengirim rujukan" in first.text
    assert "nomor pada pengirim" in first.text
    assert "sender_reference" not in first.text
    assert "membaca jejak audit" not in first.text
    assert "membaca jejak audit" in second.text
    assert "Pak Operator, KemenPPPA" in second.text
    assert "Contoh Seorang" not in second.text
    assert referral["id"] not in str(second.url)


async def test_of_a_case_that_names_the_operators_agency_nothing_is_told(house: House) -> None:
    named = await house.service.submit(a_referral(conflicts=[OPERATOR]))
    browser = await as_operator(house)
    page = await browser.open("/console/audit")
    answers = []

    for one in (named["id"], str(uuid4())):
        answer = await browser.send(page, "/console/audit", referral=one)
        assert answer.status_code == 200
        answers.append(re.sub(r'name="form_key" value="\w+"', "", answer.text).replace(one, ""))

    assert "Tidak ada jejak untuk nomor ini" in answers[0]
    assert answers[0] == answers[1]
    async with house.service.sessions.begin() as tx:
        asked = list(await tx.scalars(select(audit.c.subject_id).where(audit.c.action == "audit.read")))
    assert named["id"] in asked


@pytest.mark.parametrize("written", ["", "x", "01955f1c", "'; --", "01955f1c-0000-7000-8000-00000000000g"])
async def test_what_is_no_id_is_said_at_its_field(house: House, written: str) -> None:
    browser = await as_operator(house)

    answer = await browser.send(await browser.open("/console/audit"), "/console/audit", referral=written)

    assert answer.status_code == 422
    assert 'id="f-referral-error"' in answer.text


async def test_a_persons_sessions_are_ended_and_they_may_sign_in_again(house: House) -> None:
    person = await house.signed_in(RECEIVER, name="Ibu Contoh")
    browser = await as_operator(house)
    page = await browser.open("/console/persons")
    (action,) = re.findall(r'action="(/console/persons/[^"]*/sign-out)"', page.text.partition("Ibu Contoh")[2])[:1]

    answer = await browser.follow(await browser.send(page, action))

    assert "Semua sesi orang itu diakhiri." in answer.text
    assert (await person.open("/console/handoffs")).status_code == 303
    assert (await (await house.signed_in(RECEIVER, name="Ibu Contoh")).open("/console/handoffs")).status_code == 200


async def test_however_many_signed_in_a_page_shows_some_and_the_next_one_goes_on(house: House) -> None:
    names = [f"Ibu {number}" for number in range(7)]
    for name in names:
        await house.link(RECEIVER, name=name)
    browser = await as_operator(house)

    seen: list[str] = []
    address = "/console/persons?limit=3"
    while address:
        page = await browser.open(address)
        lines = re.findall(r'<th scope="row">(.*?)</th>', page.text, re.DOTALL)
        assert 0 < len(lines) <= 3
        seen += lines
        found = re.search(r'href="([^"]*)" rel="next"', page.text)
        address = found[1].replace("&amp;", "&") if found else ""
        assert len(seen) <= 8

    assert {name for name in names if name in seen} == set(names)


async def test_nobody_is_signed_out_who_is_not_there(house: House) -> None:
    browser = await as_operator(house)
    fields = hidden(await browser.open("/console/persons"), "/console/sign-out")

    for one in ("sign-out", "revoke"):
        assert (await browser.post(f"/console/persons/{uuid4()}/{one}", fields)).status_code == 404


async def test_a_person_is_shut_out_after_one_more_question(house: House) -> None:
    person = await house.signed_in(RECEIVER, name="Ibu Contoh")
    browser = await as_operator(house)
    page = await browser.open("/console/persons")
    (path,) = re.findall(r'href="(/console/persons/[^"]*/revoke)"', page.text)

    question = await browser.open(path)
    answer = await browser.follow(await browser.send(question, path))

    assert "Ini tidak dapat dibatalkan." in question.text
    assert "Dicabut" in answer.text
    assert (await person.open("/console/handoffs")).status_code == 303
    async with house.service.sessions.begin() as tx:
        by = list(await tx.scalars(select(audit.c.agency_code).where(audit.c.action == "token_subject.revoke")))
    assert by == [OPERATOR]
    assert (await browser.open(path)).status_code == 404


@pytest.mark.parametrize("role", [Role.RECEIVER, Role.SENDER, Role.COORDINATOR, Role.PROTECTION_OFFICER])
async def test_nobody_but_an_operator_has_these_pages(house: House, role: Role) -> None:
    endpoint_id, _ = await world_of(house).endpoint(URL)
    browser = await house.signed_in(RECEIVER, role)

    for one in (*PAGES, f"/console/endpoints/{endpoint_id}", "/console/agreements/baseline-national/versions/1"):
        assert (await browser.open(one)).status_code == 404
    # Also the page that says that there is none has the form by which one signs out.
    fields = hidden(await browser.open("/console/nowhere"), "/console/sign-out")
    for one in (f"/console/endpoints/{endpoint_id}/pause", "/console/audit", f"/console/persons/{uuid4()}/revoke"):
        assert (await browser.post(one, fields)).status_code == 404


async def test_the_pages_are_in_english_too(house: House) -> None:
    endpoint_id, _ = await world_of(house).endpoint(URL)
    browser = await as_operator(house, language="en")

    for one in (*PAGES, f"/console/endpoints/{endpoint_id}", "/console/endpoints?part=all"):
        page = await browser.open(one)
        assert page.status_code == 200
        assert '<html lang="en">' in page.text
