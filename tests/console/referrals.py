"""What a caseworker puts into the form of a referral."""

from typing import Any
from uuid import uuid4

from app.domain.caller import Role
from tests.console.conftest import Browser, House

SENDER = "dp3ap2kb-ppu"
NEW, CHECK, SEND = "/console/referrals/new", "/console/referrals/check", "/console/referrals"


def a_form(**changes: Any) -> dict[str, Any]:
    """A woman of Kukar, hurt in Sepaku and home again, who needs legal help; `changes` by name, `__` for a dot.

    None takes a field away.
    """
    fields: dict[str, Any] = {
        "sender_reference": f"PPU/{uuid4()}",
        "urgency": "standard",
        "mode": "referral",
        "case.types[]": ["physical"],
        "locations.incident": "64.09.04",
        "locations.domicile": "64.02.06",
        "locations.current": "64.02.06",
        "victim.name": "Contoh Seorang",
        "victim.age": "31",
        "victim.sex": "female",
        "case.perpetrator_in_household": "false",
        "services[]": ["legal_service"],
        "consent.basis": "victim",
        "consent.given_at.day": "1",
        "consent.given_at.month": "8",
        "consent.given_at.year": "2024",
        "consent.given_at.time": "08.00",
    }
    for place in ("incident", "domicile", "current"):
        fields[f"sought.{place}"] = fields[f"searched.{place}"] = ""
    said = fields | {name.replace("__", "."): value for name, value in changes.items()}
    return {name: value for name, value in said.items() if value is not None}


async def caseworker(house: House, **more: Any) -> Browser:
    """Give the browser of a caseworker of the sending agency."""
    return await house.signed_in(SENDER, Role.SENDER, name=more.pop("name", "Ibu Pengirim"), **more)
