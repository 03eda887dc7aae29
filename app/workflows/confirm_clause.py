"""A party confirms that a source says what a clause says it does: that is drafted, as the next version."""

from dataclasses import replace
from datetime import date, timedelta

from app.domain.agreement import Document
from app.domain.caller import Caller
from app.domain.confirmation import confirmed, successor
from app.domain.errors import NotFound
from app.domain.versions import Expected
from app.storage import documents
from app.storage.documents import Draft
from app.workflows.desk import Desk
from app.workflows.draft_document import draft_document, read_document


async def confirm_clause(
    desk: Desk, caller: Caller | None, id_: str, key: str, *, by: str, on: date | None, begins: date | None
) -> Draft:
    """Keep a draft of the next version in which this clause is confirmed; NotFound where there is no such clause.

    A draft of it that is there already is changed, so that one clause after the other goes into one version. A new
    one begins on `begins`, else tomorrow by the document's own days; `on` is today unless said.
    """
    document, is_drafted = await _next_version(desk, id_, begins)
    said = confirmed(document, key, by=by, on=on or document.local_day(desk.now))
    if said is None:
        raise NotFound("clause")
    expected = Expected(None) if is_drafted else None
    return await draft_document(desk, caller, id_, said.version, said.to_json(), expected)


async def _next_version(desk: Desk, id_: str, begins: date | None) -> tuple[Document, bool]:
    newest = await documents.newest_version(desk.tx, id_)
    draft = await documents.draft(desk.tx, id_, newest + 1, to_change=True)
    if draft is not None:
        document = read_document(desk.reference, draft.body)
        return (replace(document, effective_from=begins) if begins else document), True
    published = await documents.published(desk.tx, id_, newest)
    if published is None:
        raise NotFound("version")
    document = read_document(desk.reference, published.body)
    return successor(document, begins or document.local_day(desk.now) + timedelta(days=1)), False
