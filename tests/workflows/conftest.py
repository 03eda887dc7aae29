"""A whole service over a seeded database, spoken to over HTTP as its agencies would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.api.webhook_contract import fields_of
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.domain.events import EventType
from app.main import ROUTERS
from app.storage import api_keys
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.tables import decisions, facts, referrals, service_requests
from app.storage.worklists import KeptDecision
from app.workflows.desk import Terms
from app.workflows.replay_decision import replay
from app.workflows.run_clocks import run_due_clocks
from app.workflows.seed import seed
from tests.told import Told

EVERY_ROLE = tuple(Role)
PPU, KUKAR, KALTIM, NATIONAL = "dp3ap2kb-ppu", "dp3a-kukar", "uptd-ppa-kaltim", "kemenpppa-sapa129"
RECEIVER = "uptd-ppa-ppu"


def a_referral(**changes: Any) -> dict[str, Any]:
    """A woman of Kukar, hurt in Sepaku and home again, who needs legal help; `changes` replace whole members."""
    return {
        "sender_reference": str(uuid4()),
        "urgency": "standard",
        "case": {"types": ["physical"]},
        "locations": {"incident": "64.09.04", "domicile": "64.02.06", "current": "64.02.06"},
        "victim": {"name": "Contoh Seorang", "sex": "female", "age": 31},
        "services": [{"type": "legal_service"}],
        "consent": {"basis": "victim", "given_at": "2024-08-01T08:00:00+08:00"},
        **changes,
    }


@dataclass(slots=True)
class Service:
    """The service, its clock, and a way to speak to it as any agency."""

    sessions: async_sessionmaker[AsyncSession]
    keeper: ReferenceKeeper
    key_ring: KeyRing
    clock: SettableClock
    terms: Terms
    connect: Callable[[str], Awaitable[httpx.AsyncClient]]
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def as_agency(self, code: str) -> httpx.AsyncClient:
        """Speak as an agency that holds every role."""
        if code not in self.clients:
            self.clients[code] = await self.connect(code)
        return self.clients[code]

    async def call(self, agency: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request as an agency."""
        client = await self.as_agency(agency)
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        return await client.request(method, f"/v1{path}", headers=headers | more.pop("headers", {}), **more)

    async def submit(self, body: dict[str, Any] | None = None, sender: str = "dp3ap2kb-ppu") -> dict[str, Any]:
        """Hand in a referral, and give what came back."""
        answer = await self.call(sender, "POST", "/referrals", json=body or a_referral())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def act(self, agency: str, handoff_id: str, action: str, **body: Any) -> httpx.Response:
        """Answer a handoff as an agency."""
        return await self.call(agency, "POST", f"/handoffs/{handoff_id}/{action}", json=body or None)

    async def read(self, agency: str, path: str) -> dict[str, Any]:
        """Read something as an agency."""
        answer = await self.call(agency, "GET", path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def news(self, agency: str) -> list[tuple[str, dict[str, Any]]]:
        """List all the news an agency was told, in order; each is as the contract of its kind says."""
        feed = await self.read(agency, "/events?limit=200")
        for event in feed["items"]:
            contract = fields_of(EventType(event["type"]))
            # A challenge is told to the address that it proves, and to nobody else.
            must, shown = set(contract["required"]) - {"challenge"}, contract["properties"].keys()
            assert must <= event["data"].keys() <= shown, event["type"]
        return [(event["type"], event["data"]) for event in feed["items"]]

    async def after(self, by: timedelta) -> int:
        """Let time pass, run the clocks that came due, and count them."""
        self.clock.advance(by)
        ran, now = 0, 1
        while now:
            now = await run_due_clocks(self.sessions, self.keeper, self.key_ring, self.terms, self.clock)
            ran += now
        return ran


async def amend(service: Service, referral_id: str, agency: str = PPU, **body: Any) -> dict[str, Any]:
    """Amend a referral, whichever version it is of."""
    answer = await service.call(agency, "POST", f"/referrals/{referral_id}/amend", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def of(referral: dict[str, Any]) -> dict[str, Any]:
    """Give the first service request of a referral."""
    return dict(referral["service_requests"][0])


def denied(**more: Any) -> dict[str, Any]:
    """A mediation under one roof: no rule offers it to anybody."""
    return a_referral(
        case={"types": ["physical"], "perpetrator_in_household": True}, services=[{"type": "mediation"}], **more
    )


async def replay_all(sessions: async_sessionmaker[AsyncSession]) -> int:
    """Decide again from every decision that was kept: each must come out the same to the byte. Count them."""
    kept = (
        select(
            decisions,
            service_requests.c.service_type,
            facts.c.body.label("facts"),
            facts.c.consent.label("said_consent"),
            facts.c.consent_services,
            facts.c.recorded_at.label("facts_recorded_at"),
        )
        .join(service_requests, service_requests.c.id == decisions.c.service_request_id)
        .join(facts, (facts.c.referral_id == decisions.c.referral_id) & (facts.c.version == decisions.c.facts_version))
        # A test may break the facts on purpose: nothing can be decided from them then.
        .where(decisions.c.placed_by.is_(None), facts.c.body.has_key("received_at"))
        # What was erased says of itself that it cannot be made again.
        .where(decisions.c.referral_id.in_(select(referrals.c.id).where(referrals.c.erased_at.is_(None))))
    )
    keeper, replayed = ReferenceKeeper(), 0
    async with sessions() as session:
        for row in (await session.execute(kept)).all():
            decision = KeptDecision(**{**row._mapping, "tried": tuple(row.tried)})
            again = replay(await keeper.rules_at(session, decision.registry_version), decision)
            assert again.agrees, f"{decision.id} ({decision.cause}): {again.why_not}"
            replayed += 1
    return replayed


@asynccontextmanager
async def serving(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock, terms: Terms
) -> AsyncIterator[Service]:
    """Serve the shipped agreements, agencies and regions on a migrated database that holds nothing."""
    async with sessions.begin() as tx:
        await seed(tx, clock())
    keeper = ReferenceKeeper()
    api = build(
        ROUTERS,
        sessions=sessions,
        key_ring=key_ring,
        reference=keeper,
        clock=clock,
        terms=terms,
    )
    untold: set[tuple[str, int, str | None]] = set()
    async with AsyncExitStack() as stack:

        async def connect(agency: str) -> httpx.AsyncClient:
            secret = api_keys.new_secret(EVERY_ROLE)
            async with sessions.begin() as tx:
                await api_keys.add(tx, secret=secret, agency_code=agency, roles=EVERY_ROLE, label="", expires_at=None)
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=Told(api, untold)),
                base_url="http://lintas.test",
                headers={"Authorization": f"Bearer {secret}"},
            )
            return await stack.enter_async_context(client)

        yield Service(sessions, keeper, key_ring, clock, terms, connect)
        await replay_all(sessions)
    assert not untold, "the description of the API does not tell of these answers"


@pytest.fixture
async def service(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock, terms: Terms
) -> AsyncIterator[Service]:
    """The service on the shipped agreements, agencies and regions."""
    async with serving(sessions, key_ring, clock, terms) as service:
        yield service
