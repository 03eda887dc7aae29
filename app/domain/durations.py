"""How long something may take, as documents write it: PT24H, P7D, P3WD (routing.md, The decision)."""

from __future__ import annotations

import re
from datetime import timedelta

MOST_WORKING_DAYS = 250
LONGEST = timedelta(days=366)

_CLOCK = re.compile(r"PT(?=[0-9])(?:([0-9]{1,5})H)?(?:([0-9]{1,5})M)?")
_DAYS = re.compile(r"P([0-9]{1,3})D")
_WORKING_DAYS = re.compile(r"P([0-9]{1,3})WD")


def clock_time(duration: str) -> timedelta | None:
    """Read PTnH, PTnM, PTnHnM or PnD as elapsed time; None if it is none of these, is nothing, or is over a year."""
    if clock := _CLOCK.fullmatch(duration):
        length = timedelta(hours=int(clock[1] or 0), minutes=int(clock[2] or 0))
    elif days := _DAYS.fullmatch(duration):
        length = timedelta(days=int(days[1]))
    else:
        return None
    return length if timedelta(0) < length <= LONGEST else None


def days(duration: str) -> int | None:
    """Read PnD as a number of days; None if it is not one, is nothing, or is over a year."""
    matched = _DAYS.fullmatch(duration)
    count = int(matched[1]) if matched else 0
    return count if 0 < count <= LONGEST.days else None


def working_days(duration: str) -> int | None:
    """Read PnWD as a number of working days; None if it is not one, is nothing, or is over a year."""
    matched = _WORKING_DAYS.fullmatch(duration)
    count = int(matched[1]) if matched else 0
    return count if 0 < count <= MOST_WORKING_DAYS else None


def is_respond(duration: str) -> bool:
    """Say whether the text can be a respond time: clock hours or working days."""
    return working_days(duration) is not None or (duration.startswith("PT") and clock_time(duration) is not None)
