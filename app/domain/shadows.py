"""Clauses that together come before another whenever it matches, though none of them does alone.

A clause asks each fact by itself, so which facts tell the others apart is a table of few rows: of each fact, the sets
of clauses that its values allow, the smallest of which leave the least to come before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from app.domain.clauses import Assign, Clause, Condition, Deny, VictimLine
from app.domain.document import Document
from app.domain.masks import Line, bits, union
from app.domain.reading import OLDEST
from app.domain.vocabulary import Sex, Urgency, Vocabulary

MOST_STEPS = 200_000
"""How much of one document is searched: what several clauses do together can take more steps than there is time."""

Lines = Sequence[Condition | VictimLine]


class NotSearched(Exception):
    """The search would go on for too long."""


@dataclass(slots=True)
class Steps:
    """How many steps may still be taken."""

    left: int = MOST_STEPS

    def take(self, count: int = 1) -> None:
        """Take steps; NotSearched where there are none left."""
        self.left -= count
        if self.left < 0:
            raise NotSearched


def together_before(
    document: Document, clause: Assign, before: Sequence[Clause], vocabulary: Vocabulary, steps: Steps
) -> tuple[Clause, ...]:
    """Name clauses of which some come before this one whenever it matches; none where it decides something.

    `before` are those that deny, and those that are asked first and look for agencies in the same place.
    """
    if len(before) < 2 or not _Shadow(document, clause, before, vocabulary, steps).is_whole():
        return ()
    needed = list(before)
    for one in reversed(before):
        fewer = [other for other in needed if other is not one]
        try:
            if fewer and _Shadow(document, clause, fewer, vocabulary, steps).is_whole():
                needed = fewer
        except NotSearched:
            # It is so all the same: more clauses are named than need be.
            break
    return tuple(needed)


class _Shadow:
    """Some clauses held against another; bit n is the n-th of them."""

    def __init__(
        self, document: Document, clause: Assign, before: Sequence[Clause], vocabulary: Vocabulary, steps: Steps
    ) -> None:
        self._clause = clause
        self._before = before
        self._steps = steps
        self._alone = union(1 << n for n, one in enumerate(before) if _is_enough((one,), clause))
        self._facts = sorted((_smallest(masks) for masks in self._asked(document, vocabulary)), key=len)
        # Which clauses ask nothing of all the facts that follow.
        self._free = [(1 << len(before)) - 1]
        for masks in reversed(self._facts):
            self._free.insert(0, self._free[0] & _common(masks))

    def is_whole(self) -> bool:
        """Say whether some of them come before the clause whatever the facts."""
        return self._is_whole((1 << len(self._before)) - 1, 0)

    def _is_whole(self, holding: int, place: int) -> bool:
        self._steps.take()
        if holding & self._alone & self._free[place]:
            return True
        if not holding & self._alone and not _is_enough([self._before[n] for n in bits(holding)], self._clause):
            return False
        if place == len(self._facts):
            return True
        return all(self._is_whole(holding & mask, place + 1) for mask in self._facts[place])

    def _asked(self, document: Document, vocabulary: Vocabulary) -> Iterator[list[int]]:
        """List for each fact what its values allow, of those at which the clause itself holds."""
        own, whens = self._clause.when, [one.when for one in self._before]
        services = Line(when.services for when in whens)
        yield [services.allows(code) for code in own.services or vocabulary.service_types]
        urgencies = Line(frozenset(map(str, when.urgency)) for when in whens)
        yield [urgencies.allows(one) for one in own.urgency or Urgency]
        abroad = own.abroad if own.abroad is not None else document.covers.abroad
        flags = (
            (abroad, [when.abroad for when in whens]),
            (own.cross_province, [when.cross_province for when in whens]),
            (own.cross_regency, [when.cross_regency for when in whens]),
            (own.perpetrator_in_household, [when.perpetrator_in_household for when in whens]),
        )
        for said, asked in flags:
            values = (True, False) if said is None else (said,)
            yield [union(1 << n for n, flag in enumerate(asked) if flag in (None, value)) for value in values]
        yield list(self._of_victims(document, vocabulary))

    def _of_victims(self, document: Document, vocabulary: Vocabulary) -> Iterator[int]:
        """List what victims allow, one of each kind that the clause and the document speak of."""
        own, lines = self._clause.when, document.covers.victims
        asked: Lines = [own, *lines, *(one.when for one in self._before)]
        limits = {age for one in asked for age in (one.age_from, one.age_below) if age is not None and age <= OLDEST}
        ages, kinds = sorted({0, *limits}), list(_kinds_of_case(own, lines, asked, vocabulary))
        self._steps.take(len(ages) * len(kinds))
        by_sex, by_age = _by_sex(asked), _by_age(asked, ages)
        by_kind = [union(1 << n for n, one in enumerate(asked) if _speaks_of(one, kind)) for kind in kinds]
        spoken_of = ((1 << len(lines)) - 1) << 1
        for sex, age, kind in product(by_sex, by_age, by_kind):
            allowed = sex & age & kind
            if allowed & 1 and (not lines or allowed & spoken_of):
                yield allowed >> (1 + len(lines))


def _is_enough(some: Sequence[Clause], clause: Assign) -> bool:
    """Say whether clauses that hold together deny the service, or name all whom this one names."""
    if any(isinstance(one, Deny) for one in some):
        return True
    selectors = [one.to for one in some if isinstance(one, Assign)]
    if any(not to.kinds for to in selectors):
        return True
    named = {kind for to in selectors for kind in to.kinds}
    return bool(clause.to.kinds) and named.issuperset(clause.to.kinds)


def _smallest(masks: Iterable[int]) -> tuple[int, ...]:
    """Keep the masks that hold no other: where these are enough, so are the rest."""
    found: list[int] = []
    for mask in sorted(set(masks), key=int.bit_count):
        if all(one & mask != one for one in found):
            found.append(mask)
    return tuple(found)


def _common(masks: Sequence[int]) -> int:
    found = -1
    for mask in masks:
        found &= mask
    return found


def _by_sex(asked: Lines) -> list[int]:
    return [union(1 << n for n, one in enumerate(asked) if not one.sexes or sex in one.sexes) for sex in Sex]


def _by_age(asked: Lines, ages: Sequence[int]) -> list[int]:
    return [
        union(
            1 << n
            for n, one in enumerate(asked)
            if (one.age_from is None or age >= one.age_from) and (one.age_below is None or age < one.age_below)
        )
        for age in ages
    ]


def _speaks_of(one: Condition | VictimLine, kind: frozenset[str]) -> bool:
    return not one.case_types or not one.case_types.isdisjoint(kind)


def _kinds_of_case(
    own: Condition, lines: Sequence[VictimLine], asked: Lines, vocabulary: Vocabulary
) -> Iterator[frozenset[str]]:
    """List the fewest types that a case must be of: a case of more types is spoken of by more clauses, never fewer."""
    named = sorted(frozenset[str]().union(*(one.case_types for one in asked)))
    rest = next((code for code in vocabulary.case_types if code not in named), None)
    every = named if rest is None else [*named, rest]
    yield from (frozenset({code}) for code in every or ["other"])
    if own.case_types and any(line.case_types for line in lines):
        yield from map(frozenset, combinations(named, 2))
