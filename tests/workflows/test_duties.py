"""Duties that a document lays on a handoff: reminded of, reported when they pass, never enforced."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.storage.tables import clocks
from tests.workflows.conftest import KALTIM, KUKAR, PPU, Service, a_referral, amend, of

HOUR = timedelta(hours=1)


def of_sexual_violence(**changes: Any) -> dict[str, Any]:
    """Something whose receiver must report to the police within 72 hours."""
    usual = {"urgency": "urgent", "case": {"types": ["sexual"]}, "services": [{"type": "case_management"}]}
    return a_referral(**usual | changes)


async def submitted(service: Service, **changes: Any) -> tuple[dict[str, Any], str, str]:
    """Hand in such a referral, and give it with its handoff and the agency that has it."""
    referral = await service.submit(of_sexual_violence(**changes))
    handoff = of(referral)["handoff"]
    return referral, handoff["id"], handoff["agency"]


async def told_of_duties(service: Service, agency: str) -> list[dict[str, Any]]:
    """List what an agency was told of duties."""
    return [data for _, data in await service.news(agency) if {"duty", "duty_overdue"} & set(data.get("because", ()))]


async def test_whoever_took_a_handoff_is_reminded_of_its_duty_at_half_of_the_time_left(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.after(12 * HOUR)
    await service.act(receiver, handoff_id, "accept")

    await service.after(29 * HOUR)
    before = await told_of_duties(service, receiver)
    await service.after(HOUR)

    [reminder] = await told_of_duties(service, receiver)
    assert before == []
    assert (reminder["because"], reminder["duty"]) == (["duty"], "report_to_police")
    assert reminder["due_at"] == "2025-03-07T01:00:00+00:00"
    assert reminder["handoff_id"] == handoff_id


async def test_a_duty_that_passes_while_the_handoff_is_not_final_is_reported_to_its_coordinator(
    service: Service,
) -> None:
    referral, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await service.act(receiver, handoff_id, "start")

    await service.after(72 * HOUR)

    [overdue] = await told_of_duties(service, KUKAR)
    assert overdue["because"] == ["duty_overdue"]
    assert (overdue["duty"], overdue["document"]) == ("report_to_police", "baseline-national")
    assert overdue["clause"] == "report-sexual-violence"
    assert (overdue["handoff_id"], overdue["service_request_id"]) == (handoff_id, of(referral)["id"])
    assert (await service.read(receiver, f"/handoffs/{handoff_id}"))["state"] == "in_progress"


async def test_holding_starting_and_resuming_stop_no_clock_of_a_duty(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await service.act(receiver, handoff_id, "start")
    await service.act(receiver, handoff_id, "hold", review_on="2025-04-10")
    await service.after(36 * HOUR)
    await service.act(receiver, handoff_id, "resume")

    await service.after(36 * HOUR)

    assert [data["because"] for data in await told_of_duties(service, receiver)] == [["duty"]]
    assert [data["because"] for data in await told_of_duties(service, KUKAR)] == [["duty_overdue"]]


async def test_a_handoff_that_has_ended_is_not_reminded_of_its_duties(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await service.act(receiver, handoff_id, "complete", outcome="service_given")

    await service.after(timedelta(days=30))

    assert await told_of_duties(service, receiver) == await told_of_duties(service, KUKAR) == []
    async with service.sessions.begin() as tx:
        assert (await tx.scalars(select(clocks.c.kind))).all() == []


async def test_an_offer_that_nobody_took_is_reported_and_nobody_is_reminded(service: Service) -> None:
    _, _, receiver = await submitted(service, urgency="standard")

    await service.after(72 * HOUR)

    assert await told_of_duties(service, receiver) == []
    assert [data["because"] for data in await told_of_duties(service, KUKAR)] == [["duty_overdue"]]


async def test_the_next_agency_carries_the_duty_with_the_time_that_is_left(service: Service) -> None:
    referral, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await service.after(24 * HOUR)
    await service.act(receiver, handoff_id, "hand-back", reason="no_capacity")
    again = of(await service.read(PPU, f"/referrals/{referral['id']}"))["handoff"]
    await service.act(again["agency"], again["id"], "accept")

    await service.after(24 * HOUR)

    assert again["agency"] != receiver
    assert await told_of_duties(service, receiver) == []
    [reminder] = await told_of_duties(service, again["agency"])
    assert (reminder["handoff_id"], reminder["due_at"]) == (again["id"], "2025-03-07T01:00:00+00:00")


async def test_an_agency_in_conflict_is_not_reminded_of_the_duty_it_had_and_its_coordinator_hears_of_it(
    service: Service,
) -> None:
    referral, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await amend(service, referral["id"], conflicts=[receiver])

    await service.after(72 * HOUR)

    assert await told_of_duties(service, receiver) == []
    assert [data["because"] for data in await told_of_duties(service, KALTIM)] == [["duty_overdue"]]


async def test_an_offer_that_is_taken_late_carries_its_duties_again(service: Service) -> None:
    referral, handoff_id, receiver = await submitted(service)
    await service.after(24 * HOUR)
    while (request := of(await service.read(PPU, f"/referrals/{referral['id']}")))["state"] == "offered":
        other = request["handoff"]
        await service.act(other["agency"], other["id"], "decline", reason="no_capacity")
    await service.act(receiver, handoff_id, "accept")

    await service.after(48 * HOUR)

    assert [data["handoff_id"] for data in await told_of_duties(service, receiver)] == [handoff_id]
    assert [data["handoff_id"] for data in await told_of_duties(service, KUKAR)] == [handoff_id]
