"""A case that its person has restricted is shown to nobody and moved by nobody, until that is lifted."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.domain.caller import Role
from tests.rights.officers import CANARY, OFFICER, PPU, RECEIVER, a_telling_referral, actions, ask, done, rows
from tests.workflows.conftest import Service, denied, of

SENDING = (Role.SENDER, Role.COORDINATOR)
RECEIVING = (Role.RECEIVER,)


async def a_restricted_case(service: Service, **changes: Any) -> dict[str, Any]:
    referral = await service.submit(a_telling_referral(**changes))
    await done(service, f"/referrals/{referral['id']}/restrict", reason="person_asked")
    return referral


@pytest.mark.parametrize(
    ("agency", "roles", "method", "path"),
    [
        (PPU, SENDING, "GET", "/referrals/{referral}"),
        (PPU, SENDING, "GET", "/handoffs/{handoff}"),
        (PPU, SENDING, "GET", "/service-requests/{request}"),
        (PPU, SENDING, "GET", "/decisions/{decision}"),
        (PPU, SENDING, "POST", "/decisions/{decision}/replay"),
        (PPU, SENDING, "POST", "/referrals/{referral}/cancel"),
        (PPU, SENDING, "POST", "/referrals/{referral}/amend"),
        (PPU, SENDING, "POST", "/handoffs/{handoff}/withdraw"),
        (RECEIVER, RECEIVING, "GET", "/handoffs/{handoff}"),
        (RECEIVER, RECEIVING, "POST", "/handoffs/{handoff}/accept"),
        (RECEIVER, (*RECEIVING, OFFICER), "GET", "/handoffs/{handoff}"),
    ],
)
async def test_a_restricted_case_is_neither_shown_nor_moved(
    service: Service, agency: str, roles: tuple[Role, ...], method: str, path: str
) -> None:
    referral = await a_restricted_case(service)
    request = of(referral)
    ids = {
        "referral": referral["id"],
        "request": request["id"],
        "handoff": request["handoff"]["id"],
        "decision": request["decision"]["id"],
    }
    body = {"amend": {"narrative": CANARY}, "withdraw": {"reason": "other"}}.get(path.rpartition("/")[2])

    answer = await ask(service, method, path.format(**ids), agency, roles, json=body, headers={"If-Match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (403, "processing_restricted")
    (entry,) = await rows(service, "SELECT * FROM audit WHERE result = 'processing_restricted'")
    assert entry.agency_code == agency


async def test_the_protection_officer_of_who_sent_it_still_sees_it(service: Service) -> None:
    referral = await a_restricted_case(service)

    shown = await ask(service, "GET", f"/referrals/{referral['id']}")
    exported = await ask(service, "GET", f"/referrals/{referral['id']}/export")

    assert shown.json()["restricted_at"] is not None
    assert exported.json()["personal"]["victim.name"] == CANARY


async def test_a_restricted_case_is_in_no_list(service: Service) -> None:
    referral = await service.submit(a_telling_referral())
    waiting = await service.submit(denied())
    paths = {
        (PPU, "/referrals"): {referral["id"], waiting["id"]},
        (RECEIVER, "/handoffs"): {of(referral)["handoff"]["id"]},
        ("dp3a-kukar", "/service-requests"): {of(waiting)["id"]},
    }
    seen = {key: {one["id"] for one in (await service.read(*key))["items"]} for key in paths}
    assert {key: found & paths[key] for key, found in seen.items()} == paths

    for one in (referral, waiting):
        await done(service, f"/referrals/{one['id']}/restrict", reason="safety")

    for key, ids in paths.items():
        assert not ids & {one["id"] for one in (await service.read(*key))["items"]}


async def test_an_emergency_that_runs_is_helped_all_the_same_and_restricted_once_it_has_ended(
    service: Service,
) -> None:
    referral = await a_restricted_case(service, urgency="emergency")
    handoff_id = of(referral)["handoff"]["id"]

    taken = await ask(service, "POST", f"/handoffs/{handoff_id}/accept", RECEIVER, RECEIVING)
    seen = await ask(service, "GET", f"/handoffs/{handoff_id}", RECEIVER, RECEIVING)
    stands = (await ask(service, "GET", f"/referrals/{referral['id']}/rights")).json()
    ended = await ask(
        service, "POST", f"/handoffs/{handoff_id}/complete", RECEIVER, RECEIVING, json={"outcome": "service_given"}
    )
    after = await ask(service, "GET", f"/handoffs/{handoff_id}", RECEIVER, RECEIVING)

    assert (taken.status_code, ended.status_code) == (200, 200)
    assert seen.json()["case"]["personal"]["victim.name"] == CANARY
    assert (stands["restricted_at"] is not None, stands["is_restricted"]) == (True, False)
    assert after.status_code == 403


async def test_clocks_stand_still_while_a_case_is_restricted_and_have_their_time_again_after(service: Service) -> None:
    referral = await a_restricted_case(service)
    (before,) = await rows(service, "SELECT respond_by FROM handoffs")

    ran = await service.after(timedelta(days=30))
    await done(service, f"/referrals/{referral['id']}/lift-restriction")
    (after,) = await rows(service, "SELECT respond_by, state FROM handoffs")
    offered = await ask(service, "GET", f"/handoffs/{of(referral)['handoff']['id']}", RECEIVER, RECEIVING)

    assert ran == 0
    assert (after.respond_by - before.respond_by, after.state) == (timedelta(days=30), "offered")
    assert datetime.fromisoformat(offered.json()["respond_by"]) == after.respond_by
    assert await service.after(timedelta(days=30)) > 0
    (expired,) = await rows(service, "SELECT state FROM handoffs ORDER BY id LIMIT 1")
    assert expired.state == "expired"


async def test_a_change_of_mind_about_consent_is_heard_while_a_case_is_restricted(service: Service) -> None:
    referral = await a_restricted_case(service)

    answer = await ask(service, "POST", f"/referrals/{referral['id']}/consent/withdraw", PPU, SENDING)

    assert answer.status_code == 200, answer.text
    (handoff,) = await rows(service, "SELECT state FROM handoffs")
    assert handoff.state == "withdrawn"


async def test_a_repeated_request_does_not_show_what_is_restricted_since(service: Service) -> None:
    body, key = a_telling_referral(), {"Idempotency-Key": str(uuid4())}
    first = (await service.call(PPU, "POST", "/referrals", json=body, headers=key)).json()
    await done(service, f"/referrals/{first['id']}/restrict", reason="person_asked")

    withheld = await service.call(PPU, "POST", "/referrals", json=body, headers=key)
    await done(service, f"/referrals/{first['id']}/lift-restriction")
    again = await service.call(PPU, "POST", "/referrals", json=body, headers=key)

    assert (withheld.status_code, withheld.json()["code"]) == (403, "processing_restricted")
    assert again.json() == first


async def test_those_who_have_something_of_the_case_are_told_of_its_restriction_and_its_end(service: Service) -> None:
    referral = await a_restricted_case(service)
    await done(service, f"/referrals/{referral['id']}/lift-restriction")

    for agency in (PPU, RECEIVER):
        told = [type_ for type_, data in await service.news(agency) if data["referral_id"] == referral["id"]]
        assert told[-2:] == ["referral.restricted", "referral.unrestricted"]
    assert [one for one in await actions(service, referral["id"]) if one.startswith("rights.")] == [
        "rights.restrict",
        "rights.lift_restriction",
    ]


async def test_what_is_not_restricted_cannot_be_freed(service: Service) -> None:
    referral = await service.submit()

    answer = await ask(service, "POST", f"/referrals/{referral['id']}/lift-restriction")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_restricted")


async def test_only_a_protection_officer_restricts_a_case(service: Service) -> None:
    referral = await service.submit()
    everybody_else = tuple(role for role in Role if role is not OFFICER)

    for what, body in (("restrict", {"reason": "safety"}), ("lift-restriction", None), ("erase", None)):
        answer = await ask(service, "POST", f"/referrals/{referral['id']}/{what}", PPU, everybody_else, json=body)
        assert answer.status_code == 403
