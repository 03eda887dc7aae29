"""Clauses of one rank that one referral could match with different heads, each shown by such a referral."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations, product

from app.domain.candidates import Listing, Selection, admits
from app.domain.clauses import Assign, Basis
from app.domain.demands import Demand, Victim, demand
from app.domain.facts import Facts
from app.domain.index import ClauseIndex, IndexedClause
from app.domain.placings import Pattern, Space, patterns
from app.domain.routing import Rules

NOWHERE: tuple[str | None, ...] = (None,)
"""The one region of a clause that goes by none."""

Kinds = tuple[Basis | None, Basis | None]
Named = tuple[Listing, tuple[str | None, ...]]
"""Whom a clause names, and the regions at which it names just them."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two clauses and a referral for which they name different agencies first."""

    clauses: tuple[str, str]
    heads: tuple[str, str]
    service: str
    facts: Facts


class Conflicts:
    """Looks for conflicts among the clauses that some rules hold at one moment."""

    def __init__(self, rules: Rules, space: Space, at: datetime) -> None:
        self.rules = rules
        self.space = space
        self.at = at
        self.index: ClauseIndex = rules.index(at)
        self.case_types = tuple(rules.vocabulary.case_types)
        self._places = {indexed.name: place for place, indexed in enumerate(self.index.clauses)}
        self._offered: dict[Selection, frozenset[str]] = {}
        self._named: dict[tuple[Selection, str, tuple[str | None, ...]], tuple[Named, ...]] = {}

    def pairs(self) -> Iterator[tuple[IndexedClause, IndexedClause]]:
        """List the pairs of assign clauses that sort level."""
        levels: dict[tuple[int, int], list[IndexedClause]] = defaultdict(list)
        for indexed in self.index.clauses:
            if isinstance(indexed.clause, Assign):
                levels[indexed.level].append(indexed)
        for group in levels.values():
            yield from combinations(group, 2)

    def between(self, one: IndexedClause, other: IndexedClause) -> Conflict | None:
        """Find a referral that both match with different heads; None if there is none."""
        if one.selection is other.selection and one.by_region == other.by_region:
            return None
        services = sorted(self._services(one) & self._services(other))
        asked = demand(((one.document, one.clause), (other.document, other.clause))) if services else None
        if asked is None:
            return None
        pair = _Pair(self, one, other, asked)
        # A conflict at the head says more than one that shows once others have refused.
        found = (pair.conflict(service, alike=alike) for alike in (False, True) for service in services)
        return next((conflict for conflict in found if conflict is not None), None)

    def named(self, indexed: IndexedClause, service: str, regions: tuple[str | None, ...]) -> tuple[Named, ...]:
        """List whom a clause names, with the regions of some at which it names just them; nobody is left out."""
        selection = indexed.selection
        if selection is None:
            return ()
        if indexed.by_region is None:
            listing = self.rules.listings.listing(selection, service, None)
            return ((listing, regions),) if listing.offers else ()
        key = (selection, service, regions)
        found = self._named.get(key)
        if found is None:
            groups: dict[tuple[str, ...], tuple[Listing, list[str | None]]] = {}
            for region in regions:
                listing = self.rules.listings.listing(selection, service, region)
                if listing.offers:
                    agencies = tuple(offer.agency for offer in listing.offers)
                    groups.setdefault(agencies, (listing, []))[1].append(region)
            found = self._named[key] = tuple((listing, tuple(at)) for listing, at in groups.values())
        return found

    def _services(self, indexed: IndexedClause) -> frozenset[str]:
        """List the services of a clause for which it names somebody somewhere."""
        selection = indexed.selection
        if selection is None:
            return frozenset()
        offered = self._offered.get(selection)
        if offered is None:
            regions = self.space.landmarks.within(frozenset(indexed.document.territory))
            every = self.rules.vocabulary.service_types
            offered = frozenset(service for service in every if self.named(indexed, service, regions))
            self._offered[selection] = offered
        return offered & indexed.clause.when.services if indexed.clause.when.services else offered

    def shown(self, one: IndexedClause, other: IndexedClause, facts: Facts, service: str) -> Conflict | None:
        """Let the engine say whom each clause names; whoever both name alike first is taken for refused."""
        while True:
            heads = self._heads((one, other), facts, service)
            if heads is None:
                return None
            if heads[0] != heads[1]:
                return Conflict((one.name, other.name), heads, service, facts)
            facts = replace(facts, refuses=facts.refuses | {heads[0]})

    def _heads(self, pair: Sequence[IndexedClause], facts: Facts, service: str) -> tuple[str, str] | None:
        question = self.rules.question(facts, service)
        one, other = (self._places[indexed.name] for indexed in pair)
        both = 1 << one | 1 << other
        for _, way, _ in question.verdicts:
            if way.clauses & question.located & both == both:
                mine, yours = question.offers(one, way), question.offers(other, way)
                if mine and yours:
                    return mine[0].agency, yours[0].agency
        return None


@dataclass(slots=True)
class _Pair:
    """Two clauses of one rank and what both ask."""

    among: Conflicts
    one: IndexedClause
    other: IndexedClause
    asked: Demand
    patterns: dict[Kinds, list[Pattern]] = field(default_factory=lambda: defaultdict(list))
    victims: dict[tuple[int, int], tuple[Victim, int] | None] = field(default_factory=dict)
    kept: list[Listing] = field(default_factory=list)
    """The listings that victims are remembered for, kept so that none takes the place of another."""

    def __post_init__(self) -> None:
        for pattern in patterns(self.asked):
            kinds = iter(pattern.deciding)
            mine, yours = (next(kinds) if _has_basis(indexed) else None for indexed in (self.one, self.other))
            self.patterns[mine, yours].append(pattern)

    def conflict(self, service: str, *, alike: bool) -> Conflict | None:
        """Find a referral for one service; `alike` says whether both lists may begin alike."""
        for (mine, yours), among in self.patterns.items():
            for regions, victim in self._differing(mine, yours, among[0], service, alike=alike):
                chosen = {kind: code for kind, code in zip((mine, yours), regions, strict=True) if kind and code}
                for pattern in among:
                    places = self.among.space.complete(chosen, pattern, self.asked)
                    if places is None:
                        continue
                    facts = facts_of(self.asked, places, victim, self.among.at)
                    conflict = self.among.shown(self.one, self.other, facts, service)
                    if conflict is not None:
                        return conflict
        return None

    def _differing(
        self, mine: Basis | None, yours: Basis | None, pattern: Pattern, service: str, *, alike: bool
    ) -> Iterator[tuple[tuple[str | None, str | None], Victim]]:
        space, asked = self.among.space, self.asked
        mine_at, yours_at = (NOWHERE if kind is None else space.choices(kind, pattern, asked) for kind in (mine, yours))
        is_one_place = mine is not None and mine is yours
        for (one, ones), (other, others) in product(
            self.among.named(self.one, service, mine_at), self.among.named(self.other, service, yours_at)
        ):
            found = self._victim(one, other)
            if found is None or (found[1] and not alike):
                continue
            if is_one_place:
                both = frozenset(ones) & frozenset(others)
                yield from (((code, code), found[0]) for code in ones if code in both)
            else:
                yield from ((pair, found[0]) for pair in product(ones, others))

    def _victim(self, one: Listing, other: Listing) -> tuple[Victim, int] | None:
        """Find a victim for whom two lists come to differ, and how many they name alike before that."""
        key = (id(one), id(other))
        if key not in self.victims:
            self.kept += (one, other)
            self.victims[key] = self._sought(one, other)
        return self.victims[key]

    def _sought(self, one: Listing, other: Listing) -> tuple[Victim, int] | None:
        named = frozenset(code for listing in (one, other) for o in listing.offers for code in o.service.case_types)
        found: tuple[Victim, int] | None = None
        for victim in self.asked.victims(self.among.case_types, {*one.ages, *other.ages}, named):
            place = _first_difference(one, other, victim)
            if place is not None and (found is None or place < found[1]):
                found = victim, place
            if place == 0 or not (one.is_limited or other.is_limited):
                break
        return found


def facts_of(asked: Demand, places: Mapping[Basis, str], victim: Victim, at: datetime) -> Facts:
    """Write a referral that has what is asked, with nothing left open that need not be."""
    return Facts(
        received_at=at,
        urgency=asked.urgency,
        case_types=victim.case_types,
        incident=places.get(Basis.INCIDENT),
        domicile=places.get(Basis.DOMICILE),
        current=places.get(Basis.CURRENT),
        age=victim.age,
        sex=victim.sex,
        perpetrator_in_household=bool(asked.perpetrator),
    )


def _has_basis(indexed: IndexedClause) -> bool:
    return isinstance(indexed.clause, Assign) and bool(indexed.clause.basis)


def _first_difference(one: Listing, other: Listing, victim: Victim) -> int | None:
    mine, yours = (
        [o.agency for o in listing.offers if admits(o, victim.sex, victim.age, victim.case_types)]
        for listing in (one, other)
    )
    pairs = enumerate(zip(mine, yours, strict=False))
    return next((place for place, (first, second) in pairs if first != second), None)
