"""Whether a worker gets on: when it last did each thing that it does again and again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CLAIMS, CLOCKS = "claims", "clocks"
STUCK_AFTER: Mapping[str, float] = {
    # A post may last 15 seconds and a failed look pauses for five: whoever claims nothing for longer is stuck.
    CLAIMS: 45.0,
    # One round runs up to 500 clocks, each of which may wait a second for a lock.
    CLOCKS: 600.0,
}
"""Seconds without a success after which a worker counts as stuck."""


@dataclass(slots=True)
class Progress:
    """Notes successes, and tells how long ago each was; `elapsed` counts seconds that only go up."""

    elapsed: Callable[[], float]
    stuck_after: Mapping[str, float] = field(default_factory=lambda: STUCK_AFTER)
    _seen: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin to count: this process works."""
        self._seen = dict.fromkeys(self.stuck_after, self.elapsed())

    def note(self, what: str) -> None:
        """Note that something was done, or that there was nothing to do."""
        if what in self._seen:
            self._seen[what] = self.elapsed()

    def ages(self) -> dict[str, float]:
        """Give the seconds since each success; nothing where this process has not begun to work."""
        now = self.elapsed()
        return {what: now - at for what, at in self._seen.items()}

    def is_stuck(self, what: str, age: float) -> bool:
        """Say whether so long without a success is too long."""
        return age > self.stuck_after[what]
