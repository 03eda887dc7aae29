"""One of everything that an agency can have, which another must not learn of."""

from collections.abc import Mapping

from tests.workflows.agreements import ID, a_document
from tests.workflows.conftest import NATIONAL, PPU, Service, denied, of
from tests.workflows.second_person import OTHER_URL, a_person, an_endpoint

STRANGER = "dinsos-kukar"
"""An agency of the registry that nothing of this is offered to, sent by or coordinated by."""
RIGHT = {"right": "correction", "asked_at": "2025-03-03T14:30:00+08:00"}


async def everything_of_theirs(service: Service) -> Mapping[str, str]:
    """Let an agency come by one of each, and give them by the names that addresses have for them.

    It takes a service whose endpoints need a second person, and no draft yet.
    """
    things = await one_of_each_of_theirs(service)
    drafted = await service.call(NATIONAL, "PUT", f"/agreements/{ID}/versions/1", json=a_document())
    assert drafted.status_code == 200, drafted.text
    return {**things, "draft": ID}


async def one_of_each_of_theirs(service: Service) -> Mapping[str, str]:
    """Let an agency come by one more of each of what there can be many of, by the names in addresses."""
    first, second = await a_person(service, PPU), await a_person(service, PPU)
    endpoint = await an_endpoint(service, first, second)
    referral = await service.submit(denied())
    offered = of(await service.submit())
    proposal = await first.proposes(
        "PUT", f"/endpoints/{endpoint['id']}", json={"url": OTHER_URL}, headers={"If-Match": "*"}
    )
    (delivery, *_) = (await first.read(f"/endpoints/{endpoint['id']}/deliveries"))["items"]
    made = {
        "recovery_id": (f"/endpoints/{endpoint['id']}/recover", {"since": "2025-01-01T00:00:00Z"}),
        "rights_request_id": (f"/referrals/{referral['id']}/rights-requests", RIGHT),
        "legal_hold_id": (f"/referrals/{referral['id']}/legal-holds", {"reason": "complaint"}),
    }
    ids = {}
    for name, (path, body) in made.items():
        answer = await service.call(PPU, "POST", path, json=body)
        assert answer.is_success, answer.text
        ids[name] = answer.json()["id"]
    return {
        **ids,
        "referral_id": referral["id"],
        "service_request_id": of(referral)["id"],
        "decision_id": of(referral)["decision"]["id"],
        "handoff_id": offered["handoff"]["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": delivery["id"],
        "proposal_id": proposal["id"],
        "key_id": str(first.key_id),
        "code": PPU,
    }
