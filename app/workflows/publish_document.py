"""A draft becomes law: checked, numbered, kept for good, and in force everywhere from its own dates on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.analysis import check, late
from app.domain.caller import Caller
from app.domain.clock import BusinessClock
from app.domain.errors import DocumentRefused, NotFound, NotNextVersion, PreconditionFailed, VersionPublished
from app.domain.finding import Finding
from app.domain.versions import Expected
from app.storage import database, documents, registry
from app.storage.documents import Draft, Published
from app.workflows.check_document import Check, Checked, check_document
from app.workflows.desk import Desk
from app.workflows.draft_document import read_document, record

LONGEST_CHECK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that became law, at which moment, and what was found of it."""

    kept: Published
    checked: Checked
    moment: datetime


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft that nothing refuses by the registry as it stands, with what was found of it."""

    draft: Draft
    newest: int
    """The newest published version of its document; 0 where there is none."""
    checked: Checked

    async def hold(self, desk: Desk) -> None:
        """See that the draft is still the one that was checked: to draft, nobody waits for a check."""
        now = await documents.draft(desk.tx, self.draft.id, self.draft.version, to_change=True)
        if now is None or now.revision != self.draft.revision:
            raise PreconditionFailed


async def ready_to_publish(
    desk: Desk,
    id_: str,
    version: int,
    *,
    expected: Expected | None,
    clock: BusinessClock,
    ahead: Checked | None,
    check: Check = check,
) -> Ready:
    """Give a draft that may be published, or say what refuses it; the caller holds the registry still.

    `ahead` is what a check found before the registry was held. Where it holds no longer, the document is checked
    again while all who would change the registry wait, and intake goes on.
    """
    newest = await documents.newest_version(desk.tx, id_)
    if version <= newest:
        raise VersionPublished("a published version never changes")
    draft = await _draft(desk, id_, version, expected)
    if version != newest + 1:
        raise NotNextVersion(newest + 1)
    document = read_document(desk.reference, draft.body)
    now = clock()
    if ahead is None or not ahead.holds(desk.reference, document, now):
        await database.may_idle(desk.tx, LONGEST_CHECK)
        ahead = await check_document(desk.reference, document, now, check)
    _refuse_for(ahead.refused_for)
    _refuse_for(late(ahead.document, newest, clock()))
    return Ready(draft, newest, ahead)


async def publish_document(
    desk: Desk,
    caller: Caller | None,
    id_: str,
    version: int,
    *,
    expected: Expected | None,
    clock: BusinessClock,
    ahead: Checked | None,
    check: Check = check,
) -> Publication:
    """Publish a draft, if nothing refuses it by the registry as it stands; the caller holds that still.

    Intake waits for the writing of the version alone, not for a check.
    """
    ready = await ready_to_publish(desk, id_, version, expected=expected, clock=clock, ahead=ahead, check=check)
    registry_version = await registry.open_for_change(desk.tx)
    # No version may begin before it but a first one: nobody else decides now, and what was decided was received before.
    moment = clock()
    document = ready.checked.document
    _refuse_for(late(document, ready.newest, moment))
    await ready.hold(desk)
    kept = await documents.publish(desk.tx, document, registry_version=registry_version, now=moment)
    await documents.remove_draft(desk.tx, ready.draft)
    await record(desk, caller, "document.publish", id_, version)
    return Publication(kept, ready.checked, moment)


async def _draft(desk: Desk, id_: str, version: int, expected: Expected | None) -> Draft:
    draft = await documents.draft(desk.tx, id_, version)
    if draft is None:
        raise NotFound("draft")
    if expected is not None:
        expected.check(draft.revision)
    return draft


def _refuse_for(findings: tuple[Finding, ...]) -> None:
    if findings:
        raise DocumentRefused(tuple(finding.to_json() for finding in findings))
