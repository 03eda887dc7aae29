"""Months of real time, and the ids that are made in them: a UUIDv7 begins with its millisecond."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar in UTC; months are ordered."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Give the month that a moment lies in."""
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    @classmethod
    def named(cls, name: str) -> Self:
        """Read a month as `str` writes it: 2026_11; ValueError where it is none."""
        year, _, month = name.partition("_")
        return cls.of(datetime(int(year), int(month), 1, tzinfo=UTC))

    def __str__(self) -> str:
        return f"{self.year:04}_{self.month:02}"

    def later(self, by: int) -> Self:
        """Give the month so many months later, or earlier where the number is below 0."""
        months = self.year * 12 + self.month - 1 + by
        return type(self)(months // 12, months % 12 + 1)

    @property
    def first_id(self) -> UUID:
        """Give the id that no UUIDv7 of this month is below, and that each of an earlier one is."""
        begins = datetime(self.year, self.month, 1, tzinfo=UTC)
        return UUID(int=(begins - _EPOCH) // timedelta(milliseconds=1) << 80)


def through(first: Month, last: Month) -> Iterator[Month]:
    """Give the months from one to another, both included."""
    while first <= last:
        yield first
        first = first.later(1)


def is_over(month: Month, moment: datetime, *, kept: int) -> bool:
    """Say whether so many whole months lie between the end of a month and the one of the moment."""
    return month.later(kept) < Month.of(moment)
