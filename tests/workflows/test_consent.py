"""Consent has a scope and an end, and what moves without one is confirmed by somebody or goes no further."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.storage import clocks as clock_store
from app.storage import erasing
from app.storage.tables import clocks, decisions, facts, referrals
from app.workflows.run_clocks import run_due_clocks
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, amend, of

GIVEN = {"basis": "victim", "given_at": "2024-08-01T08:00:00+08:00"}
HOSPITAL = "rsud-parikesit"
HEALTH = [{"type": "health_service"}]


def until(service: Service, **by: float) -> dict[str, Any]:
    """A consent of the victim that ends after some time."""
    return GIVEN | {"expires_at": (service.clock() + timedelta(**by)).isoformat()}


def unasked(**more: Any) -> dict[str, Any]:
    """An emergency in which nobody could be asked."""
    return a_referral(urgency="emergency", consent={"basis": "none"}, services=HEALTH, **more)


def told(news: list[tuple[str, dict[str, Any]]], type_: str) -> list[dict[str, Any]]:
    return [data for said, data in news if said == type_]


async def withdraw(service: Service, referral: dict[str, Any]) -> int:
    return (await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")).status_code


async def confirm(service: Service, referral: dict[str, Any], agency: str = PPU) -> Any:
    path = f"/referrals/{referral['id']}/consent/confirm"
    return await service.call(agency, "POST", path, json={"because": "victim_unable"})


# --- its end ---


async def test_consent_that_comes_to_its_end_takes_back_offers_asks_to_cancel_and_cuts_access(
    service: Service,
) -> None:
    services = [{"type": "legal_service"}, {"type": "health_service"}]
    referral = await service.submit(a_referral(services=services, consent=until(service, hours=8)))
    legal, health = (one["handoff"]["id"] for one in referral["service_requests"])
    await service.act(RECEIVER, legal, "accept")

    await service.after(timedelta(hours=8))

    now = await service.read(PPU, f"/referrals/{referral['id']}")
    states = [(one["handoff"]["state"], one["handoff"]["reason"]) for one in now["service_requests"]]
    assert states == [("cancel_requested", "consent_expired"), ("withdrawn", "consent_expired")]
    assert now["consent"]["ended"] == "expired"
    assert (await service.read(RECEIVER, f"/handoffs/{legal}"))["case"] is None
    assert (await service.read(HOSPITAL, f"/handoffs/{health}"))["case"] is None
    assert told(await service.news(PPU), "referral.consent_expired")
    assert told(await service.news(KUKAR), "service_request.needs_coordinator")


async def test_access_ends_with_the_consent_though_no_clock_has_run_and_an_offer_can_no_longer_be_accepted(
    service: Service,
) -> None:
    services = [{"type": "legal_service"}, {"type": "health_service"}]
    referral = await service.submit(a_referral(services=services, consent=until(service, hours=8)))
    legal, health = (one["handoff"]["id"] for one in referral["service_requests"])
    await service.act(RECEIVER, legal, "accept")

    service.clock.advance(timedelta(hours=8))
    late = await service.act(HOSPITAL, health, "accept")

    assert (late.status_code, late.json()["code"]) == (409, "consent_required")
    assert (await service.read(RECEIVER, f"/handoffs/{legal}"))["case"] is None


async def test_its_sender_is_reminded_a_week_and_a_day_before_and_can_renew_it(service: Service) -> None:
    referral = await service.submit(a_referral(consent=until(service, days=30)))
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")

    await service.after(timedelta(days=23))
    await service.after(timedelta(days=6))
    reminders = told(await service.news(PPU), "referral.consent_expiring")
    await amend(service, referral["id"], consent=until(service, days=60))
    await service.after(timedelta(days=1))

    assert len(reminders) == 2
    assert of(await service.read(PPU, f"/referrals/{referral['id']}"))["handoff"]["state"] == "accepted"
    assert not told(await service.news(PPU), "referral.consent_expired")


async def test_a_consent_that_is_short_is_reminded_of_at_half_of_its_time(service: Service) -> None:
    await service.submit(a_referral(consent=until(service, hours=10)))

    await service.after(timedelta(hours=5))

    assert len(told(await service.news(PPU), "referral.consent_expiring")) == 1


async def test_a_consent_that_is_renewed_after_its_end_lets_the_case_move_again(service: Service) -> None:
    referral = await service.submit(a_referral(consent=until(service, hours=8)))
    await service.after(timedelta(hours=8))

    amended = await amend(service, referral["id"], consent=until(service, days=8))

    assert of(amended)["state"] == "offered"
    assert amended["consent"]["ended"] is None


async def test_an_outage_of_lintas_does_not_lengthen_a_consent(service: Service) -> None:
    await service.submit(a_referral(consent=until(service, hours=8)))

    async with service.sessions.begin() as tx:
        await tx.execute(update(clocks).values(started_at=service.clock() - timedelta(days=2)))
        before = set((await tx.execute(clocks.select().where(clocks.c.kind == "consent_expires"))).all())
        await clock_store.give_back(
            tx, down_from=service.clock() - timedelta(days=1), real_now=service.clock() - timedelta(hours=1)
        )
        after = set((await tx.execute(clocks.select().where(clocks.c.kind == "consent_expires"))).all())

    assert before == after


# --- withdrawal ---


async def test_a_withdrawal_that_is_repeated_changes_nothing_more(service: Service) -> None:
    referral = await service.submit()
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")

    codes = [await withdraw(service, referral), await withdraw(service, referral)]

    assert codes == [200, 200]
    assert len(told(await service.news(RECEIVER), "handoff.cancel_requested")) == 1


async def test_a_withdrawal_after_the_end_of_the_consent_is_heard_and_said(service: Service) -> None:
    referral = await service.submit(a_referral(consent=until(service, hours=1)))
    await service.after(timedelta(hours=1))

    code = await withdraw(service, referral)

    assert code == 200
    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["consent"]["ended"] == "withdrawn"


async def test_withdrawing_and_accepting_at_once_leave_nobody_with_a_case_that_goes_on(service: Service) -> None:
    outcomes: Counter[tuple[str, int]] = Counter()

    async def race() -> None:
        referral = await service.submit()
        handoff_id = of(referral)["handoff"]["id"]
        accepted, withdrawn = await asyncio.gather(
            service.act(RECEIVER, handoff_id, "accept"), withdraw(service, referral)
        )
        seen = await service.read(RECEIVER, f"/handoffs/{handoff_id}")
        assert withdrawn == 200
        assert seen["case"] is None
        outcomes[seen["state"], accepted.status_code] += 1

    for _ in range(10):
        await asyncio.gather(*(race() for _ in range(4)))

    assert set(outcomes) <= {("cancel_requested", 200), ("withdrawn", 409)}
    assert outcomes.total() == 40


async def test_the_end_of_a_consent_and_its_renewal_at_once_leave_it_renewed_and_every_request_moving(
    service: Service,
) -> None:
    made = [await service.submit(a_referral(consent=until(service, hours=8))) for _ in range(20)]
    service.clock.advance(timedelta(hours=8))

    async def expiring() -> None:
        await run_due_clocks(service.sessions, service.keeper, service.key_ring, service.terms, service.clock)

    renewed = until(service, days=9)
    await asyncio.gather(expiring(), *(amend(service, one["id"], consent=renewed) for one in made), expiring())
    await service.after(timedelta(0))

    for one in made:
        now = await service.read(PPU, f"/referrals/{one['id']}")
        assert (of(now)["state"], now["consent"]["stands"], now["consent"]["ended"]) == ("offered", True, None)


# --- its scope ---


async def test_consent_for_one_agency_moves_the_case_to_that_one_and_then_to_a_person(service: Service) -> None:
    referral = await service.submit(a_referral(consent=GIVEN | {"agencies": ["uptd-ppa-kukar"]}))
    offered = of(referral)["handoff"]
    await service.act("uptd-ppa-kukar", offered["id"], "decline", reason="no_capacity")

    now = of(await service.read(PPU, f"/referrals/{referral['id']}"))

    assert offered["agency"] == "uptd-ppa-kukar"
    assert (now["state"], now["reason"]) == ("needs_coordinator", "chain_exhausted")
    decision = await service.read(PPU, f"/decisions/{of(referral)['decision']['id']}")
    assert "not_consented" in decision["explanation"]["sentences"]


async def test_a_coordinator_cannot_place_a_request_with_an_agency_that_was_not_consented_to(service: Service) -> None:
    referral = await service.submit(a_referral(consent=GIVEN | {"agencies": ["uptd-ppa-kukar"]}))
    await service.act("uptd-ppa-kukar", of(referral)["handoff"]["id"], "decline", reason="no_capacity")

    path = f"/service-requests/{of(referral)['id']}/place"
    refused = await service.call(KUKAR, "POST", path, json={"agency": RECEIVER, "reason": "only_one_able"})

    assert refused.json()["errors"][0]["code"] == "agency_off_the_list"


async def test_a_service_that_is_refused_by_name_moves_in_no_emergency(service: Service) -> None:
    refusing = GIVEN | {"services_refused": ["law_enforcement"]}
    services = [{"type": "health_service"}, {"type": "law_enforcement"}]

    referral = await service.submit(a_referral(urgency="emergency", services=services, consent=refusing))

    states = {one["service_type"]: (one["state"], one["reason"]) for one in referral["service_requests"]}
    assert states["health_service"] == ("offered", None)
    assert states["law_enforcement"] == ("needs_coordinator", "no_consent")
    assert referral["service_requests"][1]["ground"]["because"] == ["service_refused"]


# --- an emergency without consent ---


async def test_an_emergency_without_consent_says_so_in_the_decision_the_handoff_and_the_news(service: Service) -> None:
    referral = await service.submit(unasked())

    handoff = await service.read(HOSPITAL, f"/handoffs/{of(referral)['handoff']['id']}")
    decision = await service.read(PPU, f"/decisions/{of(referral)['decision']['id']}")
    assert decision["ground"]["kind"] == handoff["basis"] == "vital_interest"
    assert {"id", "en"} == set(decision["ground"]["sentences"][0])
    assert handoff["confirm_by"] == referral["consent"]["confirm_by"] is not None
    assert told(await service.news(HOSPITAL), "handoff.offered")[0]["basis"] == "vital_interest"


async def test_what_nobody_confirms_in_time_is_offered_no_further_and_its_coordinator_is_told(service: Service) -> None:
    referral = await service.submit(unasked())
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(HOSPITAL, handoff_id, "accept")
    await service.act(HOSPITAL, handoff_id, "start")

    await service.after(timedelta(hours=12))
    due = told(await service.news(PPU), "referral.confirmation_due")
    await service.after(timedelta(hours=12))

    because = [data["because"] for data in told(await service.news(KUKAR), "service_request.overdue")]
    assert len(due) == 1
    assert ["vital_interest_unconfirmed"] in because
    seen = await service.read(HOSPITAL, f"/handoffs/{handoff_id}")
    # Nobody is left untreated by a clock: who has taken her goes on, with the minimum.
    assert (seen["state"], seen["case"]["basis"]) == ("in_progress", "vital_interest")
    await service.act(HOSPITAL, handoff_id, "hand-back", reason="no_capacity")
    now = of(await service.read(PPU, f"/referrals/{referral['id']}"))
    assert (now["state"], now["reason"]) == ("needs_coordinator", "no_consent")


async def test_what_is_confirmed_goes_on_and_what_had_stopped_moves_again(service: Service) -> None:
    referral = await service.submit(unasked())
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(HOSPITAL, handoff_id, "accept")
    await service.after(timedelta(hours=24))
    await service.act(HOSPITAL, handoff_id, "hand-back", reason="no_capacity")

    confirmed = await confirm(service, referral, KUKAR)

    assert confirmed.status_code == 200
    view = confirmed.json()["consent"]
    assert (view["confirmed_by"], view["confirmed_for"], view["unconfirmed"]) == (KUKAR, "victim_unable", False)
    assert of(confirmed.json())["state"] == "offered"


async def test_what_was_confirmed_in_time_is_asked_for_no_more(service: Service) -> None:
    referral = await service.submit(unasked())
    await service.act(HOSPITAL, of(referral)["handoff"]["id"], "accept")

    await confirm(service, referral)
    await service.after(timedelta(hours=48))

    assert not told(await service.news(PPU), "referral.unconfirmed")
    assert not told(await service.news(PPU), "referral.confirmation_due")


async def test_where_nothing_moves_without_consent_there_is_nothing_to_confirm(service: Service) -> None:
    referral = await service.submit()
    withdrawn = await service.submit(unasked())
    await withdraw(service, withdrawn)

    answers = [await confirm(service, referral), await confirm(service, withdrawn)]

    assert [answer.json()["code"] for answer in answers] == ["nothing_to_confirm", "consent_required"]


async def test_consent_that_is_given_after_all_needs_no_confirmation(service: Service) -> None:
    referral = await service.submit(unasked())
    await service.act(HOSPITAL, of(referral)["handoff"]["id"], "accept")

    amended = await amend(service, referral["id"], consent=GIVEN)
    await service.after(timedelta(hours=25))

    assert amended["consent"]["confirm_by"] is None
    assert not told(await service.news(PPU), "referral.unconfirmed")


async def test_an_emergency_that_is_none_any_more_is_taken_back_where_nobody_consented(service: Service) -> None:
    referral = await service.submit(unasked())

    amended = await amend(service, referral["id"], urgency="standard")

    assert (of(amended)["handoff"]["state"], of(amended)["handoff"]["reason"]) == ("withdrawn", "no_ground")


# --- children ---


def a_child(**guardian: Any) -> dict[str, Any]:
    named = {"name": "Wali Contoh", "relation": "parent", "contact": {"phone": "+62 800 1111 111"}, **guardian}
    return {"name": "Anak Contoh", "sex": "female", "age": 12, "guardian": named}


async def test_a_childs_own_word_alone_moves_nothing_but_an_emergency(service: Service) -> None:
    standard = await service.submit(a_referral(victim={"sex": "female", "age": 15}))
    emergency = await service.submit(
        a_referral(victim={"sex": "female", "age": 15}, urgency="emergency", services=HEALTH)
    )

    assert (of(standard)["state"], of(standard)["reason"]) == ("needs_coordinator", "no_consent")
    assert of(standard)["ground"]["because"] == ["child_alone"]
    assert (of(emergency)["state"], of(emergency)["ground"]["kind"]) == ("offered", "vital_interest")


async def test_an_age_that_is_not_known_is_not_guessed_and_the_decision_says_so(service: Service) -> None:
    referral = await service.submit(a_referral(victim={"sex": "female"}, services=HEALTH))

    decision = await service.read(PPU, f"/decisions/{of(referral)['decision']['id']}")
    assert decision["ground"]["because"] == ["age_unknown"]


@pytest.mark.parametrize("why", ["is_perpetrator", "in_conflict"])
async def test_an_excluded_guardian_consents_to_nothing_and_no_receiver_is_shown_how_to_reach_them(
    service: Service, why: str
) -> None:
    victim = a_child(**{"is_perpetrator": False, why: True})
    by_guardian = a_referral(victim=victim, consent=GIVEN | {"basis": "guardian"})
    best = {"basis": "child_best_interest", "given_at": GIVEN["given_at"], "law": "uu_12_2022"}

    refused = await service.call(PPU, "POST", "/referrals", json=by_guardian)
    referral = await service.submit(a_referral(victim=victim, consent=best))
    handoff = of(referral)["handoff"]
    before = await service.read(handoff["agency"], f"/handoffs/{handoff['id']}")
    await service.act(handoff["agency"], handoff["id"], "accept")
    after = await service.call(handoff["agency"], "GET", f"/handoffs/{handoff['id']}")

    assert refused.json()["errors"][0]["pointer"] == "/consent/basis"
    assert before["case"]["do_not_contact"] == after.json()["case"]["do_not_contact"] == ["guardian"]
    assert "1111 111" not in after.text
    assert "Wali Contoh" not in after.text
    ground = (await service.read(PPU, f"/decisions/{of(referral)['decision']['id']}"))["ground"]
    assert (ground["basis"], ground["source"], ground["because"]) == (
        "child_best_interest",
        "UU 12/2022",
        ["guardian_excluded"],
    )


async def test_a_guardian_who_turns_out_to_be_the_perpetrator_leaves_an_emergency_its_vital_interest(
    service: Service,
) -> None:
    consent = GIVEN | {"basis": "guardian", "relation": "parent"}
    victim = a_child(is_perpetrator=False)
    urgent = await service.submit(a_referral(victim=victim, consent=consent, urgency="emergency", services=HEALTH))
    calm = await service.submit(a_referral(victim=victim, consent=consent))

    named = {"guardian": {"is_perpetrator": True}}
    urgent, calm = [await amend(service, one["id"], victim=named) for one in (urgent, calm)]

    assert (of(urgent)["handoff"]["state"], of(urgent)["ground"]["kind"]) == ("offered", "vital_interest")
    assert urgent["consent"]["confirm_by"] is not None
    assert of(calm)["state"] == "needs_coordinator"


async def test_the_best_interest_of_a_child_is_no_ground_for_a_grown_woman(service: Service) -> None:
    best = {"basis": "child_best_interest", "given_at": GIVEN["given_at"]}

    refused = await service.call(PPU, "POST", "/referrals", json=a_referral(consent=best))
    referral = await service.submit()
    amending = {"json": {"consent": best}, "headers": {"If-Match": "*"}}
    amended = await service.call(PPU, "POST", f"/referrals/{referral['id']}/amend", **amending)

    assert [answer.json()["errors"][0]["pointer"] for answer in (refused, amended)] == ["/consent/basis"] * 2


@pytest.mark.parametrize(
    ("consent", "pointer"),
    [
        (GIVEN | {"expires_at": "2020-01-01T00:00:00Z"}, "/consent/expires_at"),
        (GIVEN | {"relation": "parent"}, "/consent/relation"),
        (GIVEN | {"law": "uu_12_2022"}, "/consent/law"),
        ({"basis": "none", "agencies": [RECEIVER]}, "/consent/agencies"),
        (GIVEN | {"agencies": [RECEIVER], "agencies_refused": [RECEIVER]}, "/consent/agencies_refused/0"),
        (
            GIVEN | {"services": ["legal_service"], "services_refused": ["legal_service"]},
            "/consent/services_refused/0",
        ),
    ],
)
async def test_a_consent_that_contradicts_itself_is_refused_by_field(
    service: Service, consent: dict[str, Any], pointer: str
) -> None:
    answer = await service.call(PPU, "POST", "/referrals", json=a_referral(consent=consent))

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_a_case_that_an_older_version_kept_goes_on_as_it_was(service: Service) -> None:
    referral = await service.submit()
    async with service.sessions.begin() as tx:
        await tx.execute(update(facts).where(facts.c.referral_id == UUID(referral["id"])).values(consent=None))

    amended = await amend(service, referral["id"], purpose="pendampingan")
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")

    assert amended["consent"]["stands"]
    assert (await service.read(RECEIVER, f"/handoffs/{of(referral)['handoff']['id']}"))["case"] is not None
    assert await withdraw(service, referral) == 200
    async with service.sessions() as tx:
        row = (await tx.execute(referrals.select().where(referrals.c.id == UUID(referral["id"])))).one()
    assert row.consent_withdrawn_at is not None


async def test_an_erased_case_keeps_on_what_it_moved_and_not_why(service: Service) -> None:
    referral = await service.submit(a_referral(victim={"sex": "female", "age": 15}, consent=until(service, days=30)))
    referral_id = UUID(referral["id"])

    async with service.sessions.begin() as tx:
        await erasing.destroy(tx, referral_id)
        await tx.execute(update(referrals).where(referrals.c.id == referral_id).values(erased_at=service.clock()))
    async with service.sessions() as tx:
        said = await tx.scalar(facts.select().with_only_columns(facts.c.consent))
        ground: Any = await tx.scalar(decisions.select().with_only_columns(decisions.c.ground))

    assert said is None
    assert (ground["kind"], ground["because"]) == ("none", [])
