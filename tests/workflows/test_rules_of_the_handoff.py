"""What the rules say of a handoff holds for amended, placed, late and taken-back ones too."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, amend, denied, of


async def test_a_coordinator_cannot_place_a_request_where_the_victim_is_not_safe(service: Service) -> None:
    body = a_referral(services=[{"type": "mediation"}], avoid_regions=["64.71"])
    body["case"] = {"types": ["physical"], "perpetrator_in_household": True}
    referral = await service.submit(body)

    placed = await service.call(
        KUKAR,
        "POST",
        f"/service-requests/{of(referral)['id']}/place",
        json={"agency": "uptd-ppa-balikpapan", "reason": "only_one_able"},
    )

    assert placed.status_code == 422


async def test_a_request_placed_by_hand_carries_its_duties(service: Service) -> None:
    body = a_referral(
        case={"types": ["sexual"]},
        services=[{"type": "case_management"}],
        conflicts=["uptd-ppa-kukar", "uptd-ppa-ppu", "uptd-ppa-kaltim"],
    )
    referral = await service.submit(body)
    assert of(referral)["decision"]["duties"][0]["duty"] == "report_to_police"
    agency, handoff_id = of(referral)["handoff"]["agency"], of(referral)["handoff"]["id"]
    await service.act(agency, handoff_id, "accept")
    await service.act(agency, handoff_id, "start")
    await service.act(agency, handoff_id, "fail", reason="means_lacking")
    coordinator = of(await service.read(PPU, f"/referrals/{referral['id']}"))["coordinators"][0]

    placed = await service.call(
        coordinator,
        "POST",
        f"/service-requests/{of(referral)['id']}/place",
        json={"agency": "uptd-ppa-balikpapan", "reason": "only_one_able"},
    )

    assert placed.status_code == 200, placed.text
    handoff = await service.read(PPU, f"/handoffs/{placed.json()['handoff']['id']}")
    assert [duty["duty"] for duty in handoff["duties"]] == ["report_to_police"]


async def test_a_request_that_was_placed_despite_a_denial_survives_an_amendment_that_has_nothing_to_do_with_it(
    service: Service,
) -> None:
    referral = await service.submit(denied())
    await service.call(
        KUKAR,
        "POST",
        f"/service-requests/{of(referral)['id']}/place",
        json={"agency": "uptd-ppa-kukar", "reason": "victim_request"},
    )

    amended = await amend(service, referral["id"], purpose="pendampingan")

    assert of(amended)["handoff"]["state"] == "offered"


async def test_every_action_a_handoff_lists_can_be_taken_at_its_address(service: Service) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    listed = (await service.read(PPU, f"/handoffs/{handoff_id}"))["available_actions"]

    answers = {
        action: (await service.call(PPU, "GET", f"/handoffs/{handoff_id}/{action.replace('_', '-')}")).status_code
        for action in listed
    }

    assert set(answers.values()) == {405}, answers


async def test_a_birth_date_that_is_supplied_later_gives_the_age_at_the_time_of_receipt(service: Service) -> None:
    referral = await service.submit(a_referral(victim={"name": "Contoh", "sex": "female"}))
    service.clock.set(datetime(2025, 3, 12, 1, 0, tzinfo=UTC))

    await amend(service, referral["id"], victim={"birth_date": "2007-03-10"})

    async with service.sessions.begin() as tx:
        age = await tx.scalar(
            text("SELECT body->'victim'->>'age' FROM facts WHERE referral_id = :id ORDER BY version DESC LIMIT 1"),
            {"id": referral["id"]},
        )
    assert age == "17"


async def test_a_new_telephone_number_does_not_wipe_out_how_to_call_safely(service: Service) -> None:
    contact = {"phone": "0811000001", "instructions": "Hanya lewat ibunya; suaminya mendengarkan."}
    victim: dict[str, Any] = {"name": "Contoh", "sex": "female", "age": 31, "safe_contact": contact}
    referral = await service.submit(a_referral(victim=victim))

    await amend(service, referral["id"], victim={"safe_contact": {"phone": "0811000002"}})

    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    case = (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["case"]
    assert case["personal"]["victim.safe_contact"] == {"phone": "0811000002", "instructions": contact["instructions"]}


async def test_a_guardian_who_is_the_perpetrator_is_no_basis_of_consent_on_amendment_either(service: Service) -> None:
    referral = await service.submit()

    answer = await service.call(
        PPU,
        "POST",
        f"/referrals/{referral['id']}/amend",
        json={
            "consent": {"basis": "guardian", "given_at": "2025-03-04T08:30:00+08:00"},
            "victim": {"guardian": {"relation": None, "is_perpetrator": True}},
        },
        headers={"If-Match": "*"},
    )

    assert answer.status_code == 422


async def test_a_guardian_who_turns_out_to_be_the_perpetrator_ends_the_consent_that_rested_on_them(
    service: Service,
) -> None:
    referral = await service.submit(
        a_referral(
            victim={"name": "Anak", "sex": "female", "age": 9, "guardian": {"name": "W"}},
            consent={"basis": "guardian", "given_at": "2024-08-01T08:00:00+08:00"},
        )
    )
    before = of(referral)["state"]

    amended = await amend(service, referral["id"], victim={"guardian": {"name": "W", "is_perpetrator": True}})

    assert before == "offered"
    assert of(amended)["state"] == "needs_coordinator"


async def test_a_conflict_that_was_a_mistake_and_is_corrected_gives_the_receiver_its_work_back(
    service: Service,
) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await amend(service, referral["id"], conflicts=[RECEIVER])

    await amend(service, referral["id"], conflicts=[])

    assert (await service.act(RECEIVER, handoff_id, "start")).status_code == 200


async def test_a_sender_does_not_void_a_referral_of_which_something_was_accepted_and_done(service: Service) -> None:
    services = [{"type": "legal_service"}, {"type": "health_service"}]
    referral = await service.submit(a_referral(services=services))
    legal = next(one for one in referral["service_requests"] if one["service_type"] == "legal_service")
    await service.act(RECEIVER, legal["handoff"]["id"], "accept")
    await service.act(RECEIVER, legal["handoff"]["id"], "complete", outcome="service_given")

    answer = await service.call(PPU, "POST", f"/referrals/{referral['id']}/void")

    assert answer.status_code == 409


async def test_an_offer_that_expired_cannot_be_taken_late_once_the_rules_deny_the_service(service: Service) -> None:
    body = denied(urgency="urgent")
    body["case"]["perpetrator_in_household"] = False
    referral = await service.submit(body)
    first = of(referral)["handoff"]
    for _ in range(4):
        request = of(await service.read(PPU, f"/referrals/{referral['id']}"))
        if request["state"] == "needs_coordinator":
            break
        service.clock.set(datetime.fromisoformat(request["handoff"]["respond_by"]))
        await service.after(timedelta(0))
    assert request["state"] == "needs_coordinator"
    await amend(service, referral["id"], case={"perpetrator_in_household": True})

    late = await service.act(first["agency"], first["id"], "accept")

    assert late.status_code == 409


async def test_a_service_that_failed_is_not_offered_to_the_same_agency_because_a_purpose_was_added(
    service: Service,
) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "start")
    await service.act(RECEIVER, handoff_id, "fail", reason="unsafe")

    amended = await amend(service, referral["id"], purpose="pendampingan")

    assert (of(amended)["state"], of(amended)["reason"]) == ("needs_coordinator", "failed")


async def test_an_agency_the_victim_asked_to_be_withdrawn_from_is_not_asked_again_because_a_purpose_was_added(
    service: Service,
) -> None:
    referral = await service.submit()
    await service.act(PPU, of(referral)["handoff"]["id"], "withdraw", reason="victim_request")

    amended = await amend(service, referral["id"], purpose="pendampingan")

    assert of(amended)["state"] == "needs_coordinator"
