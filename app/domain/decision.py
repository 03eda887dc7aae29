"""A decision: what was decided for one service, and all that shows why (routing.md, What a decision keeps)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.clauses import Citation
from app.domain.vocabulary import Outcome, Reason

ENGINE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agency that may be asked, and the clause that first named it."""

    agency: str
    document: str
    clause: str


@dataclass(frozen=True, slots=True)
class DutyOwed:
    """A duty that the handoff carries; `within` counts from `received_at`."""

    duty: str
    within: str
    document: str
    clause: str
    source: str
    confirmed: bool
    version: int
    """The version of the document; a decision keeps it with its documents."""

    def to_json(self) -> dict[str, object]:
        """Write the duty as decisions keep it."""
        return {
            "duty": self.duty,
            "within": self.within,
            "document": self.document,
            "clause": self.clause,
            "source": self.source,
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one service of a referral."""

    outcome: Outcome
    reason: Reason | None
    agency: str | None
    document: str | None
    document_version: int | None
    clause: str | None
    citation: Citation | None
    respond: str | None
    chain: tuple[Candidate, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    duties: tuple[DutyOwed, ...]
    coordinator: str | None
    """Who coordinates, whatever the outcome; None if nobody may."""
    matched: tuple[str, ...]
    """The clauses, as document/key, that matched or could have if a missing fact or place were known."""
    documents: tuple[tuple[str, int, str], ...]
    """The documents in force, each by id, version and SHA-256."""
    engine: str
    registry_version: int
    vocabulary_version: int

    def to_json(self) -> dict[str, object]:
        """Write the whole decision: every key always, null where it does not apply."""
        return {
            **self.in_short(),
            "chain": [{"agency": c.agency, "document": c.document, "clause": c.clause} for c in self.chain],
            "warnings": list(self.warnings),
            "duties": [owed.to_json() for owed in self.duties],
            "matched": list(self.matched),
            "documents": [{"id": id_, "version": version, "sha256": sha} for id_, version, sha in self.documents],
        }

    def in_short(self) -> dict[str, object]:
        """Write all of the decision but its lists of clauses and documents."""
        citation = self.citation
        return {
            "outcome": self.outcome.value,
            "reason": self.reason.value if self.reason else None,
            "agency": self.agency,
            "document": self.document,
            "document_version": self.document_version,
            "clause": self.clause,
            "citation": {"source": citation.source, "confirmed": citation.confirmed} if citation else None,
            "respond": self.respond,
            "missing": list(self.missing),
            "coordinator": self.coordinator,
            "engine": self.engine,
            "registry_version": self.registry_version,
            "vocabulary_version": self.vocabulary_version,
        }
