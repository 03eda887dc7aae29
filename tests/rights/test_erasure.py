"""A person is erased for good: nothing opens, nothing finds them, nothing breaks, and the counts stay."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.domain.caller import Role
from app.domain.coarsening import coarse
from app.domain.facts import Facts
from app.domain.months import Month
from app.storage import past_decisions, personal_data, statistics
from app.storage.past_decisions import Period
from tests.domain.factories import facts
from tests.rights.officers import (
    CANARY,
    KUKAR,
    OFFICER,
    PPU,
    RECEIVER,
    a_finished_case,
    a_telling_referral,
    actions,
    ask,
    done,
    lines_of,
    rows,
    spoil,
)
from tests.workflows.conftest import Service, a_referral, amend, of


async def test_nothing_of_an_erased_person_can_be_opened_or_found_again(service: Service) -> None:
    body = a_telling_referral()
    referral = await service.submit(body)
    kept = await rows(service, "SELECT sender_reference_hash AS hash FROM referrals WHERE id = :id", id=referral["id"])

    found_by = "SELECT 1 FROM identity_hashes WHERE referral_id = :id"
    assert await rows(service, found_by, id=referral["id"])

    await service.call(PPU, "POST", f"/referrals/{referral['id']}/cancel")
    shown = await done(service, f"/referrals/{referral['id']}/erase")

    assert shown["erased_at"] is not None
    for table in ("data_keys", "sealed_fields", "identity_hashes"):
        assert not await rows(service, f"SELECT 1 FROM {table} WHERE referral_id = :id", id=referral["id"])  # noqa: S608
    (after,) = await rows(
        service, "SELECT sender_reference_hash AS hash FROM referrals WHERE id = :id", id=referral["id"]
    )
    assert after.hash != kept[0].hash
    async with service.sessions.begin() as tx:
        opened = await personal_data.unseal(tx, service.key_ring, UUID(referral["id"]), ["victim.name", "narrative"])
    assert opened == {}
    assert (await ask(service, "GET", f"/referrals/{referral['id']}/export")).json()["personal"] == {}
    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["sender_reference"] is None


async def test_what_is_left_of_the_facts_counts_a_person_and_singles_out_none(service: Service) -> None:
    referral = await a_finished_case(service, conflicts=[KUKAR], avoid_regions=["64.02.06"])

    await done(service, f"/referrals/{referral['id']}/erase")

    (left,) = await rows(service, "SELECT body FROM facts WHERE referral_id = :id", id=referral["id"])
    assert left.body["victim"] == {"age": 25, "sex": None}
    assert left.body["locations"] == {"incident": "64.09", "domicile": "64.02", "current": "64.02"}
    assert left.body["avoid_regions"] == ["64.02"]
    assert left.body["case_types"] == ["physical"]
    assert left.body["conflicts"] == [KUKAR]


def test_facts_that_are_coarse_stay_as_they_are_and_keep_their_group_and_who_is_kept_away() -> None:
    known = facts(age=16, incident="64.09.04", current="country:MY", conflicts={"a"}, refuses={"b"})

    left = coarse(known)

    assert (left.age, left.incident, left.current) == (13, "64.09", "country:MY")
    assert (left.conflicts, left.refuses) == (frozenset({"a", "b"}), frozenset())
    assert coarse(left) == left
    assert Facts.from_json(left.to_json()) == left


async def test_the_skeleton_of_an_erased_case_is_read_everywhere_without_an_error(service: Service) -> None:
    referral = await a_finished_case(service)
    request = of(referral)
    await done(service, f"/referrals/{referral['id']}/erase")

    for agency, path in (
        (PPU, f"/referrals/{referral['id']}"),
        (PPU, f"/referrals/{referral['id']}/rights"),
        (PPU, f"/referrals/{referral['id']}/export"),
        (PPU, f"/referrals/{referral['id']}/export?as=text"),
        (PPU, f"/handoffs/{request['handoff']['id']}"),
        (RECEIVER, f"/handoffs/{request['handoff']['id']}"),
        (PPU, f"/service-requests/{request['id']}"),
        (PPU, f"/decisions/{request['decision']['id']}"),
        (PPU, "/referrals"),
        (RECEIVER, "/handoffs"),
        (PPU, "/events"),
        (RECEIVER, "/events"),
        (PPU, "/rights-requests"),
        (PPU, "/statistics/referrals?from=2025-01&to=2025-03&by=age"),
    ):
        answer = await service.call(agency, "GET", path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert CANARY not in answer.text
    receiver = await service.read(RECEIVER, f"/handoffs/{request['handoff']['id']}")
    assert receiver["case"] is None


async def test_a_replay_of_an_erased_decision_says_so_instead_of_disagreeing(service: Service) -> None:
    referral = await a_finished_case(service)
    decision_id = of(referral)["decision"]["id"]
    before = (await service.call(PPU, "POST", f"/decisions/{decision_id}/replay")).json()

    await done(service, f"/referrals/{referral['id']}/erase")
    again = (await service.call(PPU, "POST", f"/decisions/{decision_id}/replay")).json()
    read = await service.read(PPU, f"/decisions/{decision_id}")

    assert (before["agrees"], before["why_not"]) == (True, None)
    assert (again["agrees"], again["why_not"], again["replayed"]) == (None, "erased", None)
    assert again["kept"] == before["kept"]
    assert (read["explanation"], read["facts"]["victim"]["age"]) == (None, 25)
    assert read["erased_at"] is not None


@pytest.mark.parametrize(
    ("agency", "path", "body"),
    [
        (PPU, "/referrals/{referral}/amend", {"narrative": CANARY}),
        (PPU, "/referrals/{referral}/cancel", None),
        (PPU, "/referrals/{referral}/void", None),
        (PPU, "/referrals/{referral}/consent/withdraw", None),
        (PPU, "/referrals/{referral}/restrict", {"reason": "safety"}),
        (PPU, "/referrals/{referral}/legal-holds", {"reason": "complaint"}),
        (RECEIVER, "/handoffs/{handoff}/accept", {"note": CANARY}),
        (RECEIVER, "/handoffs/{handoff}/keep-duty", {"document": "a", "clause": "b"}),
        (PPU, "/service-requests/{request}/acknowledge", None),
    ],
)
async def test_nothing_can_be_done_with_an_erased_case_any_more(
    service: Service, agency: str, path: str, body: dict[str, Any] | None
) -> None:
    referral = await a_finished_case(service)
    await done(service, f"/referrals/{referral['id']}/erase")
    ids = {"referral": referral["id"], "handoff": of(referral)["handoff"]["id"], "request": of(referral)["id"]}

    answer = await service.call(agency, "POST", path.format(**ids), json=body, headers={"If-Match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (410, "referral_erased")
    assert not await rows(service, "SELECT 1 FROM sealed_fields WHERE referral_id = :id", id=referral["id"])


async def test_a_repeat_that_comes_late_neither_shows_the_person_nor_sends_them_in_anew(service: Service) -> None:
    body, key = a_telling_referral(), {"Idempotency-Key": str(uuid4())}
    first = (await service.call(PPU, "POST", "/referrals", json=body, headers=key)).json()
    await done(service, f"/referrals/{first['id']}/erase")

    again = await service.call(PPU, "POST", "/referrals", json=body, headers=key)

    assert (again.status_code, again.json()["code"]) == (410, "referral_erased")
    (counted,) = await rows(service, "SELECT count(*) AS all FROM referrals")
    assert counted.all == 1


async def test_what_a_receiver_s_server_answered_goes_too(service: Service) -> None:
    referral, other = await a_finished_case(service), await a_finished_case(service)
    for one in (referral, other):
        await rows(
            service,
            "WITH hook AS (INSERT INTO endpoints (id, agency_code, url, state, created_at)"
            " VALUES (gen_random_uuid(), 'dp3ap2kb-ppu', 'https://a.example', 'active', now()) RETURNING id),"
            " news AS (SELECT id FROM events WHERE referral_id = :id LIMIT 1),"
            " sent AS (INSERT INTO finished_deliveries (id, event_id, endpoint_id, state, due_at, created_at)"
            " SELECT news.id, news.id, hook.id, 'delivered', now(), now() FROM news, hook RETURNING id)"
            " INSERT INTO attempts (delivery_id, id, number, started_at, duration_ms, outcome, answer)"
            " SELECT id, gen_random_uuid(), 1, now(), 1, 'delivered', 'sealed' FROM sent RETURNING 1",
            id=one["id"],
        )

    await done(service, f"/referrals/{referral['id']}/erase")

    left = await rows(
        service,
        "SELECT referral_id::text AS referral, answer FROM attempts JOIN events ON events.id = attempts.delivery_id",
    )
    assert {row.referral: row.answer for row in left} == {referral["id"]: None, other["id"]: b"sealed"}


async def test_what_runs_ends_with_the_erasure_and_everybody_who_has_something_of_it_is_told(service: Service) -> None:
    offered = await service.submit(a_telling_referral())
    taken = await service.submit(a_telling_referral())
    waiting = await service.submit(
        a_referral(case={"types": ["physical"], "perpetrator_in_household": True}, services=[{"type": "mediation"}])
    )
    await service.act(RECEIVER, of(taken)["handoff"]["id"], "accept")

    for one in (offered, taken, waiting):
        await done(service, f"/referrals/{one['id']}/erase")

    states = [of(await service.read(PPU, f"/referrals/{one['id']}"))["state"] for one in (offered, taken, waiting)]
    assert states == ["cancelled", "cancelled", "cancelled"]
    told = [type_ for type_, _ in await service.news(RECEIVER)]
    assert told.count("referral.erased") == 2
    assert {"handoff.withdrawn", "handoff.cancelled"} <= set(told)
    assert not await rows(service, "SELECT 1 FROM clocks")


async def test_an_emergency_is_not_erased_under_the_hands_of_those_who_help(service: Service) -> None:
    referral = await service.submit(a_telling_referral(urgency="emergency"))

    refused = await ask(service, "POST", f"/referrals/{referral['id']}/erase")
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/cancel")
    erased = await ask(service, "POST", f"/referrals/{referral['id']}/erase")

    assert (refused.status_code, refused.json()["code"]) == (409, "emergency_running")
    assert erased.status_code == 200


async def test_whoever_erases_twice_has_erased_once(service: Service, ledger: Path) -> None:
    referral = await a_finished_case(service)

    first, second = await asyncio.gather(
        ask(service, "POST", f"/referrals/{referral['id']}/erase"),
        ask(service, "POST", f"/referrals/{referral['id']}/erase"),
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["erased_at"] == second.json()["erased_at"]
    assert len(lines_of(ledger)) == 1
    assert (await actions(service, referral["id"])).count("rights.erase") == 1


@pytest.mark.parametrize("what", ["accept", "amend", "read"])
async def test_whoever_is_at_work_while_a_case_is_erased_was_before_it_or_after_it(service: Service, what: str) -> None:
    async def act(referral: dict[str, Any]) -> int:
        if what == "accept":
            return (await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept", note=CANARY)).status_code
        if what == "read":
            return (await service.call(RECEIVER, "GET", f"/handoffs/{of(referral)['handoff']['id']}")).status_code
        changed = {"narrative": f"{CANARY} lagi", "victim": {"age": 44}}
        path = f"/referrals/{referral['id']}/amend"
        return (await service.call(PPU, "POST", path, json=changed, headers={"If-Match": "*"})).status_code

    for _ in range(8):
        referral = await service.submit(a_telling_referral())
        other, erased = await asyncio.gather(act(referral), ask(service, "POST", f"/referrals/{referral['id']}/erase"))

        assert erased.status_code == 200, erased.text
        assert other in {200, 410}
        assert not await rows(service, "SELECT 1 FROM sealed_fields WHERE referral_id = :id", id=referral["id"])
        bodies = await rows(service, "SELECT body FROM facts WHERE referral_id = :id", id=referral["id"])
        assert all(row.body["victim"]["age"] == 25 for row in bodies)
        assert (await service.read(PPU, f"/referrals/{referral['id']}"))["state"] == "cancelled"


@pytest.mark.parametrize(
    ("agency", "roles", "status"),
    [
        (PPU, (OFFICER,), 200),
        (PPU, (Role.SENDER, Role.COORDINATOR, Role.RECEIVER, Role.OPERATOR), 403),
        (RECEIVER, (OFFICER,), 404),
        (KUKAR, (OFFICER, Role.COORDINATOR), 404),
        ("dinsos-kukar", (OFFICER,), 404),
        ("kemenpppa-sapa129", (OFFICER, Role.OPERATOR), 200),
    ],
)
async def test_the_officer_of_who_sent_or_holds_a_case_erases_it_or_one_of_the_operator(
    service: Service, agency: str, roles: tuple[Role, ...], status: int
) -> None:
    referral = await a_finished_case(service)

    answer = await ask(service, "POST", f"/referrals/{referral['id']}/erase", agency, roles)

    assert answer.status_code == status, answer.text
    assert bool(await rows(service, "SELECT 1 FROM referrals WHERE erased_at IS NOT NULL")) is (status == 200)


async def test_an_operator_s_officer_whose_agency_is_named_in_the_case_finds_none(service: Service) -> None:
    named = "kemenpppa-sapa129"
    referral = await a_finished_case(service, conflicts=[named])

    answer = await ask(service, "POST", f"/referrals/{referral['id']}/erase", named, (OFFICER, Role.OPERATOR))

    assert answer.status_code == 404


async def test_a_month_that_is_drawn_after_an_erasure_still_counts_the_case_by_group_and_regency(
    service: Service,
) -> None:
    referral = await a_finished_case(service)
    await done(service, f"/referrals/{referral['id']}/erase")

    async with service.sessions.begin() as tx:
        counted = [one async for one in statistics.referrals_of(tx, Month.of(service.clock()))]

    assert len(counted) == 1
    assert counted[0].facts["victim"]["age"] == 25


async def test_an_erased_case_is_out_of_simulations(service: Service) -> None:
    kept, erased = await a_finished_case(service), await a_finished_case(service)
    await done(service, f"/referrals/{erased['id']}/erase")

    async with service.sessions.begin() as tx:
        counted = await past_decisions.count(tx, Period())
        found = [one.id async for one in past_decisions.of_period(tx, Period(), after=None, limit=10)]
    assert (counted, [str(one) for one in found]) == (1, [of(kept)["decision"]["id"]])


async def test_an_amended_case_is_coarse_in_every_version_of_its_facts(service: Service) -> None:
    referral = await service.submit(a_telling_referral())
    await amend(service, referral["id"], victim={"age": 44})

    await done(service, f"/referrals/{referral['id']}/erase")

    bodies = await rows(service, "SELECT body FROM facts WHERE referral_id = :id", id=referral["id"])
    assert [row.body["victim"] for row in bodies] == [{"age": 25, "sex": None}] * 2


async def test_an_erasure_leaves_an_entry_that_says_who_and_why_and_nothing_of_the_person(service: Service) -> None:
    referral = await a_finished_case(service)

    await done(service, f"/referrals/{referral['id']}/erase")

    (entry,) = await rows(service, "SELECT * FROM audit WHERE action = 'rights.erase'")
    assert (entry.agency_code, entry.roles, entry.purpose) == (PPU, ["protection_officer"], "give_rights")
    assert (entry.basis, entry.fields) == ("request", None)


async def test_a_ledger_that_cannot_be_written_erases_nothing(service: Service, ledger: Path) -> None:
    referral = await a_finished_case(service)
    spoil(ledger)

    refused = await ask(service, "POST", f"/referrals/{referral['id']}/erase")

    assert (refused.status_code, refused.json()["code"]) == (503, "ledger_unavailable")
    async with service.sessions.begin() as tx:
        assert await personal_data.unseal(tx, service.key_ring, UUID(referral["id"]), ["victim.name"])
        assert await tx.scalar(text("SELECT erased_at FROM referrals")) is None


async def test_the_ledger_holds_ids_and_a_digest_and_nothing_else(service: Service, ledger: Path) -> None:
    referral = await a_finished_case(service)

    await done(service, f"/referrals/{referral['id']}/erase")

    (said,) = lines_of(ledger)
    assert set(said) == {"event", "erasure_id", "referral_id", "at", "cause", "digest"}
    assert (said["event"], said["referral_id"], said["cause"]) == ("erasure", referral["id"], "request")
