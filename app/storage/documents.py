"""Agreements and baselines: the versions that are published, which never change, and the drafts of the next ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.agreement import Document
from app.domain.caller import Caller
from app.domain.document import sha256
from app.storage.tables import documents, drafts


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is not published yet, as it was written."""

    id: str
    version: int
    revision: int
    """Rises with each change, and never comes again, not even for another draft of this version."""
    body: Mapping[str, Any]
    author_agency: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Published:
    """A version that is published."""

    id: str
    version: int
    body: Mapping[str, Any]
    sha256: str
    published_at: datetime


_REVISION = func.nextval("draft_revisions")
_DRAFT = (
    drafts.c.id,
    drafts.c.version,
    drafts.c.revision,
    drafts.c.body,
    drafts.c.author_agency,
    drafts.c.updated_at,
)
_PUBLISHED = (documents.c.id, documents.c.version, documents.c.body, documents.c.sha256, documents.c.published_at)


async def publish(session: AsyncSession, document: Document, *, registry_version: int, now: datetime) -> Published:
    """Keep a document's version for good."""
    kept = Published(document.id, document.version, document.to_json(), sha256(document), now)
    await session.execute(
        insert(documents).values(
            id=kept.id,
            version=kept.version,
            body=kept.body,
            sha256=kept.sha256,
            registry_version=registry_version,
            published_at=now,
        )
    )
    return kept


async def published(session: AsyncSession, id_: str, version: int) -> Published | None:
    """Give a published version; None where there is none."""
    wanted = select(*_PUBLISHED).where(documents.c.id == id_, documents.c.version == version)
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else Published(*row)


async def newest_version(session: AsyncSession, id_: str) -> int:
    """Give the newest published version of a document; 0 where none is."""
    newest: int | None = await session.scalar(select(func.max(documents.c.version)).where(documents.c.id == id_))
    return newest or 0


async def draft(session: AsyncSession, id_: str, version: int, *, to_change: bool = False) -> Draft | None:
    """Give a draft, held still if it is going to be changed; None where there is none."""
    wanted = select(*_DRAFT).where(drafts.c.id == id_, drafts.c.version == version)
    row = (await session.execute(wanted.with_for_update() if to_change else wanted)).one_or_none()
    return None if row is None else Draft(*row)


async def add_draft(
    session: AsyncSession, id_: str, version: int, body: Mapping[str, Any], *, author: Caller | None, now: datetime
) -> Draft | None:
    """Keep a new draft; None where somebody else was first."""
    row = {"id": id_, "version": version, "body": dict(body), "updated_at": now, **_author(author)}
    row["revision"] = _REVISION
    line = upsert(drafts).values(row).on_conflict_do_nothing().returning(*_DRAFT)
    written = (await session.execute(line)).one_or_none()
    return None if written is None else Draft(*written)


async def replace_draft(
    session: AsyncSession, known: Draft, body: Mapping[str, Any], *, author: Caller | None, now: datetime
) -> Draft:
    """Keep a draft as it is written now."""
    change = (
        update(drafts)
        .where(drafts.c.id == known.id, drafts.c.version == known.version)
        .values(body=dict(body), revision=_REVISION, updated_at=now, **_author(author))
    )
    return Draft(*(await session.execute(change.returning(*_DRAFT))).one())


async def remove_draft(session: AsyncSession, known: Draft) -> None:
    """Take a draft away."""
    await session.execute(delete(drafts).where(drafts.c.id == known.id, drafts.c.version == known.version))


async def ids_after(session: AsyncSession, after: str | None, limit: int, *, with_drafts: bool) -> list[str]:
    """List the documents by id, those that are drafts alone among them if asked."""
    wanted = select(documents.c.id).distinct()
    named = (union(wanted, select(drafts.c.id)) if with_drafts else wanted).subquery()
    page = select(named.c.id).order_by(named.c.id).limit(limit)
    if after is not None:
        page = page.where(named.c.id > after)
    return list((await session.scalars(page)).all())


async def versions_of(session: AsyncSession, ids: Sequence[str]) -> list[Published]:
    """List the published versions of some documents, each document's oldest first."""
    wanted = select(*_PUBLISHED).where(documents.c.id.in_(ids)).order_by(documents.c.id, documents.c.version)
    return [Published(*row) for row in await session.execute(wanted)]


async def drafts_of(session: AsyncSession, ids: Sequence[str]) -> list[Draft]:
    """List the drafts of some documents."""
    wanted = select(*_DRAFT).where(drafts.c.id.in_(ids)).order_by(drafts.c.id, drafts.c.version)
    return [Draft(*row) for row in await session.execute(wanted)]


def _author(author: Caller | None) -> dict[str, Any]:
    return {
        "author_agency": author.agency_code if author else None,
        "author_key": author.key_id if author else None,
    }
