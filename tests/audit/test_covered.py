"""Every look and every change leaves its entry: who, as what, what for, which fields, with what result."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.domain.audit_story import ACTIONS
from app.domain.handoff import HandoffEvent
from app.domain.purposes import Purpose, purpose_of
from app.domain.referral import ClockKind
from app.storage.tables import audit
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, of, service

__all__ = ["service"]


async def last(service: Service) -> Any:
    async with service.sessions() as session:
        rows = (await session.execute(select(audit).order_by(audit.c.xact, audit.c.id))).all()
    return rows[-1]


async def test_a_sender_s_referral_says_as_what_and_which_fields(service: Service) -> None:
    answer = await service.call(PPU, "POST", "/referrals", json=a_referral())

    async with service.sessions() as session:
        entry = (await session.execute(select(audit).where(audit.c.action == "referral.submit"))).one()
    assert (entry.agency_code, entry.roles, entry.purpose, entry.result) == (PPU, ["sender"], "refer", "done")
    assert {"victim.name", "sender_reference"} <= set(entry.fields)
    assert entry.request_id == answer.headers["x-request-id"]
    assert entry.key_id is not None


async def test_a_receiver_looks_first_to_decide_and_then_to_serve(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]

    await service.read(RECEIVER, f"/handoffs/{handoff_id}")
    deciding = await last(service)
    await service.act(RECEIVER, handoff_id, "accept")
    await service.read(RECEIVER, f"/handoffs/{handoff_id}")
    serving = await last(service)

    assert (deciding.action, deciding.purpose, deciding.basis) == ("handoff.read", "decide", "consent")
    assert "victim.name" not in deciding.fields
    assert (serving.purpose, serving.result) == ("serve", "done")
    assert "victim.name" in serving.fields


async def test_an_emergency_without_consent_says_on_what_ground_it_was_seen(service: Service) -> None:
    body = a_referral(urgency="emergency", consent={"basis": "none"})
    handoff_id = of(await service.submit(body))["handoff"]["id"]

    await service.read(RECEIVER, f"/handoffs/{handoff_id}")

    assert (await last(service)).basis == "vital_interest"


async def test_a_look_that_shows_nothing_any_more_is_recorded_as_one(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "decline", reason="no_capacity")

    await service.read(RECEIVER, f"/handoffs/{handoff_id}")

    entry = await last(service)
    assert (entry.action, entry.result, entry.fields) == ("handoff.read", "withheld", None)


async def test_a_sender_s_look_at_a_handoff_is_recorded(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]

    await service.read(PPU, f"/handoffs/{handoff_id}")

    entry = await last(service)
    assert (entry.agency_code, entry.action, entry.purpose) == (PPU, "handoff.read", "refer")


@pytest.mark.parametrize("there", [True, False])
async def test_a_look_at_what_is_not_theirs_is_recorded_as_one_at_what_is_not_there(
    service: Service, *, there: bool
) -> None:
    referral = await service.submit()
    id_ = referral["id"] if there else str(uuid4())

    answer = await service.call("dinsos-kukar", "GET", f"/referrals/{id_}")

    entry = await last(service)
    assert answer.status_code == 404
    assert (entry.agency_code, entry.subject, entry.subject_id) == ("dinsos-kukar", "referral", id_)
    assert (entry.result, entry.referral_id, entry.fields) == ("not_found", None, None)
    assert entry.request_id == answer.headers["x-request-id"]


async def test_what_a_caller_wrote_in_place_of_an_id_is_not_kept(service: Service) -> None:
    await service.call(PPU, "PUT", "/agencies/siti-aminah/services/legal_service", json={})
    await service.call(PPU, "GET", "/agencies/siti-aminah")

    async with service.sessions() as session:
        rows = (await session.execute(select(audit))).all()
    assert "siti-aminah" not in repr(rows)


async def test_nobody_without_a_key_fills_the_audit(service: Service) -> None:
    before = await last(service)

    answer = await service.call(PPU, "GET", f"/referrals/{uuid4()}", headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 401
    assert (await last(service)).id == before.id


async def test_a_change_that_was_refused_leaves_no_entry_of_a_change(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]

    refused = await service.act(KUKAR, handoff_id, "accept")

    assert refused.status_code in {403, 404, 409}
    async with service.sessions() as session:
        actions = (await session.scalars(select(audit.c.action))).all()
    assert "handoff.accept" not in actions


async def test_an_answer_that_is_given_again_is_recorded(service: Service) -> None:
    body, key = a_referral(), {"Idempotency-Key": "once"}
    await service.call(PPU, "POST", "/referrals", json=body, headers=key)

    await service.call(PPU, "POST", "/referrals", json=body, headers=key)

    entry = await last(service)
    assert (entry.action, entry.subject, entry.subject_id) == ("answer.repeat", "route", "/v1/referrals")


async def test_a_note_names_its_field_and_not_what_it_says(service: Service) -> None:
    handoff_id = of(await service.submit())["handoff"]["id"]

    await service.act(RECEIVER, handoff_id, "decline", reason="no_capacity", note="rahasia sekali")

    async with service.sessions() as session:
        entry = (await session.execute(select(audit).where(audit.c.action == "handoff.decline"))).one()
    handoff = await service.read(PPU, f"/handoffs/{handoff_id}")
    assert entry.fields == [f"handoff.{handoff_id}.{handoff['sequence']}.decline_note"]


async def test_what_is_done_with_an_endpoint_names_its_request(service: Service) -> None:
    answer = await service.call(PPU, "POST", "/endpoints", json={"url": "https://example.org/hook"})

    async with service.sessions() as session:
        entry = (await session.execute(select(audit).where(audit.c.action == "endpoint.register"))).one()
    assert (entry.agency_code, entry.purpose) == (PPU, "notify")
    assert entry.request_id == answer.headers["x-request-id"]


def test_every_move_and_every_clock_has_words_and_a_purpose() -> None:
    said = {f"handoff.{event.value}" for event in HandoffEvent} | {f"clock.{kind.value}" for kind in ClockKind}

    assert said <= set(ACTIONS)
    assert all(purpose_of(action) in set(Purpose) for action in ACTIONS)
