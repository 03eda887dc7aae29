"""A document is checked before it binds: what refuses it, and what its parties should know of."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from app.domain.agreement import Document
from app.domain.analysis import Finding, Severity, check
from app.storage.reference import Reference


@dataclass(frozen=True, slots=True)
class Checked:
    """A document with all that was found of it."""

    document: Document
    findings: tuple[Finding, ...]

    @property
    def refused_for(self) -> tuple[Finding, ...]:
        """List what refuses the document."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.REFUSE)


async def check_document(reference: Reference, document: Document, now: datetime) -> Checked:
    """Find what is wrong with a document, beside those that are published; others on the event loop go on meanwhile."""
    beside = tuple(one for one in reference.documents if one.id != document.id or one.version < document.version)
    findings = await asyncio.to_thread(
        check,
        document,
        published=beside,
        registry=reference.registry,
        vocabulary=reference.vocabulary,
        regions=reference.regions,
        now=now,
    )
    return Checked(document, findings)
