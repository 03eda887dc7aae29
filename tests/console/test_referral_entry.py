"""Entering a referral: in steps that tolerate the unknown, checked before it is sent, and sent once."""

import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from app.domain.caller import Role
from app.domain.facts import Facts
from app.storage import personal_data
from app.storage.tables import audit, facts, referrals, token_subjects
from tests.console.conftest import Browser, House, hidden
from tests.console.referrals import CHECK, NEW, SEND, SENDER, a_form, caseworker
from tests.workflows.conftest import a_referral


async def referrals_in(house: House) -> int:
    async with house.service.sessions.begin() as tx:
        return await tx.scalar(select(func.count()).select_from(referrals)) or 0


async def check(browser: Browser, fields: dict[str, Any]) -> httpx.Response:
    """Have a form checked, from an empty one."""
    return await browser.post(CHECK, hidden(await browser.open(NEW), CHECK) | fields)


async def send(browser: Browser, fields: dict[str, Any]) -> httpx.Response:
    """Check a form and send it, as the page that checks it holds it."""
    checked = await check(browser, fields)
    assert checked.status_code == 200, checked.text
    return await browser.post(SEND, hidden(checked, SEND) | fields)


async def test_every_fact_can_be_left_unknown_and_is_said_to_be_unknown(house: House) -> None:
    browser = await caseworker(house)

    page = await browser.open(NEW)
    checked = await check(
        browser,
        a_form(
            locations__incident="unknown",
            locations__domicile="unknown",
            locations__current="unknown",
            victim__age="",
            victim__sex="unknown",
            victim__name="",
            case__perpetrator_in_household="unknown",
        ),
    )

    # Three places, age, sex, the perpetrator's home, and two things about a guardian.
    assert page.text.count("Tidak diketahui") >= 8
    assert checked.status_code == 200
    assert len(re.findall(r"<dd><span class=\"quiet\">Tidak diketahui</span></dd>", checked.text)) >= 7
    assert "Menunggu koordinator" in checked.text


async def test_a_check_says_who_would_be_asked_and_why_and_keeps_nothing(house: House) -> None:
    browser = await caseworker(house)

    checked = await check(browser, a_form())

    assert "Akan ditawarkan kepada <strong>UPTD PPA Penajam Paser Utara</strong>" in checked.text
    assert "Setiap layanan ditawarkan kepada UPTD PPA Provinsi Kalimantan Timur" in checked.text
    assert "Belum ada yang dikirim atau disimpan." in checked.text
    assert "Sepaku, Kabupaten Penajam Paser Utara" in checked.text
    assert await referrals_in(house) == 0


async def test_a_check_decides_as_sending_does(house: House) -> None:
    browser = await caseworker(house, language="en")
    for fields in (a_form(), a_form(urgency="emergency", consent__basis="none", **NO_TIME), a_form(victim__age="9")):
        checked = await check(browser, fields)
        sent = await browser.follow(await browser.post(SEND, hidden(checked, SEND) | fields))

        for agency in re.findall(r"Is offered to <strong>(.*?)</strong>", checked.text):
            assert f"Offered</strong> <strong>{agency}</strong>" in sent.text
        waits = sent.text.count("Waits for its coordinator</strong>")
        assert checked.text.count("Waits for a coordinator</strong>") == waits
        assert checked.text.count("Is offered to") + waits == 1


NO_TIME = {f"consent__given_at__{part}": None for part in ("day", "month", "year", "time")}


async def test_what_is_sent_is_what_the_api_would_have_taken(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form(
        **{
            "avoid_regions[]": ["64.71"],
            "conflicts[]": ["polres-ppu"],
            "services[]": ["legal_service", "health_service"],
            "note__legal_service": "Sidang minggu depan",
            "cannot[]": ["legal_service"],
            "victim__guardian__is_perpetrator": "unknown",
            "victim__safe_contact__phone": "0812-000",
            "narrative": "Baris satu\r\nBaris dua",
            "case__police_reported_at__day": "3",
            "case__police_reported_at__month": "8",
            "case__police_reported_at__year": "2024",
            "case__police_reported_at__time": "14:30",
            "consent__last_day__day": "31",
            "consent__last_day__month": "12",
            "consent__last_day__year": "2026",
        }
    )

    answer = await send(browser, fields)

    assert answer.status_code == 303
    referral_id = UUID(answer.headers["location"].split("/")[3])
    async with house.service.sessions.begin() as tx:
        kept = Facts.from_json(await tx.scalar(select(facts.c.body).where(facts.c.referral_id == referral_id)) or {})
        sealed = await personal_data.unseal(
            tx,
            house.service.key_ring,
            referral_id,
            ["narrative", "consent", "services.legal_service.note", "case.place", "case.police_reported_at"],
        )
    assert (kept.incident, kept.age, kept.sex, kept.perpetrator_in_household) == ("64.09.04", 31, "female", False)
    assert sorted(kept.avoid_regions) == ["64.71"]
    assert sealed["narrative"] == "Baris satu\nBaris dua"
    assert sealed["services.legal_service.note"] == "Sidang minggu depan"
    assert sealed["case.police_reported_at"] == "2024-08-03T14:30:00+08:00"
    assert "case.place" not in sealed
    # Both moments in the zone of the agency, the last day whole.
    assert sealed["consent"]["given_at"] == "2024-08-01T08:00:00+08:00"
    assert sealed["consent"]["expires_at"] == "2027-01-01T00:00:00+08:00"


async def test_the_person_who_sent_it_stands_in_the_audit(house: House) -> None:
    browser = await caseworker(house)

    await browser.follow(await send(browser, a_form()))

    async with house.service.sessions.begin() as tx:
        entries = (
            await tx.execute(select(audit.c.action, audit.c.key_id).where(audit.c.referral_id.is_not(None)))
        ).all()
        people = set(await tx.scalars(select(token_subjects.c.id)))
    assert {entry.action for entry in entries} == {"referral.submit", "referral.read"}
    assert {entry.key_id for entry in entries} <= people


async def test_what_needs_correction_is_said_at_its_field_and_what_was_typed_stays(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form(
        sender_reference="", urgency=None, victim__age="tiga", consent__given_at__time="", **{"services[]": None}
    )

    answer = await check(browser, fields | {"narrative": "Tetap <di> sini"})

    assert answer.status_code == 422
    for name, text in (
        ("sender_reference", "Nomor kasus di lembaga Anda: wajib diisi"),
        ("urgency", "Seberapa mendesak: wajib diisi"),
        ("victim-age", "Umur: isi dengan angka"),
        ("services", "Layanan yang dibutuhkan: wajib diisi"),
        ("consent-given_at", "Kapan diberikan: isi tanggal dan jamnya"),
    ):
        assert f'<a href="#f-{name}">{text}' in answer.text
        assert f'id="f-{name}"' in answer.text
    assert "Tetap &lt;di&gt; sini" in answer.text
    assert 'value="tiga"' in answer.text
    assert "tiga" not in re.search(r'class="summary".*?</div>', answer.text, re.DOTALL)[0]  # type: ignore[index]


async def test_a_note_that_is_too_long_is_said_at_its_service(house: House) -> None:
    browser = await caseworker(house)

    answer = await check(browser, a_form(note__legal_service="x" * 5_001))

    assert answer.status_code == 422
    assert '<a href="#f-note-legal_service">Catatan untuk lembaga penerima: ' in answer.text


async def test_an_age_and_that_it_is_not_known_contradict_each_other(house: House) -> None:
    browser = await caseworker(house)

    answer = await check(browser, a_form(**{"unknown[]": ["victim.age"]}))

    assert answer.status_code == 422
    assert '<a href="#f-victim-age">Umur: tidak sesuai dengan isian lain' in answer.text


async def test_a_place_is_found_by_its_name_with_the_places_it_lies_in(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form(locations__incident=None) | {"sought.incident": "sepaku", "search": "incident"}

    answer = await browser.post(NEW, hidden(await browser.open(NEW), CHECK) | fields)

    assert answer.status_code == 200
    assert 'value="64.09.04"' in answer.text
    assert re.search(
        r"Sepaku <span class=\"quiet\">Kecamatan, Kabupaten Penajam Paser Utara, Kalimantan Timur · 64.09.04",
        answer.text,
    )
    assert 'value="Contoh Seorang"' in answer.text


@pytest.mark.parametrize(
    ("sought", "code"), [("Malaysia", "country:MY"), ("saudi", "country:SA"), ("country:FR", "country:FR")]
)
async def test_a_country_is_found_too(house: House, sought: str, code: str) -> None:
    browser = await caseworker(house)
    fields = hidden(await browser.open(NEW), CHECK) | {"place": "current", "sought.current": sought}

    answer = await browser.post("/console/referrals/places", fields)

    assert f'value="{code}"' in answer.text


async def test_nothing_found_is_said(house: House) -> None:
    browser = await caseworker(house)
    fields = hidden(await browser.open(NEW), CHECK) | {"place": "current", "sought.current": "qqqqqq"}

    assert "Tidak ada tempat dengan nama itu." in (await browser.post("/console/referrals/places", fields)).text


@pytest.mark.parametrize(
    "more",
    [
        {"sought.incident": "Sepaku", "locations.incident": "unknown"},
        {"sought.incident": "Sepaku", "locations.incident": None},
        # Another place is written down than the one that was chosen before.
        {"sought.incident": "Babulu", "searched.incident": "Sepaku", "locations.incident": "64.09.04"},
        {"sought.avoid": "Balikpapan"},
        {"sought.avoid": "Balikpapan", "searched.avoid": "Balikpapan", "avoid_regions[]": ["64.09"]},
    ],
)
async def test_a_place_that_was_written_and_not_chosen_is_asked_for_and_never_guessed(
    house: House, more: dict[str, Any]
) -> None:
    browser = await caseworker(house)
    fields = {name: value for name, value in (a_form() | more).items() if value is not None}

    answer = await check(browser, fields)

    assert answer.status_code == 422
    assert "pilih tempat yang dimaksud dari hasil pencarian" in answer.text


async def test_a_place_that_was_sought_may_be_said_to_be_unknown(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form(locations__current="unknown") | {"sought.current": "Sepaku", "searched.current": "Sepaku"}

    assert (await check(browser, fields)).status_code == 200


async def test_sent_twice_is_one_referral_and_leads_to_the_same_page(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form()
    whole = hidden(await check(browser, fields), SEND) | fields

    first, second = await browser.post(SEND, whole), await browser.post(SEND, whole)

    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert await referrals_in(house) == 1


async def test_sent_in_two_tabs_is_one_referral_and_the_second_says_which(house: House) -> None:
    browser, colleague = await caseworker(house), await caseworker(house, name="Ibu Rekan")
    fields = a_form()
    first = await send(browser, fields)

    again, by_another = await send(browser, fields), await send(colleague, fields)

    place = first.headers["location"].removesuffix("/sent")
    for answer in (again, by_another):
        assert answer.status_code == 409
        assert "Nomor kasus ini sudah dipakai" in answer.text
        assert f'href="{place}"' in answer.text
    assert await referrals_in(house) == 1


async def test_going_back_from_the_check_keeps_what_was_typed(house: House) -> None:
    browser = await caseworker(house)
    checked = await check(browser, a_form(narrative="Dua\nbaris"))

    answer = await browser.post(NEW, hidden(checked, NEW) | {"case.types[]": ["physical", "sexual"]})

    assert answer.status_code == 200
    assert 'value="Contoh Seorang"' in answer.text
    assert ">Dua\nbaris</textarea>" in answer.text
    assert re.search(r'value="sexual" checked', answer.text)
    assert re.search(r'value="64.09.04" checked', answer.text)


async def test_sending_something_that_was_never_checked_is_checked_all_the_same(house: House) -> None:
    browser = await caseworker(house)
    own = hidden(await browser.open(NEW), CHECK)

    answer = await browser.post(SEND, own | a_form(urgency="soon"))

    assert answer.status_code == 422
    assert await referrals_in(house) == 0


async def test_after_sending_the_page_says_what_happens_next(house: House) -> None:
    browser = await caseworker(house)

    page = await browser.follow(await send(browser, a_form()))

    assert "Rujukan Anda tersimpan dan tidak akan hilang." in page.text
    assert "UPTD PPA Penajam Paser Utara" in page.text
    assert "Dijawab paling lambat" in page.text
    assert "Apa selanjutnya" in page.text


async def test_nothing_that_was_typed_stands_in_an_address_or_a_title(house: House) -> None:
    browser = await caseworker(house)
    fields = a_form(narrative="Kalimat rahasia")

    pages = [await check(browser, fields), await check(browser, fields | {"urgency": "soon"})]
    answer = await send(browser, fields)
    pages.append(await browser.follow(answer))

    for page in pages:
        assert "Contoh" not in str(page.url)
        assert not re.search("Contoh|rahasia|kekerasan", re.search("<title>(.*?)</title>", page.text)[1])  # type: ignore[index]
    assert re.fullmatch(r"/console/referrals/[0-9a-f-]{36}/sent", answer.headers["location"])


@pytest.mark.parametrize("action", [CHECK, SEND, NEW, "/console/referrals/places", "/console/referrals/find"])
async def test_a_form_without_its_token_changes_nothing(house: House, action: str) -> None:
    browser = await caseworker(house)

    answer = await browser.post(action, a_form())

    assert answer.status_code == 403
    assert await referrals_in(house) == 0


@pytest.mark.parametrize("role", [Role.RECEIVER, Role.COORDINATOR, Role.OPERATOR])
async def test_who_sends_nothing_has_no_form(house: House, role: Role) -> None:
    browser = await house.signed_in(SENDER, role)

    assert (await browser.open(NEW)).status_code == 404
    assert (await browser.open("/console/referrals")).status_code == 404


async def test_a_reference_that_the_api_took_leads_to_its_referral(house: House) -> None:
    browser = await caseworker(house)
    reference = a_referral()["sender_reference"]
    known = await house.service.submit(a_referral(sender_reference=reference))

    answer = await send(browser, a_form(sender_reference=reference))

    assert answer.status_code == 409
    assert f'href="/console/referrals/{known["id"]}"' in answer.text
