"""A draft becomes law: checked, numbered, kept for good, and in force everywhere from its own dates on."""

from datetime import datetime

from app.domain.agreement import Document
from app.domain.caller import Caller
from app.domain.errors import DocumentRefused, NotFound, NotNextVersion, VersionPublished
from app.domain.versions import Expected
from app.storage import documents, registry
from app.storage.documents import Published
from app.workflows.check_document import Checked, check_document
from app.workflows.desk import Desk
from app.workflows.draft_document import read_document, record


async def publish_document(
    desk: Desk, caller: Caller | None, id_: str, version: int, *, expected: Expected | None, moment: datetime
) -> tuple[Published, Checked]:
    """Publish a draft, if nothing refuses it; the caller has the registry to change alone.

    `moment` is the time now that nobody else decides or publishes: no version may begin before it but a first one.
    """
    newest = await documents.newest_version(desk.tx, id_)
    if version <= newest:
        raise VersionPublished("a published version never changes")
    draft = await documents.draft(desk.tx, id_, version, to_change=True)
    if draft is None:
        raise NotFound("draft")
    if expected is not None:
        expected.check(draft.revision)
    if version != newest + 1:
        raise NotNextVersion(newest + 1)
    document = read_document(desk.reference, draft.body)
    checked = await check_document(desk.reference, document, moment)
    if checked.refused_for:
        raise DocumentRefused(tuple(finding.to_json() for finding in checked.refused_for))
    kept = await _make_law(desk, caller, document, moment)
    await documents.remove_draft(desk.tx, draft)
    return kept, checked


async def _make_law(desk: Desk, caller: Caller | None, document: Document, moment: datetime) -> Published:
    """Keep the version for good, and let every process know by the registry's version."""
    registry_version = await registry.open_for_change(desk.tx)
    kept = await documents.publish(desk.tx, document, registry_version=registry_version, now=moment)
    await record(desk, caller, "document.publish", document.id, document.version)
    return kept
