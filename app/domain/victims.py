"""What clauses and documents ask about the victim, as bitmaps (routing.md, Documents: covers)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.clauses import Condition, Covers, VictimLine
from app.domain.masks import Line, union
from app.domain.vocabulary import Sex

Ages = Condition | VictimLine

MOST_SETS = 1_000
"""Sets of case types that are remembered."""


@dataclass(frozen=True, slots=True)
class Victims:
    """Who speaks of victims of some types of case: by sex, a mask for each interval between the ages that count."""

    ages: tuple[int, ...]
    by_sex: Mapping[Sex, tuple[int, ...]]
    of_any_age: Mapping[Sex, int]
    by_age: Mapping[Sex, tuple[int, ...]]
    """By sex, a mask for each age up to the last that counts; that one's stands for all above."""

    def allows(self, sex: Sex, age: int) -> int:
        """Return who speaks of such a victim."""
        masks = self.by_age[sex]
        return masks[age] if age < len(masks) else masks[-1]

    def at(self, sex: Sex, ages: Iterable[int]) -> list[int]:
        """Return who speaks of such victims at each of some ages."""
        masks, limits = self.by_sex[sex], self.ages
        return [masks[bisect_right(limits, age)] for age in ages]


class Speaking(dict[frozenset[str], Victims]):
    """Who speaks of victims, by types of case; made when first asked for and remembered within a bound."""

    def __init__(self, make: Callable[[frozenset[str]], Victims]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, case_types: frozenset[str]) -> Victims:
        if len(self) >= MOST_SETS:
            self.clear()
        found = self[case_types] = self._make(case_types)
        return found


class VictimIndex:
    """What clauses and documents ask about the victim: sex, age and case types."""

    def __init__(self, whens: Sequence[Condition], covers: Sequence[Covers]) -> None:
        groups: dict[tuple[VictimLine, ...], int] = defaultdict(int)
        for place, cover in enumerate(covers):
            groups[cover.victims] |= 1 << place
        self._uncovered = groups.pop((), 0)
        self._covers = tuple(groups.items())
        lines = [line for victims in groups for line in victims]
        asked: list[Ages] = [*whens, *lines]
        self.ages = tuple(sorted({age for one in asked for age in (one.age_from, one.age_below) if age}))
        self._interval = [bisect_right(self.ages, age) for age in range(max(self.ages, default=0) + 1)]
        self._whens = _AskedOfVictims(whens, self.ages)
        self._lines = _AskedOfVictims(lines, self.ages)
        self.by_case_types = Speaking(self._of)
        """Who speaks of victims of some types of case."""

    def _of(self, case_types: frozenset[str]) -> Victims:
        intervals = range(len(self.ages) + 1)
        by_sex = {sex: tuple(self._allows(sex, interval, case_types) for interval in intervals) for sex in Sex}
        by_age = {sex: tuple([masks[interval] for interval in self._interval]) for sex, masks in by_sex.items()}
        return Victims(self.ages, by_sex, {sex: union(masks) for sex, masks in by_sex.items()}, by_age)

    def _allows(self, sex: Sex, interval: int, case_types: frozenset[str]) -> int:
        lines = self._lines.allows(sex, interval, case_types)
        found = self._uncovered
        place = 0
        for victims, clauses in self._covers:
            if lines >> place & ((1 << len(victims)) - 1):
                found |= clauses
            place += len(victims)
        return found & self._whens.allows(sex, interval, case_types)


class _AskedOfVictims:
    """The lines about the victim, with a mask for each interval between the ages that anyone names."""

    def __init__(self, asked: Sequence[Ages], ages: tuple[int, ...]) -> None:
        self._sexes = Line(frozenset(map(str, one.sexes)) for one in asked)
        self._case_types = Line(one.case_types for one in asked)
        youngest = (0, *ages)
        self._intervals = [union(1 << n for n, one in enumerate(asked) if _of_age(one, age)) for age in youngest]

    def allows(self, sex: Sex, interval: int, case_types: frozenset[str]) -> int:
        return self._sexes.allows(sex) & self._intervals[interval] & self._case_types.allows_any(case_types)


def _of_age(asked: Ages, age: int) -> bool:
    return (asked.age_from is None or age >= asked.age_from) and (asked.age_below is None or age < asked.age_below)
