"""What goes with an answer to a handoff beside its code: sealed, its agency's own, and shared only where it says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.domain.handoff import HandoffEvent

OF_SENDERS = frozenset({HandoffEvent.WITHDRAW, HandoffEvent.REQUEST_CANCEL})
"""Moves whose notes are not their receiver's."""


_OWN, _SHARED = "_note", "_shared_note"


@dataclass(frozen=True, slots=True)
class NoteName:
    """Where a note is sealed: which move of which handoff it went with, and whether sender and holder may read it."""

    handoff_id: UUID
    sequence: int
    """Of the news that the move made; 0 where an earlier version kept one note for each kind of move."""
    event: HandoffEvent
    shared: bool = False

    @property
    def field(self) -> str:
        """Name the sealed field."""
        return f"handoff.{self.handoff_id}.{self.sequence}.{self.event.value}{_SHARED if self.shared else _OWN}"

    @classmethod
    def read(cls, field: str) -> "NoteName | None":
        """Read the name of a sealed field; None where it holds no note of a handoff."""
        parts = field.split(".")
        if len(parts) not in (3, 4) or parts[0] != "handoff":
            return None
        shared = parts[-1].endswith(_SHARED)
        event = parts[-1].removesuffix(_SHARED if shared else _OWN)
        if event not in set(HandoffEvent):
            return None
        return cls(UUID(parts[1]), int(parts[2]) if len(parts) == 4 else 0, HandoffEvent(event), shared)


def receivers(names: Iterable[NoteName], *, only_shared: bool) -> list[NoteName]:
    """List the notes of a receiver in the order in which they were written: all for itself, else what it shared."""
    theirs = (name for name in names if name.event not in OF_SENDERS and (name.shared or not only_shared))
    return sorted(theirs, key=lambda name: (name.sequence, name.event))
