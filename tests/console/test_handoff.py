"""One handoff, as a caseworker of the receiving agency reads and answers it."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.console.pages.handoff import BODIES, CHOICES, Step
from app.console.words import WORDS
from app.domain.caller import Role
from app.domain.handoff import TRANSITIONS, Actor
from app.storage.tables import audit, handoffs
from tests.console.conftest import Browser, House
from tests.workflows.conftest import KUKAR, PPU, a_referral, of
from tests.workflows.test_duties import submitted

LIST = "/console/handoffs"
NOT_THERE = "00000000-0000-7000-8000-000000000000"
NAME, PHONE = "Contoh Seorang", "081200000000"


async def offered(house: House, **more: Any) -> str:
    """Hand in a referral, and give the handoff that was made of it."""
    body = a_referral(**more)
    body["victim"] = {**body["victim"], "safe_contact": {"phone": PHONE, "instructions": "Telepon sesudah pukul 9."}}
    body["services"] = [{"type": "legal_service", "note": "Perlu penerjemah."}]
    return str(of(await house.service.submit(body))["handoff"]["id"])


async def answered(browser: Browser, handoff: str, step: str, **fields: Any) -> Any:
    """Answer as a person does: from the form of the page, or of the step's own page."""
    at = f"{LIST}/{handoff}/{step}"
    page = await browser.open(f"{LIST}/{handoff}" if Step(step) not in BODIES else at)
    return await browser.send(page, at, **fields)


async def state_of(house: House, handoff: str) -> str:
    async with house.service.sessions() as tx:
        return str(await tx.scalar(select(handoffs.c.state).where(handoffs.c.id == handoff)))


async def test_before_accepting_the_page_shows_what_is_needed_to_decide_and_names_what_follows(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    page = await browser.open(f"{LIST}/{handoff}")

    assert page.status_code == 200
    assert "Perlu penerjemah." in page.text
    assert "<dd>Fisik</dd>" in page.text
    assert NAME not in page.text
    assert PHONE not in page.text
    assert "Apa lagi yang terlihat setelah menerima" in page.text
    assert "<li>kontak aman</li>" in page.text
    assert "4 Maret 2025" in page.text
    assert "<title>Penawaran \N{EN DASH} Lintas</title>" in page.text


async def test_accepting_shows_the_person_and_how_to_reach_her_safely(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    answer = await answered(browser, handoff, "accept")
    page = await browser.follow(answer)

    assert answer.headers["location"] == f"{LIST}/{handoff}?done=handoff_accept"
    assert "Diterima. Pengirim sudah diberi tahu." in page.text
    assert NAME in page.text
    assert PHONE in page.text
    assert "Telepon sesudah pukul 9." in page.text
    assert await state_of(house, handoff) == "accepted"


async def test_each_look_is_in_the_audit_as_the_person_with_the_fields_it_showed(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in(name="Bapak Lihat")

    await browser.follow(await answered(browser, handoff, "accept"))

    async with house.service.sessions() as tx:
        looks = (
            await tx.execute(
                select(audit.c.fields, audit.c.key_id).where(audit.c.action == "handoff.read").order_by(audit.c.id)
            )
        ).all()
    before, after = looks
    assert "victim.name" not in (before.fields or [])
    assert {"victim.name", "victim.safe_contact"} <= set(after.fields)
    assert before.key_id == after.key_id


async def test_a_service_is_given_from_its_acceptance_to_its_end(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    for step, fields in (
        ("accept", {}),
        ("start", {"note": "Mulai hari ini."}),
        ("hold", {"review_on": "2025-03-20"}),
        ("resume", {}),
        ("complete", {"outcome": "service_given", "note": "Selesai baik.", "share_note": "true"}),
    ):
        page = await browser.follow(await answered(browser, handoff, step, **fields))
        assert page.status_code == 200

    assert await state_of(house, handoff) == "completed"
    assert "Layanan diberikan" in page.text
    assert "Mulai hari ini." in page.text
    assert "Dibagikan kepada pengirim." in page.text
    sender = await house.service.read(PPU, f"/handoffs/{handoff}")
    assert [one["note"] for one in sender["notes"]] == ["Selesai baik."]


async def test_who_declines_sees_the_case_no_longer_and_the_next_agency_is_asked(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    page = await browser.follow(await answered(browser, handoff, "decline", reason="no_capacity"))

    assert await state_of(house, handoff) == "declined"
    assert "Perlu penerjemah." not in page.text
    assert "tidak ditunjukkan kepada Anda" in page.text
    async with house.service.sessions() as tx:
        assert await tx.scalar(select(func.count()).select_from(handoffs)) == 2


@pytest.mark.parametrize(
    ("step", "fields", "name"),
    [
        ("decline", {}, "reason"),
        ("decline", {"reason": "because"}, "reason"),
        ("decline", {"reason": "other", "share_note": "true"}, "note"),
        ("decline", {"reason": "other", "note": "x" * 20_000}, "note"),
    ],
)
async def test_what_lacks_in_an_answer_is_said_at_its_field_and_what_was_written_stays(
    house: House, step: str, fields: dict[str, str], name: str
) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    page = await answered(browser, handoff, step, **{"note": "Tulisan saya."} | fields if name != "note" else fields)

    assert page.status_code == 422
    assert f'href="#f-{name}"' in page.text
    assert f'id="f-{name}-error"' in page.text
    if name == "reason":
        assert "Tulisan saya.</textarea>" in page.text
        assert "because" not in page.text
    assert await state_of(house, handoff) == "offered"


@pytest.mark.parametrize(
    ("step", "name", "said"),
    [
        ("decline", "reason", "Pilih alasannya."),
        ("complete", "outcome", "Pilih hasilnya."),
        ("hold", "review_on", "Isi tanggal peninjauannya."),
    ],
)
async def test_a_choice_that_was_left_open_is_said_in_words_that_stand_alone(
    house: House, step: str, name: str, said: str
) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()
    for before in {"decline": (), "complete": ("accept",), "hold": ("accept", "start")}[step]:
        await answered(browser, handoff, before)

    page = await answered(browser, handoff, step)

    assert page.status_code == 422
    assert f'<a href="#f-{name}">{said}</a>' in page.text


async def test_two_people_who_answer_at_once_get_one_outcome_and_the_second_is_told_which(house: House) -> None:
    handoff = await offered(house)
    one, other = await house.signed_in(name="Satu"), await house.signed_in(name="Dua")
    first = await one.open(f"{LIST}/{handoff}")
    second = await other.open(f"{LIST}/{handoff}/decline")

    answers = await asyncio.gather(
        one.send(first, f"{LIST}/{handoff}/accept"),
        other.send(second, f"{LIST}/{handoff}/decline", reason="no_capacity"),
    )

    assert sorted(answer.status_code for answer in answers) == [303, 409]
    (late,) = [answer for answer in answers if answer.status_code == 409]
    assert "Tidak ada yang diubah" in late.text
    assert f'href="{LIST}/{handoff}"' in late.text
    assert await state_of(house, handoff) in {"accepted", "declined"}


async def test_a_button_that_is_pressed_twice_counts_once_and_answers_the_same(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()
    page = await browser.open(f"{LIST}/{handoff}")

    answers = await asyncio.gather(*(browser.send(page, f"{LIST}/{handoff}/accept") for _ in range(3)))

    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {
        (303, f"{LIST}/{handoff}?done=handoff_accept")
    }


async def test_two_tabs_give_one_outcome(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()
    here, there = await browser.open(f"{LIST}/{handoff}"), await browser.open(f"{LIST}/{handoff}")

    first = await browser.send(here, f"{LIST}/{handoff}/accept")
    second = await browser.send(there, f"{LIST}/{handoff}/accept")

    assert (first.status_code, second.status_code) == (303, 409)
    assert "Diterima" in second.text
    assert await state_of(house, handoff) == "accepted"


async def test_an_offer_that_ran_out_says_so_when_it_is_answered(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()
    page = await browser.open(f"{LIST}/{handoff}/decline")
    await house.service.after(timedelta(days=10))

    answer = await browser.send(page, f"{LIST}/{handoff}/decline", reason="no_capacity")

    assert answer.status_code == 409
    assert "Lewat waktu" in answer.text


async def test_an_answer_that_can_no_longer_be_given_is_not_asked_for(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()
    await answered(browser, handoff, "accept")

    answer = await browser.open(f"{LIST}/{handoff}/decline")

    assert (answer.status_code, answer.headers["location"]) == (303, f"{LIST}/{handoff}")


async def test_a_duty_that_was_kept_is_noted(house: House) -> None:
    _, handoff, receiver = await submitted(house.service)
    browser = await house.signed_in(receiver)
    page = await browser.follow(await answered(browser, handoff, "accept"))
    inside = page.text.split("/keep-duty")[1]
    document, clause = re.findall(r'name="(?:document|clause)" value="([^"]*)"', inside)[:2]

    kept = await browser.follow(
        await browser.send(page, f"{LIST}/{handoff}/keep-duty", document=document, clause=clause)
    )

    assert "Kewajiban dicatat sebagai dipenuhi." in kept.text
    assert "Sudah dipenuhi pada" in kept.text


async def test_a_handoff_of_another_agency_is_as_one_that_is_not_there(house: House) -> None:
    handoff = await offered(house)
    other = await house.signed_in("dp3a-kukar", Role.RECEIVER)

    pages = [await other.open(f"{LIST}/{one}") for one in (handoff, NOT_THERE)]

    assert [page.status_code for page in pages] == [404, 404]
    theirs, none = [re.search("<main.*</main>", page.text.replace(handoff, NOT_THERE), re.DOTALL) for page in pages]
    assert theirs is not None
    assert none is not None
    assert theirs[0] == none[0]


async def test_its_sender_is_led_to_the_referral(house: House) -> None:
    handoff = await offered(house)
    sender = await house.signed_in(PPU, Role.SENDER)

    answer = await sender.open(f"{LIST}/{handoff}")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/referrals/")


async def test_its_coordinator_is_led_to_the_service_request(house: House) -> None:
    handoff = await offered(house)
    coordinator = await house.signed_in(KUKAR, Role.COORDINATOR)

    answer = await coordinator.open(f"{LIST}/{handoff}")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/service-requests/")


async def test_a_guardian_who_must_not_be_told_is_said_in_so_many_words(house: House) -> None:
    victim = {
        "name": NAME,
        "age": 15,
        "guardian": {"name": "Wali Contoh", "relation": "parent", "is_perpetrator": True},
    }
    consent = {
        "basis": "child_best_interest",
        "given_at": "2024-08-01T08:00:00+08:00",
        "law": "uu_35_2014",
    }
    body = a_referral(victim=victim, consent=consent)
    answer = await house.service.call(PPU, "POST", "/referrals", json=body)
    handoff = of(answer.json())["handoff"]["id"]
    browser = await house.signed_in()

    page = await browser.follow(await answered(browser, handoff, "accept"))

    assert "Jangan menghubungi wali" in page.text
    assert "Wali Contoh" not in page.text


async def test_what_is_not_known_is_said_to_be_so(house: House) -> None:
    handoff = await offered(house)
    browser = await house.signed_in()

    page = await browser.open(f"{LIST}/{handoff}")

    assert "<dt>Pelaku serumah</dt><dd>Tidak diketahui</dd>" in page.text


def test_every_answer_that_a_receiver_has_can_be_given_here() -> None:
    theirs = {event for (_, event), move in TRANSITIONS.items() if Actor.RECEIVER in move.who}

    assert {step.event for step in Step} == theirs
    assert CHOICES.keys() <= BODIES.keys()


def test_every_answer_has_its_words() -> None:
    for step in Step:
        assert {f"handoff.do_{step.event}", f"handoff.then_{step.event}", f"done.handoff_{step.event}"} <= WORDS.keys()
