"""A receiver sees a case as long as its agreement says, a sender what is shared, and who is gone or named nothing."""

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.agreements import BALIKPAPAN, a_document, hurt_in_balikpapan, publish
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, amend, of

NOTE = "Sudah didampingi ke kantor polisi."


async def completed(service: Service, agency: str, referral: dict[str, Any]) -> str:
    handoff_id: str = of(referral)["handoff"]["id"]
    await service.act(agency, handoff_id, "accept")
    await service.act(agency, handoff_id, "complete", outcome="service_given")
    return handoff_id


async def sees(service: Service, agency: str, handoff_id: str) -> bool:
    return (await service.read(agency, f"/handoffs/{handoff_id}"))["case"] is not None


# --- after the end ---


async def test_a_completed_handoff_shows_its_case_for_as_long_as_the_agreement_says(service: Service) -> None:
    await publish(service, a_document(access_after_completion="P3D"))
    handoff_id = await completed(service, BALIKPAPAN, await service.submit(hurt_in_balikpapan()))

    service.clock.advance(timedelta(days=3) - timedelta(seconds=1))
    before = await sees(service, BALIKPAPAN, handoff_id)
    service.clock.advance(timedelta(seconds=1))

    assert (before, await sees(service, BALIKPAPAN, handoff_id)) == (True, False)


async def test_an_agreement_that_says_nothing_leaves_it_to_the_operators_terms(service: Service) -> None:
    handoff_id = await completed(service, RECEIVER, await service.submit())

    service.clock.advance(service.terms.access_after_completion - timedelta(seconds=1))
    before = await sees(service, RECEIVER, handoff_id)
    service.clock.advance(timedelta(seconds=1))

    assert (before, await sees(service, RECEIVER, handoff_id)) == (True, False)


async def test_an_access_that_is_no_duration_is_refused(service: Service) -> None:
    answer = await service.call(
        "kemenpppa-sapa129",
        "PUT",
        f"/agreements/{a_document()['id']}/versions/1",
        json=a_document(access_after_completion="P3WD"),
    )

    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        ("/access_after_completion", "bad_duration")
    ]


# --- notes ---


async def test_a_receivers_note_is_its_own(service: Service) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept", note=NOTE)

    own = (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["notes"]
    said = [await service.read(agency, f"/handoffs/{handoff_id}") for agency in (PPU, KUKAR)]

    assert own == [{"action": "accept", "note": NOTE, "shared": False}]
    assert NOTE not in str([*said, await service.read(PPU, f"/referrals/{referral['id']}"), await service.news(PPU)])


async def test_a_note_that_is_shared_is_read_by_the_sender_and_not_by_the_coordinator(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept", note="hanya untuk kami")
    await service.act(RECEIVER, handoff_id, "complete", outcome="service_given", note=NOTE, share_note=True)

    sender = await service.read(PPU, f"/handoffs/{handoff_id}")
    coordinator = await service.read(KUKAR, f"/handoffs/{handoff_id}")

    assert (sender["outcome"], sender["notes"]) == (
        "service_given",
        [{"action": "complete", "note": NOTE, "shared": True}],
    )
    assert coordinator["notes"] == []
    assert sender["case"] is None


async def test_no_note_takes_the_place_of_an_earlier_one(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "start")
    for note in ("pertama", "kedua"):
        review_on = (service.clock() + timedelta(days=9)).date().isoformat()
        await service.act(RECEIVER, handoff_id, "hold", review_on=review_on, note=note)
        await service.act(RECEIVER, handoff_id, "resume")

    notes = (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["notes"]

    assert [one["note"] for one in notes] == ["pertama", "kedua"]


async def test_a_note_ends_with_its_receivers_access(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept", note=NOTE)
    await service.act(RECEIVER, handoff_id, "hand-back", reason="no_capacity", note=NOTE)

    assert NOTE not in str(await service.read(RECEIVER, f"/handoffs/{handoff_id}"))


async def test_a_share_of_no_note_is_refused_and_moves_nothing(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]

    answer = await service.act(RECEIVER, handoff_id, "accept", share_note=True)

    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/note", "required")]
    assert (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["state"] == "offered"


# --- gone ---


@pytest.mark.parametrize("how", ["decline", "hand-back"])
async def test_who_was_asked_and_is_gone_sees_nothing_of_the_case_and_not_that_it_goes_on(
    service: Service, how: str
) -> None:
    referral = await service.submit()
    path = f"/handoffs/{of(referral)['handoff']['id']}"
    if how == "hand-back":
        await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")
    await service.act(RECEIVER, of(referral)["handoff"]["id"], how, reason="no_capacity")
    before = await service.call(RECEIVER, "GET", path)
    heard = len(await service.news(RECEIVER))

    await amend(service, referral["id"], purpose="pendampingan", case={"types": ["physical", "sexual"]})
    later = await service.call(RECEIVER, "GET", path)

    assert (before.json()["case"], before.json()["decision"], before.json()["duties"]) == (None, None, [])
    assert (later.content, later.headers["ETag"]) == (before.content, before.headers["ETag"])
    assert len(await service.news(RECEIVER)) == heard
    for elsewhere in (f"/referrals/{referral['id']}", f"/decisions/{of(referral)['decision']['id']}"):
        assert (await service.call(RECEIVER, "GET", elsewhere)).status_code == 404


# --- named ---


async def test_what_is_kept_back_is_in_no_answer_to_a_receiver(service: Service) -> None:
    named = ["polres-kukar-ppa"]
    consent = {"basis": "victim", "given_at": "2024-08-01T08:00:00+08:00", "agencies_refused": ["dinsos-kukar"]}
    referral = await service.submit(a_referral(conflicts=named, consent=consent))
    handoff_id = of(referral)["handoff"]["id"]
    accepted = await service.act(RECEIVER, handoff_id, "accept")

    said = f"{accepted.text}{await service.read(RECEIVER, f'/handoffs/{handoff_id}')}{await service.news(RECEIVER)}"

    assert "polres-kukar-ppa" not in said
    assert "dinsos-kukar" not in said
    assert referral["sender_reference"] not in said


async def test_a_sender_that_somebody_else_names_sees_nothing_more(service: Service) -> None:
    referral = await service.submit()
    heard = len(await service.news(PPU))

    named = await amend(service, referral["id"], agency=KUKAR, conflicts=[PPU])
    offered = of(named)["handoff"]
    await service.act(offered["agency"], offered["id"], "accept", note=NOTE, share_note=True)

    for path in (
        f"/handoffs/{offered['id']}",
        f"/referrals/{referral['id']}",
        f"/handoffs/{of(referral)['handoff']['id']}",
        f"/decisions/{of(referral)['decision']['id']}",
        f"/service-requests/{of(referral)['id']}",
    ):
        assert (await service.call(PPU, "GET", path)).status_code == 404, path
    listed = await service.read(PPU, "/referrals")
    assert referral["id"] not in str(listed)
    assert len(await service.news(PPU)) == heard
    assert named["id"] == referral["id"]


async def test_who_coordinates_takes_the_place_of_a_sender_that_is_named(service: Service) -> None:
    referral = await service.submit()
    await amend(service, referral["id"], agency=KUKAR, conflicts=[PPU])
    asked = of(referral)["id"]

    told = [data.get("because") for type_, data in await service.news(KUKAR) if type_ == "service_request.overdue"]
    taken_notice = await service.call(KUKAR, "POST", f"/service-requests/{asked}/acknowledge")
    # The receiver of before belongs to the sender's institution, so another was asked.
    offered = of(await service.read(KUKAR, f"/referrals/{referral['id']}"))["handoff"]
    await service.act(offered["agency"], offered["id"], "accept")

    assert ["sender_in_conflict"] in told
    assert taken_notice.status_code == 200
    assert "handoff.accepted" in [type_ for type_, _ in await service.news(KUKAR)]


async def test_a_sender_that_is_named_cannot_take_its_name_out_or_the_case_back(service: Service) -> None:
    referral = await service.submit()
    await amend(service, referral["id"], agency=KUKAR, conflicts=[PPU])

    for action, body in (("amend", {"conflicts": []}), ("cancel", None), ("void", None), ("consent/withdraw", None)):
        answer = await service.call(
            PPU, "POST", f"/referrals/{referral['id']}/{action}", json=body, headers={"If-Match": "*"}
        )
        assert answer.status_code == 404, action


async def test_a_sender_that_was_named_by_mistake_sees_its_case_again(service: Service) -> None:
    referral = await service.submit()
    await amend(service, referral["id"], agency=KUKAR, conflicts=[PPU])
    await amend(service, referral["id"], agency=KUKAR, conflicts=[])

    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["id"] == referral["id"]


async def test_a_sender_that_names_itself_goes_on_seeing_what_it_wrote(service: Service) -> None:
    referral = await service.submit(a_referral(conflicts=[PPU]))

    await amend(service, referral["id"], agency=KUKAR, purpose="pendampingan")

    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["id"] == referral["id"]
