"""How an endpoint is doing: what the latest attempts came to, and what waits; a bounded look, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.retry import DELIVERED, Phase
from app.storage.deliveries import DUE_LITERAL, HELD
from app.storage.delivery_history import STOPPED
from app.storage.endpoints import ACTIVE, DISABLED
from app.storage.recoveries import first_id_of
from app.storage.tables import attempts, deliveries, endpoints

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY_AGENCY = "by_agency"
"""The reason of a state that the agency chose itself: nothing that an operator must look after."""
LOOKED_AT = 10_000
"""How many attempts, or waiting deliveries, are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the attempts that ended in a window came to; what failed on our side is not counted.

    Half of them took no longer than `p50_ms`, 95 of 100 no longer than `p95_ms`, whatever their outcome.
    """

    attempts: int
    delivered: int
    p50_ms: int | None
    p95_ms: int | None
    complete: bool
    """Whether the window holds no more than was looked at: the latest 10,000."""

    @property
    def success_share(self) -> float | None:
        """How many of the attempts were taken, from 0 to 1; None where there was none."""
        return round(self.delivered / self.attempts, 4) if self.attempts else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many deliveries wait, at most 10,000 counted, and since when the oldest of them."""

    count: int
    oldest_at: datetime | None
    complete: bool


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The latest attempt that was not taken."""

    at: datetime
    phase: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint is doing, in real time."""

    endpoint_id: UUID
    agency_code: str
    state: str
    state_reason: str | None
    failing_since: datetime | None
    last_success_at: datetime | None
    last_failure: LastFailure | None
    hour: Window
    day: Window
    backlog: Waiting
    under_way: int
    held: Waiting


@dataclass(frozen=True, slots=True)
class Troubled:
    """An endpoint that fails, or was given up."""

    id: UUID
    agency_code: str
    state: str
    state_reason: str | None
    failing_since: datetime | None
    last_success_at: datetime | None


async def health(session: AsyncSession, endpoint_id: UUID, *, agency_code: str | None) -> Health | None:
    """Say how an endpoint is doing, of one agency where one is given; None where there is none or it is another's."""
    columns = (*_TROUBLED, func.statement_timestamp().label("now"))
    wanted = select(*columns).where(endpoints.c.id == endpoint_id)
    if agency_code is not None:
        wanted = wanted.where(endpoints.c.agency_code == agency_code)
    row = (await session.execute(wanted)).one_or_none()
    if row is None:
        return None
    return Health(
        endpoint_id=row.id,
        agency_code=row.agency_code,
        state=row.state,
        state_reason=row.state_reason,
        failing_since=row.failing_since,
        last_success_at=row.last_success_at,
        last_failure=await _last_failure(session, endpoint_id),
        hour=await _window(session, endpoint_id, since=row.now - HOUR),
        day=await _window(session, endpoint_id, since=row.now - DAY),
        backlog=await _waiting(session, endpoint_id, deliveries.c.state == DUE_LITERAL),
        under_way=await _under_way(session, endpoint_id),
        held=await _waiting(session, endpoint_id, and_(deliveries.c.state == HELD, STOPPED)),
    )


async def troubled(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Troubled]:
    """List the endpoints of every agency that fail or were given up, the oldest first; not those an agency stopped."""
    is_troubled = or_(
        and_(endpoints.c.state == ACTIVE, endpoints.c.failing_since.is_not(None)),
        and_(endpoints.c.state == DISABLED, endpoints.c.state_reason != BY_AGENCY),
    )
    wanted = select(*_TROUBLED).where(is_troubled).order_by(endpoints.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(endpoints.c.id > after)
    return [Troubled(*row) for row in await session.execute(wanted)]


_TROUBLED = (
    endpoints.c.id,
    endpoints.c.agency_code,
    endpoints.c.state,
    endpoints.c.state_reason,
    endpoints.c.failing_since,
    endpoints.c.last_success_at,
)


async def _window(session: AsyncSession, endpoint_id: UUID, *, since: datetime) -> Window:
    # Ids follow the time at which an attempt ended, so the window is one stretch of the index.
    latest = (
        select(attempts.c.outcome, attempts.c.duration_ms)
        .where(attempts.c.endpoint_id == endpoint_id, attempts.c.id >= first_id_of(since))
        .order_by(attempts.c.id.desc())
        .limit(LOOKED_AT + 1)
        .subquery()
    )
    judged = latest.c.outcome != Phase.INTERNAL.value

    def percentile(part: float) -> ColumnElement[Any]:
        return func.percentile_disc(part).within_group(latest.c.duration_ms).filter(judged)

    row = (
        await session.execute(
            select(
                func.count().label("looked_at"),
                func.count().filter(judged).label("attempts"),
                func.count().filter(latest.c.outcome == DELIVERED).label("delivered"),
                percentile(0.5).label("p50"),
                percentile(0.95).label("p95"),
            ).select_from(latest)
        )
    ).one()
    return Window(row.attempts, row.delivered, row.p50, row.p95, row.looked_at <= LOOKED_AT)


async def _last_failure(session: AsyncSession, endpoint_id: UUID) -> LastFailure | None:
    row = (
        await session.execute(
            select(attempts.c.started_at, attempts.c.outcome, attempts.c.status)
            # Written out as in the index, so that a plan kept for any parameters still knows that it fits.
            .where(attempts.c.endpoint_id == endpoint_id, text("attempts.outcome <> 'delivered'"))
            .order_by(attempts.c.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else LastFailure(*row)


async def _waiting(session: AsyncSession, endpoint_id: UUID, which: ColumnElement[bool]) -> Waiting:
    some = (
        select(deliveries.c.created_at)
        .where(deliveries.c.endpoint_id == endpoint_id, which)
        .limit(LOOKED_AT + 1)
        .subquery()
    )
    count, oldest = (await session.execute(select(func.count(), func.min(some.c.created_at)).select_from(some))).one()
    return Waiting(min(count, LOOKED_AT), oldest, count <= LOOKED_AT)


async def _under_way(session: AsyncSession, endpoint_id: UUID) -> int:
    leased = select(func.count()).where(
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.state == DUE_LITERAL,
        deliveries.c.claim.is_not(None),
        deliveries.c.due_at > func.now(),
    )
    return await session.scalar(leased) or 0
