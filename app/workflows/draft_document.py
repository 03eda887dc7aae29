"""A document is drafted: the next version of an agreement or a baseline, as often as it takes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.agreement import Document, parse_document
from app.domain.caller import Caller
from app.domain.errors import (
    DocumentInvalid,
    Fault,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    VersionPublished,
)
from app.domain.proposals import ProposalKind, subject_of
from app.domain.versions import Expected
from app.storage import audit, documents
from app.storage.documents import Draft
from app.storage.reference import Reference
from app.workflows.desk import Desk
from app.workflows.propose_change import outdate

MOST_FAULTS = 100
_FIELD = re.compile(r"[a-z0-9_]{1,40}\Z")


async def draft_document(
    desk: Desk, caller: Caller | None, id_: str, version: int, body: Mapping[str, Any], expected: Expected | None
) -> Draft:
    """Keep a draft as it is written; a change of one that is there needs the revision it was made from."""
    document = read_document(desk.reference, body)
    _check_name(document, id_, version)
    if await documents.published(desk.tx, id_, version) is not None:
        raise VersionPublished("a published version never changes")
    known = await documents.draft(desk.tx, id_, version, to_change=True)
    if known is None:
        if expected is not None:
            raise PreconditionFailed
        kept = await documents.add_draft(desk.tx, id_, version, body, author=caller, now=desk.now)
        if kept is None:
            raise PreconditionRequired
    else:
        if expected is None:
            raise PreconditionRequired
        expected.check(known.revision)
        await outdate(desk.tx, caller, ProposalKind.PUBLISH, subject_of(id_, version), now=desk.now)
        kept = await documents.replace_draft(desk.tx, known, body, author=caller, now=desk.now)
    await record(desk, caller, "document.draft", id_, version)
    return kept


async def document_of(desk: Desk, id_: str, version: int) -> Document:
    """Read a version, published or a draft; NotFound where there is neither."""
    return await document_in(desk.tx, desk.reference, id_, version)


async def draft_in(tx: AsyncSession, reference: Reference, id_: str, version: int) -> Document | None:
    """Read a draft; None where there is none, be it that the version is published."""
    found = await documents.draft(tx, id_, version)
    return None if found is None else read_document(reference, found.body)


async def document_in(tx: AsyncSession, reference: Reference, id_: str, version: int) -> Document:
    """Read a version, published or a draft, where no more than the rules is at hand; NotFound where it is neither."""
    found = await documents.published(tx, id_, version) or await documents.draft(tx, id_, version)
    if found is None:
        raise NotFound("version")
    return read_document(reference, found.body)


def read_document(reference: Reference, body: object) -> Document:
    """Read a document as it is written, or say what is wrong with it, the first hundred faults."""
    try:
        return parse_document(body, reference.vocabulary, reference.regions)
    except DocumentInvalid as invalid:
        raise DocumentInvalid(tuple(map(_known_place, invalid.faults[:MOST_FAULTS]))) from None


async def record(desk: Desk, caller: Caller | None, action: str, id_: str, version: int) -> None:
    """Record what was done to a version; a caller of None is the command line."""
    subject_id = f"{id_}/{version}"
    await audit.record(desk.tx, caller, action, subject="document", subject_id=subject_id, request_id=desk.request_id)


def _check_name(document: Document, id_: str, version: int) -> None:
    faults = []
    if document.id != id_:
        faults.append(Fault("/id", "contradiction", "the id is another one than that of the address"))
    if document.version != version:
        faults.append(Fault("/version", "contradiction", "the version is another one than that of the address"))
    if faults:
        raise DocumentInvalid(tuple(faults))


def _known_place(fault: Fault) -> Fault:
    """Point as deep as names look like fields: a stranger's name for one may be anything, and as long as it likes."""
    shown = []
    for step in fault.pointer.split("/")[1:]:
        if not _FIELD.match(step):
            break
        shown.append(f"/{step}")
    return replace(fault, pointer="".join(shown))
