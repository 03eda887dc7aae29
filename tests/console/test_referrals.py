"""Following a referral that was sent, and changing it."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain.caller import Role
from app.storage.tables import audit, facts, token_subjects
from tests.console.conftest import House, hidden
from tests.console.referrals import SENDER, caseworker
from tests.workflows.conftest import RECEIVER, a_referral

LIST = "/console/referrals"


async def sent(house: House, **changes: Any) -> tuple[str, dict[str, Any]]:
    """Send a referral by the API, and give the path of its page with what came back."""
    answer = await house.service.submit(a_referral(**changes))
    return f"{LIST}/{answer['id']}", answer


async def state_of(house: House, path: str) -> dict[str, Any]:
    answer = await house.service.call(SENDER, "GET", f"/referrals/{path.rpartition('/')[2]}")
    return dict(answer.json())


async def facts_of(house: House, path: str) -> dict[str, Any]:
    """Give what routing knows of a referral now."""
    known = select(facts.c.body).where(facts.c.referral_id == UUID(path.rpartition("/")[2]))
    async with house.service.sessions.begin() as tx:
        return dict(await tx.scalar(known.order_by(facts.c.version.desc()).limit(1)) or {})


async def test_the_list_shows_the_newest_first_with_each_service_and_nothing_personal(house: House) -> None:
    paths = [(await sent(house))[0] for _ in range(3)]
    browser = await caseworker(house)

    page = await browser.open(LIST)

    assert re.findall(r'href="(/console/referrals/[0-9a-f-]{36})"', page.text) == paths[::-1]
    assert "Pendampingan/bantuan hukum" in page.text
    assert "Contoh Seorang" not in page.text


async def test_a_long_list_goes_on_where_the_page_before_ended(house: House) -> None:
    paths = {(await sent(house))[0] for _ in range(3)}
    browser = await caseworker(house)

    first = await browser.open(f"{LIST}?limit=2")
    following = re.search(r'href="([^"]*)" rel="next"', first.text)
    assert following
    second = await browser.open(following[1].replace("&amp;", "&"))

    seen = re.findall(r'href="(/console/referrals/[0-9a-f-]{36})"', first.text + second.text)
    assert (len(seen), set(seen)) == (3, paths)


async def test_what_is_over_stands_under_all_alone(house: House) -> None:
    path, answer = await sent(house)
    await house.service.call(SENDER, "POST", f"/referrals/{answer['id']}/cancel")
    browser = await caseworker(house)

    assert path not in (await browser.open(LIST)).text
    assert path in (await browser.open(f"{LIST}?part=all")).text


async def test_a_referral_is_found_by_the_agencys_own_number_which_goes_into_no_address(house: House) -> None:
    path, _ = await sent(house, sender_reference="PPU/2025/7")
    browser = await caseworker(house)

    found = await browser.send(await browser.open(LIST), f"{LIST}/find", reference="PPU/2025/7")
    not_found = await browser.send(await browser.open(LIST), f"{LIST}/find", reference="PPU/2025/8")

    assert found.headers["location"] == path
    assert not_found.status_code == 422
    assert "Tidak ada rujukan dengan nomor itu." in not_found.text


async def test_another_agencys_number_finds_nothing(house: House) -> None:
    await sent(house, sender_reference="PPU/2025/7")
    other = await house.signed_in("dp3a-kukar", Role.SENDER)

    answer = await other.send(await other.open(LIST), f"{LIST}/find", reference="PPU/2025/7")

    assert answer.status_code == 422


async def test_a_referral_says_who_has_each_service_and_until_when(house: House) -> None:
    path, answer = await sent(house, urgency="emergency")
    handoff = answer["service_requests"][0]["handoff"]["id"]
    browser = await caseworker(house)

    offered = await browser.open(path)
    await house.service.act(RECEIVER, handoff, "accept")
    accepted = await browser.open(path)

    assert "Dijawab paling lambat" in offered.text
    assert "1 jam lagi" in offered.text
    assert "UPTD PPA Penajam Paser Utara" in offered.text
    assert "Diterima" in accepted.text
    assert "Dimulai paling lambat" in accepted.text


async def test_a_referral_says_what_happened_and_why_a_person_sees_to_it(house: House) -> None:
    path, answer = await sent(house)
    await house.service.act(RECEIVER, answer["service_requests"][0]["handoff"]["id"], "decline", reason="no_capacity")
    browser = await caseworker(house)

    page = await browser.open(path)

    history = page.text[page.text.index("Yang sudah terjadi") :]
    assert "Ditolak</strong> Tidak ada kapasitas" in history
    assert "dijawab" in history


async def test_a_note_that_its_receiver_shared_is_read_on_a_page_of_its_own_and_no_other_is(house: House) -> None:
    path, answer = await sent(house)
    handoff = answer["service_requests"][0]["handoff"]["id"]
    browser = await caseworker(house)
    await house.service.act(RECEIVER, handoff, "accept", note="Hanya untuk kami")
    before = await browser.open(path)
    await house.service.act(RECEIVER, handoff, "start", note="Datang besok pagi", share_note=True)

    after = await browser.open(path)
    notes = await browser.open(f"{path}/notes/{handoff}")

    assert "/notes/" not in before.text
    assert f'href="{path}/notes/{handoff}"' in after.text
    assert "Datang besok pagi" not in after.text
    assert "Datang besok pagi" in notes.text
    assert "Hanya untuk kami" not in notes.text
    other = await house.signed_in("uptd-ppa-samarinda", Role.SENDER)
    assert (await other.open(f"{path}/notes/{handoff}")).status_code == 404
    assert (await browser.open(f"{path}/notes/{answer['id']}")).status_code == 404


async def test_an_offer_that_ran_out_shows_who_was_asked_and_that_nobody_answered(house: House) -> None:
    path, _ = await sent(house, urgency="emergency")
    house.service.clock.advance(timedelta(hours=2))
    await house.service.after(timedelta(0))
    browser = await caseworker(house)

    assert "Lewat waktu" in (await browser.open(path)).text


async def test_why_is_told_clause_by_clause(house: House) -> None:
    path, answer = await sent(house)
    browser = await caseworker(house)
    page = await browser.open(path)
    why = re.search(rf'href="({path}/why/[0-9a-f-]{{36}})"', page.text)
    assert why

    told = await browser.open(why[1])

    assert "UPTD PPA Penajam Paser Utara" in told.text
    assert '<strong class="tag good">Berlaku</strong>' in told.text
    assert "Contoh Seorang" not in told.text
    other = await sent(house)
    assert (await browser.open(why[1].replace(answer["id"], other[1]["id"]))).status_code == 404


@pytest.mark.parametrize("page", ["", "/sent", "/amend", "/cancel", "/void", "/withdraw-consent", "/confirm"])
async def test_another_agencys_referral_is_not_there(house: House, page: str) -> None:
    path, _ = await sent(house)
    other = await house.signed_in("uptd-ppa-samarinda", Role.SENDER)

    assert (await other.open(f"{path}{page}")).status_code == 404


@pytest.mark.parametrize("end", ["cancel", "void", "withdraw-consent", "amend", "confirm"])
async def test_another_agency_changes_nothing(house: House, end: str) -> None:
    path, _ = await sent(house)
    before = await state_of(house, path)
    other = await house.signed_in("uptd-ppa-samarinda", Role.SENDER)
    own = hidden(await other.open(LIST), f"{LIST}/find")

    answer = await other.post(f"{path}/{end}", own | {"urgency": "urgent", "version": "1", "because": "other"})

    assert answer.status_code == 404
    assert await state_of(house, path) == before


@pytest.mark.parametrize(
    ("end", "state", "done"),
    [
        ("cancel", "cancelled", "Rujukan dibatalkan."),
        ("void", "entered_in_error", "Rujukan ditandai salah masuk."),
    ],
)
async def test_a_referral_is_taken_back_once_and_a_second_time_shows_how_it_stands(
    house: House, end: str, state: str, done: str
) -> None:
    path, _ = await sent(house)
    browser, colleague = await caseworker(house), await caseworker(house, name="Ibu Rekan")
    asked, too = await browser.open(f"{path}/{end}"), await colleague.open(f"{path}/{end}")

    first = await browser.send(asked, f"{path}/{end}")
    again = await browser.send(asked, f"{path}/{end}")
    other = await colleague.send(too, f"{path}/{end}")

    assert done in (await browser.follow(first)).text
    assert (await state_of(house, path))["state"] == state
    assert again.headers["location"] == first.headers["location"]
    assert other.status_code == 409
    assert "Keadaan sekarang" in other.text
    assert f'href="{path}"' in other.text


async def test_consent_is_withdrawn_and_what_was_offered_is_taken_back(house: House) -> None:
    path, _ = await sent(house)
    browser = await caseworker(house)

    answer = await browser.send(await browser.open(f"{path}/withdraw-consent"), f"{path}/withdraw-consent")

    page = await browser.follow(answer)
    assert "Persetujuan dicabut." in page.text
    assert "Sudah dicabut" in page.text
    assert (await state_of(house, path))["service_requests"][0]["handoff"]["state"] == "withdrawn"


async def test_what_was_accepted_is_not_voided_by_its_sender(house: House) -> None:
    path, answer = await sent(house)
    browser = await caseworker(house)
    asked = await browser.open(f"{path}/void")
    await house.service.act(RECEIVER, answer["service_requests"][0]["handoff"]["id"], "accept")

    refused = await browser.send(asked, f"{path}/void")

    assert refused.status_code == 409
    assert f"{path}/void" not in (await browser.open(path)).text
    assert (await state_of(house, path))["state"] == "open"


async def test_facts_are_amended_and_what_is_left_alone_stays(house: House) -> None:
    path, answer = await sent(house, locations={"domicile": "64.02.06"})
    browser = await caseworker(house)

    done = await browser.send(
        await browser.open(f"{path}/amend"),
        f"{path}/amend",
        urgency="urgent",
        locations__current="64.09.04",
        narrative="Sekarang di Sepaku",
    )

    assert "Perubahan disimpan." in (await browser.follow(done)).text
    known = await facts_of(house, path)
    assert (await state_of(house, path))["urgency"] == "urgent"
    assert known["locations"] == {"incident": None, "domicile": "64.02.06", "current": "64.09.04"}
    assert known["victim"] == {"age": 31, "sex": "female"}
    assert answer["version"] < (await state_of(house, path))["version"]


async def test_a_fact_can_be_made_unknown_again(house: House) -> None:
    path, _ = await sent(house)
    browser = await caseworker(house)

    await browser.send(
        await browser.open(f"{path}/amend"),
        f"{path}/amend",
        locations__current="unknown",
        case__perpetrator_in_household="unknown",
        **{"unknown[]": "victim.age"},
    )

    known = await facts_of(house, path)
    assert known["locations"] == {"incident": "64.09.04", "domicile": "64.02.06", "current": None}
    assert known["victim"]["age"] is None


async def test_an_amendment_that_says_nothing_or_something_wrong_is_shown_again(house: House) -> None:
    path, _ = await sent(house)
    browser = await caseworker(house)
    form = await browser.open(f"{path}/amend")

    nothing = await browser.send(form, f"{path}/amend")
    wrong = await browser.send(form, f"{path}/amend", victim__age="tiga", narrative="Tetap di sini")

    assert nothing.status_code == wrong.status_code == 422
    assert "Umur: isi dengan angka" in wrong.text
    assert "Tetap di sini" in wrong.text
    assert (await state_of(house, path))["version"] == 1


async def test_who_amends_what_changed_meanwhile_is_told_and_loses_nothing(house: House) -> None:
    path, _ = await sent(house)
    browser, colleague = await caseworker(house), await caseworker(house, name="Ibu Rekan")
    mine, theirs = await browser.open(f"{path}/amend"), await colleague.open(f"{path}/amend")
    await colleague.send(theirs, f"{path}/amend", urgency="urgent")

    late = await browser.send(mine, f"{path}/amend", narrative="Tetap di sini")
    taken = await browser.send(late, f"{path}/amend", narrative="Tetap di sini")

    assert late.status_code == 409
    assert "Sementara itu rujukan ini berubah" in late.text
    assert "Tetap di sini" in late.text
    assert taken.status_code == 303


async def test_a_place_is_sought_in_an_amendment_too(house: House) -> None:
    path, _ = await sent(house)
    browser = await caseworker(house)
    form = await browser.open(f"{path}/amend")
    own = hidden(form, f"{path}/amend")

    found = await browser.post(
        f"{path}/amend/form", own | {"sought.current": "Sepaku", "search": "current", "narrative": "Tetap di sini"}
    )
    guessed = await browser.post(f"{path}/amend", own | {"sought.current": "Sepaku", "locations.current": ""})

    assert 'value="64.09.04"' in found.text
    assert "Tetap di sini" in found.text
    assert guessed.status_code == 422


async def test_an_emergency_without_consent_asks_to_be_confirmed_and_is(house: House) -> None:
    path, _ = await sent(house, urgency="emergency", consent={"basis": "none"})
    browser = await caseworker(house)
    asked = await browser.open(path)

    form = await browser.open(f"{path}/confirm")
    nothing = await browser.send(form, f"{path}/confirm")
    done = await browser.send(form, f"{path}/confirm", because="victim_unable")

    assert "bergerak tanpa persetujuan" in asked.text
    assert nothing.status_code == 422
    page = await browser.follow(done)
    assert "Keadaan darurat dikonfirmasi." in page.text
    assert "bergerak tanpa persetujuan" not in page.text


async def test_each_look_at_a_referral_is_in_the_audit_as_the_person(house: House) -> None:
    path, answer = await sent(house)
    browser = await caseworker(house)

    page = await browser.open(path)

    assert answer["sender_reference"] in page.text
    looks = select(audit.c.fields).join(token_subjects, token_subjects.c.id == audit.c.key_id)
    async with house.service.sessions.begin() as tx:
        seen = list(await tx.scalars(looks.where(audit.c.action == "referral.read")))
    assert seen == [["sender_reference"]]


@pytest.mark.parametrize("path", ["", "?part=all", "/new"])
async def test_the_pages_speak_english_too(house: House, path: str) -> None:
    await sent(house)
    browser = await caseworker(house, language="en")

    page = await browser.open(f"{LIST}{path}")

    assert not re.search(r"Rujukan|Tidak diketahui|Keadaan|boleh kosong|Kembali", page.text)


async def test_a_referral_of_another_state_leads_to_its_page(house: House) -> None:
    path, answer = await sent(house)
    browser = await caseworker(house)
    await house.service.call(SENDER, "POST", f"/referrals/{answer['id']}/void")

    for page in ("amend", "cancel", "void", "withdraw-consent"):
        assert (await browser.open(f"{path}/{page}")).status_code == 409
    assert "Salah masuk" in (await browser.open(path)).text
