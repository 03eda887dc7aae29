"""Months, as the statistics count them: one for the whole country, by the clock of western Indonesia."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.registry import WESTERN

SETTLES_WITHIN = timedelta(days=14)
"""How long after its end a month is drawn: until then what it counts may still find its outcome."""

_WRITTEN = re.compile(r"(20[0-9]{2}|21[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
_ZONE = ZoneInfo(WESTERN)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; written 2025-03."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read a month as it is written, of the years 2000 to 2199; else ValueError."""
        if not _WRITTEN.fullmatch(text):
            raise ValueError("a month is written 2025-03")
        return cls(int(text[:4]), int(text[5:]))

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """Give the month a moment lies in."""
        day = moment.astimezone(_ZONE).date()
        return cls(day.year, day.month)

    @classmethod
    def last_settled(cls, now: datetime) -> Month:
        """Give the last month that may be drawn."""
        return cls.of(now - SETTLES_WITHIN).before

    @property
    def first_day(self) -> date:
        """Give its first day."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> Month:
        """Give the month after it."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)

    @property
    def before(self) -> Month:
        """Give the month before it."""
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    @property
    def begins(self) -> datetime:
        """Give the moment it begins, in UTC."""
        return datetime.combine(self.first_day, time.min, _ZONE).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """Give the moment it is over, in UTC."""
        return self.next.begins

    def until(self, last: Month) -> Iterator[Month]:
        """List the months from this one to the last, both among them."""
        month = self
        while month <= last:
            yield month
            month = month.next


def months_later(moment: datetime, months: int) -> datetime:
    """Give the moment so many calendar months later, or earlier; where that month has no such day, on its last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if year < 1:
        return datetime.min.replace(tzinfo=moment.tzinfo)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
