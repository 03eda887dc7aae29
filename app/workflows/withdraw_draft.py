"""A draft is taken back: it never bound anybody, and its number is free for another."""

from app.domain.caller import Caller
from app.domain.errors import NotFound, VersionPublished
from app.domain.proposals import ProposalKind, subject_of
from app.domain.versions import Expected
from app.storage import documents
from app.workflows.desk import Desk
from app.workflows.draft_document import record
from app.workflows.propose_change import outdate


async def withdraw_draft(desk: Desk, caller: Caller | None, id_: str, version: int, expected: Expected) -> None:
    """Take the draft away that the caller has seen; what is published stays (VersionPublished)."""
    draft = await documents.draft(desk.tx, id_, version, to_change=True)
    if draft is None:
        if await documents.published(desk.tx, id_, version) is not None:
            raise VersionPublished("a published version never changes")
        raise NotFound("draft")
    expected.check(draft.revision)
    await outdate(desk.tx, caller, ProposalKind.PUBLISH, subject_of(id_, version), now=desk.now)
    await documents.remove_draft(desk.tx, draft)
    await record(desk, caller, "document.withdraw", id_, version)
