"""Planted values are found where they may be read, and nowhere else."""

import io
import json
import logging
from typing import Any

import pytest
from sqlalchemy import text

from app.observability import configure_logging
from app.storage.tables import metadata
from tests.workflows.conftest import Service, a_referral

CANARY = "kenari7f3a"
NATIONAL_ID = "6402069907310042"
BIRTH_DATE = "1994-02-17"
PLANTED = (CANARY, NATIONAL_ID, BIRTH_DATE)


def a_canary_in_every_field() -> dict[str, Any]:
    """A referral that says everything that can be said of a person."""
    contact = {name: f"{CANARY}-{name}" for name in ("phone", "email", "address", "instructions")}
    return a_referral(
        sender_reference=f"{CANARY}-reference",
        urgency="emergency",
        case={
            "types": ["sexual"],
            "incident_date": "2025-03-01",
            "place": "household",
            "relation_to_perpetrator": "spouse",
            "perpetrator_in_household": True,
            "police_reported_at": "2025-03-02T10:00:00+08:00",
        },
        victim={
            "name": f"{CANARY}-name",
            "alias": f"{CANARY}-alias",
            "national_id": NATIONAL_ID,
            "birth_date": BIRTH_DATE,
            "sex": "female",
            "disability_needs": f"{CANARY}-needs",
            "citizenship": "ID",
            "safe_contact": contact,
            "guardian": {"name": f"{CANARY}-guardian", "contact": contact, "is_perpetrator": True},
        },
        services=[
            {"type": "health_service", "note": f"{CANARY}-note"},
            {"type": "legal_service", "note": f"{CANARY}-note"},
            {"type": "mediation", "note": f"{CANARY}-note"},
        ],
        services_already_given=[{"type": "health_service", "agency": f"{CANARY}-agency", "note": f"{CANARY}-given"}],
        condition={name: f"{CANARY}-{name}" for name in ("physical", "psychological", "family", "community")},
        purpose=f"{CANARY}-purpose",
        narrative=f"{CANARY}-narrative",
        attachments=[{"title": f"{CANARY}-title", "reference": f"{CANARY}-attachment"}],
    )


def planted_in(haystack: str) -> list[str]:
    """List what was planted and is there, plain or as the hexadecimal that PostgreSQL writes bytes in."""
    return [value for value in PLANTED if value in haystack or value.encode().hex() in haystack]


async def everything_stored(service: Service) -> str:
    """Give every row of every table as text."""
    found: list[str] = []
    async with service.sessions.begin() as tx:
        for table in metadata.sorted_tables:
            found += (await tx.scalars(text(f'SELECT row_to_json(t)::text FROM "{table.name}" t'))).all()  # noqa: S608
    return "\n".join(found)


async def test_planted_values_are_found_in_sealed_and_authorised_reads_alone(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logged = io.StringIO()
    configure_logging(level="DEBUG", stream=logged)
    said: list[str] = []
    body = a_canary_in_every_field()

    key = {"Idempotency-Key": f"{CANARY}-key"}
    taken = await service.call("lpsk", "POST", "/referrals", json=body, headers=key)
    referral = taken.json()
    again = await service.call("lpsk", "POST", "/referrals", json=body, headers=key)
    other = await service.call("lpsk", "POST", "/referrals", json=body | {"urgency": "urgent"}, headers=key)
    same_reference = await service.call("lpsk", "POST", "/referrals", json=body)
    said += [other.text, same_reference.text]
    handoffs = {one["service_type"]: one["handoff"] for one in referral["service_requests"] if one["handoff"]}

    health = handoffs["health_service"]["id"]
    offered = await service.read("rsud-parikesit", f"/handoffs/{health}")
    said.append((await service.act("rsud-parikesit", health, "accept", note=f"{CANARY}-accept")).text)
    accepted = await service.read("rsud-parikesit", f"/handoffs/{health}")
    declined = await service.act(
        "uptd-ppa-ppu", handoffs["legal_service"]["id"], "decline", reason="no_capacity", note=f"{CANARY}-decline"
    )
    said += [declined.text, (await service.act("uptd-ppa-ppu", health, "decline", reason="other")).text]

    for broken in (
        body | {"sender_reference": [CANARY]},
        body | {"urgency": CANARY},
        body | {f"{CANARY} Seorang": CANARY},
        body | {"case": {"types": [CANARY], "place": CANARY, CANARY.upper(): 1}},
        body | {"victim": {"name": CANARY + "\x00", "birth_date": CANARY, "national_id": CANARY, "age": CANARY}},
        body | {"locations": {"incident": CANARY}, "conflicts": [CANARY]},
        body | {"consent": CANARY},
    ):
        answer = await service.call("lpsk", "POST", "/referrals", json=broken)
        assert answer.status_code in {400, 422}
        said.append(answer.text)
    said.append((await service.call("lpsk", "POST", "/referrals", content=f'{{"{CANARY}": nonsense')).text)
    for path in (
        f"/referrals/{CANARY}",
        f"/handoffs/{CANARY}",
        f"/events?after={CANARY}",
        f"/referrals?state={CANARY}",
    ):
        said.append((await service.call("lpsk", "GET", path)).text)
    for agency in ("lpsk", "rsud-parikesit", "uptd-ppa-ppu", "uptd-ppa-kukar", "dp3a-kukar"):
        said.append(json.dumps(await service.news(agency)))
    decision_id = referral["service_requests"][0]["decision"]["id"]
    said.append(json.dumps(await service.read("lpsk", f"/decisions/{decision_id}")))
    said.append((await service.call("dp3a-kukar", "GET", f"/referrals/{referral['id']}")).text)
    said.append((await service.call("dp3a-kukar", "GET", "/service-requests")).text)

    assert taken.status_code == 201
    assert again.json() == referral
    assert referral["sender_reference"] == f"{CANARY}-reference"
    assert set(offered["case"]["personal"]) == {"victim.disability_needs", "service.note"}
    assert accepted["case"]["personal"]["victim.name"] == f"{CANARY}-name"
    assert accepted["case"]["personal"]["victim.guardian"] == {"relation": None, "do_not_contact": True}
    assert [text_ for text_ in said if planted_in(text_)] == []
    assert planted_in(await everything_stored(service)) == []
    assert planted_in(logged.getvalue() + caplog.text) == []


async def test_the_sealed_values_of_one_referral_do_not_open_in_another(service: Service) -> None:
    first, second = await service.submit(), await service.submit()
    async with service.sessions.begin() as tx:
        await tx.execute(
            text(
                "UPDATE sealed_fields AS moved SET sealed = other.sealed FROM sealed_fields AS other "
                "WHERE moved.referral_id = :first AND other.referral_id = :second AND moved.field = other.field"
            ),
            {"first": first["id"], "second": second["id"]},
        )

    answer = await service.call("dp3ap2kb-ppu", "GET", f"/referrals/{first['id']}")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"


async def test_every_look_at_personal_data_is_recorded_with_the_fields_that_were_shown(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")

    await service.read("uptd-ppa-ppu", f"/handoffs/{handoff_id}")

    async with service.sessions.begin() as tx:
        looked = (
            await tx.execute(
                text("SELECT agency_code, fields FROM audit WHERE action = 'handoff.read' ORDER BY id DESC LIMIT 1")
            )
        ).one()
    assert tuple(looked) == ("uptd-ppa-ppu", ["victim.name"])
