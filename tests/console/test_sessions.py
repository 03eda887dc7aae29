"""Who is signed in to the console, for how long, and what ends it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.caller import Role
from app.domain.channel import Channel
from app.storage import console_sessions, token_subjects, ways
from app.storage.tables import audit, console_links
from app.storage.tables import console_sessions as sessions_table
from tests.console.conftest import House
from tests.workflows.conftest import KUKAR, RECEIVER

LIST = "/console/handoffs"


async def test_a_link_signs_its_person_in_once(house: House) -> None:
    browser = await house.browser()
    link = await house.link(name="Ibu Contoh")

    shown = await browser.open(link)
    answer = await browser.send(shown, link)
    again = await (await house.browser()).post(link, {})

    assert shown.status_code == 200
    assert "Ibu Contoh, UPTD PPA Penajam Paser Utara" in shown.text
    assert answer.status_code == 303
    assert (await browser.open(LIST)).status_code == 200
    assert again.status_code == 410


async def test_a_program_that_looks_at_a_link_does_not_use_it_up(house: House) -> None:
    link = await house.link()
    for _ in range(3):
        await (await house.browser()).open(link)

    browser = await house.browser()
    answer = await browser.send(await browser.open(link), link)

    assert answer.status_code == 303


async def test_a_link_is_over_after_ten_minutes(house: House) -> None:
    link = await house.link()
    house.clock.advance(timedelta(minutes=10))

    assert (await (await house.browser()).open(link)).status_code == 410
    assert (await (await house.browser()).post(link, {})).status_code == 410


async def test_neither_link_nor_session_lies_in_the_database_as_it_is_shown(house: House) -> None:
    link = await house.link()
    async with house.service.sessions.begin() as tx:
        kept_link = await tx.scalar(select(console_links.c.hash))
    browser = await house.browser()
    await browser.send(await browser.open(link), link)
    async with house.service.sessions.begin() as tx:
        kept_session = await tx.scalar(select(sessions_table.c.hash))

    token = browser.client.cookies["__Host-lintas-session"]
    assert kept_link != link.rpartition("/")[2].encode()
    assert kept_link is not None
    assert len(kept_link) == 32
    assert kept_session == console_sessions.hash_of(token)


async def test_the_cookie_of_a_session_goes_nowhere_else(house: House) -> None:
    browser = await house.browser()
    link = await house.link()

    answer = await browser.send(await browser.open(link), link)

    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-lintas-session=")
    assert {part.strip().lower() for part in said.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}


async def test_signing_in_again_begins_a_new_session_and_ends_the_one_before(house: House) -> None:
    browser = await house.signed_in()
    before = browser.client.cookies["__Host-lintas-session"]
    link = await house.link(KUKAR, Role.COORDINATOR, name="Pak Lain")

    await browser.send(await browser.open(link), link)
    browser.client.cookies.set("__Host-lintas-session", before, domain="lintas.test", path="/")

    assert (await browser.open(LIST)).headers["location"].startswith("/console/sign-in")


async def test_who_is_not_signed_in_is_led_to_sign_in_and_back(house: House) -> None:
    browser = await house.browser()

    answer = await browser.open(LIST)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?next=/console/handoffs"
    assert (await browser.follow(answer)).status_code == 200


async def test_a_session_ends_when_nothing_is_asked_for_half_an_hour(house: House) -> None:
    browser = await house.signed_in()
    house.clock.advance(timedelta(minutes=29))
    assert (await browser.open(LIST)).status_code == 200
    house.clock.advance(timedelta(minutes=29))
    assert (await browser.open(LIST)).status_code == 200

    house.clock.advance(timedelta(minutes=30))

    assert (await browser.open(LIST)).status_code == 303


async def test_a_session_does_not_end_while_somebody_writes_in_a_form(house: House) -> None:
    browser = await house.signed_in()
    for _ in range(3):
        house.clock.advance(timedelta(minutes=25))
        assert (await browser.open("/console/here")).status_code == 204

    assert (await browser.open(LIST)).status_code == 200
    assert (await (await house.browser()).open("/console/here")).status_code == 303


async def test_a_session_ends_after_eight_hours_however_busy(house: House) -> None:
    browser = await house.signed_in()
    for _ in range(23):
        house.clock.advance(timedelta(minutes=20))
        assert (await browser.open(LIST)).status_code == 200

    house.clock.advance(timedelta(minutes=20))

    assert (await browser.open(LIST)).status_code == 303


async def test_signing_out_ends_the_session_at_the_server(house: House) -> None:
    browser = await house.signed_in()
    token = browser.client.cookies["__Host-lintas-session"]

    answer = await browser.send(await browser.open(LIST), "/console/sign-out")
    browser.client.cookies.set("__Host-lintas-session", token, domain="lintas.test", path="/")

    assert answer.headers["location"] == "/console/sign-in?done=signed_out"
    assert (await browser.open(LIST)).status_code == 303


async def test_signing_out_everywhere_ends_all_sessions_of_the_person_and_nobody_elses(house: House) -> None:
    first, second = await house.signed_in(name="Ibu Contoh"), await house.signed_in(name="Ibu Contoh")
    other = await house.signed_in(name="Ibu Lain")

    await first.send(await first.open(LIST), "/console/sign-out-everywhere")

    assert (await second.open(LIST)).status_code == 303
    assert (await other.open(LIST)).status_code == 200


async def test_revoking_a_person_ends_their_sessions_at_the_next_request(house: House) -> None:
    browser = await house.signed_in()
    async with house.service.sessions.begin() as tx:
        (subject,) = await token_subjects.listed(tx, agency_code=RECEIVER)
        await token_subjects.revoke(tx, subject.id)

    assert (await browser.open(LIST)).status_code == 303


async def test_who_signs_in_and_out_is_in_the_audit_as_a_person(house: House) -> None:
    browser = await house.signed_in(name="Ibu Contoh")
    await browser.send(await browser.open(LIST), "/console/sign-out")

    async with house.service.sessions.begin() as tx:
        (subject,) = await token_subjects.listed(tx, agency_code=RECEIVER)
        said = (
            await tx.execute(select(audit.c.action, audit.c.subject_id).where(audit.c.action.like("session.%")))
        ).all()

    assert subject.subject == "Ibu Contoh"
    assert sorted(said) == [
        (action, str(subject.id)) for action in ("session.begin", "session.end", "session.offer_link")
    ]


async def test_what_is_over_is_forgotten(house: House) -> None:
    await house.signed_in()
    await house.link()
    terms = house.api.state.console.sessions
    async with house.service.sessions.begin() as tx:
        kept = await console_sessions.forget_expired(tx, now=house.clock(), terms=terms)
    house.clock.advance(timedelta(minutes=30))

    async with house.service.sessions.begin() as tx:
        gone = await console_sessions.forget_expired(tx, now=house.clock(), terms=terms)

    assert (kept, gone) == (0, 2)
    async with house.service.sessions.begin() as tx:
        assert await tx.scalar(select(func.count()).select_from(sessions_table)) == 0


@pytest.mark.parametrize("cookie", ["x", "", "a" * 500, "é", "../../etc"])
async def test_a_cookie_that_is_no_session_is_as_none(house: House, cookie: str) -> None:
    browser = await house.browser()

    answer = await browser.client.get(LIST, headers={b"Cookie": f"__Host-lintas-session={cookie}".encode()})

    assert answer.status_code == 303


async def test_whoever_signs_in_is_a_way_by_which_their_agency_is_told(house: House) -> None:
    async with house.service.sessions.begin() as tx:
        before = await ways.working(tx, [RECEIVER])

    await house.signed_in(RECEIVER)

    async with house.service.sessions.begin() as tx:
        after = await ways.working(tx, [RECEIVER])
    assert (before.get(RECEIVER), after[RECEIVER]) == (None, (Channel.CONSOLE,))
