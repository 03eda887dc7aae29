"""The chain over the audit as it lies in the database: entries in their order, segments, and what was dropped."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, delete, func, insert, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_chain import BEFORE_ALL, Drop, Place, Segment
from app.storage.tables import agencies, audit, audit_drops, audit_segments, decisions, handoffs, service_requests
from app.storage.transactions import OFFSET, OLDEST_RUNNING

A_PAGE = 10_000
"""Entries that are read at once."""

Sessions = async_sessionmaker[AsyncSession]
Entry = dict[str, Any]
"""An entry by its columns."""


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What no segment holds yet: how many entries, and since when the first of them waits, by the database's clock."""

    count: int
    waited_seconds: float


async def link_alone(session: AsyncSession) -> bool:
    """Keep everybody else from linking until this transaction ends; False where somebody links already."""
    alone = await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext("lintas audit chain"))))
    return bool(alone)


async def last_segment(session: AsyncSession) -> Segment | None:
    """Give the end of the chain."""
    row = (await session.execute(select(audit_segments).order_by(audit_segments.c.number.desc()).limit(1))).first()
    return None if row is None else _segment(row._mapping)


async def to_be_linked(session: AsyncSession, after: Place, *, limit: int) -> list[Entry]:
    """List entries after a place, in their order, as far as nothing can come in between any more."""
    wanted = _after(after).where(audit.c.xact < OLDEST_RUNNING + OFFSET).limit(limit)
    return await _entries(session, wanted)


async def add_segment(session: AsyncSession, segment: Segment) -> None:
    """Put the next segment at the end of the chain."""
    await session.execute(
        insert(audit_segments).values(
            number=segment.number,
            count=segment.count,
            entries=segment.entries,
            last_xact=segment.last[0],
            last_id=segment.last[1],
            newest_at=segment.newest_at,
            root=segment.root,
            head=segment.head,
            linked_at=segment.linked_at,
            signature=segment.signature,
        )
    )


async def waiting_since(session: AsyncSession) -> float | None:
    """Give the seconds that the first entry after the chain has waited for; None if there is none."""
    end = await last_segment(session)
    first = _after(end.last if end else BEFORE_ALL).limit(1).subquery()
    waited: float | None = await session.scalar(
        select(func.extract("epoch", func.clock_timestamp() - first.c.at)).select_from(first)
    )
    return None if waited is None else float(waited)


async def unlinked(session: AsyncSession, after: Place) -> Unlinked:
    """Say what lies after the end of the chain."""
    rest = _after(after).order_by(None).subquery()
    waited = func.extract("epoch", func.clock_timestamp() - func.min(rest.c.at))
    row = (await session.execute(select(func.count(), func.coalesce(waited, 0)).select_from(rest))).one()
    return Unlinked(row[0], float(row[1]))


async def segments_after(session: AsyncSession, number: int, *, to: int, limit: int) -> list[Segment]:
    """List segments after a number, up to another."""
    wanted = (
        select(audit_segments)
        .where(audit_segments.c.number > number, audit_segments.c.number <= to)
        .order_by(audit_segments.c.number)
        .limit(limit)
    )
    return [_segment(row) for row in (await session.execute(wanted)).mappings()]


async def segments_of(session: AsyncSession, numbers: Sequence[int]) -> dict[int, Segment]:
    """Give segments by their numbers."""
    wanted = select(audit_segments).where(audit_segments.c.number.in_(numbers))
    return {row["number"]: _segment(row) for row in (await session.execute(wanted)).mappings()}


async def entries_between(sessions: Sessions, after: Place, to: Place) -> AsyncIterator[list[Entry]]:
    """Give the entries after one place up to another, in their order, as pages: in memory that does not grow."""
    while True:
        async with sessions() as session:
            page = _after(after).where(tuple_(audit.c.xact, audit.c.id) <= _written(to)).limit(A_PAGE)
            rows = await _entries(session, page)
        yield rows
        if len(rows) < A_PAGE:
            return
        after = (rows[-1]["xact"], rows[-1]["id"])


async def drops(session: AsyncSession) -> list[Drop]:
    """List what was dropped, the latest first."""
    rows = await session.execute(select(audit_drops).order_by(audit_drops.c.up_to.desc()))
    return [Drop(row.up_to, row.dropped_at, row.signature) for row in rows]


async def last_before(session: AsyncSession, moment: datetime, *, up_to: int) -> Segment | None:
    """Give the last segment, up to a number, of which and before which no entry is of that moment or later."""
    later = select(func.min(audit_segments.c.number)).where(audit_segments.c.newest_at >= moment).scalar_subquery()
    row = (
        await session.execute(
            select(audit_segments)
            .where(audit_segments.c.number <= up_to, audit_segments.c.number < func.coalesce(later, up_to + 1))
            .order_by(audit_segments.c.number.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else _segment(row._mapping)


async def add_drop(session: AsyncSession, drop: Drop) -> None:
    """Keep the statement that segments were dropped."""
    await session.execute(
        insert(audit_drops).values(up_to=drop.up_to, dropped_at=drop.dropped_at, signature=drop.signature)
    )


async def drop_entries(session: AsyncSession, *, to: Place, limit: int) -> int:
    """Delete the oldest entries, up to a place, and so many at most; give the number. The database's owner may."""
    await session.execute(text("SET LOCAL lintas.dropping_audit = 'on'"))
    oldest = (
        select(audit.c.xact, audit.c.id)
        .where(tuple_(audit.c.xact, audit.c.id) <= _written(to))
        .order_by(audit.c.xact, audit.c.id)
        .limit(limit)
        .subquery()
    )
    gone = await session.execute(
        delete(audit).where(audit.c.xact == oldest.c.xact, audit.c.id == oldest.c.id).returning(audit.c.id)
    )
    return len(gone.all())


async def may_be_changed(session: AsyncSession) -> bool:
    """Say whether the role that this process works as could change or remove what the audit holds."""
    may = await session.scalar(
        text("SELECT has_table_privilege('audit', 'UPDATE') OR has_table_privilege('audit', 'DELETE')")
    )
    return bool(may)


async def of_referral(session: AsyncSession, referral_id: UUID) -> list[Entry]:
    """List all entries of one case in the order of their time, looks that were refused included."""
    parts = (
        select(handoffs.c.id)
        .where(handoffs.c.referral_id == referral_id)
        .union_all(
            select(service_requests.c.id).where(service_requests.c.referral_id == referral_id),
            select(decisions.c.id)
            .join(service_requests, service_requests.c.id == decisions.c.service_request_id)
            .where(service_requests.c.referral_id == referral_id),
        )
    )
    names = [str(referral_id), *map(str, (await session.scalars(parts)).all())]
    refused = audit.c.subject_id.in_(names) & audit.c.result.not_in(["done", "withheld"])
    wanted = (
        select(audit, agencies.c.body["name"].astext.label("agency_name"))
        .outerjoin(agencies, agencies.c.code == audit.c.agency_code)
        .where((audit.c.referral_id == referral_id) | refused)
        .order_by(audit.c.at, audit.c.id)
    )
    return await _entries(session, wanted)


async def _entries(session: AsyncSession, wanted: Select[Any]) -> list[Entry]:
    found = await session.execute(wanted)
    names = tuple(map(str, found.keys()))
    return [dict(zip(names, row, strict=True)) for row in found]


def _after(place: Place) -> Select[Any]:
    return select(audit).where(tuple_(audit.c.xact, audit.c.id) > _written(place)).order_by(audit.c.xact, audit.c.id)


def _written(place: Place) -> Any:
    return tuple_(literal(place[0]), literal(place[1]))


def _segment(row: RowMapping) -> Segment:
    return Segment(
        number=row["number"],
        count=row["count"],
        entries=row["entries"],
        last=(row["last_xact"], row["last_id"]),
        newest_at=row["newest_at"],
        root=row["root"],
        head=row["head"],
        linked_at=row["linked_at"],
        signature=row["signature"],
    )
