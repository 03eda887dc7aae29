"""Deadlines: clock hours, working days and the holidays of Indonesia (routing.md, The decision)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays
from holidays.constants import GOVERNMENT, PUBLIC

from app.domain.durations import clock_time, working_days

SATURDAY = 5
_DAY = timedelta(days=1)


@lru_cache(maxsize=256)
def _free_days(year: int, category: str) -> frozenset[date]:
    return frozenset(country_holidays("ID", years=year, categories=(category,)))


def is_working_day(day: date, *, joint_leave_counts: bool = True) -> bool:
    """Say whether agencies work on a day: no weekend, no public holiday, no joint leave that does not count as work."""
    if day.weekday() >= SATURDAY or day in _free_days(day.year, PUBLIC):
        return False
    return joint_leave_counts or day not in _free_days(day.year, GOVERNMENT)


def after(duration: str, start: datetime) -> datetime:
    """Return the moment, in UTC, when a duration in clock time that began at the start is over."""
    length = clock_time(duration)
    if length is None:
        raise ValueError("not a duration in clock time")
    return start.astimezone(UTC) + length


def respond_by(respond: str, start: datetime, time_zone: str, *, joint_leave_counts: bool = True) -> datetime:
    """Return the moment, in UTC, by which an offer made at the start must be answered in the receiver's time zone.

    `PnWD` ends at 24:00 on the n-th working day after the offer's local day.
    """
    days = working_days(respond)
    if days is None:
        return after(respond, start)
    zone = ZoneInfo(time_zone)
    day = start.astimezone(zone).date()
    while days:
        day += _DAY
        days -= is_working_day(day, joint_leave_counts=joint_leave_counts)
    return datetime.combine(day + _DAY, time.min, zone).astimezone(UTC)


def halfway(start: datetime, end: datetime) -> datetime:
    """Return the midpoint in elapsed time, in UTC."""
    begun = start.astimezone(UTC)
    return begun + (end.astimezone(UTC) - begun) / 2
