"""One version of a document: parties, clauses, days of effect, and its canonical text (routing.md, Documents)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.canonical import canonical_bytes, digest
from app.domain.clauses import Assign, Citation, Clause, Condition, Covers, Deny, Duty, Party, Selector, VictimLine

FORMAT = 1


class DocumentKind(StrEnum):
    """Whether parties signed the document, or it holds where none does."""

    AGREEMENT = "agreement"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document; a published version never changes."""

    id: str
    version: int
    kind: DocumentKind
    precedence: int
    title_id: str
    title_en: str
    effective_from: date
    effective_until: date | None
    time_zone: str
    parties: tuple[Party, ...]
    covers: Covers
    clauses: tuple[Clause, ...]
    signed_on: date | None = None
    joint_leave_counts: bool = True
    """Whether joint leave days count as working days in the deadlines of this document."""
    access_after_completion: str | None = None
    """How long who completed a handoff sees its case, as P30D; None: as long as the operator's settings say."""

    @property
    def territory(self) -> tuple[str, ...]:
        """List all its parties' territories."""
        return tuple(dict.fromkeys(code for party in self.parties for code in party.territory))

    @property
    def begins(self) -> datetime:
        """Return the moment of its first local day's midnight, in UTC."""
        return self._midnight(self.effective_from)

    @property
    def ends(self) -> datetime | None:
        """Return the moment from which it no longer counts, in UTC; None if it says none."""
        return self._midnight(self.effective_until) if self.effective_until else None

    def local_day(self, at: datetime) -> date:
        """Return the day that a moment lies in by the document's own time zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def in_force(self, at: datetime) -> bool:
        """Say whether a moment lies in its local days `[from, until)`; a successor may close it earlier."""
        ends = self.ends
        return self.begins <= at and (ends is None or at < ends)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.time_zone)).astimezone(UTC)

    def to_json(self) -> dict[str, object]:
        """Write the document as files write it, without the keys that say nothing."""
        written: dict[str, object] = {
            "format": FORMAT,
            "id": self.id,
            "version": self.version,
            "kind": self.kind.value,
            "precedence": self.precedence,
            "title": {"id": self.title_id, "en": self.title_en},
            "effective": {
                "from": self.effective_from.isoformat(),
                "until": self.effective_until.isoformat() if self.effective_until else None,
            },
            "timezone": self.time_zone,
            "parties": [{"agency": party.agency, "territory": list(party.territory)} for party in self.parties],
            "covers": {**_lines(self.covers), **_victims(self.covers)},
            "clauses": [_clause(clause) for clause in self.clauses],
        }
        if self.signed_on:
            written["signed_on"] = self.signed_on.isoformat()
        if not self.joint_leave_counts:
            written["joint_leave_counts"] = False
        if self.access_after_completion:
            written["access_after_completion"] = self.access_after_completion
        return written


def canonical_json(document: Document) -> bytes:
    """Write a document as the same bytes every time."""
    return canonical_bytes(document.to_json())


def sha256(document: Document) -> str:
    """Return the digest that names exactly this text of the document."""
    return digest(canonical_json(document))


def _lines(part: Condition | VictimLine | Covers | Selector) -> dict[str, object]:
    written: dict[str, object] = {}
    for line in fields(part):
        value = getattr(part, line.name)
        if isinstance(value, frozenset):
            value = sorted(value)
        if value in (None, [], ()):
            continue
        written[line.name] = [str(item) for item in value] if isinstance(value, list | tuple) else value
    return written


def _victims(covers: Covers) -> Mapping[str, object]:
    return {"victims": [_lines(line) for line in covers.victims]} if covers.victims else {}


def _cite(citation: Citation) -> dict[str, object]:
    written: dict[str, object] = {"source": citation.source, "confirmed": citation.confirmed}
    if citation.confirmed_by is not None:
        written["confirmed_by"] = citation.confirmed_by
    if citation.confirmed_on is not None:
        written["confirmed_on"] = citation.confirmed_on.isoformat()
    return written


def _clause(clause: Clause) -> dict[str, object]:
    written: dict[str, object] = {"key": clause.key, "cite": _cite(clause.citation), "when": _lines(clause.when)}
    match clause:
        case Assign():
            written |= {"kind": "assign", "to": _lines(clause.to), "rank": clause.rank}
            if clause.basis:
                written["basis"] = [basis.value for basis in clause.basis]
            if clause.respond:
                written["respond"] = clause.respond
        case Deny():
            written |= {"kind": "deny"}
        case Duty():
            written |= {"kind": "duty", "duty": clause.duty, "within": clause.within}
    return written
