"""Where agencies want their news: endpoints, whether they are proven to be theirs, and how they are doing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType
from app.domain.retry import FAILING_AFTER
from app.storage.tables import Moment, endpoints

UNVERIFIED, ACTIVE, PAUSED, DISABLED = "unverified", "active", "paused", "disabled"
FAILING = "failing"
"""The state's reason of an active endpoint whose agency was told that it fails."""
SUCCESS_NOTED_EVERY = timedelta(seconds=10)
"""A busy endpoint's row is not written for each success."""


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
    failing_since: datetime | None
    last_success_at: datetime | None
    version: int
    created_at: datetime
    verified_at: datetime | None = None
    """Since when its URL is known to be the agency's."""
    challenge_id: UUID | None = None
    """The event that carries the latest challenge to prove it."""
    challenged_at: datetime | None = None

    @property
    def brings_offers(self) -> bool:
        """Whether it is a working way to tell its agency of offers, as far as was noticed."""
        wanted = self.event_types is None or EventType.HANDOFF_OFFERED.value in self.event_types
        return wanted and self.state == ACTIVE and self.state_reason != FAILING


_SHOWN = tuple(column for column in endpoints.c if column.name != "last_failure_at")


async def add(session: AsyncSession, endpoint: Endpoint) -> Endpoint:
    """Keep a new endpoint; the database says when it was created."""
    values = {column.name: getattr(endpoint, column.name) for column in _SHOWN}
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
        "state": endpoint.state,
        "state_reason": endpoint.state_reason,
        "failing_since": endpoint.failing_since,
        "verified_at": endpoint.verified_at,
        "version": endpoints.c.version + 1,
    }
    written = update(endpoints).where(endpoints.c.id == endpoint.id).values(kept).returning(*_SHOWN)
    return _endpoint((await session.execute(written)).one())


async def note_challenge(session: AsyncSession, endpoint_id: UUID, *, event_id: UUID, due_at: datetime) -> None:
    """Keep which event carries the latest challenge of a locked endpoint, and when it is due in real time."""
    challenged = update(endpoints).where(endpoints.c.id == endpoint_id)
    await session.execute(challenged.values(challenge_id=event_id, challenged_at=due_at))


async def count_unverified(session: AsyncSession, agency_code: str) -> int:
    """Count the endpoints of an agency that nothing but a challenge is sent to."""
    unverified = and_(endpoints.c.agency_code == agency_code, endpoints.c.state == UNVERIFIED)
    return await session.scalar(select(func.count()).where(unverified)) or 0


async def note_failure(session: AsyncSession, endpoint: Endpoint) -> None:
    """Keep since when a locked endpoint has done nothing but fail, its state and the reason for it."""
    await session.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint.id)
        .values(
            failing_since=endpoint.failing_since,
            last_failure_at=func.statement_timestamp(),
            state=endpoint.state,
            state_reason=endpoint.state_reason,
        )
    )


async def note_success(session: AsyncSession, endpoint_ids: Collection[UUID], *, now: datetime) -> set[UUID]:
    """Note that endpoints took their news, which ends their failing; at most every 10 s where they did not fail.

    Nobody is waited for: give the endpoints that somebody else holds locked, to be noted later.
    """
    noted = {"taken": list(endpoint_ids), "moment": now, "before": now - SUCCESS_NOTED_EVERY}
    return set(await session.scalars(_NOTE_SUCCESS, noted))


async def reachable(session: AsyncSession, agency_codes: Iterable[str]) -> set[str]:
    """Say which agencies have a working way to be told of offers: an active endpoint that takes them and does not fail.

    It does not fail as long as no worker noticed, and real time does not say so.
    """
    working = and_(
        or_(endpoints.c.failing_since.is_(None), endpoints.c.failing_since > func.now() - FAILING_AFTER),
        endpoints.c.state_reason.is_distinct_from(FAILING),
        or_(
            endpoints.c.event_types.is_(None),
            literal(EventType.HANDOFF_OFFERED.value, Text()) == func.any(endpoints.c.event_types),
        ),
    )
    found = await session.scalars(
        select(endpoints.c.agency_code)
        .where(
            endpoints.c.agency_code == func.any(literal(sorted(agency_codes), ARRAY(Text()))),
            endpoints.c.state == ACTIVE,
            working,
        )
        .distinct()
    )
    return set(found)


def _of(agency_code: str | None) -> ColumnElement[bool]:
    return endpoints.c.agency_code == agency_code if agency_code is not None else endpoints.c.id.is_not(None)


def _codes(event_types: Sequence[str] | None) -> Any:
    return null() if event_types is None else list(event_types)


def _endpoint(row: Row[Any]) -> Endpoint:
    codes = row.event_types
    return Endpoint(**{**row._mapping, "event_types": None if codes is None else tuple(codes)})


def _noting_success() -> Select[UUID]:
    stale = or_(
        endpoints.c.failing_since.is_not(None),
        endpoints.c.last_success_at.is_(None),
        endpoints.c.last_success_at < bindparam("before", type_=Moment),
    )
    to_note = select(endpoints.c.id).where(endpoints.c.id == func.any(bindparam("taken", type_=ARRAY(Uuid()))), stale)
    free = to_note.order_by(endpoints.c.id).with_for_update(key_share=True, skip_locked=True).cte("free")
    noted = (
        update(endpoints)
        .where(endpoints.c.id == free.c.id)
        .values(
            last_success_at=bindparam("moment", type_=Moment),
            failing_since=null(),
            state_reason=func.nullif(endpoints.c.state_reason, FAILING),
        )
        .returning(endpoints.c.id)
        .cte("noted")
    )
    return to_note.where(endpoints.c.id.not_in(select(noted.c.id)))


_NOTE_SUCCESS = _noting_success()
