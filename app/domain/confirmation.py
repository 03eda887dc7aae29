"""One reading of a source is confirmed: the document's next version says so, by whom and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.domain.clauses import Citation
from app.domain.document import Document


def confirmed(document: Document, key: str, *, by: str, on: date) -> Document | None:
    """Return the document with one clause's citation confirmed; None if it has no such clause."""
    if all(clause.key != key for clause in document.clauses):
        return None
    clauses = tuple(
        replace(clause, citation=Citation(clause.citation.source, confirmed=True, confirmed_by=by, confirmed_on=on))
        if clause.key == key
        else clause
        for clause in document.clauses
    )
    return replace(document, clauses=clauses)


def successor(document: Document, begins: date) -> Document:
    """Return the next version of a document, which says the same from another day on."""
    return replace(document, version=document.version + 1, effective_from=begins)
