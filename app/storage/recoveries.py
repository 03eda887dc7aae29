"""Recoveries: what is sent once more to an endpoint, and how far that has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, func, insert, literal, literal_column, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.storage.tables import endpoints, recoveries

FAILED, ALL, HELD = "failed", "all", "held"
ASTRAY = timedelta(hours=1)
"""How far the time in a delivery's id may lie from the time at which it says it was created."""
RUNNING, FINISHED, CANCELLED = "running", "finished", "cancelled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent once more: what failed, or all that ended, or what is held; of which news, told when.

    `since` and `until` bound the time at which the news was told; None is without bound.
    """

    what: str
    since: datetime | None = None
    until: datetime | None = None
    event_types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery and its progress; its times are real time."""

    id: UUID
    endpoint_id: UUID
    what: str
    since: datetime | None
    until: datetime
    event_types: tuple[str, ...] | None
    state: str
    counted: int
    counted_all: bool
    queued: int
    superseded: int
    first: tuple[UUID, ...] | None
    first_done: int
    last_id: UUID
    probes: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state != RUNNING


_SHOWN = tuple(column for column in recoveries.c if column.name != "next_at")


def first_id_of(moment: datetime) -> UUID:
    """Give the id below all that are made from this moment on (UUIDv7, RFC 9562)."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def first_place(wanted: Wanted) -> UUID:
    """Give an id below those of all deliveries that are wanted, whichever clock the ids were made by."""
    return UUID(int=0) if wanted.since is None else first_id_of(wanted.since - ASTRAY)


def after_all_of(moment: datetime) -> UUID:
    """Give an id above those of all deliveries that were created up to this moment."""
    return first_id_of(moment + ASTRAY)


async def add(session: AsyncSession, endpoint_id: UUID, wanted: Wanted, *, counted: int, counted_all: bool) -> Recovery:
    """Begin a recovery of what ended, or is held, by now; the endpoint is locked and none of the kind runs."""
    values = {
        "id": uuid7(),
        "endpoint_id": endpoint_id,
        "what": wanted.what,
        "since": wanted.since,
        "until": func.now() if wanted.until is None else func.least(literal(wanted.until), func.now()),
        "event_types": null() if wanted.event_types is None else list(wanted.event_types),
        "state": RUNNING,
        "counted": counted,
        "counted_all": counted_all,
        "last_id": first_place(wanted),
        "next_at": func.now(),
        "created_at": func.now(),
    }
    return _recovery((await session.execute(insert(recoveries).values(values).returning(*_SHOWN))).one())


async def running(session: AsyncSession, endpoint_id: UUID, *, held: bool) -> Recovery | None:
    """Give the recovery that runs for an endpoint: of what is held, or one that its agency asked for."""
    wanted = select(*_SHOWN).where(
        recoveries.c.endpoint_id == endpoint_id,
        recoveries.c.state == RUNNING,
        (recoveries.c.what == HELD) == literal(held),
    )
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _recovery(row)


async def get(session: AsyncSession, recovery_id: UUID, *, agency_code: str, lock: bool = False) -> Recovery | None:
    """Read a recovery; None where there is none or it is another agency's. Locked, it waits for a worker's step."""
    wanted = _of(agency_code).where(recoveries.c.id == recovery_id)
    if lock:
        wanted = wanted.with_for_update(of=recoveries)
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _recovery(row)


async def listed(
    session: AsyncSession, endpoint_id: UUID, *, agency_code: str, before: UUID | None, limit: int
) -> list[Recovery]:
    """List the recoveries of an agency's endpoint, the newest first, before one of them."""
    wanted = _of(agency_code).where(recoveries.c.endpoint_id == endpoint_id)
    if before is not None:
        wanted = wanted.where(recoveries.c.id < before)
    found = await session.execute(wanted.order_by(recoveries.c.id.desc()).limit(limit))
    return [_recovery(row) for row in found]


async def due(session: AsyncSession, *, limit: int) -> Sequence[UUID]:
    """List the running recoveries whose time has come, the longest waiting first, by the database's clock."""
    found = await session.scalars(
        select(recoveries.c.id)
        .where(_IS_RUNNING, recoveries.c.next_at <= func.now())
        .order_by(recoveries.c.next_at)
        .limit(limit)
    )
    return found.all()


async def take(session: AsyncSession, recovery_id: UUID) -> Recovery | None:
    """Take a due recovery for this transaction; None where another worker has it or had it meanwhile."""
    wanted = (
        select(*_SHOWN)
        .where(recoveries.c.id == recovery_id, _IS_RUNNING, recoveries.c.next_at <= func.now())
        .with_for_update(skip_locked=True)
    )
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _recovery(row)


async def put(session: AsyncSession, recovery: Recovery, *, again_in: timedelta) -> Recovery:
    """Keep how far a locked recovery came, and when it is looked after again."""
    kept: dict[str, Any] = {
        "state": recovery.state,
        "queued": recovery.queued,
        "superseded": recovery.superseded,
        "first": null() if recovery.first is None else list(recovery.first),
        "first_done": recovery.first_done,
        "last_id": recovery.last_id,
        "probes": recovery.probes,
        "next_at": func.statement_timestamp() + again_in,
        "finished_at": func.statement_timestamp() if recovery.ended else null(),
    }
    written = update(recoveries).where(recoveries.c.id == recovery.id).values(kept).returning(*_SHOWN)
    return _recovery((await session.execute(written)).one())


async def begin_anew(session: AsyncSession, recovery_id: UUID) -> None:
    """Have a running recovery of what is held go through all of it again: more was held meanwhile."""
    anew = {"until": func.now(), "last_id": UUID(int=0), "first": null(), "first_done": 0, "next_at": func.now()}
    await session.execute(update(recoveries).where(recoveries.c.id == recovery_id).values(anew))


async def hurry(session: AsyncSession, endpoint_id: UUID) -> None:
    """Have workers look after an endpoint's recoveries at once."""
    await session.execute(
        update(recoveries)
        .where(recoveries.c.endpoint_id == endpoint_id, _IS_RUNNING)
        .values(next_at=func.now(), probes=0)
    )


async def put_off(session: AsyncSession, recovery_id: UUID, *, again_in: timedelta) -> None:
    """Let others have their turn before a recovery that could not go on."""
    await session.execute(
        update(recoveries)
        .where(recoveries.c.id == recovery_id, _IS_RUNNING)
        .values(next_at=func.statement_timestamp() + again_in)
    )


_IS_RUNNING: ColumnElement[bool] = recoveries.c.state == literal_column(f"'{RUNNING}'", Text)
"""Written out, so that a plan kept for any parameters still knows that the partial index fits."""


def _of(agency_code: str) -> Select[Any]:
    return (
        select(*_SHOWN)
        .join_from(recoveries, endpoints, endpoints.c.id == recoveries.c.endpoint_id)
        .where(endpoints.c.agency_code == agency_code)
    )


def _recovery(row: Row[Any]) -> Recovery:
    found = dict(row._mapping)
    for name in ("event_types", "first"):
        found[name] = None if found[name] is None else tuple(found[name])
    return Recovery(**found)
