"""A new database gets what ships with the product; one that has it keeps what became of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.reference import load
from app.storage import audit, documents, registry


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was added."""

    regions: int = 0
    agencies: int = 0
    documents: int = 0


async def seed(session: AsyncSession, now: datetime) -> Seeded:
    """Add the shipped regions, code sets, agencies and documents that are not there yet; change none that are."""
    shipped = load.shipped()
    bodies = load.written_registry()["agencies"]
    known, published = await registry.known_agencies(session), await registry.known_documents(session)
    new_agencies = [body for body in bodies if body["code"] not in known]
    new_documents = [one for one in shipped.documents if (one.id, one.version) not in published]
    regions = await registry.put_regions(session, shipped.regions.by_code.values())
    code_sets_known = await registry.has_code_sets(session, shipped.vocabulary.version)
    if not (new_agencies or new_documents or regions) and code_sets_known:
        return Seeded()
    version = await registry.open_for_change(session)
    if not code_sets_known:
        await registry.put_code_sets(session, shipped.vocabulary.version, load.written_vocabulary())
    for body in new_agencies:
        await registry.put_agency(session, body, version=version, now=now)
    for document in new_documents:
        await documents.publish(session, document, registry_version=version, now=now)
    await audit.record(session, None, "reference.seed", subject="registry", subject_id=version)
    return Seeded(regions, len(new_agencies), len(new_documents))
