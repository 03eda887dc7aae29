"""How many posts an endpoint gets in a minute, at most: a bucket that never lets more through, in any minute at all.

It is the generic cell rate algorithm: one moment, `full_at`, is all that has to be remembered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_PER_MINUTE = 60_000
SMOOTHED = 600
"""From so many a minute on, a tenth of a second's posts may go at once: one by one would be looked for too often."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of posts a minute, of which no minute, wherever it begins, sees more."""

    per_minute: int

    @property
    def burst(self) -> int:
        """Say how many may go at once."""
        return 1 + self.per_minute // SMOOTHED

    @property
    def interval(self) -> timedelta:
        """Say after how long there is room for one more; the burst is paid for, so that the bound holds with it."""
        # Rounded up: the bound is kept to the microsecond.
        return _MINUTE // (self.per_minute + 1 - self.burst) + timedelta(microseconds=1)

    def room(self, full_at: datetime | None, *, now: datetime) -> int:
        """Say how many may go now; the bucket is full again at `full_at`."""
        missing = max((full_at or now) - now, timedelta(0))
        return max(0, (self.burst * self.interval - missing) // self.interval)

    def taken(self, full_at: datetime | None, count: int, *, now: datetime) -> datetime:
        """Say when the bucket is full again after so many went."""
        return max(full_at or now, now) + count * self.interval
