"""What a person asks for is kept with its time: 3 x 24 hours from when they asked, shown and watched until answered."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.domain.caller import Role
from app.workflows.answer_rights import watch_requests
from tests.rights.officers import OFFICER, PPU, RECEIVER, a_finished_case, actions, ask, done, rows
from tests.workflows.conftest import Service


async def asked(service: Service, referral_id: str, right: str, ago: timedelta = timedelta()) -> str:
    body = {"right": right, "asked_at": (service.clock() - ago).isoformat()}
    made = await done(service, f"/referrals/{referral_id}/rights-requests", **body)
    return str(made["id"])


async def test_a_request_is_due_three_days_after_the_person_asked_and_not_after_it_was_written_down(
    service: Service,
) -> None:
    referral = await a_finished_case(service)
    await asked(service, referral["id"], "access", timedelta(hours=30))

    (shown,) = (await ask(service, "GET", "/rights-requests")).json()["items"]

    assert (shown["right"], shown["hours_left"], shown["is_late"]) == ("access", 42.0, False)
    assert shown["referral_id"] == referral["id"]


async def test_the_list_begins_with_what_is_due_first_and_goes_on_page_by_page(service: Service) -> None:
    referral = await a_finished_case(service)
    ids = [await asked(service, referral["id"], "access", timedelta(hours=ago)) for ago in (1, 80, 20)]

    first = (await ask(service, "GET", "/rights-requests?limit=2")).json()
    second = (await ask(service, "GET", f"/rights-requests?limit=2&after={first['next']}")).json()

    assert [one["id"] for one in first["items"] + second["items"]] == [ids[1], ids[2], ids[0]]
    assert first["items"][0]["is_late"]
    assert first["items"][0]["hours_left"] == -8.0


async def test_an_officer_sees_the_requests_in_the_cases_of_their_agency_and_an_operator_s_officer_all(
    service: Service,
) -> None:
    referral = await a_finished_case(service)
    await asked(service, referral["id"], "access")

    theirs = await ask(service, "GET", "/rights-requests", PPU)
    others = await ask(service, "GET", "/rights-requests", RECEIVER)
    operator = await ask(service, "GET", "/rights-requests", "kemenpppa-sapa129", (OFFICER, Role.OPERATOR))
    sender = await ask(service, "GET", "/rights-requests", PPU, (Role.SENDER,))

    assert [len(one.json()["items"]) for one in (theirs, others, operator)] == [1, 0, 1]
    assert sender.status_code == 403


async def test_an_operator_s_officer_sees_no_request_in_a_case_in_which_their_agency_is_named(
    service: Service,
) -> None:
    named = "kemenpppa-sapa129"
    referral = await a_finished_case(service, conflicts=[named])
    request_id = await asked(service, referral["id"], "access")
    roles = (OFFICER, Role.OPERATOR)

    listed = await ask(service, "GET", "/rights-requests", named, roles)
    answered = await ask(
        service, "POST", f"/rights-requests/{request_id}/answer", named, roles, json={"outcome": "done"}
    )

    assert listed.json()["items"] == []
    assert answered.status_code == 404


async def test_whoever_is_concerned_with_the_case_may_be_asked_and_sees_what_came_of_it(service: Service) -> None:
    referral = await a_finished_case(service)
    body = {"right": "correction", "asked_at": service.clock().isoformat()}
    path = f"/referrals/{referral['id']}/rights-requests"

    sender = await ask(service, "POST", path, PPU, (Role.SENDER,), json=body)
    stranger = await ask(service, "POST", path, "dinsos-kukar", (Role.SENDER,), json=body)
    service.clock.advance(timedelta(hours=5))
    answered = await done(service, f"/rights-requests/{sender.json()['id']}/answer", outcome="done")
    seen = await ask(service, "GET", f"/referrals/{referral['id']}/rights", PPU, (Role.SENDER,))

    assert (sender.status_code, stranger.status_code) == (201, 404)
    assert (answered["outcome"], answered["hours_taken"], answered["is_late"]) == ("done", 5.0, False)
    assert seen.json()["requests"] == [answered]


async def test_a_refusal_says_why_and_an_answer_is_given_once(service: Service) -> None:
    referral = await a_finished_case(service)
    path = f"/rights-requests/{await asked(service, referral['id'], 'erasure')}/answer"

    without = await ask(service, "POST", path, json={"outcome": "refused"})
    by_word = await ask(service, "POST", path, json={"outcome": "done"})
    refused = await ask(service, "POST", path, json={"outcome": "refused", "refused_because": "legal_hold"})
    again = await ask(service, "POST", path, json={"outcome": "refused", "refused_because": "other"})

    assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/refused_because")
    assert (by_word.status_code, by_word.json()["errors"][0]["code"]) == (422, "done_by_doing")
    assert refused.json()["refused_because"] == "legal_hold"
    assert (again.status_code, again.json()["code"]) == (409, "already_answered")


async def test_to_restrict_and_to_erase_answers_the_requests_for_it(service: Service) -> None:
    referral = await a_finished_case(service)
    await asked(service, referral["id"], "restriction", timedelta(hours=80))
    await asked(service, referral["id"], "erasure")

    await done(service, f"/referrals/{referral['id']}/restrict", reason="person_asked")
    service.clock.advance(timedelta(hours=1))
    stands = await done(service, f"/referrals/{referral['id']}/erase")

    restriction, erasure = stands["requests"]
    assert (restriction["outcome"], restriction["is_late"], restriction["reason"]) == ("done", True, "person_asked")
    assert (erasure["outcome"], erasure["is_late"]) == ("done", False)
    assert restriction["lifted_at"] == stands["erased_at"]
    assert (await ask(service, "GET", "/rights-requests")).json()["items"] == []


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=400)])
async def test_nobody_has_asked_in_the_future(service: Service, ahead: timedelta) -> None:
    referral = await a_finished_case(service)
    body = {"right": "access", "asked_at": (service.clock() + ahead).isoformat()}

    answer = await ask(service, "POST", f"/referrals/{referral['id']}/rights-requests", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "in_future")


async def test_the_log_says_once_that_a_request_is_due_and_once_that_its_time_has_passed(service: Service) -> None:
    referral = await a_finished_case(service)
    await asked(service, referral["id"], "access")
    said = []

    with capture_logs() as lines:
        for hours in (47, 2, 1, 23, 1):
            service.clock.advance(timedelta(hours=hours))
            said.append(await watch_requests(service.sessions, service.clock))

    assert said == [0, 1, 0, 1, 0]
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "rights_request_due"),
        ("error", "rights_request_overdue"),
    ]
    assert lines[0]["referral_id"] == referral["id"]


async def test_each_step_leaves_its_entry(service: Service) -> None:
    referral = await a_finished_case(service)
    request_id = await asked(service, referral["id"], "access")
    await done(service, f"/rights-requests/{request_id}/answer", outcome="done")
    await ask(service, "GET", f"/referrals/{referral['id']}/rights")
    await ask(service, "GET", f"/referrals/{referral['id']}/export")

    found = [one for one in await actions(service, referral["id"]) if one.startswith("rights.")]
    entries = await rows(service, "SELECT purpose FROM audit WHERE action LIKE 'rights.%'")
    assert found == ["rights.request", "rights.answer", "rights.read", "rights.export"]
    assert {row.purpose for row in entries} == {"give_rights"}
