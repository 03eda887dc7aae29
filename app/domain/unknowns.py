"""The ways in which missing facts could turn out, the most protective first (routing.md, Missing facts).

Ways that no clause and no limit in question can tell apart are one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from app.domain.candidates import Listing
from app.domain.facts import AGE, DOMICILE, PERPETRATOR, SEX, Facts
from app.domain.index import ClauseIndex
from app.domain.masks import union
from app.domain.regions import contains
from app.domain.vocabulary import Sex

Result = TypeVar("Result")
Place = tuple[int, int, int, int]

AXES = (DOMICILE, PERPETRATOR, SEX, AGE)


@dataclass(frozen=True, slots=True)
class Home:
    """A domicile that is known or supposed, by the clauses that cover it and the region it stands for."""

    clauses: int
    region: str | None
    """None: outside every region that a document covers."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way the facts could turn out, with the clauses that hold in it, the basis aside."""

    home: Home
    perpetrator: bool
    sex: Sex
    age: int
    clauses: int


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways the missing facts could turn out: what each of four facts could be, in every combination."""

    holding: int
    homes: tuple[Home, ...]
    perpetrators: tuple[bool, ...]
    sexes: tuple[Sex, ...]
    ages: tuple[int, ...]
    index: ClauseIndex
    case_types: frozenset[str]

    def __iter__(self) -> Iterator[tuple[Place, Way]]:
        """List every way with its place, the most protective first."""
        axes = enumerate(self.homes), enumerate(self.perpetrators), enumerate(self.sexes), enumerate(self.ages)
        for (h, home), (p, perpetrator), (s, sex), (a, age) in product(*axes):
            yield (h, p, s, a), Way(home, perpetrator, sex, age, self._clauses(home, sex, age, perpetrator=perpetrator))

    def _clauses(self, home: Home, sex: Sex, age: int, *, perpetrator: bool) -> int:
        victim = self.index.victims.allows(sex, age, self.case_types)
        return self.holding & home.clauses & self.index.perpetrator.allows(perpetrator) & victim


def ways(index: ClauseIndex, facts: Facts, holding: int, listings: Callable[[int], list[Listing]]) -> Ways:
    """List how the missing facts could turn out, given the clauses that hold by the facts which are known.

    `listings` returns whom the assign clauses among some clauses select, for the limits of the services.
    """
    homes = _homes(index, facts, holding)
    perpetrators = (True, False) if facts.perpetrator_in_household is None else (facts.perpetrator_in_household,)
    sexes = tuple(Sex) if facts.sex is None else (facts.sex,)
    ages = (0, *index.victims.ages) if facts.age is None else (facts.age,)
    is_certain = facts.age is not None and len(homes) == len(perpetrators) == len(sexes) == 1
    if is_certain:
        return Ways(holding, homes, perpetrators, sexes, ages, index, facts.case_types)

    def victims(sex: Sex, age: int) -> int:
        return index.victims.allows(sex, age, facts.case_types)

    could = holding & union(home.clauses for home in homes)
    could &= union(index.perpetrator.allows(said) for said in perpetrators)
    could &= union(victims(sex, age) for sex in sexes for age in ages)
    if len({could & index.perpetrator.allows(said) for said in perpetrators}) == 1:
        perpetrators = perpetrators[:1]
    limits = listings(could) if facts.sex is None or facts.age is None else []
    limit_ages = {age for listing in limits for age in listing.ages}
    if facts.age is None:
        candidates = sorted({*ages, *limit_ages})
        ages = _distinct_ages(candidates, limit_ages, lambda age: [could & victims(sex, age) for sex in sexes])
    by_sex = {tuple(could & victims(sex, age) for age in ages) for sex in sexes}
    if len(by_sex) == 1 and not any(listing.asks_sex for listing in limits):
        sexes = sexes[:1]
    return Ways(holding, _distinct_homes(index, homes, could), perpetrators, sexes, ages, index, facts.case_types)


def _homes(index: ClauseIndex, facts: Facts, holding: int) -> tuple[Home, ...]:
    line = index.domicile
    if facts.domicile is None:
        if not holding & ~line.free:
            return (Home(line.free, None),)
        supposed = [Home(line.free | line.around(region)[0], region) for region in line.regions]
        return (*supposed, Home(line.free, None))
    inside, coarse = line.around(facts.domicile)
    known = Home(line.free | inside, facts.domicile)
    if not coarse & holding:
        return (known,)
    finer = [region for region in line.regions if region != facts.domicile and contains(facts.domicile, region)]
    return (*(Home(line.free | line.around(region)[0], region) for region in finer), known)


def _distinct_homes(index: ClauseIndex, homes: tuple[Home, ...], could: int) -> tuple[Home, ...]:
    if len(homes) == 1:
        return homes
    distinct: dict[int, Home] = {}
    for home in sorted(homes, key=lambda home: -index.coverage(home.region)):
        distinct.setdefault(home.clauses & could, home)
    return tuple(distinct.values())


def _distinct_ages(ages: list[int], limits: set[int], seen: Callable[[int], list[int]]) -> tuple[int, ...]:
    distinct = [ages[0]]
    for age in ages[1:]:
        if age in limits or seen(age) != seen(distinct[-1]):
            distinct.append(age)
    return tuple(distinct)


def facts_that_matter(results: Mapping[Place, Result]) -> frozenset[str]:
    """Name the facts of which one alone, the others fixed in any way, changes the result."""
    return frozenset(fact for axis, fact in enumerate(AXES) if _varies(results, axis))


def _varies(results: Mapping[Place, Result], axis: int) -> bool:
    seen: dict[tuple[int, ...], Result] = {}
    return any(seen.setdefault(place[:axis] + place[axis + 1 :], got) != got for place, got in results.items())
