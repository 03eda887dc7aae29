"""Where a victim was taken in is told to nobody but who took her in, if that place is secret."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.workflows.conftest import KUKAR, NATIONAL, PPU, RECEIVER, Service, a_referral, amend

SHELTER, PLACE = "uptd-ppa-kukar", "64.02.13"
"""The agency at home in a regency, and the district of it in which its shelter stands."""
ADDRESS = "Jalan Rahasia 7"


def asking_for(referral: dict[str, Any], service_type: str) -> dict[str, Any]:
    return next(one for one in referral["service_requests"] if one["service_type"] == service_type)


async def taken_in(service: Service) -> dict[str, Any]:
    """A referral for legal help and shelter, whose sender notes where the victim is once the shelter took her in."""
    services = [{"type": "legal_service"}, {"type": "temporary_shelter"}]
    referral = await service.submit(a_referral(services=services))
    shelter, legal = (asking_for(referral, one)["handoff"] for one in ("temporary_shelter", "legal_service"))
    assert (shelter["agency"], legal["agency"]) == (SHELTER, RECEIVER)
    service.clock.advance(timedelta(minutes=5))
    for handoff in (shelter, legal):
        assert (await service.act(handoff["agency"], handoff["id"], "accept")).status_code == 200
    contact = {"phone": "+62 800 0000 000", "address": ADDRESS}
    await amend(
        service,
        referral["id"],
        locations={"current": PLACE},
        victim={"safe_contact": contact, "guardian": {"name": "Wali", "is_perpetrator": False, "contact": contact}},
    )
    return await service.read(PPU, f"/referrals/{referral['id']}")


async def test_another_receiver_sees_no_place_and_no_address_and_the_shelter_sees_both(service: Service) -> None:
    referral = await taken_in(service)

    legal = await service.read(RECEIVER, f"/handoffs/{asking_for(referral, 'legal_service')['handoff']['id']}")
    shelter = await service.read(SHELTER, f"/handoffs/{asking_for(referral, 'temporary_shelter')['handoff']['id']}")

    assert legal["case"]["facts"]["locations"]["current"] == "64.02"
    assert legal["case"]["facts"]["locations"]["domicile"] == "64.02.06"
    assert legal["case"]["personal"]["victim.safe_contact"] == {"phone": "+62 800 0000 000"}
    assert ADDRESS not in str(legal)
    assert shelter["case"]["facts"]["locations"]["current"] == PLACE
    assert shelter["case"]["personal"]["victim.safe_contact"]["address"] == ADDRESS


async def test_no_answer_and_no_news_tells_anybody_else_where_she_is(service: Service) -> None:
    referral = await taken_in(service)
    # What is decided from now on is decided by the place where she is.
    legal = asking_for(referral, "legal_service")["handoff"]
    await service.act(RECEIVER, legal["id"], "hand-back", reason="no_capacity")
    referral = await service.read(PPU, f"/referrals/{referral['id']}")
    decision_id = asking_for(referral, "legal_service")["decision"]["id"]
    said: list[httpx.Response] = []

    paths = (
        f"/referrals/{referral['id']}",
        f"/decisions/{decision_id}",
        f"/service-requests/{asking_for(referral, 'legal_service')['id']}",
        "/service-requests",
        f"/handoffs/{legal['id']}",
        "/handoffs",
        "/events?limit=200",
        f"/agencies/{SHELTER}",
    )
    for agency in (PPU, RECEIVER, KUKAR, NATIONAL):
        said += [await service.call(agency, "GET", path) for path in paths]
        said.append(await service.call(agency, "POST", f"/decisions/{decision_id}/replay"))

    assert any(answer.status_code == 200 and answer.url.path.endswith(decision_id) for answer in said)
    assert [str(answer.url) for answer in said if PLACE in answer.text or ADDRESS in answer.text] == []


async def test_a_decision_from_before_she_was_taken_in_is_explained_in_full(service: Service) -> None:
    referral = await taken_in(service)

    explained = await service.read(PPU, f"/decisions/{asking_for(referral, 'temporary_shelter')['decision']['id']}")

    assert explained["facts"]["locations"]["current"] == "64.02.06"


async def put(service: Service, path: str, body: dict[str, Any]) -> httpx.Response:
    return await service.call(NATIONAL, "PUT", path, json=body, headers={"If-Match": "*"})


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"region": "64.02.13"}, "/region"),
        ({"area": ["64.02", "64.02.13"]}, "/services/temporary_shelter/area/1"),
        ({"area": ["64.02.13"]}, "/services/temporary_shelter/area/0"),
    ],
)
async def test_a_place_narrower_than_the_regency_is_not_taken_in_where_it_is_secret(
    service: Service, changes: dict[str, Any], pointer: str
) -> None:
    known = await service.read(NATIONAL, f"/agencies/{SHELTER}")
    shelter = {"area": changes.get("area", ["64.02"]), "secret_location": True}
    body = {
        "name": known["name"],
        "kind": known["kind"],
        "region": changes.get("region", "64.02"),
        "services": {"temporary_shelter": shelter},
    }

    refused = await put(service, f"/agencies/{SHELTER}", body)

    assert refused.status_code == 422
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [(pointer, "secret_place_too_narrow")]
    assert PLACE not in refused.text
    assert await service.read(NATIONAL, f"/agencies/{SHELTER}") == known


async def test_an_agency_at_home_in_a_district_cannot_say_that_a_place_is_secret(service: Service) -> None:
    known = await service.read(NATIONAL, f"/agencies/{SHELTER}")
    body = {"name": known["name"], "kind": known["kind"], "region": PLACE}
    await service.call(NATIONAL, "PUT", "/agencies/rumah-singgah", json=body)

    refused = await put(
        service, "/agencies/rumah-singgah/services/temporary_shelter", {"area": ["64.02"], "secret_location": True}
    )

    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/secret_location"]
