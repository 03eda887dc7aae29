"""What can be wrong with an audit, and what was found of it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MOST_SHOWN = 20
"""Findings of one kind that are kept one by one; more are counted."""


class FindingKind(StrEnum):
    """What is wrong."""

    ENTRIES_CHANGED = "entries_changed"
    """As many entries as were linked, but not the same, or not in the same order."""
    ENTRIES_REMOVED = "entries_removed"
    ENTRIES_ADDED = "entries_added"
    """Entries stand where the chain had passed already."""
    ENTRIES_LEFT = "entries_left"
    """Dropping was broken off: what was dropped is still there in part."""
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_CHANGED = "segment_changed"
    """A segment's row is not what its head says, or does not follow the one before it."""
    SIGNATURE_WRONG = "signature_wrong"
    """A segment was not signed by the key of this audit: whoever wrote it had the database and not the key ring."""
    DROP_UNSIGNED = "drop_unsigned"
    TAIL_CUT = "tail_cut"
    """An anchor tells of a segment that the chain does not reach any more."""
    CHAIN_RECOMPUTED = "chain_recomputed"
    """An anchor tells of another head than the one that stands: the chain was written anew."""
    ANCHOR_FORGED = "anchor_forged"
    """An anchor was not signed by the key of this audit, and proves nothing."""
    ANCHOR_UNREADABLE = "anchor_unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where; an anchor is named by its line."""

    kind: FindingKind
    segment: int | None = None
    line: int | None = None
    expected: int | None = None
    found: int | None = None


@dataclass(slots=True)
class Verified:
    """What came of looking through a whole audit."""

    segments: int = 0
    entries: int = 0
    dropped_up_to: int = 0
    unlinked: int = 0
    unlinked_seconds: float = 0.0
    anchors: int | None = None
    """Anchors that agree; None where none were given, and an end that was cut cannot be seen."""
    anchored_up_to: int = 0
    """The last segment that an anchor vouches for, with all before it."""
    counts: Counter[FindingKind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.counts

    def find(self, finding: Finding) -> None:
        """Take note of something that is wrong."""
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= MOST_SHOWN:
            self.findings.append(finding)
