"""The news that benchmarks deliver: agencies, each with an endpoint and an offer that it is told of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role
from app.domain.events import EventType, NewEvent
from app.domain.webhook import body_of
from app.storage import events, tables
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
    finished_deliveries,
    handoffs,
    referrals,
    service_requests,
)
from app.workflows.manage_endpoint import Wanted, register_endpoint
from bench.posting import LOOPBACK, Job, real_time

ENDPOINTS = 64
IN_A_TRANSACTION = 500
NEWS = tables.events
EMPTIED = ", ".join(f'"{table.name}"' for table in (attempts, deliveries, finished_deliveries, NEWS))


@dataclass(frozen=True, slots=True)
class Told:
    """An agency that is told: its endpoint, the secret of it, and the offer that the news is about."""

    agency: str
    endpoint_id: UUID
    secret: str
    handoff_id: UUID
    referral_id: UUID

    def news(self, number: int) -> NewEvent:
        """Write news as an offer is told."""
        data = {
            "handoff_id": str(self.handoff_id),
            "referral_id": str(self.referral_id),
            "service_type": "psychological_support",
            "urgency": "standard",
            "respond_by": real_time().isoformat(),
            "state": "offered",
            "sequence": number,
            "url": f"https://lintas.example/v1/handoffs/{self.handoff_id}",
        }
        return NewEvent(self.agency, EventType.HANDOFF_OFFERED, data, self.referral_id, self.handoff_id)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the database says of a delivery."""

    event_id: str
    endpoint_id: UUID
    state: str
    attempts: int
    recorded: int
    """How many attempts are recorded."""


class News:
    """The agencies of a benchmark in a database that was migrated."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> None:
        self._sessions, self._key_ring = sessions, key_ring
        self.told: list[Told] = []

    async def settle(self, places: Sequence[str]) -> None:
        """Make an agency for each address, with an endpoint there and an offer."""
        for number, url in enumerate(places):
            self.told.append(await self._an_agency(f"agency-{number}", url))

    async def move(self, places: Sequence[str]) -> None:
        """Give the endpoints other addresses, and forget how they did."""
        async with self._sessions.begin() as tx:
            for one, url in zip(self.told, places, strict=True):
                anew = {
                    "url": url,
                    "version": endpoints.c.version + 1,  # workers keep what they know of a version
                    "failing_since": None,
                    "last_failure_at": None,
                    "state_reason": None,
                    "breaker_opened_at": None,
                    "breaker_next_probe_at": None,
                    "breaker_window_since": None,
                    "breaker_failed_probes": 0,
                    "breaker_window_taken": 0,
                    "breaker_window_failed": 0,
                }
                await tx.execute(endpoints.update().where(endpoints.c.id == one.endpoint_id).values(anew))

    async def forget(self) -> None:
        """Throw all news away, with what was delivered of it."""
        async with self._sessions.begin() as tx:
            await tx.execute(text(f"TRUNCATE {EMPTIED} CASCADE"))
        async with self._sessions() as session:
            connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            await connection.execute(text("CHECKPOINT"))

    async def tell(self, counts: Sequence[int]) -> None:
        """Tell each agency so many times, turn and turn about."""
        most = max(counts)
        every = [one.news(n) for n in range(most) for one, count in zip(self.told, counts, strict=True) if n < count]
        for start in range(0, len(every), IN_A_TRANSACTION):
            async with self._sessions.begin() as tx:
                await events.announce(tx, every[start : start + IN_A_TRANSACTION], now=real_time())

    async def tell_now(self, number: int) -> float:
        """Tell one agency once, in a transaction of its own, and say when its commit was asked for."""
        one = self.told[number % len(self.told)]
        async with self._sessions() as session:
            await events.announce(session, one.news(number), now=real_time())
            at = monotonic()
            await session.commit()
        return at

    async def numbers(self) -> dict[str, int]:
        """Give the number that each piece of news was told by."""
        async with self._sessions() as session:
            rows = await session.execute(select(NEWS.c.id, NEWS.c.data["sequence"].as_integer()))
            return {str(id_): number for id_, number in rows}

    async def jobs(self) -> list[Job]:
        """Write all news down as a queue of others would keep it, in the order in which it was told."""
        wanted = (
            select(NEWS.c.id, NEWS.c.type, NEWS.c.occurred_at, NEWS.c.data, endpoints.c.url, endpoints.c.id)
            .join(endpoints, endpoints.c.agency_code == NEWS.c.agency_code)
            .order_by(NEWS.c.id)
        )
        secrets = {one.endpoint_id: one.secret for one in self.told}
        async with self._sessions() as session:
            rows = (await session.execute(wanted)).all()
        return [
            Job(str(id_), url, secrets[endpoint], body_of(type_, at, data).decode())
            for id_, type_, at, data, url, endpoint in rows
        ]

    async def undelivered(self, endpoint_ids: Sequence[UUID] | None = None) -> int:
        """Count what is not delivered yet, to some endpoints."""
        of = every_delivery.c
        ours = of.endpoint_id.in_(endpoint_ids) if endpoint_ids is not None else of.id.is_not(None)
        async with self._sessions() as session:
            wanted = select(func.count()).where(of.state != "delivered", ours)
            return int(await session.scalar(wanted) or 0)

    async def delivered(self) -> list[Delivered]:
        """Read what became of all news."""
        recorded = select(func.count()).where(attempts.c.delivery_id == every_delivery.c.id).scalar_subquery()
        async with self._sessions() as session:
            of = every_delivery.c
            wanted = select(of.event_id, of.endpoint_id, of.state, of.attempts, recorded)
            return [Delivered(str(row[0]), *row[1:]) for row in await session.execute(wanted)]

    async def _an_agency(self, agency: str, url: str) -> Told:
        caller = Caller(agency, frozenset({Role.RECEIVER}), uuid7())
        referral, request, decision, handoff = (uuid7() for _ in range(4))
        now = real_time()
        async with self._sessions.begin() as tx:

            async def add(table: Any, **values: Any) -> None:
                await tx.execute(insert(table).values(values))

            await add(agencies, code=agency, body={}, registry_version=0)
            made, secret = await register_endpoint(
                tx, caller, Wanted(url), reach=LOOPBACK, key_ring=self._key_ring, now=now
            )
            assert isinstance(made, Endpoint)  # noqa: S101 - nobody is asked for
            # As if its agency had given the challenge back.
            await tx.execute(deliveries.delete().where(deliveries.c.event_id == made.challenge_id))
            await tx.execute(NEWS.delete().where(NEWS.c.id == made.challenge_id))
            proven = {"state": "active", "verified_at": now, "challenge_id": None, "challenged_at": None}
            await tx.execute(endpoints.update().where(endpoints.c.id == made.id).values(proven))
            await add(
                referrals,
                id=referral,
                sender_code=agency,
                holder_code=agency,
                sender_reference_hash=referral.bytes,
                mode="referral",
                urgency="standard",
                state="open",
                received_at=now,
            )
            await add(facts, referral_id=referral, version=1, body={}, recorded_at=now)
            await add(
                service_requests,
                id=request,
                referral_id=referral,
                service_type="psychological_support",
                state="offered",
            )
            await add(
                decisions,
                id=decision,
                service_request_id=request,
                referral_id=referral,
                facts_version=1,
                consent=True,
                tried=[],
                registry_version=0,
                code_sets_version=1,
                engine="bench",
                cause="submitted",
                outcome="offered",
                result={},
                decided_at=now,
            )
            await add(
                handoffs,
                id=handoff,
                referral_id=referral,
                service_request_id=request,
                decision_id=decision,
                agency_code=agency,
                state="offered",
                urgency="standard",
                respond="PT24H",
                respond_by=now + timedelta(hours=24),
                offered_at=now,
                changed_at=now,
            )
        return Told(agency, made.id, secret or "", handoff, referral)
