"""What a coordinator does in the browser: sees what waits, learns why, and settles it."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.domain.caller import Role
from app.reference.load import shipped
from app.storage.tables import audit
from tests.console.conftest import Browser, House, hidden
from tests.workflows.conftest import KALTIM, KUKAR, NATIONAL, PPU, RECEIVER, a_referral, amend, denied, of
from tests.workflows.test_secret_places import PLACE, SHELTER, asking_for, taken_in

LIST = "/console/service-requests"
UNDER_ONE_ROOF = {"types": ["physical"]}


def undecided(**more: Any) -> dict[str, Any]:
    """A mediation of which it is not known whether the perpetrator lives in the household: on that it depends."""
    return a_referral(case=UNDER_ONE_ROOF, services=[{"type": "mediation"}], **more)


async def waiting(house: House, body: dict[str, Any] | None = None) -> tuple[str, str]:
    """Hand in what waits for the coordinator of Kukar, and give the paths of its page and of its referral."""
    referral = await house.service.submit(body or denied())
    request = of(referral)
    assert request["state"] == "needs_coordinator", request
    return f"{LIST}/{request['id']}", str(referral["id"])


async def as_coordinator(house: House, agency: str = KUKAR, **more: Any) -> Browser:
    return await house.signed_in(agency, Role.COORDINATOR, **more)


def urgencies(page: httpx.Response) -> list[str]:
    return re.findall(r'<th scope="row">.*?<strong class="tag \w+">(.*?)</strong>', page.text, re.DOTALL)


async def actions_of(house: House, subject_id: str) -> list[str]:
    async with house.service.sessions.begin() as tx:
        found = await tx.scalars(select(audit.c.action).where(audit.c.subject_id == subject_id).order_by(audit.c.id))
        return list(found)


async def test_emergencies_stand_first_and_then_what_waits_longest(house: House) -> None:
    for urgency in ("standard", "urgent", "emergency", "standard"):
        await waiting(house, denied(urgency=urgency))
        house.service.clock.advance(timedelta(hours=1))
    browser = await as_coordinator(house)

    page = await browser.open(LIST)

    assert urgencies(page) == ["Darurat", "Mendesak", "Biasa", "Biasa"]
    assert "1 layanan darurat menunggu keputusan Anda" in page.text
    assert page.text.index("sudah 4 jam") < page.text.index("sudah 1 jam")


async def test_a_long_list_goes_on_where_the_page_before_ended(house: House) -> None:
    paths = {(await waiting(house, denied(urgency=urgency)))[0] for urgency in ("standard", "emergency", "standard")}
    browser = await as_coordinator(house)

    seen: list[str] = []
    address = f"{LIST}?limit=2"
    while address:
        page = await browser.open(address)
        seen += re.findall(rf'href="({LIST}/[0-9a-f-]{{36}})"', page.text)
        found = re.search(r'href="([^"]*)" rel="next"', page.text)
        address = found[1].replace("&amp;", "&") if found else ""
        assert len(seen) <= 3

    assert set(seen) == paths


async def test_a_request_that_waits_says_why_clause_by_clause_and_what_is_missing(house: House) -> None:
    path, _ = await waiting(house, undecided())
    browser = await as_coordinator(house)

    page = await browser.open(path)

    assert page.status_code == 200
    assert "Fakta belum cukup" in page.text
    assert "Yang belum diketahui: <strong>Pelaku tinggal serumah" in page.text
    assert "Belum pasti" in page.text
    assert "Bergantung pada:" in page.text
    assert "Dasar:" in page.text
    assert "Bila faktanya ternyata begini" in page.text
    assert "Contoh Seorang" not in page.text


async def test_a_look_at_a_request_is_in_the_audit_as_the_person(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)

    await browser.open(path)

    async with house.service.sessions.begin() as tx:
        looks = (
            await tx.execute(
                select(audit.c.action, audit.c.key_id).where(
                    audit.c.action.in_(["service_request.read", "decision.read"]), audit.c.agency_code == KUKAR
                )
            )
        ).all()
    assert {one.action for one in looks} == {"service_request.read", "decision.read"}
    assert all(one.key_id is not None for one in looks)


async def test_taking_it_up_stops_the_wider_coordinator_from_being_called(house: House) -> None:
    path, _ = await waiting(house, denied(urgency="emergency"))
    browser = await as_coordinator(house)

    answer = await browser.send(await browser.open(path), f"{path}/acknowledge")
    page = await browser.follow(answer)
    await house.service.after(timedelta(hours=1))

    assert "Anda memegang permintaan ini." in page.text
    assert "Belum ada yang memegangnya" not in page.text
    told = await house.service.news("uptd-ppa-kaltim")
    assert not [kind for kind, _ in told if kind == "service_request.overdue"]


async def test_two_people_who_take_it_up_both_read_who_has_it(house: House) -> None:
    path, _ = await waiting(house)
    first, second = await as_coordinator(house, name="Ibu Satu"), await as_coordinator(house, name="Pak Dua")
    first_page, second_page = await first.open(path), await second.open(path)

    answers = [
        await first.send(first_page, f"{path}/acknowledge"),
        await second.send(second_page, f"{path}/acknowledge"),
    ]

    assert [one.status_code for one in answers] == [303, 303]
    assert "Dipegang" in (await second.follow(answers[1])).text


async def test_candidates_are_shown_with_what_speaks_for_and_against_each(house: House) -> None:
    path, _ = await waiting(house, a_referral(consent={"basis": "none"}, conflicts=[RECEIVER]))
    browser = await as_coordinator(house)

    page = await browser.open(f"{path}/place")

    assert page.status_code == 200
    assert "Ditunjuk oleh" in page.text
    barred = page.text.partition("Tidak dapat dipilih")[2]
    assert "Lembaga ini disebut dalam kasus." in barred or "Lembaga ini bernaung" in barred


async def test_a_request_is_placed_with_the_agency_that_was_chosen(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/place")

    answer = await browser.send(
        page, f"{path}/place", agency=RECEIVER, reason="agreed_by_phone", note="Sudah ditelepon"
    )
    shown = await browser.follow(answer)

    assert "Layanan sudah ditawarkan." in shown.text
    assert "Ditawarkan dengan tangan oleh" in shown.text
    assert "Sudah ditelepon" not in shown.text
    assert [kind for kind, _ in await house.service.news(RECEIVER)] == ["handoff.offered"]


async def test_an_agency_that_is_none_of_the_candidates_is_chosen_from_the_list(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/place")

    answer = await browser.send(
        page, f"{path}/place", agency="another", another=RECEIVER, reason="only_one_able", note=""
    )

    assert answer.status_code == 303


async def test_what_is_missing_in_the_choice_is_said_at_its_field_and_nothing_typed_is_lost(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/place")

    answer = await browser.send(page, f"{path}/place", agency="", reason="", note="Catatan panjang")

    assert answer.status_code == 422
    assert '<a href="#f-agency">Pilih lembaganya.</a>' in answer.text
    assert '<a href="#f-reason">Pilih mengapa lembaga ini.</a>' in answer.text
    assert 'id="f-agency-error"' in answer.text
    assert 'id="f-reason-error"' in answer.text
    assert "Catatan panjang</textarea>" in answer.text
    # Twice: the page that says what is missing shows the candidates again.
    assert await actions_of(house, path.rpartition("/")[2]) == ["service_request.read"] * 2


async def test_who_sends_what_is_no_answer_has_looked_all_the_same(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    fields = hidden(await browser.open(LIST), "/console/sign-out")

    answers = [await browser.post(f"{path}/{step}", fields) for step in ("place", "close-unmet", "confirm", "amend")]

    assert [one.status_code for one in answers] == [422] * 4
    assert await actions_of(house, path.rpartition("/")[2]) == ["service_request.read"] * 4
    assert await house.who_did("service_request.read") == ["Ibu Contoh"] * 4


async def test_a_request_is_not_closed_without_a_reason_and_the_page_says_so(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/close-unmet")

    answer = await browser.send(page, f"{path}/close-unmet")

    assert answer.status_code == 422
    assert '<a href="#f-reason">Pilih sebabnya.</a>' in answer.text


async def test_who_coordinates_is_led_to_what_waits(house: House) -> None:
    browser = await as_coordinator(house)

    answer = await browser.open("/console")

    assert (answer.status_code, answer.headers["location"]) == (303, LIST)


@pytest.mark.parametrize(
    ("agency", "changes"),
    [(RECEIVER, {"conflicts": [RECEIVER]}), ("nobody-of-the-registry", {}), (RECEIVER, {"avoid_regions": ["64.09"]})],
)
async def test_an_agency_that_may_not_be_chosen_is_refused_however_it_was_sent(
    house: House, agency: str, changes: dict[str, Any]
) -> None:
    path, _ = await waiting(house, denied(**changes))
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/place")

    answer = await browser.send(page, f"{path}/place", agency=agency, reason="other")

    assert answer.status_code == 422
    assert 'id="f-agency-error"' in answer.text
    assert not await house.service.news(RECEIVER)


async def test_a_second_press_places_it_once_and_shows_the_first_outcome(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/place")

    first = await browser.send(page, f"{path}/place", agency=RECEIVER, reason="other")
    second = await browser.send(page, f"{path}/place", agency=RECEIVER, reason="other")

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len(await house.service.news(RECEIVER)) == 1


async def test_who_places_it_in_another_tab_meanwhile_reads_where_it_stands_now(house: House) -> None:
    path, _ = await waiting(house)
    one, other = await as_coordinator(house, name="Ibu Satu"), await as_coordinator(house, name="Pak Dua")
    late = await other.open(f"{path}/place")
    await one.send(await one.open(f"{path}/place"), f"{path}/place", agency=RECEIVER, reason="other")

    answer = await other.send(late, f"{path}/place", agency="uptd-ppa-kukar", reason="other")

    assert answer.status_code == 409
    assert "Keadaan sekarang: Ditawarkan." in answer.text
    assert f'href="{path}"' in answer.text
    assert not await house.service.news("uptd-ppa-kukar")


async def test_supplying_the_missing_fact_has_it_decided_again(house: House) -> None:
    path, _ = await waiting(house, undecided())
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")

    answer = await browser.send(page, f"{path}/amend", **typed(page, **{"case.perpetrator_in_household": "false"}))
    shown = await browser.follow(answer)

    assert "diputuskan ulang" in shown.text
    assert "Menunggu koordinator" not in shown.text
    assert "Ditawarkan" in shown.text


async def test_no_more_is_sent_than_was_changed(house: House) -> None:
    path, referral_id = await waiting(house, undecided())
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")
    await amend(house.service, referral_id, victim={"age": 40})

    late = await browser.send(page, f"{path}/amend", **typed(page, **{"victim.sex": "male"}))
    again = await browser.send(late, f"{path}/amend", **typed(late, **{"victim.sex": "male"}))
    shown = await browser.follow(again)

    assert late.status_code == 412
    assert "Rujukan ini berubah sementara Anda mengisi." in late.text
    assert "Laki-laki" in shown.text
    assert "<dd>40</dd>" in shown.text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Penajam Paser Utara", None),
        ("64.09.04", None),
        ("Sungai", "f-locations-domicile-error"),
        ("Xyzzyplugh", "f-locations-domicile-error"),
    ],
)
async def test_a_place_is_found_by_its_name(house: House, written: str, said: str | None) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")

    answer = await browser.send(page, f"{path}/amend", **typed(page, **{"locations.domicile": written}))

    assert answer.status_code == (422 if said else 303)
    assert said is None or f'id="{said}"' in answer.text


async def test_of_several_places_of_one_name_the_one_that_is_meant_is_chosen(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")

    asked = await browser.send(page, f"{path}/amend", **typed(page, **{"locations.current": "Sepaku"}))
    (meant,) = re.findall(r'name="meant.locations.current" value="(Sepaku \(64.09.04\))"', asked.text)
    answer = await browser.send(
        asked, f"{path}/amend", **typed(asked, **{"locations.current": "Sepaku", "meant.locations.current": meant})
    )

    shown = await browser.follow(answer)
    theirs = await (await as_coordinator(house, PPU)).open(path)
    assert asked.status_code == 422
    assert "Penajam Paser Utara" in asked.text
    assert "koordinator lain yang menangani kasus ini sekarang" in shown.text
    assert "Sepaku (64.09.04)" in theirs.text


@pytest.mark.parametrize("age", ["-1", "131", "tiga puluh", "1e3", "٣"])
async def test_an_age_that_is_none_is_said_at_its_field(house: House, age: str) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")

    answer = await browser.send(page, f"{path}/amend", **typed(page, **{"victim.age": age}))

    assert answer.status_code == 422
    assert 'id="f-victim-age-error"' in answer.text


@pytest.mark.parametrize("version", ["\u00b2", "9" * 5000, "-1", ""])
async def test_a_version_that_is_none_changes_nothing(house: House, version: str) -> None:
    path, referral_id = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")
    changed = typed(page, **{"victim.sex": "male"}) | {"version": version}

    answer = await browser.send(page, f"{path}/amend", **changed)
    at = f"/console/referrals/{referral_id}/amend"
    theirs = await house.signed_in(PPU, Role.SENDER)
    other = await theirs.send(await theirs.open(at), at, **{"victim.sex": "male", "version": version})

    assert (answer.status_code, other.status_code) == (412, 409)


async def test_a_form_in_which_nothing_was_changed_changes_nothing(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/amend")

    answer = await browser.send(page, f"{path}/amend", **typed(page))

    assert answer.status_code == 422
    assert "Belum ada yang Anda ubah." in answer.text


async def test_what_nobody_can_meet_is_closed_with_its_reason(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    page = await browser.open(f"{path}/close-unmet")

    missing = await browser.send(page, f"{path}/close-unmet")
    answer = await browser.send(page, f"{path}/close-unmet", reason="nobody_able")
    shown = await browser.follow(answer)

    assert missing.status_code == 422
    assert "Tidak terpenuhi" in shown.text
    assert "service_request.unmet" in [kind for kind, _ in await house.service.news(PPU)]


async def test_an_emergency_without_consent_is_confirmed_by_a_person(house: House) -> None:
    referral = await house.service.submit(
        a_referral(urgency="emergency", consent={"basis": "none"}, services=[{"type": "health_service"}])
    )
    path = f"{LIST}/{of(referral)['id']}"
    browser = await as_coordinator(house)
    page = await browser.open(path)

    answer = await browser.send(await browser.open(f"{path}/confirm"), f"{path}/confirm", because="victim_unable")
    shown = await browser.follow(answer)

    assert "Seseorang harus mengonfirmasinya" in page.text
    assert "Keadaan darurat dikonfirmasi." in shown.text
    assert "Seseorang harus mengonfirmasinya" not in shown.text


async def test_an_operator_who_places_a_request_reads_no_facts_of_its_case_as_over_the_api(house: House) -> None:
    path, referral_id = await waiting(house)
    browser, coordinator = await house.signed_in(KUKAR, Role.OPERATOR), await as_coordinator(house)

    page, theirs = await browser.open(path), await coordinator.open(path)
    choice, full = await browser.open(f"{path}/place"), await coordinator.open(f"{path}/place")

    for fact in ("<dd>31</dd>", "Perempuan", "Sepaku"):
        assert fact in theirs.text, fact
        assert fact not in page.text, fact
    assert "Ditunjuk oleh" in full.text
    assert "Ditunjuk oleh" not in choice.text
    assert RECEIVER in choice.text
    assert (await browser.open(f"/console/referrals/{referral_id}")).status_code == 404


async def test_another_agencys_requests_are_not_there(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house, "bp3mi-kaltara")

    pages = [await browser.open(f"{path}{part}") for part in ("", "/place", "/amend", "/close-unmet", "/confirm")]

    assert [one.status_code for one in pages] == [404] * 5
    assert path not in (await browser.open(LIST)).text


@pytest.mark.parametrize("role", [Role.RECEIVER, Role.SENDER, Role.PROTECTION_OFFICER])
async def test_who_coordinates_nothing_has_none_of_these_pages(house: House, role: Role) -> None:
    path, _ = await waiting(house)
    browser = await house.signed_in(KUKAR, role)

    for one in (LIST, "/console/reach", path, f"{path}/place", f"{path}/amend"):
        assert (await browser.open(one)).status_code == 404


async def test_nothing_can_be_done_by_posting_to_another_agencys_request(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house, "bp3mi-kaltara")
    fields = hidden(await browser.open(LIST), "/console/sign-out")

    answers = [
        await browser.post(f"{path}/acknowledge", fields),
        await browser.post(f"{path}/place", fields | {"agency": RECEIVER, "reason": "other"}),
        await browser.post(f"{path}/amend", fields | {"version": "1", "victim.age": "20"}),
        await browser.post(f"{path}/close-unmet", fields | {"reason": "other"}),
        await browser.post(f"{path}/confirm", fields | {"because": "other"}),
    ]

    assert [one.status_code for one in answers] == [404] * 5


async def test_without_the_forms_token_nothing_is_done(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)

    answer = await browser.post(f"{path}/acknowledge", {})

    assert answer.status_code == 403
    assert "Belum ada yang memegangnya" in (await browser.open(path)).text


async def test_agencies_that_let_offers_run_out_are_listed(house: House) -> None:
    await house.service.submit(a_referral())
    await house.service.after(timedelta(days=7))
    browser = await as_coordinator(house)

    page = await browser.open("/console/reach?part=silent")

    assert re.search(r'<th scope="row">UPTD PPA', page.text)


async def test_agencies_that_nothing_leads_to_are_shown_before_anything_is_offered(house: House) -> None:
    browser = await as_coordinator(house)
    before = await browser.open("/console/reach")

    await house.signed_in("uptd-ppa-kukar", Role.RECEIVER)
    after, every = await browser.open("/console/reach"), await browser.open("/console/reach?part=all")

    assert "UPTD PPA Kutai Kartanegara" in before.text
    assert "UPTD PPA Kutai Kartanegara" not in after.text
    assert "UPTD PPA Kutai Kartanegara" in every.text
    assert "Konsol" in every.text


async def test_an_offer_that_its_agency_does_not_hear_of_says_whom_to_ring_up(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    await browser.send(await browser.open(f"{path}/place"), f"{path}/place", agency=RECEIVER, reason="other")
    pages = [await browser.open(path), await browser.open(f"{LIST}?part=offered")]

    await house.signed_in(RECEIVER, Role.RECEIVER)
    later = [await browser.open(path), await browser.open(f"{LIST}?part=offered")]

    assert "Hubungi langsung: UPTD PPA Penajam Paser Utara" in pages[0].text
    assert "Tidak terjangkau: hubungi" in pages[1].text
    assert "Hubungi langsung" not in later[0].text
    assert "Tidak terjangkau" not in later[1].text


async def test_a_placed_request_that_is_declined_waits_again_with_its_history(house: House) -> None:
    path, _ = await waiting(house)
    browser = await as_coordinator(house)
    await browser.send(await browser.open(f"{path}/place"), f"{path}/place", agency=RECEIVER, reason="other")
    ((_, offered),) = await house.service.news(RECEIVER)
    await house.service.act(RECEIVER, offered["handoff_id"], "decline", reason="no_capacity")

    page = await browser.open(path)
    choice = await browser.open(f"{path}/place")

    assert "Tidak ada kapasitas" in page.text
    assert "Lembaga ini sudah ditanya atau tidak dapat menerima." in choice.text


async def test_the_pages_are_in_english_too(house: House) -> None:
    path, _ = await waiting(house, undecided())
    browser = await as_coordinator(house, language="en")

    for one in (LIST, path, f"{path}/place", f"{path}/amend", f"{path}/close-unmet", "/console/reach"):
        page = await browser.open(one)
        assert page.status_code == 200
        assert '<html lang="en">' in page.text
    assert "Facts are missing" in (await browser.open(path)).text


async def test_no_page_tells_a_coordinator_where_she_is_who_was_taken_in_at_a_secret_place(house: House) -> None:
    referral = await taken_in(house.service)
    legal = asking_for(referral, "legal_service")
    await house.service.act(RECEIVER, legal["handoff"]["id"], "hand-back", reason="no_capacity")
    path = f"{LIST}/{legal['id']}"
    name = shipped().regions.by_code[PLACE].name
    browser = await as_coordinator(house)

    pages = [await browser.open(f"{path}{part}") for part in ("", "/place", "/amend")]
    pages.append(await browser.send(pages[2], f"{path}/amend", **typed(pages[2])))
    pages.append(await browser.send(pages[2], f"{path}/amend", **typed(pages[2], **{"victim.age": "32"})))
    pages.append(await browser.follow(pages[-1]))

    assert [one.status_code for one in pages] == [200, 200, 200, 422, 303, 200]
    assert [str(one.url) for one in pages if PLACE in one.text or name in one.text] == []
    # What was not changed was not sent: the narrower place is still known to who may know it.
    shelter = asking_for(referral, "temporary_shelter")["handoff"]
    theirs = await house.service.read(SHELTER, f"/handoffs/{shelter['id']}")
    assert theirs["case"]["facts"]["locations"]["current"] == PLACE


async def test_what_nobody_coordinates_is_seen_and_placed_by_an_operator(house: House) -> None:
    referral = await house.service.submit(denied(conflicts=[KUKAR, KALTIM, NATIONAL]))
    path = f"{LIST}/{of(referral)['id']}"
    browser = await house.signed_in("lpsk", Role.OPERATOR)

    listed, shown = await browser.open(LIST), await browser.open(path)
    answer = await browser.send(await browser.open(f"{path}/place"), f"{path}/place", agency=RECEIVER, reason="other")

    assert "Belum ada koordinatornya" in listed.text
    assert "Penjelasannya tidak dapat ditampilkan" in shown.text
    assert answer.status_code == 303
    named = await house.signed_in(NATIONAL, Role.OPERATOR)
    assert path not in (await named.open(LIST)).text
    assert (await named.open(path)).status_code == 404


async def test_titles_say_nothing_of_a_case(house: House) -> None:
    path, _ = await waiting(house, undecided())
    browser = await as_coordinator(house)

    titles = {
        re.findall(r"<title>(.*?)</title>", (await browser.open(one)).text)[0]
        for one in (path, f"{path}/place", f"{path}/amend", f"{path}/close-unmet")
    }

    assert not [one for one in titles if re.search("mediasi|korban|kekerasan|darurat", one, re.IGNORECASE)]


async def test_the_national_coordinator_sees_what_it_was_told_of(house: House) -> None:
    path, _ = await waiting(house, denied(locations={}))
    browser = await as_coordinator(house, NATIONAL)

    assert path in (await browser.open(LIST)).text


def typed(page: httpx.Response, **changed: str) -> dict[str, Any]:
    """Give the fields of the form for facts as the page shows them, but for what is changed."""
    inside = page.text.partition('name="version"')[2].partition("</form>")[0]
    fields: dict[str, Any] = {}
    for one in re.findall(r"<input[^>]*>", inside):
        said = dict(re.findall(r'([a-z-]+)="([^"]*)"', one))
        if said.get("type") in ("radio", "checkbox") and " checked" not in one:
            continue
        if said.get("type") != "hidden":
            fields.setdefault(said["name"], []).append(said["value"])
    return fields | {name: [value] for name, value in changed.items()}
