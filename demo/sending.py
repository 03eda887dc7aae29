"""Sending the worked cases as their senders' systems would, each at its own time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.domain.clock import SettableClock
from app.service import Service
from demo.cases import WorkedCase, by_time
from demo.receivers import Receivers
from demo.settling import NotSettled, let_expire

VERIFIED_WITHIN = 30.0


class Refused(Exception):
    """Lintas did not take a referral in, or did not show what it should."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A case that was sent, and the 201 that came back."""

    case: WorkedCase
    referral: Mapping[str, Any]


class Senders:
    """The systems of all senders: one connection pool, and each agency's own key."""

    def __init__(self, base_url: str, keys: Mapping[str, str]) -> None:
        self._client = httpx.AsyncClient(base_url=f"{base_url}/v1", timeout=30, trust_env=False)
        self._keys = keys

    async def post(self, agency: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send something as an agency."""
        headers = {"Idempotency-Key": str(uuid4())}
        return self._read(await self._client.post(path, json=body, headers=headers | self._key(agency)))

    async def get(self, agency: str, path: str) -> dict[str, Any]:
        """Read something as an agency."""
        return self._read(await self._client.get(path, headers=self._key(agency)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _key(self, agency: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys[agency]}"}

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise Refused(f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


async def verified(senders: Senders, agencies: Sequence[str]) -> None:
    """Wait until every agency has proven that its endpoint is its own."""
    until = monotonic() + VERIFIED_WITHIN
    for agency in agencies:
        while any(one["state"] != "active" for one in (await senders.get(agency, "/endpoints"))["items"]):
            if monotonic() > until:
                raise Refused(f"{agency} did not verify its endpoint")
            await asyncio.sleep(0.05)


async def send_all(
    cases: Sequence[WorkedCase], service: Service, clock: SettableClock, senders: Senders, receivers: Receivers
) -> tuple[list[Sent], list[str]]:
    """Send every case at its own time; give what was sent, and what went wrong so that it could not go on."""
    sent: list[Sent] = []
    try:
        for moment, together in by_time(cases):
            clock.set(max(moment, clock()))
            taken = {}
            for case in together:
                sent.append(await _send(case, senders, receivers))
                taken[UUID(sent[-1].referral["id"])] = case
            await let_expire(service, clock, taken)
    except (Refused, NotSettled) as trouble:
        return sent, [str(trouble)]
    return sent, []


async def _send(case: WorkedCase, senders: Senders, receivers: Receivers) -> Sent:
    try:
        referral = await senders.post(case.sender, "/referrals", case.body)
    except Refused as refusal:
        raise Refused(f"{case.name}: {refusal}") from None
    receivers.plan(referral["id"], case.does)
    return Sent(case, referral)
