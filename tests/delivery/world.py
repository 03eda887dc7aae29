"""Agencies, endpoints, offers and news in a real database, and a dispatcher that delivers them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Subquery, Table, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.mail import Mail
from app.delivery.post import Deadlines, Post, open_post
from app.domain.addresses import Reach
from app.domain.caller import Caller, Role
from app.domain.events import EventType, NewEvent
from app.domain.versions import Expected
from app.domain.webhook import Scheme
from app.storage import events
from app.storage.endpoints import Endpoint
from app.storage.sealing import KeyRing
from app.storage.tables import (
    agencies,
    attempts,
    decisions,
    deliveries,
    endpoints,
    every_delivery,
    facts,
    handoffs,
    referrals,
    service_requests,
)
from app.storage.tables import events as event_rows
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted, change_endpoint, register_endpoint

LOOPBACK = Reach((ip_network("127.0.0.0/8"), ip_network("::1/128")), sends_mail=True)
PUBLIC_URL = "https://lintas.example"
AGENCY = "uptd-ppa-ppu"
OTHER = "dp3a-kukar"
QUICK = Pace(lease=timedelta(seconds=5), longest_post=timedelta(seconds=2), poll=timedelta(milliseconds=50))
SHORT = Deadlines(total=2.0, resolve=1.0, connect=1.0, body=0.5)


class RealClock:
    """Real time, which a test may push forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251 - the edge of a test


@dataclass(frozen=True)
class World:
    """What a test of deliveries works with."""

    sessions: async_sessionmaker[AsyncSession]
    key_ring: KeyRing
    clock: RealClock

    async def add(self, table: Table, **values: Any) -> None:
        async with self.sessions.begin() as tx:
            await tx.execute(insert(table).values(values).on_conflict_do_nothing())

    async def execute(self, statement: str) -> None:
        async with self.sessions.begin() as tx:
            await tx.execute(text(statement))

    async def endpoint(
        self,
        url: str,
        *,
        agency: str = AGENCY,
        event_types: tuple[str, ...] | None = None,
        max_in_flight: int = 4,
        reach: Reach = LOOPBACK,
        verified: bool = True,
        scheme: Scheme = Scheme.HMAC_SHA256,
        carried: Carried | None = None,
    ) -> tuple[UUID, str]:
        """Register an endpoint, and give its id and its secret; `verified` as if it had been so for long."""
        await self.add(agencies, code=agency, body={}, registry_version=0)
        async with self.sessions.begin() as tx:
            made, secret = await register_endpoint(
                tx,
                self.caller(agency),
                Wanted(url, event_types, max_in_flight),
                reach=reach,
                key_ring=self.key_ring,
                now=self.clock(),
                scheme=scheme,
                carried=carried,
            )
            assert isinstance(made, Endpoint)
            if verified:
                await tx.execute(delete(deliveries).where(deliveries.c.event_id == made.challenge_id))
                await tx.execute(delete(event_rows).where(event_rows.c.id == made.challenge_id))
                proven = {"state": "active", "verified_at": func.now(), "challenge_id": None, "challenged_at": None}
                await tx.execute(update(endpoints).where(endpoints.c.id == made.id).values(proven))
        return made.id, secret or ""

    async def change(
        self, endpoint_id: UUID, wanted: Wanted, *, expected: Expected | None = None, agency: str = AGENCY
    ) -> Endpoint:
        """Change an endpoint, whichever version it is of unless said."""
        async with self.sessions.begin() as tx:
            kept = await change_endpoint(
                tx,
                self.caller(agency),
                endpoint_id,
                wanted,
                reach=LOOPBACK,
                expected=expected or Expected(None),
                key_ring=self.key_ring,
                now=self.clock(),
            )
        assert isinstance(kept, Endpoint)
        return kept

    def caller(self, agency: str = AGENCY) -> Caller:
        return Caller(agency, frozenset({Role.RECEIVER}), uuid7())

    async def offer(self, *, agency: str = AGENCY, urgency: str = "standard", state: str = "offered") -> UUID:
        """Put a handoff into the database, and give its id; the rest of its referral is as small as can be."""
        referral, request, decision, handoff = (uuid7() for _ in range(4))
        now = self.clock()
        await self.add(agencies, code=OTHER, body={}, registry_version=0)
        await self.add(
            referrals,
            id=referral,
            sender_code=OTHER,
            holder_code=OTHER,
            sender_reference_hash=referral.bytes,
            mode="referral",
            urgency=urgency,
            state="open",
            received_at=now,
        )
        await self.add(facts, referral_id=referral, version=1, body={}, recorded_at=now)
        await self.add(service_requests, id=request, referral_id=referral, service_type="shelter", state="offered")
        await self.add(
            decisions,
            id=decision,
            service_request_id=request,
            referral_id=referral,
            facts_version=1,
            consent=True,
            tried=[],
            registry_version=0,
            code_sets_version=1,
            engine="test",
            cause="submitted",
            outcome="offered",
            result={},
            decided_at=now,
        )
        await self.add(
            handoffs,
            id=handoff,
            referral_id=referral,
            service_request_id=request,
            decision_id=decision,
            agency_code=agency,
            state=state,
            urgency=urgency,
            respond="PT24H",
            respond_by=now + timedelta(hours=24),
            offered_at=now,
            changed_at=now,
        )
        return handoff

    async def set_handoff(self, handoff_id: UUID, state: str) -> None:
        async with self.sessions.begin() as tx:
            await tx.execute(handoffs.update().where(handoffs.c.id == handoff_id).values(state=state))

    async def tell(
        self,
        type_: EventType = EventType.REFERRAL_CLOSED,
        *,
        agency: str = AGENCY,
        handoff_id: UUID | None = None,
        times: int = 1,
        **data: Any,
    ) -> list[UUID]:
        """Announce news to an agency, and give the ids of the events."""
        async with self.sessions.begin() as tx:
            referral_id = None
            if handoff_id is not None:
                referral_id = await tx.scalar(select(handoffs.c.referral_id).where(handoffs.c.id == handoff_id))
                data = {"handoff_id": str(handoff_id), "state": "offered", **data}
            news = [NewEvent(agency, type_, {"place": n, **data}, referral_id, handoff_id) for n in range(times)]
            await events.announce(tx, news, now=self.clock())
            newest = select(event_rows.c.id).where(event_rows.c.agency_code == agency, event_rows.c.type == type_)
            return list(await tx.scalars(newest.order_by(event_rows.c.id.desc()).limit(times)))

    async def rows(self, table: Table | Subquery) -> list[Row[Any]]:
        async with self.sessions.begin() as tx:
            return list(await tx.execute(select(table).order_by(table.c.id)))

    async def rows_of(self, table: Table) -> list[Row[Any]]:
        """Read a table whose rows have no id of their own."""
        async with self.sessions.begin() as tx:
            return list(await tx.execute(select(table)))

    async def delivery(self) -> Row[Any]:
        (row,) = await self.rows(every_delivery)
        return row

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows(every_delivery)]

    async def attempts(self) -> list[tuple[int, str, int | None]]:
        return [(row.number, row.outcome, row.status) for row in await self.rows(attempts)]

    async def details(self) -> list[str | None]:
        return [row.detail for row in await self.rows(attempts)]

    async def the_endpoint(self) -> Row[Any]:
        (row,) = await self.rows(endpoints)
        return row

    async def told(self, type_: EventType) -> list[dict[str, Any]]:
        return [row.data for row in await self.rows(event_rows) if row.type == type_]

    @asynccontextmanager
    async def delivering(
        self,
        *,
        pace: Pace = QUICK,
        post: Post | None = None,
        mail: Mail | None = None,
        listen_url: str | None = None,
        deadlines: Deadlines = SHORT,
    ) -> AsyncIterator[Dispatcher]:
        """Run a dispatcher while the block runs, then stop it and wait for its end."""
        async with open_post(LOOPBACK, deadlines=deadlines) as loopback:
            dispatcher = Dispatcher(
                self.sessions,
                self.key_ring,
                post or loopback,
                mail=mail,
                public_url=PUBLIC_URL,
                clock=self.clock,
                pace=pace,
                listen_url=listen_url,
                chance=lambda: 0.5,
            )
            running = asyncio.create_task(dispatcher.run())
            try:
                yield dispatcher
            finally:
                dispatcher.stop()
                await asyncio.wait_for(running, 30)


async def has_attempts(world: World, number: int) -> bool:
    return len(await world.rows(attempts)) >= number


async def all_are(world: World, *states: str) -> bool:
    return set(await world.states()) <= set(states)


async def is_claimed(world: World) -> bool:
    return (await world.delivery()).claim is not None


async def until(holds: Callable[[], bool | Awaitable[bool]], *, within: float = 10.0) -> None:
    """Wait until something holds; fail when it does not in time."""
    patience = monotonic() + within
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert monotonic() < patience, "it did not come true in time"
        await asyncio.sleep(0.01)
