"""A person is given all that is held on them: for programs, and as text they can read in Indonesian or English."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.disclosure import PERSONAL_FIELDS
from app.domain.held_text import SECTIONS, written
from app.domain.held_words import LABELS
from app.reference.load import shipped
from tests.leaks.bodies import Contract
from tests.leaks.canaries import Canaries
from tests.rights.officers import CANARY, PPU, RECEIVER, a_finished_case, ask, done, rows
from tests.workflows.conftest import Service, a_referral, amend, of


async def exported(service: Service, referral_id: str) -> dict[str, Any]:
    answer = await ask(service, "GET", f"/referrals/{referral_id}/export")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_export_holds_every_sealed_field_every_decision_every_handoff_and_who_looked(service: Service) -> None:
    referral = await a_finished_case(service)
    await amend(service, referral["id"], victim={"age": 32})
    await service.read(RECEIVER, f"/handoffs/{of(referral)['handoff']['id']}")
    await done(service, f"/referrals/{referral['id']}/legal-holds", reason="complaint")

    held = await exported(service, referral["id"])

    sealed = await rows(service, "SELECT field FROM sealed_fields WHERE referral_id = :id", id=referral["id"])
    assert set(held["personal"]) == {row.field for row in sealed}
    assert held["personal"]["victim.name"] == CANARY
    (note,) = [value for name, value in held["personal"].items() if name.endswith(".accept_note")]
    assert note == CANARY
    assert [one["victim"]["age"] for one in held["facts"]] == [31, 32]
    (request,) = held["service_requests"]
    assert [one["agency"]["code"] for one in request["handoffs"]] == [RECEIVER]
    assert request["decisions"][0]["result"]["agency"] == RECEIVER
    assert [one["reason"] for one in held["legal_holds"]] == ["complaint"]
    looks = [(one["agency_code"], one["action"]) for one in held["looks"]]
    assert (RECEIVER, "handoff.read") in looks
    assert (PPU, "referral.submit") in looks


async def test_an_export_is_a_look_of_its_own_with_the_fields_it_showed(service: Service) -> None:
    referral = await a_finished_case(service)

    held = await exported(service, referral["id"])

    (entry,) = await rows(service, "SELECT * FROM audit WHERE action = 'rights.export'")
    assert set(entry.fields) == set(held["personal"])
    assert (entry.agency_code, entry.purpose) == (PPU, "give_rights")
    again = await exported(service, referral["id"])
    assert again["looks"][-1]["action"] == "rights.export"


async def test_every_field_that_can_be_sent_in_is_in_the_export_and_in_its_text(service: Service) -> None:
    contract, canaries = Contract((await (await service.as_agency(PPU)).get("/openapi.json")).json()), Canaries()
    referral = await service.submit(contract.filled(canaries, "POST", "/v1/referrals"))

    held = await exported(service, referral["id"])
    text = (await ask(service, "GET", f"/referrals/{referral['id']}/export?as=text")).text

    assert len(canaries.places) > 20
    assert canaries.places_in(str(held)) == set(canaries.places)
    assert canaries.places_in(text) == set(canaries.places)


async def test_a_person_reads_it_in_the_language_asked_for_with_names_instead_of_codes(service: Service) -> None:
    referral = await a_finished_case(service)
    path = f"/referrals/{referral['id']}/export?as=text"

    indonesian = await ask(service, "GET", path)
    english = await ask(service, "GET", path, headers={"Accept-Language": "en"})

    assert indonesian.headers["content-type"] == "text/plain; charset=utf-8"
    assert (indonesian.headers["content-language"], english.headers["content-language"]) == ("id", "en")
    assert "SEMUA YANG DISIMPAN LINTAS TENTANG ANDA" in indonesian.text
    assert f"nama: {CANARY}" in indonesian.text
    assert f"name: {CANARY}" in english.text
    assert "2025-03-04 09:00 WITA" in indonesian.text
    assert "completed the service, to serve (done)" in english.text
    assert {"sex: female", "mode: referral", "outcome: service given", "state: completed"} <= _lines(english.text)
    assert {"jenis kelamin: perempuan", "cara: rujukan", "hasil: layanan diberikan"} <= _lines(indonesian.text)
    for code in ("dp3ap2kb-ppu", "uptd-ppa-ppu", "legal_service", "handoff.accept", "64.02", "service_given"):
        assert code not in english.text


async def test_what_a_person_said_is_never_taken_for_a_code(service: Service) -> None:
    referral = await service.submit(a_referral(victim={"name": "other", "sex": "female", "age": 31}, narrative="open"))

    text = (await ask(service, "GET", f"/referrals/{referral['id']}/export?as=text")).text

    assert {"nama: other", "uraian: open", "keadaan: berjalan"} <= _lines(text)


async def test_of_an_erased_person_it_says_that_nothing_is_left(service: Service) -> None:
    referral = await a_finished_case(service)
    await done(service, f"/referrals/{referral['id']}/erase")

    held = await exported(service, referral["id"])
    english = await ask(
        service, "GET", f"/referrals/{referral['id']}/export?as=text", headers={"Accept-Language": "en"}
    )

    assert held["personal"] == {}
    assert "Personal data is erased; what is left names nobody." in english.text
    assert CANARY not in str(held) + english.text


def test_every_personal_field_has_a_name_that_people_read() -> None:
    assert PERSONAL_FIELDS - {"service.note"} <= set(LABELS)


def test_text_of_many_lines_stays_below_its_label() -> None:
    held: dict[str, Any] = {section: {} for section in SECTIONS}
    held |= {
        "exported_at": datetime(2025, 3, 4, tzinfo=UTC).isoformat(),
        "referral": {"erased_at": None},
        "personal": {"narrative": "satu\ndua", "victim.guardian": {"name": "x"}},
    }

    text = written(held, english=True, zone=ZoneInfo("Asia/Jakarta"), vocabulary=shipped().vocabulary)

    assert "  narrative: satu\n    dua\n  guardian:\n    name: x\n" in text
    assert "LEGAL HOLDS\n  nothing\n" in text


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines()}
