"""A document is checked before it binds: what refuses it, and what its parties should know of."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from app.domain.agreement import Document
from app.domain.analysis import Finding, Severity, check
from app.domain.review import in_force_with
from app.storage.reference import Reference

Check: TypeAlias = Callable[..., tuple[Finding, ...]]
"""The analysis: `app.domain.analysis.check`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A document with all that was found of it, beside what was published and listed then."""

    document: Document
    findings: tuple[Finding, ...]
    registry_version: int
    beside: frozenset[tuple[str, int]]
    """The documents in force with it, by id and version."""

    @property
    def refused_for(self) -> tuple[Finding, ...]:
        """List what refuses the document."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.REFUSE)

    def holds(self, reference: Reference, document: Document, now: datetime) -> bool:
        """Say whether a check now would find the same: the same document, registry, and documents in force."""
        return (self.registry_version, self.document, self.beside) == (
            reference.version,
            document,
            in_force_with(document, _others(reference, document), now),
        )


async def check_document(reference: Reference, document: Document, now: datetime, check: Check = check) -> Checked:
    """Find what is wrong with a document, beside those that are published; others on the event loop go on meanwhile."""
    others = _others(reference, document)
    findings = await asyncio.to_thread(
        check,
        document,
        published=others,
        registry=reference.registry,
        vocabulary=reference.vocabulary,
        regions=reference.regions,
        now=now,
    )
    return Checked(document, findings, reference.version, in_force_with(document, others, now))


def _others(reference: Reference, document: Document) -> tuple[Document, ...]:
    return tuple(one for one in reference.documents if one.id != document.id or one.version < document.version)
