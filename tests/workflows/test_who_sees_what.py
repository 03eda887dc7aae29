"""Nobody sees more of a case than the rules allow, from the very moment that they no longer do."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, amend, of


async def test_consent_that_is_amended_to_none_takes_back_a_live_offer(service: Service) -> None:
    referral = await service.submit()

    amended = await amend(service, referral["id"], consent={"basis": "none"})

    assert of(amended)["handoff"]["state"] == "withdrawn"


async def test_without_consent_and_without_an_emergency_a_receiver_that_accepted_sees_nothing(
    service: Service,
) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")

    await amend(service, referral["id"], consent={"basis": "none"})

    assert (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["case"] is None


async def test_consent_that_is_narrowed_ends_the_sight_of_the_services_it_no_longer_covers(service: Service) -> None:
    services = [{"type": "legal_service"}, {"type": "health_service"}]
    referral = await service.submit(a_referral(services=services))
    legal = next(one for one in referral["service_requests"] if one["service_type"] == "legal_service")
    await service.act(RECEIVER, legal["handoff"]["id"], "accept")

    consent = {"basis": "victim", "given_at": "2025-03-04T08:30:00+08:00", "services": ["health_service"]}
    await amend(service, referral["id"], consent=consent)

    assert (await service.read(RECEIVER, f"/handoffs/{legal['handoff']['id']}"))["case"] is None


async def test_an_emergency_whose_consent_was_withdrawn_is_not_offered_again_by_an_amendment(
    service: Service,
) -> None:
    referral = await service.submit(a_referral(urgency="emergency", services=[{"type": "health_service"}]))
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")

    amended = await amend(service, referral["id"], purpose="perawatan luka")

    assert (of(amended)["state"], of(amended)["reason"]) == ("needs_coordinator", "no_consent")


async def test_consent_can_be_withdrawn_after_the_work_is_done_and_ends_the_access(service: Service) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "complete", outcome="service_given")

    answer = await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")

    assert answer.status_code == 200
    assert (await service.read(RECEIVER, f"/handoffs/{handoff_id}"))["case"] is None


async def test_a_repeated_answer_shows_nothing_of_the_case_once_consent_was_withdrawn(service: Service) -> None:
    referral = await service.submit()
    path = f"/handoffs/{of(referral)['handoff']['id']}/accept"
    headers = {"Idempotency-Key": "accept-1"}
    await service.call(RECEIVER, "POST", path, headers=headers)
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")

    again = await service.call(RECEIVER, "POST", path, headers=headers)

    assert "Contoh Seorang" not in again.text


async def test_a_repeated_answer_shows_nothing_of_the_case_to_an_agency_named_in_it_since(service: Service) -> None:
    referral = await service.submit()
    path = f"/handoffs/{of(referral)['handoff']['id']}/accept"
    headers = {"Idempotency-Key": "accept-1"}
    await service.call(RECEIVER, "POST", path, headers=headers)
    await amend(service, referral["id"], conflicts=[RECEIVER])

    again = await service.call(RECEIVER, "POST", path, headers=headers)

    assert "Contoh Seorang" not in again.text


async def in_a_transfer_with_its_holder_named(service: Service) -> dict[str, Any]:
    referral = await service.submit(a_referral(mode="transfer"))
    await service.act("uptd-ppa-ppu", of(referral)["handoff"]["id"], "accept")
    await amend(service, referral["id"], agency=KUKAR, conflicts=[RECEIVER])
    return referral


@pytest.mark.parametrize("what", ["referral", "handoff", "decision"])
async def test_in_a_transfer_a_holder_that_is_named_in_the_case_since_sees_nothing(service: Service, what: str) -> None:
    referral = await in_a_transfer_with_its_holder_named(service)
    path = {
        "referral": f"/referrals/{referral['id']}",
        "handoff": f"/handoffs/{of(referral)['handoff']['id']}",
        "decision": f"/decisions/{of(referral)['decision']['id']}",
    }[what]

    seen = await service.call(RECEIVER, "GET", path)

    assert seen.status_code == 404


async def test_in_a_transfer_a_holder_that_is_named_in_the_case_is_not_told_that_it_is(service: Service) -> None:
    await in_a_transfer_with_its_holder_named(service)

    assert "receiver_in_conflict" not in str(await service.news(RECEIVER))


async def test_in_a_transfer_a_holder_cannot_take_its_own_name_out_of_the_case(service: Service) -> None:
    referral = await in_a_transfer_with_its_holder_named(service)

    answer = await service.call(
        RECEIVER, "POST", f"/referrals/{referral['id']}/amend", json={"conflicts": []}, headers={"If-Match": "*"}
    )

    assert answer.status_code == 404


async def test_an_agency_named_in_the_case_since_is_reminded_of_nothing(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")
    await amend(service, referral["id"], conflicts=[RECEIVER])
    before = len(await service.news(RECEIVER))

    await service.after(timedelta(hours=24))

    assert (await service.news(RECEIVER))[before:] == []


async def test_a_look_at_the_facts_of_a_decision_is_recorded(service: Service) -> None:
    referral = await service.submit()

    explained = await service.read(KUKAR, f"/decisions/{of(referral)['decision']['id']}")

    assert explained["facts"]["locations"]["domicile"] == "64.02.06"
    async with service.sessions.begin() as tx:
        looked = await tx.scalar(text("SELECT count(*) FROM audit WHERE agency_code = 'dp3a-kukar'"))
    assert looked == 1


async def test_a_coordinators_look_at_a_referral_is_recorded(service: Service) -> None:
    referral = await service.submit()

    await service.read(KUKAR, f"/referrals/{referral['id']}")

    async with service.sessions.begin() as tx:
        looked = await tx.scalar(text("SELECT count(*) FROM audit WHERE agency_code = 'dp3a-kukar'"))
    assert looked == 1


async def test_an_agency_named_after_the_case_was_closed_loses_sight_of_it_too(service: Service) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "complete", outcome="service_given")

    await service.call(
        PPU,
        "POST",
        f"/referrals/{referral['id']}/amend",
        json={"conflicts": [RECEIVER]},
        headers={"If-Match": "*"},
    )

    assert (await service.call(RECEIVER, "GET", f"/handoffs/{handoff_id}")).status_code == 404


async def test_in_a_transfer_a_holder_that_handed_everything_back_sees_nothing_more(service: Service) -> None:
    referral = await service.submit(a_referral(mode="transfer"))
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "hand-back", reason="conflict_of_interest")

    seen = await service.call(RECEIVER, "GET", f"/decisions/{of(referral)['decision']['id']}")

    assert seen.status_code == 404
