"""What tests of second persons start from: keys of several people, and proposals as they see them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from app.domain.caller import Role
from app.storage import api_keys
from tests.workflows.conftest import NATIONAL, PPU, Service

URL = "https://agency.example/lintas"
OTHER_URL = "https://elsewhere.example/lintas"


class Person:
    """Somebody with a key of their own."""

    def __init__(self, service: Service, agency: str, key_id: UUID, secret: str) -> None:
        self.service, self.agency, self.key_id, self.secret = service, agency, key_id, secret

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        client = await self.service.as_agency(NATIONAL)
        headers = {"Authorization": f"Bearer {self.secret}"} | more.pop("headers", {})
        return await client.request(method, f"/v1{path}", headers=headers, **more)

    async def read(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decide(self, proposal_id: str, how: str) -> httpx.Response:
        return await self.call("POST", f"/proposals/{proposal_id}/{how}")

    async def proposes(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask for something that takes two."""
        answer = await self.call(method, path, **more)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def rotated(self) -> "Person":
        """Be the same person with a new key."""
        answer = await self.call("POST", f"/keys/{self.key_id}/rotate", json={})
        assert answer.status_code == 201, answer.text
        return Person(self.service, self.agency, UUID(answer.json()["id"]), answer.json()["secret"])


async def a_person(service: Service, agency: str = PPU, *roles: Role) -> Person:
    """Give somebody a key."""
    granted = roles or (Role.RECEIVER,)
    secret = api_keys.new_secret(granted)
    async with service.sessions.begin() as tx:
        key_id = await api_keys.add(tx, secret=secret, agency_code=agency, roles=granted, label="", expires_at=None)
    assert key_id is not None
    return Person(service, agency, key_id, secret)


async def an_endpoint(service: Service, first: Person, second: Person, url: str = URL) -> dict[str, Any]:
    """Register an endpoint by two people, and give it with its secret, as if it had been proven long ago."""
    proposal = await first.proposes("POST", "/endpoints", json={"url": url}, headers={"Idempotency-Key": str(uuid4())})
    confirmed = await second.decide(proposal["id"], "confirm")
    assert confirmed.status_code == 200, confirmed.text
    async with service.sessions.begin() as tx:
        await tx.execute(
            text("UPDATE endpoints SET state = 'active', verified_at = now() WHERE id = :id"),
            {"id": proposal["endpoint_id"]},
        )
    return {**await first.read(f"/endpoints/{proposal['endpoint_id']}"), "secret": proposal["secret"]}


async def state_of(person: Person, proposal_id: str) -> str:
    return str((await person.read(f"/proposals/{proposal_id}"))["state"])


async def age(service: Service, proposal_id: str, by: timedelta) -> None:
    """Let real time pass for a proposal."""
    async with service.sessions.begin() as tx:
        await tx.execute(
            text("UPDATE proposals SET expires_at = expires_at - cast(:by AS interval) WHERE id = :id"),
            {"by": by, "id": proposal_id},
        )


async def steps(service: Service) -> list[str]:
    """List what the audit holds of proposals, in order."""
    async with service.sessions.begin() as tx:
        found = await tx.scalars(text("SELECT action FROM audit WHERE action LIKE 'proposal.%' ORDER BY xact, id"))
        return list(found)
