"""Facts are amended, consent is taken back, referrals end: what follows, and who may."""

from typing import Any

from tests.workflows.conftest import Service, a_referral

PPU, KUKAR = "dp3ap2kb-ppu", "dp3a-kukar"


async def amend(service: Service, referral: dict[str, Any], agency: str = PPU, **body: Any) -> dict[str, Any]:
    """Amend a referral from the version it was read at."""
    answer = await service.call(
        agency,
        "POST",
        f"/referrals/{referral['id']}/amend",
        json=body,
        headers={"If-Match": f'"v{referral["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def without_domicile() -> dict[str, Any]:
    """A trafficked woman whose home is not known, so that nobody can say which rules are hers."""
    return a_referral(case={"types": ["trafficking"]}, locations={"incident": "64.09.04", "current": "64.02.06"})


async def test_a_missing_fact_that_is_supplied_lets_the_request_be_decided_again(service: Service) -> None:
    referral = await service.submit(without_domicile())
    assert referral["service_requests"][0]["decision"]["missing"] == ["locations.domicile"]

    amended = await amend(service, referral, locations={"domicile": "64.02.06"})

    [request] = amended["service_requests"]
    assert (request["state"], request["handoff"]["agency"]) == ("offered", "uptd-ppa-ppu")


async def test_its_coordinator_may_supply_the_missing_fact_too(service: Service) -> None:
    referral = await service.submit(without_domicile())

    amended = await amend(service, referral, agency=KUKAR, locations={"domicile": "64.02.06"})

    assert amended["service_requests"][0]["state"] == "offered"
    assert amended["sender_reference"] is None


async def test_an_amendment_without_the_version_it_was_made_from_changes_nothing(service: Service) -> None:
    referral = await service.submit()
    path = f"/referrals/{referral['id']}/amend"

    without = await service.call(PPU, "POST", path, json={"urgency": "urgent"})
    stale = await service.call(PPU, "POST", path, json={"urgency": "urgent"}, headers={"If-Match": '"v99"'})

    assert (without.status_code, stale.status_code) == (428, 412)
    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["version"] == referral["version"]


async def test_an_offer_whose_receiver_is_named_in_the_case_is_withdrawn_and_goes_elsewhere(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    amended = await amend(service, referral, conflicts=["uptd-ppa-ppu"])

    [request] = amended["service_requests"]
    assert request["earlier_handoffs"][0]["state"] == "withdrawn"
    assert request["handoff"]["agency"] == "uptd-ppa-kukar"
    gone = await service.call("uptd-ppa-ppu", "GET", f"/handoffs/{handoff_id}")
    never = await service.call("uptd-ppa-ppu", "GET", "/handoffs/01890a5d-ac96-774b-bcce-b302099a8057")
    assert (gone.status_code, never.status_code) == (404, 404)
    assert (await service.read("uptd-ppa-ppu", "/handoffs"))["items"] == []


async def test_a_receiver_that_took_the_case_and_is_named_in_it_since_sees_nothing_and_its_coordinator_is_told(
    service: Service,
) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")

    await amend(service, await service.read(PPU, f"/referrals/{referral['id']}"), conflicts=["uptd-ppa-ppu"])

    assert (await service.call("uptd-ppa-ppu", "GET", f"/handoffs/{handoff_id}")).status_code == 404
    assert (await service.act("uptd-ppa-ppu", handoff_id, "start")).status_code == 404
    assert ("service_request.overdue", ["receiver_in_conflict"]) in [
        (type_, data.get("because")) for type_, data in await service.news(KUKAR)
    ]


async def test_consent_that_is_withdrawn_ends_offers_access_and_asks_for_cancellation(service: Service) -> None:
    services = [{"type": "legal_service"}, {"type": "health_service"}]
    referral = await service.submit(a_referral(services=services))
    legal, health = (request["handoff"]["id"] for request in referral["service_requests"])
    await service.act("uptd-ppa-ppu", legal, "accept")

    answer = await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")

    states = {one["service_type"]: (one["state"], one["handoff"]["state"]) for one in answer.json()["service_requests"]}
    assert states == {
        "legal_service": ("accepted", "cancel_requested"),
        "health_service": ("needs_coordinator", "withdrawn"),
    }
    assert (await service.read("uptd-ppa-ppu", f"/handoffs/{legal}"))["case"] is None
    assert (await service.read("rsud-parikesit", f"/handoffs/{health}"))["case"] is None


async def test_no_consent_and_no_emergency_means_that_nobody_else_is_told(service: Service) -> None:
    referral = await service.submit(a_referral(consent={"basis": "none"}))

    [request] = referral["service_requests"]
    assert (request["state"], request["reason"]) == ("needs_coordinator", "no_consent")
    assert await service.news("uptd-ppa-ppu") == []


async def test_an_emergency_without_consent_moves_with_the_vital_minimum_and_says_so(service: Service) -> None:
    referral = await service.submit(
        a_referral(
            urgency="emergency",
            consent={"basis": "none"},
            services=[{"type": "health_service"}],
            victim={"name": "Contoh Seorang", "national_id": "6402060101900001", "sex": "female", "age": 31},
            narrative="cerita yang tidak perlu diketahui",
        )
    )
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    await service.act("rsud-parikesit", handoff_id, "accept")
    accepted = await service.read("rsud-parikesit", f"/handoffs/{handoff_id}")

    assert accepted["case"]["basis"] == "vital_interest"
    assert accepted["case"]["personal"] == {"victim.name": "Contoh Seorang"}


async def test_consent_for_one_service_moves_that_one_alone(service: Service) -> None:
    consent = {"basis": "victim", "given_at": "2024-08-01T08:00:00+08:00", "services": ["health_service"]}
    services = [{"type": "legal_service"}, {"type": "health_service"}]

    referral = await service.submit(a_referral(services=services, consent=consent))

    states = {request["service_type"]: request["state"] for request in referral["service_requests"]}
    assert states == {"legal_service": "needs_coordinator", "health_service": "offered"}


async def test_a_coordinator_places_a_request_by_hand_but_not_with_an_agency_off_the_list(service: Service) -> None:
    referral = await service.submit(without_domicile() | {"conflicts": ["uptd-ppa-balikpapan"]})
    request_id = referral["service_requests"][0]["id"]
    path = f"/service-requests/{request_id}/place"

    refused = await service.call(KUKAR, "POST", path, json={"agency": "uptd-ppa-balikpapan", "reason": "only_one_able"})
    placed = await service.call(KUKAR, "POST", path, json={"agency": "uptd-ppa-samarinda", "reason": "only_one_able"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/agency"
    assert placed.json()["handoff"]["agency"] == "uptd-ppa-samarinda"
    assert placed.json()["decision"]["placed_by"] == KUKAR


async def test_a_sender_voids_a_referral_until_something_was_accepted_and_then_its_coordinator_alone(
    service: Service,
) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")

    by_sender = await service.call(PPU, "POST", f"/referrals/{referral['id']}/void")
    by_coordinator = await service.call(KUKAR, "POST", f"/referrals/{referral['id']}/void")

    assert by_sender.status_code == 409
    assert by_coordinator.json()["state"] == "entered_in_error"
    assert by_coordinator.json()["service_requests"][0]["handoff"]["state"] == "entered_in_error"


async def test_in_a_transfer_the_case_passes_to_who_accepts_it(service: Service) -> None:
    referral = await service.submit(a_referral(mode="transfer"))
    await service.act("uptd-ppa-ppu", referral["service_requests"][0]["handoff"]["id"], "accept")

    seen = await service.read(PPU, f"/referrals/{referral['id']}")
    cancelled = await service.call(PPU, "POST", f"/referrals/{referral['id']}/cancel")

    assert seen["holder"] == "uptd-ppa-ppu"
    assert (cancelled.status_code, cancelled.json()["code"]) == (403, "holder_required")


async def test_a_failed_service_waits_for_its_coordinator(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")
    await service.act("uptd-ppa-ppu", handoff_id, "start")

    await service.act("uptd-ppa-ppu", handoff_id, "fail", reason="means_lacking")

    queue = await service.read(KUKAR, "/service-requests?status=needs_coordinator")
    assert [(line["referral_id"], line["reason"]) for line in queue["items"]] == [(referral["id"], "failed")]


async def test_a_decision_is_explained_and_replays_to_the_same_bytes(service: Service) -> None:
    referral = await service.submit()
    decision_id = referral["service_requests"][0]["decision"]["id"]

    explained = await service.read(PPU, f"/decisions/{decision_id}")
    replayed = (await service.call(PPU, "POST", f"/decisions/{decision_id}/replay")).json()

    assert explained["explanation"]["decision"] == explained["result"]
    assert replayed["agrees"] is True


async def test_a_decision_replays_as_it_was_after_the_registry_changed(service: Service) -> None:
    referral = await service.submit()
    decision_id = referral["service_requests"][0]["decision"]["id"]
    service_now = {"area": ["64.09"], "available": False}
    agency = await service.call(PPU, "GET", "/agencies/uptd-ppa-ppu")
    changed = await service.call(
        PPU,
        "PUT",
        "/agencies/uptd-ppa-ppu/services/legal_service",
        json=service_now,
        headers={"If-Match": agency.headers["ETag"]},
    )

    replayed = (await service.call(PPU, "POST", f"/decisions/{decision_id}/replay")).json()
    next_referral = await service.submit()

    assert changed.status_code == 200
    assert replayed["agrees"] is True
    assert next_referral["service_requests"][0]["handoff"]["agency"] == "uptd-ppa-kukar"


async def test_a_preview_explains_and_stores_nothing(service: Service) -> None:
    body = {name: value for name, value in a_referral().items() if name not in ("sender_reference", "services")}
    answer = await service.call(PPU, "POST", "/routing/preview", json=body | {"services": ["legal_service"]})

    assert answer.json()["explanations"][0]["decision"]["agency"] == "uptd-ppa-ppu"
    assert (await service.read(PPU, "/referrals"))["items"] == []
    assert await service.news("uptd-ppa-ppu") == []
