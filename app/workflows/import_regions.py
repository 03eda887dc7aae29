"""A newer edition of the list of regions is taken over, and it is told whom that touches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.region_editions import Changes, Touched, changes, touched_agencies, touched_documents
from app.domain.regions import Region
from app.storage import audit, registry
from app.storage.reference import ReferenceKeeper


@dataclass(frozen=True, slots=True)
class Imported:
    """What an edition changes, and who names what it changes."""

    changes: Changes
    documents: tuple[Touched, ...]
    agencies: tuple[Touched, ...]


async def import_regions(session: AsyncSession, edition: Iterable[Region], now: datetime, *, dry_run: bool) -> Imported:
    """Take over an edition, or only say what that would change; decisions that were made stay as they are."""
    reference = await ReferenceKeeper().current(session, to_change=not dry_run)
    found = changes(reference.regions, edition)
    if not dry_run and not found.is_nothing:
        await registry.open_for_change(session)
        await registry.change_regions(session, found, now=now)
        await audit.record(session, None, "regions.import", subject="regions", subject_id=str(len(found.codes)))
    return Imported(
        found,
        tuple(touched_documents(reference.documents, found.codes)),
        tuple(touched_agencies(reference.registry, found.codes)),
    )
