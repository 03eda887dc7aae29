"""An agency that has a receiver of ours: what its people do with their own key, and what they see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from app.domain.events import EventType
from demo.sending import Senders
from examples.receivers.door import Carried, Door, Fate
from examples.receivers.languages import HOST, Language
from examples.receivers.running import Running
from examples.receivers.waiting import until

PLACES = {"uptd-ppa-kukar": "64.02.06", "uptd-ppa-balikpapan": "64.71.01", "uptd-ppa-samarinda": "64.72.01"}
"""Agencies and places of theirs: what they refer from there comes to themselves, so they are told of all of it."""
SERVICE = "case_management"
STEPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("accept", {}),
    ("start", {}),
    ("complete", {"outcome": "service_given"}),
)
OFFERED, ACCEPTED, COMPLETED = (
    EventType.HANDOFF_OFFERED.value,
    EventType.HANDOFF_ACCEPTED.value,
    EventType.HANDOFF_COMPLETED.value,
)
OF_CASES = ("handoff.", "service_request.", "referral.")


class Integrator:
    """One agency with one receiver: `news` is the way to it, `calls` the way from it to the API."""

    def __init__(self, agency: str, senders: Senders, running: Running, news: Door, calls: Door) -> None:
        self._agency, self._senders = agency, senders
        self.running, self.news, self.calls = running, news, calls
        self.endpoint_id = ""
        self.secrets: list[str] = []
        """Of its endpoint, the newest first."""
        self.answered_unkept: list[str] = []
        """Webhooks that were not on the disk when they were answered with 2xx."""
        news.noting = self._look_into_inbox
        self._direct = httpx.AsyncClient(base_url=f"http://{HOST}:{running.port}", timeout=20, trust_env=False)

    async def register(self) -> None:
        """Register the endpoint, start the receiver with the secret, and wait until it has proven itself."""
        # The challenge is on its way as soon as the endpoint is registered, and nobody knows its secret before.
        held = self.news.rule(Fate.HELD)
        made = await self.post("/endpoints", {"url": f"http://{HOST}:{self.news.port}/lintas"})
        self.endpoint_id, self.secrets = made["id"], [made["secret"]]
        await self.running.start(*self.secrets)
        held.lift()
        await until("the endpoint is active", self._is_active)

    async def refer(self, *, emergency: bool = False) -> str:
        """Send a referral, and give the handoff that came of it."""
        referral = await self.post(
            "/referrals",
            {
                "sender_reference": str(uuid4()),
                "urgency": "emergency" if emergency else "standard",
                "case": {"types": ["psychological"]},
                "locations": dict.fromkeys(("current", "domicile", "incident"), PLACES[self._agency]),
                "victim": {"alias": "Bunga", "sex": "female", "age": 31},
                "services": [{"type": SERVICE}],
                "consent": {"basis": "victim", "given_at": "2026-01-05T09:00:00+08:00"},
            },
        )
        handoff_id: str = referral["service_requests"][0]["handoff"]["id"]
        return handoff_id

    async def serve(self, handoff_id: str) -> None:
        """Accept, start and complete a handoff."""
        for action, body in STEPS:
            await self.post(f"/handoffs/{handoff_id}/{action}", body)

    async def rotate(self, old_valid_for: str) -> None:
        """Have the endpoint sign with a new secret."""
        made = await self.post(f"/endpoints/{self.endpoint_id}/rotate-secret", {"old_valid_for": old_valid_for})
        self.secrets.insert(0, made["secret"])

    async def is_back(self) -> None:
        """Say that the receiver is well again: a ping that is taken closes the breaker, and what waits for it comes."""
        await self.post(f"/endpoints/{self.endpoint_id}/ping", {})

    async def resend(self, webhook_id: str) -> None:
        """Have the dispatcher post one webhook once more."""
        found = (await self.get(f"/endpoints/{self.endpoint_id}/deliveries?limit=200"))["items"]
        delivery = next(one for one in found if one["event_id"] == webhook_id)
        await self.post(f"/deliveries/{delivery['id']}/resend", {})

    async def told(self, handoff_id: str | None = None) -> list[dict[str, Any]]:
        """List the agency's news of cases as the feed has it, of one handoff or of all."""
        found, after = [], ""
        while True:
            page = await self.get(f"/events?limit=200{after}")
            found += page["items"]
            if not page["items"]:
                break
            after = f"&after={page['next']}"
        return [
            one
            for one in found
            if one["type"].startswith(OF_CASES) and handoff_id in {None, one["data"].get("handoff_id")}
        ]

    async def id_of(self, type_: str, handoff_id: str) -> str:
        """Give the `webhook-id` of one piece of news."""
        return next(str(one["id"]) for one in await self.told(handoff_id) if one["type"] == type_)

    async def throw(self, headers: dict[str, str], body: bytes) -> int:
        """Post something that does not come from Lintas straight to the receiver, and give the status."""
        content = {"content-type": "application/json", **headers}
        return (await self._direct.post("/lintas", content=body, headers=content)).status_code

    def has_done(self, webhook_id: str) -> bool:
        """Say whether the receiver has kept a webhook and worked on it."""
        kept = self.running.kept(webhook_id)
        return kept is not None and kept.done_at is not None

    def looks(self, handoff_id: str) -> int:
        """Count how often the receiver has fetched a handoff."""
        return sum(one.path == f"/v1/handoffs/{handoff_id}" and one.status == 200 for one in self.calls.carried)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something at Lintas."""
        return await self._senders.post(self._agency, path, body)

    async def get(self, path: str) -> dict[str, Any]:
        """Read something at Lintas."""
        return await self._senders.get(self._agency, path)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._direct.aclose()

    def _look_into_inbox(self, post: Carried) -> None:
        webhook_id = post.headers["webhook-id"]
        if post.status < 300 and self.running.kept(webhook_id) is None:
            self.answered_unkept.append(webhook_id)

    async def _is_active(self) -> bool:
        return bool((await self.get(f"/endpoints/{self.endpoint_id}"))["state"] == "active")


@asynccontextmanager
async def integrator(
    language: Language, agency: str, senders: Senders, directory: Path, *, api_port: int, key: str
) -> AsyncIterator[Integrator]:
    """Build all of it; the receiver is killed at the end."""
    async with Door(api_port) as calls:
        running = Running(language, directory, api_url=f"http://{HOST}:{calls.port}", key=key)
        async with Door(running.port) as news:
            made = Integrator(agency, senders, running, news, calls)
            try:
                yield made
            finally:
                running.kill()
                await made.aclose()
