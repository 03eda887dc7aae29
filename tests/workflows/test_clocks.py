# ruff: noqa: S608
"""Nothing waits unseen: what happens when nobody acts in time."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update

from app.storage import clocks
from app.storage.sealing import KeyRing
from app.storage.tables import clocks as clock_rows
from app.storage.tables import endpoints
from app.storage.tables import handoffs as handoff_rows
from app.workflows.credit_outage import credit_outage
from app.workflows.run_clocks import run_due_clocks
from tests.workflows.conftest import RECEIVER, Service, a_referral, of

KUKAR, PPU, EAST_KALIMANTAN = "dp3a-kukar", "dp3ap2kb-ppu", "uptd-ppa-kaltim"
REAL = datetime(2026, 1, 5, tzinfo=UTC)


def a_mediation_of_violence_under_one_roof() -> dict[str, object]:
    """Something that every rule denies, so that it waits for a coordinator."""
    return a_referral(case={"types": ["physical"], "perpetrator_in_household": True}, services=[{"type": "mediation"}])


async def test_half_of_the_respond_time_is_reminded_of(service: Service) -> None:
    await service.submit(a_referral(urgency="urgent"))

    await service.after(timedelta(hours=12))

    assert [type_ for type_, _ in await service.news("uptd-ppa-ppu")] == ["handoff.offered", "handoff.reminder"]


async def test_what_waits_for_a_coordinator_reaches_the_next_wider_one_when_nobody_takes_notice(
    service: Service,
) -> None:
    body = a_mediation_of_violence_under_one_roof() | {"urgency": "urgent"}
    referral = await service.submit(body)

    await service.after(timedelta(hours=4))

    [overdue] = [data for type_, data in await service.news(EAST_KALIMANTAN) if type_ == "service_request.overdue"]
    assert overdue["because"] == ["unacknowledged"]
    [request] = (await service.read(EAST_KALIMANTAN, f"/referrals/{referral['id']}"))["service_requests"]
    assert request["coordinators"] == [KUKAR, EAST_KALIMANTAN]


async def test_an_acknowledged_request_calls_nobody_wider(service: Service) -> None:
    referral = await service.submit(a_mediation_of_violence_under_one_roof() | {"urgency": "urgent"})
    request_id = referral["service_requests"][0]["id"]

    await service.call(KUKAR, "POST", f"/service-requests/{request_id}/acknowledge")
    await service.after(timedelta(days=30))

    assert await service.news(EAST_KALIMANTAN) == []


async def test_an_emergency_tells_its_coordinator_with_the_offer_and_again_if_it_is_not_delivered(
    service: Service,
) -> None:
    await service.submit(a_referral(urgency="emergency", services=[{"type": "health_service"}]))

    await service.after(timedelta(minutes=5))

    told = await service.news(KUKAR)
    assert [(type_, data.get("because")) for type_, data in told] == [
        ("handoff.offered", ["emergency", "receiver_has_no_working_endpoint"]),
        ("service_request.overdue", ["offer_undelivered"]),
    ]


async def test_work_that_does_not_start_is_reminded_of_and_then_shown_to_the_coordinator(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")

    await service.after(timedelta(hours=24))
    await service.after(timedelta(hours=4))

    assert [type_ for type_, _ in await service.news("uptd-ppa-ppu")] == ["handoff.offered", "handoff.reminder"]
    assert ("service_request.overdue", ["start_overdue"]) in [
        (type_, data.get("because")) for type_, data in await service.news(KUKAR)
    ]


async def test_a_held_handoff_is_reminded_of_when_its_review_day_has_passed(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")
    await service.act("uptd-ppa-ppu", handoff_id, "start")

    held = await service.act("uptd-ppa-ppu", handoff_id, "hold", review_on="2025-03-10")
    await service.after(timedelta(days=7))

    assert held.json()["review_on"] == "2025-03-10T16:00:00Z"
    assert (await service.news("uptd-ppa-ppu"))[-1][0] == "handoff.reminder"


async def test_a_cancellation_that_nobody_confirms_lapses_after_two_working_days(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")
    asked = await service.act(PPU, handoff_id, "request-cancel", reason="no_longer_needed")

    await service.after(timedelta(days=2, hours=15))

    assert asked.json()["cancel_by"] == "2025-03-06T16:00:00Z"
    assert (await service.read(PPU, f"/handoffs/{handoff_id}"))["state"] == "cancelled"
    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["state"] == "cancelled"


async def test_an_offer_that_expired_may_still_be_taken_while_a_person_is_waited_for(service: Service) -> None:
    referral = await service.submit(
        a_referral(urgency="urgent", services=[{"type": "witness_protection"}], locations={"current": "64.09.01"})
    )
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.after(timedelta(hours=24))

    late = await service.act("lpsk", handoff_id, "accept")

    assert late.status_code == 200
    [request] = (await service.read(PPU, f"/referrals/{referral['id']}"))["service_requests"]
    assert (request["state"], request["handoff"]["state"]) == ("accepted", "accepted")


async def test_six_hours_in_which_the_service_was_down_are_added_to_every_running_clock(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))
    before = referral["service_requests"][0]["handoff"]["respond_by"]
    real = datetime.now(UTC)  # noqa: TID251 - an outage is counted in real time, which the database reads for itself
    async with service.sessions.begin() as tx:
        await clocks.beat(tx, real_now=real, api=True, running_clocks=True)

    async with service.sessions.begin() as tx:
        await clocks.beat(tx, real_now=real + timedelta(hours=6), api=True)
        await credit_outage(tx, real_now=real + timedelta(hours=6), outage_after=timedelta(minutes=2))
    await service.after(timedelta(hours=29))

    [request] = (await service.read(PPU, f"/referrals/{referral['id']}"))["service_requests"]
    gained = datetime.fromisoformat(request["handoff"]["respond_by"]) - datetime.fromisoformat(before)
    assert request["handoff"]["state"] == "offered"
    assert timedelta(hours=6) - timedelta(minutes=1) < gained <= timedelta(hours=6)


async def test_no_clock_runs_while_the_api_is_down(service: Service) -> None:
    async with service.sessions.begin() as tx:
        await clocks.beat(tx, real_now=REAL, api=True, running_clocks=True)
        running = await credit_outage(tx, real_now=REAL + timedelta(minutes=3), outage_after=timedelta(minutes=2))

    assert not running


async def test_many_processes_run_each_clock_once(service: Service, key_ring: KeyRing) -> None:
    for _ in range(10):
        await service.submit(a_referral(urgency="urgent"))
    service.clock.advance(timedelta(hours=12))

    ran = await asyncio.gather(
        *(run_due_clocks(service.sessions, service.keeper, key_ring, service.terms, service.clock) for _ in range(8))
    )
    rest = await service.after(timedelta(0))

    reminders = [type_ for type_, _ in await service.news("uptd-ppa-ppu") if type_ == "handoff.reminder"]
    assert sum(ran) + rest == 10
    assert len(reminders) == 10


async def test_an_outage_after_the_clock_was_set_back_is_credited(service: Service) -> None:
    await service.submit(a_referral(urgency="urgent"))
    after = timedelta(minutes=2)
    real = datetime.now(UTC)  # noqa: TID251 - an outage is counted in real time
    async with service.sessions.begin() as tx:
        # The clock stood an hour ahead, was set right, and the workers went on for a while.
        await clocks.beat(tx, real_now=real + timedelta(hours=1), api=True, running_clocks=True)
    for second in range(0, 30, 5):
        async with service.sessions.begin() as tx:
            await clocks.beat(tx, real_now=real + timedelta(seconds=second), api=True)
            await credit_outage(tx, real_now=real + timedelta(seconds=second), outage_after=after)
    async with service.sessions.begin() as tx:
        before = await tx.scalar(select(clock_rows.c.due_at).where(clock_rows.c.kind == "expire_offer"))

    # Fifty minutes in which nothing ran.
    async with service.sessions.begin() as tx:
        await clocks.beat(tx, real_now=real + timedelta(minutes=50), api=True)
        await credit_outage(tx, real_now=real + timedelta(minutes=50), outage_after=after)
        after_it = await tx.scalar(select(clock_rows.c.due_at).where(clock_rows.c.kind == "expire_offer"))
    assert before
    assert after_it
    gained = after_it - before

    assert gained >= timedelta(minutes=49)


async def test_a_clock_that_meets_a_lock_keeps_no_other_from_running(service: Service) -> None:
    await service.call(
        RECEIVER,
        "POST",
        "/endpoints",
        json={"url": "https://receiver.example/hook", "event_types": ["handoff.expired"]},
    )
    async with service.sessions.begin() as tx:
        await tx.execute(update(endpoints).values(state="paused"))
    first = await service.submit(a_referral(urgency="urgent"))
    handoff = first["service_requests"][0]["handoff"]
    assert handoff["agency"] == RECEIVER
    other = await service.submit(a_referral(urgency="urgent"))
    async with service.sessions.begin() as tx:
        await tx.execute(text(f"DELETE FROM clocks WHERE kind <> 'expire_offer' AND referral_id = '{first['id']}'"))
        await tx.execute(text(f"DELETE FROM clocks WHERE kind <> 'remind_of_offer' AND referral_id = '{other['id']}'"))
        await tx.execute(
            text(f"UPDATE clocks SET due_at = due_at - interval '20 days' WHERE referral_id = '{first['id']}'")
        )
    service.clock.advance(timedelta(hours=13))

    async with service.sessions.begin() as person:
        # Somebody's open transaction in psql, on the row of one paused endpoint.
        await person.execute(update(endpoints).values(version=endpoints.c.version + 1))
        for _ in range(2):
            await run_due_clocks(service.sessions, service.keeper, service.key_ring, service.terms, service.clock)
        left = [row.kind for row in await person.execute(select(clock_rows.c.kind))]
        await person.rollback()

    assert "remind_of_offer" not in left, left


async def test_what_an_outage_took_is_given_back_once_however_many_referrals_a_statement_is_about(
    service: Service,
) -> None:
    for _ in range(5):
        await service.submit(a_referral(urgency="urgent"))
    now = datetime.now(UTC)  # noqa: TID251 - clocks are started in real time
    down_from, real_now = now + timedelta(minutes=1), now + timedelta(hours=6, minutes=1)

    async def due() -> dict[UUID, datetime]:
        async with service.sessions.begin() as tx:
            return {row.id: row.due_at for row in await tx.execute(select(clock_rows))}

    before = await due()
    async with service.sessions.begin() as tx:
        moved = await clocks.give_back(tx, down_from=down_from, real_now=real_now, at_once=2)
    after = await due()

    assert moved == len(before) > 5
    assert {after[id_] - before[id_] for id_ in before} == {timedelta(hours=6)}


async def test_a_clock_that_was_started_before_the_databases_was_set_back_runs_no_longer_than_any_other(
    service: Service,
) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))
    first, week = of(referral)["handoff"], timedelta(days=7)
    async with service.sessions.begin() as tx:
        later = {"started_at": clock_rows.c.started_at + week, "due_at": clock_rows.c.due_at + week}
        await tx.execute(update(clock_rows).values(later))
        await tx.execute(update(handoff_rows).values(respond_by=handoff_rows.c.respond_by + week))

    async with service.sessions.begin() as tx:
        taken_back, again = await clocks.start_now(tx), await clocks.start_now(tx)
    [shown] = (await service.read(PPU, f"/referrals/{referral['id']}"))["service_requests"]
    await service.after(timedelta(hours=25))
    [request] = (await service.read(PPU, f"/referrals/{referral['id']}"))["service_requests"]

    assert taken_back > 0 == again
    gained = datetime.fromisoformat(shown["handoff"]["respond_by"]) - datetime.fromisoformat(first["respond_by"])
    assert timedelta(0) <= gained < timedelta(minutes=1)
    assert request["handoff"]["agency"] != first["agency"], "nobody answered, so the next one is asked"


async def test_a_clock_that_was_started_just_now_is_left_alone(service: Service) -> None:
    await service.submit(a_referral(urgency="urgent"))

    async with service.sessions.begin() as tx:
        assert await clocks.start_now(tx) == 0
