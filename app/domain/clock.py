"""The business clock: what time it is for deadlines and documents."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

BusinessClock: TypeAlias = Callable[[], datetime]
"""Tells the time, with an offset. Production reads real time; a demo or a test sets its own."""


class SettableClock:
    """A clock that stands still until it is set or advanced; calling it tells the time."""

    def __init__(self, now: datetime) -> None:
        self._now = _aware(now)

    def __call__(self) -> datetime:
        """Tell the time it was set to."""
        return self._now

    def now(self) -> datetime:
        """Tell the time it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the time, forward or back."""
        self._now = _aware(now)

    def advance(self, by: timedelta) -> datetime:
        """Let time pass, and tell the time after it."""
        self._now += by
        return self._now


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a clock needs a time with an offset")
    return moment
