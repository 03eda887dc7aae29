"""Whoever has taken a handoff says that a duty of it is kept: it is noted with its time, and nobody is reminded."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.storage.tables import clocks
from tests.workflows.conftest import KUKAR, PPU, Service
from tests.workflows.test_duties import HOUR, submitted, told_of_duties

DUTY = {"document": "baseline-national", "clause": "report-sexual-violence"}
RECEIVED, OVERDUE = "2025-03-04T01:00:00Z", "2025-03-07T01:00:00Z"


async def keep(service: Service, agency: str, handoff_id: str, **changes: Any) -> tuple[int, str | None]:
    answer = await service.call(agency, "POST", f"/handoffs/{handoff_id}/keep-duty", json=DUTY | changes)
    return answer.status_code, answer.json().get("code")


async def noted(service: Service, agency: str, handoff_id: str) -> tuple[str | None, str | None]:
    """Give when the duty was kept, and when its time ran out."""
    [duty] = (await service.read(agency, f"/handoffs/{handoff_id}"))["duties"]
    return duty["kept_at"], duty["passed_at"]


async def test_a_duty_that_was_kept_is_neither_reminded_of_nor_reported(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")

    kept = await keep(service, receiver, handoff_id)
    await service.after(80 * HOUR)

    assert kept == (200, None)
    assert await told_of_duties(service, receiver) == await told_of_duties(service, KUKAR) == []
    assert await noted(service, receiver, handoff_id) == (RECEIVED, None)


async def test_a_duty_that_passed_carries_when_and_may_still_be_kept_late(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await service.after(72 * HOUR)
    passed = await noted(service, receiver, handoff_id)

    await service.after(HOUR)
    await keep(service, receiver, handoff_id)

    assert passed == (None, OVERDUE)
    assert await noted(service, receiver, handoff_id) == ("2025-03-07T02:00:00Z", OVERDUE)


async def test_a_duty_is_late_also_where_no_worker_has_seen_it_pass_yet(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    service.clock.advance(73 * HOUR)

    await keep(service, receiver, handoff_id)

    assert await noted(service, receiver, handoff_id) == ("2025-03-07T02:00:00Z", OVERDUE)


async def test_a_handoff_that_ends_after_its_duty_passed_says_so_though_no_worker_has_seen_it(
    service: Service,
) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    service.clock.advance(73 * HOUR)

    await service.act(receiver, handoff_id, "complete", outcome="service_given")

    assert await noted(service, receiver, handoff_id) == (None, OVERDUE)


async def test_time_that_an_outage_gave_back_makes_no_duty_late(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    async with service.sessions.begin() as tx:
        await tx.execute(update(clocks).values(due_at=clocks.c.due_at + timedelta(hours=4)))
    service.clock.advance(73 * HOUR)

    await keep(service, receiver, handoff_id)

    assert await noted(service, receiver, handoff_id) == ("2025-03-07T02:00:00Z", None)


async def test_said_again_the_first_time_stays(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")
    await keep(service, receiver, handoff_id)
    service.clock.advance(HOUR)

    again = await keep(service, receiver, handoff_id)

    assert again == (200, None)
    assert await noted(service, receiver, handoff_id) == (RECEIVED, None)


async def test_only_who_has_taken_a_handoff_keeps_its_duties_and_only_while_it_lasts(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)
    offered = await keep(service, receiver, handoff_id)
    await service.act(receiver, handoff_id, "accept")
    sender = await keep(service, PPU, handoff_id)
    stranger = await keep(service, "lpsk", handoff_id)
    await service.act(receiver, handoff_id, "complete", outcome="service_given")
    ended = await keep(service, receiver, handoff_id)

    assert offered == sender == ended == (409, "duty_not_owed")
    assert stranger == (404, "not_found")
    assert await noted(service, receiver, handoff_id) == (None, None)


@pytest.mark.parametrize("changes", [{"clause": "another"}, {"document": "pks-kukar-ppu-2024"}])
async def test_a_duty_that_the_handoff_does_not_carry_is_named_and_changes_nothing(
    service: Service, changes: dict[str, str]
) -> None:
    _, handoff_id, receiver = await submitted(service)
    await service.act(receiver, handoff_id, "accept")

    answer = await service.call(receiver, "POST", f"/handoffs/{handoff_id}/keep-duty", json=DUTY | changes)

    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("/clause", "unknown_duty")]
    assert await noted(service, receiver, handoff_id) == (None, None)


async def test_a_duty_names_the_version_of_the_document_that_lays_it_on_the_handoff(service: Service) -> None:
    _, handoff_id, receiver = await submitted(service)

    [duty] = (await service.read(receiver, f"/handoffs/{handoff_id}"))["duties"]

    assert (duty["document"], duty["version"]) == ("baseline-national", 1)
