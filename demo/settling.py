"""Waiting until everybody has answered, and letting time pass where somebody stays silent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, exists, func, select

from app.domain.clock import SettableClock
from app.domain.handoff import HandoffState, RequestState
from app.service import Service
from app.storage.deliveries import DUE
from app.storage.tables import clocks, coordinations, deliveries, handoffs, service_requests
from demo.cases import WorkedCase

SETTLED_WITHIN = 45.0
LOOK_EVERY = 0.1
NEVER = datetime.max.replace(tzinfo=UTC)


class NotSettled(Exception):
    """Somebody did not answer in time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A service request that somebody still has to act on, and whose answer to which offer is awaited."""

    case: WorkedCase
    service: str
    agency: str | None

    @property
    def silent(self) -> bool:
        """Say whether nobody will answer it."""
        return self.agency is not None and self.case.is_silent(self.service, self.agency)


async def let_expire(service: Service, clock: SettableClock, cases: Mapping[UUID, WorkedCase]) -> None:
    """Wait until all these referrals are answered; time goes on to each reminder and expiry of who stays silent."""

    async def answered() -> bool:
        return all(line.silent for line in await _waiting(service, cases)) and await _next_due(service, cases) > clock()

    while True:
        await until(answered, "an answer or a clock was awaited in vain")
        await until_delivered(service)
        due = await _next_due(service, cases)
        if due is NEVER:
            return
        clock.set(due)


async def until_delivered(service: Service) -> None:
    """Wait until every webhook was posted."""
    due = select(func.count()).select_from(deliveries).where(deliveries.c.state == DUE)

    async def delivered() -> bool:
        async with service.sessions.begin() as tx:
            return not await tx.scalar(due)

    await until(delivered, "webhooks are still to be posted")


async def until(true: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Wait until something is true, else NotSettled."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + SETTLED_WITHIN
    while not await true():
        if loop.time() > ends:
            raise NotSettled(otherwise)
        await asyncio.sleep(LOOK_EVERY)


async def _waiting(service: Service, cases: Mapping[UUID, WorkedCase]) -> list[Waiting]:
    offer = and_(handoffs.c.service_request_id == service_requests.c.id, handoffs.c.state == HandoffState.OFFERED.value)
    coordinated = exists(select(1).where(coordinations.c.service_request_id == service_requests.c.id))
    open_ = service_requests.c.state.in_([RequestState.ROUTING, RequestState.OFFERED, RequestState.ACCEPTED])
    unseen = and_(
        service_requests.c.state == RequestState.NEEDS_COORDINATOR,
        service_requests.c.acknowledged_at.is_(None),
        coordinated,
    )
    wanted = (
        select(service_requests.c.referral_id, service_requests.c.service_type, handoffs.c.agency_code)
        .outerjoin(handoffs, offer)
        .where(service_requests.c.referral_id.in_(cases), open_ | unseen)
    )
    async with service.sessions.begin() as tx:
        return [Waiting(cases[row[0]], row[1], row[2]) for row in await tx.execute(wanted)]


async def _next_due(service: Service, cases: Mapping[UUID, WorkedCase]) -> datetime:
    """Say when the next clock of an offer is due."""
    offers = select(handoffs.c.id).where(
        handoffs.c.referral_id.in_(cases), handoffs.c.state == HandoffState.OFFERED.value
    )
    async with service.sessions.begin() as tx:
        return await tx.scalar(select(func.min(clocks.c.due_at)).where(clocks.c.handoff_id.in_(offers))) or NEVER
