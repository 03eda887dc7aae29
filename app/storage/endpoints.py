"""Where agencies want their news: endpoints, whether they are proven to be theirs, and how they are doing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    case,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.breaker import Breaker, BreakerState
from app.domain.events import EventType
from app.domain.retry import FAILING_AFTER
from app.storage.tables import endpoints

UNVERIFIED, ACTIVE, PAUSED, DISABLED = "unverified", "active", "paused", "disabled"
FAILING = "failing"
"""The state's reason of an active endpoint whose agency was told that it fails."""
_COUNTING = 0x6C656E64
"""The class of the advisory locks by which one at a time counts an agency's endpoints."""
_BREAKER = "breaker_"
"""What the columns of an endpoint's breaker begin with; the rest is the name of the field."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its agency sees it: everything but the secret. Its times are real time."""

    id: UUID
    agency_code: str
    url: str
    event_types: tuple[str, ...] | None
    state: str
    state_reason: str | None
    max_in_flight: int
    max_per_minute: int | None
    failing_since: datetime | None
    last_success_at: datetime | None
    version: int
    created_at: datetime
    verified_at: datetime | None = None
    """Since when its URL is known to be the agency's."""
    challenge_id: UUID | None = None
    """The event that carries the latest challenge to prove it."""
    challenged_at: datetime | None = None
    breaker: Breaker = field(default_factory=Breaker)
    breaker_state: BreakerState = BreakerState.CLOSED
    """By the database's clock, when it was read."""

    @property
    def brings_offers(self) -> bool:
        """Whether it is a working way to tell its agency of offers, as far as was noticed."""
        wanted = self.event_types is None or EventType.HANDOFF_OFFERED.value in self.event_types
        return wanted and self.state == ACTIVE and self.state_reason != FAILING

    @property
    def forgiven(self) -> "Endpoint":
        """The endpoint as one that has not failed yet."""
        reason = None if self.state_reason == FAILING else self.state_reason
        return replace(self, failing_since=None, state_reason=reason, breaker=Breaker())


_KEPT = tuple(
    column for column in endpoints.c if column.name != "last_failure_at" and not column.name.startswith(_BREAKER)
)
_OF_BREAKER = tuple(column for column in endpoints.c if column.name.startswith(_BREAKER))
_BREAKER_STATE = case(
    (endpoints.c.breaker_opened_at.is_(None), BreakerState.CLOSED.value),
    (endpoints.c.breaker_next_probe_at > func.statement_timestamp(), BreakerState.OPEN.value),
    else_=BreakerState.HALF_OPEN.value,
).label("state_of_breaker")
_SHOWN = (*_KEPT, *_OF_BREAKER, _BREAKER_STATE)


async def add(session: AsyncSession, endpoint: Endpoint) -> Endpoint:
    """Keep a new endpoint; the database says when it was created."""
    values = {column.name: getattr(endpoint, column.name) for column in _KEPT}
    values |= {"created_at": func.now(), "event_types": _codes(endpoint.event_types)}
    return _endpoint((await session.execute(insert(endpoints).values(values).returning(*_SHOWN))).one())


async def get(
    session: AsyncSession, endpoint_id: UUID, *, agency_code: str | None = None, lock: bool = False
) -> Endpoint | None:
    """Read an endpoint, of one agency where one is given; None where there is none or it is another's.

    Locked, it waits for whoever changes the endpoint; always lock it before deliveries, so that none wait crosswise.
    """
    wanted = select(*_SHOWN).where(endpoints.c.id == endpoint_id, _of(agency_code))
    if lock:
        # NO KEY UPDATE: new deliveries refer to the endpoint meanwhile without waiting.
        wanted = wanted.with_for_update(key_share=True)
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _endpoint(row)


async def lock_with_idle(session: AsyncSession, endpoint_id: UUID, *, agency_code: str) -> None:
    """Lock an endpoint and those of its agency that are not active, in the order of their ids.

    To write news for one that is not active waits for whoever changes it (deliveries.enqueue). Who changes one and has
    news for the others locks them all before, so that no two wait crosswise.
    """
    either = or_(endpoints.c.id == endpoint_id, endpoints.c.state != ACTIVE)
    wanted = select(endpoints.c.id).where(endpoints.c.agency_code == agency_code, either).order_by(endpoints.c.id)
    await session.execute(wanted.with_for_update(key_share=True))


async def agency_of(session: AsyncSession, endpoint_id: UUID) -> str | None:
    """Say whose an endpoint is, which never changes; None where there is none."""
    found: str | None = await session.scalar(select(endpoints.c.agency_code).where(endpoints.c.id == endpoint_id))
    return found


async def listed(
    session: AsyncSession, *, agency_code: str | None, after: UUID | None = None, limit: int = 100
) -> list[Endpoint]:
    """List endpoints, the oldest first, of one agency or of all, after one of them."""
    wanted = select(*_SHOWN).where(_of(agency_code)).order_by(endpoints.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(endpoints.c.id > after)
    return [_endpoint(row) for row in await session.execute(wanted)]


async def put(session: AsyncSession, endpoint: Endpoint) -> Endpoint:
    """Keep what was changed of a locked endpoint, also of what goes with its posts; the version rises by one."""
    kept = {
        "url": endpoint.url,
        "event_types": _codes(endpoint.event_types),
        "max_in_flight": endpoint.max_in_flight,
        "max_per_minute": endpoint.max_per_minute,
        "state": endpoint.state,
        "state_reason": endpoint.state_reason,
        "failing_since": endpoint.failing_since,
        "verified_at": endpoint.verified_at,
        "version": endpoints.c.version + 1,
        **columns_of(endpoint.breaker),
    }
    written = update(endpoints).where(endpoints.c.id == endpoint.id).values(kept).returning(*_SHOWN)
    return _endpoint((await session.execute(written)).one())


async def note_challenge(session: AsyncSession, endpoint_id: UUID, *, event_id: UUID, due_at: datetime) -> None:
    """Keep which event carries the latest challenge of a locked endpoint, and when it is due in real time."""
    challenged = update(endpoints).where(endpoints.c.id == endpoint_id)
    await session.execute(challenged.values(challenge_id=event_id, challenged_at=due_at))


async def failing_untold(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[UUID]:
    """List active endpoints that have done nothing but fail for five minutes, and whose agency was not told."""
    found = await session.scalars(
        select(endpoints.c.id)
        .where(
            endpoints.c.state == ACTIVE,
            endpoints.c.failing_since <= now - FAILING_AFTER,
            endpoints.c.state_reason.is_distinct_from(FAILING),
        )
        .order_by(endpoints.c.failing_since)
        .limit(limit)
    )
    return found.all()


async def note_failing(session: AsyncSession, endpoint_id: UUID) -> None:
    """Keep that the agency of a locked endpoint was told that it fails."""
    await session.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(state_reason=FAILING))


async def count_unverified(session: AsyncSession, agency_code: str, *, challenged_since: datetime) -> int:
    """Count the endpoints of an agency that nothing but a challenge is sent to, or was since then, stopped or not.

    Nobody else counts them until this transaction ends: of many that come at once none is overlooked.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_COUNTING, func.hashtext(agency_code))))
    unverified = or_(
        endpoints.c.state == UNVERIFIED,
        and_(endpoints.c.verified_at.is_(None), endpoints.c.challenged_at > challenged_since),
    )
    counted = select(func.count()).where(endpoints.c.agency_code == agency_code, unverified)
    return await session.scalar(counted) or 0


def _of(agency_code: str | None) -> ColumnElement[bool]:
    return endpoints.c.agency_code == agency_code if agency_code is not None else endpoints.c.id.is_not(None)


def _codes(event_types: Sequence[str] | None) -> Any:
    return null() if event_types is None else list(event_types)


def columns_of(breaker: Breaker) -> dict[str, Any]:
    """Give the columns in which an endpoint keeps its breaker."""
    return {f"{_BREAKER}{of.name}": getattr(breaker, of.name) for of in fields(Breaker)}


def _endpoint(row: Row[Any]) -> Endpoint:
    found = row._mapping
    return Endpoint(
        **{column.name: found[column.name] for column in _KEPT if column.name != "event_types"},
        event_types=None if row.event_types is None else tuple(row.event_types),
        breaker=Breaker(**{column.name.removeprefix(_BREAKER): found[column.name] for column in _OF_BREAKER}),
        breaker_state=BreakerState(row.state_of_breaker),
    )
