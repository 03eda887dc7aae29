"""Changes to what referrals are judged by: each raises the registry's version, and none happens beside an intake."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.region_editions import Changes
from app.domain.regions import Region
from app.storage.reference import take_alone
from app.storage.tables import agencies, agency_history, code_sets, documents, regions, registry_state


async def open_for_change(session: AsyncSession) -> int:
    """Wait until no intake is being decided, raise the version, and give it."""
    await take_alone(session)
    line = upsert(registry_state).values(version=1)
    raised = line.on_conflict_do_update(index_elements=["only"], set_={"version": registry_state.c.version + 1})
    version: int = (await session.execute(raised.returning(registry_state.c.version))).scalar_one()
    return version


async def put_agency(session: AsyncSession, body: Mapping[str, Any], *, version: int, now: datetime) -> None:
    """Keep an agency as it is from this version on, and remember the state."""
    row = {"code": body["code"], "body": dict(body), "registry_version": version}
    line = upsert(agencies).values(row)
    await session.execute(
        line.on_conflict_do_update(
            index_elements=["code"],
            set_={"body": line.excluded.body, "registry_version": line.excluded.registry_version},
        )
    )
    await session.execute(insert(agency_history).values(**row, changed_at=now))


async def agency(session: AsyncSession, code: str) -> tuple[Mapping[str, Any], int] | None:
    """Give an agency as it is written, and the version of its last change."""
    row = (
        await session.execute(select(agencies.c.body, agencies.c.registry_version).where(agencies.c.code == code))
    ).one_or_none()
    return None if row is None else (row.body, row.registry_version)


async def agencies_after(session: AsyncSession, after: str | None, limit: int) -> list[tuple[Mapping[str, Any], int]]:
    """List agencies by code."""
    wanted = select(agencies.c.body, agencies.c.registry_version).order_by(agencies.c.code).limit(limit)
    if after is not None:
        wanted = wanted.where(agencies.c.code > after)
    return [(row.body, row.registry_version) for row in await session.execute(wanted)]


async def known_agencies(session: AsyncSession) -> set[str]:
    """List the codes the registry has."""
    return set((await session.scalars(select(agencies.c.code))).all())


async def known_documents(session: AsyncSession) -> set[tuple[str, int]]:
    """List the published documents by id and version."""
    return {(row.id, row.version) for row in await session.execute(select(documents.c.id, documents.c.version))}


async def has_code_sets(session: AsyncSession, version: int) -> bool:
    """Say whether an edition of the code sets is there."""
    return await session.scalar(select(code_sets.c.version).where(code_sets.c.version == version)) is not None


async def put_code_sets(session: AsyncSession, version: int, body: Mapping[str, Any]) -> None:
    """Keep an edition of the code sets."""
    await session.execute(insert(code_sets).values(version=version, body=dict(body)))


async def change_regions(session: AsyncSession, changes: Changes, *, now: datetime) -> None:
    """Keep what a newer edition of the regions changes; what it no longer lists is marked, and stays."""
    if changes.added:
        await session.execute(insert(regions), [_region(region) for region in changes.added])
    for region in (*(after for _, after in changes.renamed), *changes.listed_again):
        written = _region(region) | {"retired_at": None}
        await session.execute(update(regions).where(regions.c.code == region.code).values(written))
    if changes.retired:
        gone = [region.code for region in changes.retired]
        await session.execute(update(regions).where(regions.c.code.in_(gone)).values(retired_at=now))


def _region(region: Region) -> dict[str, Any]:
    return {"code": region.code, "name": region.name, "level": region.level.value, "parent": region.parent}


async def put_regions(session: AsyncSession, listed: Iterable[Region]) -> int:
    """Add regions that are not there yet, and count them."""
    known = set((await session.scalars(select(regions.c.code))).all())
    new = [_region(region) for region in listed if region.code not in known]
    if new:
        await session.execute(insert(regions), new)
    return len(new)
