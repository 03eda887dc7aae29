"""The ways in which missing facts could turn out, the most protective first (routing.md, Missing facts).

Ways that no clause and no limit in question can tell apart are one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from app.domain.candidates import Listing
from app.domain.facts import AGE, DOMICILE, PERPETRATOR, SEX, Facts
from app.domain.homes import Home, distinct
from app.domain.index import ClauseIndex
from app.domain.masks import union
from app.domain.victims import Victims
from app.domain.vocabulary import Sex

Place = tuple[int, int, int, int]

AXES = (DOMICILE, PERPETRATOR, SEX, AGE)
BOTH = (True, False)
SEXES = tuple(Sex)
NOTHING: frozenset[str] = frozenset()


class Way(NamedTuple):
    """One way the facts could turn out, with the clauses that hold in it, the basis aside."""

    home: Home
    perpetrator: bool
    sex: Sex
    age: int
    clauses: int


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways the missing facts could turn out: what each of four facts could be, in every combination."""

    homes: tuple[Home, ...]
    perpetrators: tuple[bool, ...]
    sexes: tuple[Sex, ...]
    ages: tuple[int, ...]
    clauses: tuple[int, ...]
    """The clauses that hold in each way, the most protective first."""
    could: int
    """The clauses that hold in some way."""
    by_limit: bool = False
    """Whether offers have limits of their own, so that two victims of the same clauses may be decided otherwise."""

    @property
    def lengths(self) -> Place:
        """Count what each of the facts could be, in the order of the axes."""
        return len(self.homes), len(self.perpetrators), len(self.sexes), len(self.ages)

    @property
    def first(self) -> Way:
        """Return the most protective way."""
        return Way(self.homes[0], self.perpetrators[0], self.sexes[0], self.ages[0], self.clauses[0])

    def __iter__(self) -> Iterator[tuple[Place, Way]]:
        """List every way with its place, the most protective first."""
        axes = enumerate(self.homes), enumerate(self.perpetrators), enumerate(self.sexes), enumerate(self.ages)
        for clauses, ((h, home), (p, perpetrator), (s, sex), (a, age)) in zip(
            self.clauses, product(*axes), strict=True
        ):
            yield (h, p, s, a), Way(home, perpetrator, sex, age, clauses)


def the_way(index: ClauseIndex, facts: Facts, clauses: int) -> Ways:
    """Return the one way that facts turn out of which none is missing, with the clauses that hold in it."""
    domicile, said, sex, age = facts.domicile, facts.perpetrator_in_household, facts.sex, facts.age
    if domicile is None or said is None or sex is None or age is None:
        raise ValueError("a fact is missing")
    return Ways((index.homes.known(domicile),), (said,), (sex,), (age,), (clauses,), clauses)


def ways(index: ClauseIndex, facts: Facts, holding: int, listings: Callable[[int], list[Listing]]) -> Ways:
    """List how the missing facts could turn out, given the clauses that hold by the facts which are known.

    `listings` returns whom the assign clauses among some clauses select, for the limits of the services.
    """
    homes = _homes(index, facts, holding)
    perpetrators = BOTH if facts.perpetrator_in_household is None else (facts.perpetrator_in_household,)
    sexes = SEXES if facts.sex is None else (facts.sex,)
    victims = index.victims.by_case_types[facts.case_types]
    if facts.age is not None and len(sexes) == 1 and len(perpetrators) == 1 and homes is not None and len(homes) == 1:
        clauses = holding & homes[0].clauses & index.perpetrator.allows(perpetrators[0])
        clauses &= victims.allows(sexes[0], facts.age)
        return Ways(homes, perpetrators, sexes, (facts.age,), (clauses,), clauses)
    # What could hold in some way: a clause asks each of the facts by itself, but sex and age together.
    could = holding if homes is None else holding & union(home.clauses for home in homes)
    could &= union(index.perpetrator.allows(said) for said in perpetrators)
    could &= union(victims.of_any_age[sex] if facts.age is None else victims.allows(sex, facts.age) for sex in sexes)
    if len(perpetrators) > 1 and could & index.perpetrator.allows(True) == could & index.perpetrator.allows(False):
        perpetrators = perpetrators[:1]
    limits = listings(could) if facts.sex is None or facts.age is None else []
    ages = (facts.age,) if facts.age is not None else (0, *index.victims.ages)
    if facts.age is None:
        limiting = {age for listing in limits for age in listing.ages}
        ages = _distinct_ages(sorted({*ages, *limiting}), limiting, victims, sexes, could)
    by_sex = [victims.at(sex, ages) for sex in sexes]
    if (
        len(sexes) > 1
        and not any(listing.asks_sex for listing in limits)
        and all(could & one == could & other for one, other in zip(*by_sex, strict=True))
    ):
        sexes, by_sex = sexes[:1], by_sex[:1]
    homes = index.homes.everywhere(could) if homes is None else distinct(homes, could)
    others = [holding & home.clauses & index.perpetrator.allows(said) for home in homes for said in perpetrators]
    victim = [mask for masks in by_sex for mask in masks]
    every = tuple([one & other for one in others for other in victim])
    by_limit = any(listing.is_limited for listing in limits)
    return Ways(homes, perpetrators, sexes, ages, every, could, by_limit)


def _homes(index: ClauseIndex, facts: Facts, holding: int) -> tuple[Home, ...] | None:
    """List where the domicile may lie; None: anywhere."""
    homes = index.homes
    if facts.domicile is None:
        return None if holding & ~index.domicile.free else (homes.outside,)
    if homes.is_too_coarse(facts.domicile, holding):
        return homes.within(facts.domicile)
    return (homes.known(facts.domicile),)


def _distinct_ages(
    ages: list[int], limiting: set[int], victims: Victims, sexes: tuple[Sex, ...], could: int
) -> tuple[int, ...]:
    """List the ages at which other clauses hold than at the age before, or which limit an offer."""
    seen = list(zip(*([could & mask for mask in victims.at(sex, ages)] for sex in sexes), strict=True))
    found: list[int] = []
    before: tuple[int, ...] = ()
    for age, masks in zip(ages, seen, strict=True):
        if masks != before or age in limiting:
            found.append(age)
            before = masks
    return tuple(found)


def facts_that_matter(results: Sequence[object], lengths: Place) -> frozenset[str]:
    """Name the facts of which one alone, the others fixed in any way, changes the result of a way."""
    if results.count(results[0]) == len(results):
        return NOTHING
    found, size = [], len(results)
    for fact, length in zip(AXES, lengths, strict=True):
        block, size = size, size // length
        if length > 1 and any(
            results[at : at + size] != results[start : start + size]
            for start in range(0, len(results), block)
            for at in range(start + size, start + block, size)
        ):
            found.append(fact)
    return frozenset(found)
