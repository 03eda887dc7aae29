"""What was kept for long enough is erased by itself, in portions; what runs, is held or restricted is not."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.domain.handoff import ReferralState, RequestState
from app.domain.months import months_later
from app.domain.retention import (
    KEPT_MONTHS,
    CaseClass,
    Ended,
    Retention,
    RetentionInvalid,
    kept_as,
    read_retention,
)
from app.domain.rights import UnderLegalHold
from app.workflows.keep_retention import Worker, keep_retention
from tests.rights.officers import PPU, RECEIVER, a_finished_case, a_telling_referral, ask, done, lines_of, rows, spoil
from tests.workflows.conftest import Service, of

YEARS = timedelta(days=366)


def a_worker(service: Service, **months: int | None) -> Worker:
    """A worker of an operator who keeps cases of adults so long after they ended so."""
    said = {(CaseClass.ADULT, Ended(ended)): kept for ended, kept in months.items()}
    terms = replace(service.terms, retention=Retention({**KEPT_MONTHS, **said}))
    return Worker(service.sessions, service.keeper, service.key_ring, terms, service.clock)


async def erased(service: Service) -> set[str]:
    found = await rows(service, "SELECT id::text FROM referrals WHERE erased_at IS NOT NULL")
    return {row.id for row in found}


async def test_a_case_is_erased_when_the_months_after_its_end_are_over_and_no_sooner(
    service: Service, ledger: Path
) -> None:
    referral = await a_finished_case(service)
    until = datetime.fromisoformat(
        (await ask(service, "GET", f"/referrals/{referral['id']}/rights")).json()["kept_until"]
    )

    service.clock.advance(until - service.clock() - timedelta(minutes=1))
    before = await keep_retention(a_worker(service))
    service.clock.advance(timedelta(minutes=1))
    after = await keep_retention(a_worker(service))

    assert (before, after) == (0, 1)
    (line,) = lines_of(ledger)
    assert (line["referral_id"], line["cause"]) == (referral["id"], "retention")
    (entry,) = await rows(service, "SELECT * FROM audit WHERE action = 'rights.erase'")
    assert (entry.agency_code, entry.basis) == (None, "retention")


async def test_what_runs_is_restricted_or_under_legal_hold_is_kept_however_old_it_is(service: Service) -> None:
    running = await service.submit(a_telling_referral())
    restricted, held, due = [await a_finished_case(service) for _ in range(3)]
    await done(service, f"/referrals/{restricted['id']}/restrict", reason="person_asked")
    hold = await done(service, f"/referrals/{held['id']}/legal-holds", reason="court_proceedings")
    service.clock.advance(20 * YEARS)

    assert await keep_retention(a_worker(service)) == 1
    assert await erased(service) == {due["id"]}

    await done(service, f"/legal-holds/{hold['id']}/lift", reason="ended")
    await keep_retention(a_worker(service))
    assert await erased(service) == {due["id"], held["id"]}
    assert running["id"] not in await erased(service)


async def test_each_ending_is_kept_for_its_own_time(service: Service) -> None:
    served = await a_finished_case(service)
    cancelled, mistaken, unserved = [await service.submit(a_telling_referral()) for _ in range(3)]
    await service.call(PPU, "POST", f"/referrals/{cancelled['id']}/cancel")
    await service.call(PPU, "POST", f"/referrals/{mistaken['id']}/void")
    handoff_id = of(unserved)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "complete", outcome="victim_declined")
    kept = {row.id: row.kept_as for row in await rows(service, "SELECT id::text, kept_as FROM referrals")}
    order = []

    for months in (4, 25, 61, 121):
        service.clock.advance(months_later(service.clock(), months) - service.clock())
        await keep_retention(a_worker(service))
        order.append(await erased(service))

    assert kept == {
        served["id"]: "adult.served",
        cancelled["id"]: "adult.cancelled",
        mistaken["id"]: "adult.entered_in_error",
        unserved["id"]: "adult.unserved",
    }
    assert order[0] == {mistaken["id"]}
    assert order[1] == {mistaken["id"], cancelled["id"]}
    assert order[2] == {mistaken["id"], cancelled["id"], unserved["id"]}
    assert order[3] == set(kept)


async def test_a_case_that_is_taken_up_again_has_not_ended(service: Service) -> None:
    referral = await service.submit(a_telling_referral())
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/cancel")

    (ended,) = await rows(service, "SELECT ended_at, kept_as FROM referrals")
    await rows(service, "UPDATE service_requests SET state = 'needs_coordinator' RETURNING 1")
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")
    (running,) = await rows(service, "SELECT ended_at, kept_as FROM referrals")

    assert (ended.ended_at, ended.kept_as) == (service.clock(), "adult.cancelled")
    assert (running.ended_at, running.kept_as) == (None, None)


async def test_what_is_due_goes_in_portions_and_in_order(service: Service, ledger: Path) -> None:
    due = [(await a_finished_case(service))["id"] for _ in range(5)]
    service.clock.advance(20 * YEARS)

    assert await keep_retention(a_worker(service), portion=2) == 5
    assert [line["referral_id"] for line in lines_of(ledger)] == due


async def test_several_workers_at_once_erase_each_case_once(service: Service, ledger: Path) -> None:
    due = {(await a_finished_case(service))["id"] for _ in range(6)}
    service.clock.advance(20 * YEARS)

    counts = await asyncio.gather(*(keep_retention(a_worker(service), portion=4) for _ in range(3)))
    await keep_retention(a_worker(service))

    assert sum(counts) <= len(due)
    assert sorted(line["referral_id"] for line in lines_of(ledger)) == sorted(due)
    assert await erased(service) == due


async def test_a_hold_that_is_set_while_a_case_is_erased_was_before_it_or_after_it(service: Service) -> None:
    for _ in range(6):
        referral = await a_finished_case(service)

        held, gone = await asyncio.gather(
            ask(service, "POST", f"/referrals/{referral['id']}/legal-holds", json={"reason": "complaint"}),
            ask(service, "POST", f"/referrals/{referral['id']}/erase"),
        )

        assert (held.status_code, gone.status_code) in {(201, 409), (410, 200)}


async def test_what_cannot_be_erased_is_an_alert_and_keeps_no_other_from_it(service: Service) -> None:
    broken, whole = await a_finished_case(service), await a_finished_case(service)
    await rows(service, "UPDATE facts SET body = '{}' WHERE referral_id = :id RETURNING 1", id=broken["id"])
    service.clock.advance(20 * YEARS)

    with capture_logs() as lines:
        count = await keep_retention(a_worker(service))

    assert (count, await erased(service)) == (1, {whole["id"]})
    (said,) = [line for line in lines if line["event"] == "retention_failed"]
    assert (said["log_level"], said["referral_id"]) == ("error", broken["id"])


async def test_without_a_ledger_that_can_be_written_time_erases_nothing_either(service: Service, ledger: Path) -> None:
    await a_finished_case(service)
    spoil(ledger)
    service.clock.advance(20 * YEARS)

    assert await keep_retention(a_worker(service)) == 0
    assert await erased(service) == set()


async def test_an_operator_may_keep_for_ever(service: Service) -> None:
    await a_finished_case(service)
    service.clock.advance(60 * YEARS)

    assert await keep_retention(a_worker(service, served=None)) == 0


async def test_a_hold_keeps_a_case_from_being_erased_on_request_and_says_by_whom_it_was_set_and_lifted(
    service: Service,
) -> None:
    referral = await a_finished_case(service)
    first = await done(service, f"/referrals/{referral['id']}/legal-holds", reason="police_investigation")
    second = await done(service, f"/referrals/{referral['id']}/legal-holds", reason="complaint")

    await done(service, f"/legal-holds/{first['id']}/lift", reason="ended")
    refused = await ask(service, "POST", f"/referrals/{referral['id']}/erase")
    twice = await ask(service, "POST", f"/legal-holds/{first['id']}/lift", json={"reason": "ended"})
    lifted = await done(service, f"/legal-holds/{second['id']}/lift", reason="set_in_error")
    stands = await done(service, f"/referrals/{referral['id']}/erase")

    assert (refused.status_code, refused.json()["code"]) == (409, UnderLegalHold.code)
    assert (twice.status_code, twice.json()["code"]) == (409, "hold_lifted")
    assert (lifted["set_by"], lifted["lifted_by"], lifted["lifted_because"]) == (PPU, PPU, "set_in_error")
    assert [one["reason"] for one in stands["legal_holds"]] == ["police_investigation", "complaint"]
    entries = await rows(service, "SELECT subject_id FROM audit WHERE action = 'rights.lift_hold' ORDER BY id")
    assert [row.subject_id for row in entries] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    ("age", "types", "state", "requests", "named"),
    [
        (31, ["physical"], ReferralState.CLOSED, [RequestState.FULFILLED, RequestState.UNMET], "adult.served"),
        (31, ["trafficking"], ReferralState.CLOSED, [RequestState.UNMET], "trafficking.unserved"),
        (17, ["trafficking"], ReferralState.CANCELLED, [RequestState.CANCELLED], "child.cancelled"),
        (None, ["physical"], ReferralState.CLOSED, [RequestState.FULFILLED], "child.served"),
        (31, ["physical"], ReferralState.ENTERED_IN_ERROR, [RequestState.FULFILLED], "adult.entered_in_error"),
    ],
)
def test_a_case_is_kept_by_what_kind_it_is_and_how_it_ended(
    age: int | None, types: list[str], state: ReferralState, requests: list[RequestState], named: str
) -> None:
    assert kept_as(age=age, case_types=types, state=state, requests=requests) == named


def test_an_operator_s_document_says_what_differs_and_the_rest_stays() -> None:
    read = read_retention({"adult": {"served": 6, "cancelled": "forever"}})

    assert read.months[CaseClass.ADULT, Ended.SERVED] == 6
    assert read.months[CaseClass.ADULT, Ended.CANCELLED] is None
    assert read.months[CaseClass.CHILD, Ended.SERVED] == KEPT_MONTHS[CaseClass.CHILD, Ended.SERVED]


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"adults": {}},
        {"adult": 3},
        {"adult": {"gone": 3}},
        *({"adult": {"served": n}} for n in (0, -1, 1201, True, "6")),
    ],
)
def test_a_document_that_cannot_be_meant_is_refused(said: object) -> None:
    with pytest.raises(RetentionInvalid):
        read_retention(said)


def test_months_later_is_by_the_calendar_and_stays_in_its_month() -> None:
    moment = datetime(2024, 1, 31, 10, tzinfo=UTC)

    assert months_later(moment, 1) == datetime(2024, 2, 29, 10, tzinfo=UTC)
    assert months_later(moment, -2) == datetime(2023, 11, 30, 10, tzinfo=UTC)
    assert months_later(moment, 12) == datetime(2025, 1, 31, 10, tzinfo=UTC)
    assert months_later(moment, -50_000).year == 1
