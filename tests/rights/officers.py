"""What the tests of a person's rights start from: keys of few roles, and a case that tells much."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Row, text

from app.domain.caller import Role
from app.storage import api_keys
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, of

CANARY = "kenari-hak"
OFFICER = Role.PROTECTION_OFFICER


async def a_key(service: Service, agency: str, *roles: Role) -> dict[str, str]:
    """The headers of somebody who holds these roles alone."""
    secret = api_keys.new_secret(roles)
    async with service.sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=agency, roles=roles, label="", expires_at=None)
    return {"Authorization": f"Bearer {secret}"}


async def ask(
    service: Service, method: str, path: str, agency: str = PPU, roles: Sequence[Role] = (OFFICER,), **more: Any
) -> httpx.Response:
    """Ask for something as an agency with these roles."""
    headers = await a_key(service, agency, *roles) | more.pop("headers", {})
    return await service.call(agency, method, path, headers=headers, **more)


async def done(service: Service, path: str, **body: Any) -> dict[str, Any]:
    """Do something as the protection officer of the agency that sent the case."""
    answer = await ask(service, "POST", path, json=body or None)
    assert answer.is_success, answer.text
    return dict(answer.json())


def a_telling_referral(**changes: Any) -> dict[str, Any]:
    """A referral that says much of a person."""
    return a_referral(
        victim={"name": CANARY, "sex": "female", "age": 31, "safe_contact": {"phone": CANARY}},
        narrative=CANARY,
        **changes,
    )


async def a_finished_case(service: Service, **changes: Any) -> dict[str, Any]:
    """A case whose one service was given."""
    referral = await service.submit(a_telling_referral(**changes))
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept", note=CANARY)
    answer = await service.act(RECEIVER, handoff_id, "complete", outcome="service_given")
    assert answer.status_code == 200, answer.text
    return referral


def lines_of(ledger: Path) -> list[dict[str, Any]]:
    """Read a ledger."""
    return [json.loads(line) for line in ledger.read_bytes().splitlines()] if ledger.exists() else []


def spoil(ledger: Path) -> None:
    """Put something there that nobody can write to."""
    ledger.mkdir()


async def rows(service: Service, statement: str, **values: Any) -> Sequence[Row[Any]]:
    """Ask the database itself."""
    async with service.sessions.begin() as tx:
        return (await tx.execute(text(statement), values)).all()


async def actions(service: Service, referral_id: str) -> list[str]:
    """List what the audit holds of a case."""
    found = await rows(service, "SELECT action FROM audit WHERE referral_id = :id ORDER BY id", id=referral_id)
    return [row.action for row in found]


__all__ = ["CANARY", "KUKAR", "OFFICER", "PPU", "RECEIVER"]
