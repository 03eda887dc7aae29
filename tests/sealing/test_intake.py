"""What is personal costs an intake two statements, however much of it there is, and leaves nothing half written."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from app.storage import personal_data
from app.storage.tables import audit, data_keys, sealed_fields
from tests.statements import statements
from tests.workflows.conftest import PPU, Service, a_referral, amend, service

__all__ = ["service"]

OF_PRIVACY = ("data_keys", "sealed_fields", "INTO audit ")
CHANGED_BY_AMENDING: dict[str, Any] = {
    "condition": {"physical": "Sembuh", "family": "Dua anak"},
    "purpose": "Pendampingan",
}


async def test_sealing_and_audit_cost_an_intake_two_statements_however_much_is_said(
    service: Service, engine: AsyncEngine
) -> None:
    much = a_referral(condition={"physical": "Memar", "family": "Dua anak"}, narrative="Dikarang.", purpose="Visum.")

    for body in (a_referral(), much):
        with statements(engine) as did:
            await service.submit(body)

        assert len([one for one in did if any(name in one for name in OF_PRIVACY)]) == 2


async def test_an_intake_says_what_was_handed_in_and_then_that_its_sender_saw_what_came_of_it(
    service: Service,
) -> None:
    referral = await service.submit()

    async with service.sessions() as session:
        wanted = select(audit).where(audit.c.referral_id == referral["id"]).order_by(audit.c.xact, audit.c.id)
        submitted, seen = (await session.execute(wanted)).all()
    assert (submitted.action, seen.action) == ("referral.submit", "referral.read")
    assert "victim.name" in submitted.fields
    assert seen.fields == []
    assert (seen.agency_code, seen.subject_id, seen.result) == (PPU, referral["id"], "done")
    assert (seen.key_id, seen.request_id, seen.roles) == (submitted.key_id, submitted.request_id, submitted.roles)


async def test_fields_that_are_amended_take_the_place_of_what_was_sealed_before(service: Service) -> None:
    referral = await service.submit(a_referral(condition={"physical": "Memar"}, narrative="Dikarang."))

    await amend(service, referral["id"], **CHANGED_BY_AMENDING)

    async with service.sessions() as session:
        opened = await personal_data.unseal_all(session, service.key_ring, UUID(referral["id"]))
    said = {name: opened[name] for name in ("condition.physical", "condition.family", "purpose", "narrative")}
    assert said == {
        "condition.physical": "Sembuh",
        "condition.family": "Dua anak",
        "purpose": "Pendampingan",
        "narrative": "Dikarang.",
    }


async def test_a_referral_s_key_and_its_fields_are_kept_together_or_not_at_all(service: Service) -> None:
    nobody = uuid7()

    with pytest.raises(IntegrityError):
        async with service.sessions.begin() as tx:
            await personal_data.seal_new(tx, service.key_ring, nobody, {"victim.name": "Contoh Seorang"})

    async with service.sessions() as session:
        kept = [
            await session.scalar(select(func.count()).where(table.c.referral_id == nobody))
            for table in (data_keys, sealed_fields)
        ]
    assert kept == [0, 0]
