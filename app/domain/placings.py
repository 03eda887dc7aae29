"""Where a referral may take place so that some clauses match: every answer there is, by landmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from app.domain.clauses import Basis
from app.domain.demands import Demand
from app.domain.landmarks import Landmarks, lies_in
from app.domain.regions import contains, province_of, regency_of

ABROAD = "country:MY"
"""Any country stands for all: none lies in a region."""

KINDS = (Basis.CURRENT, Basis.INCIDENT, Basis.DOMICILE)
"""The locations in the order in which the first known one says whether the victim is abroad."""

Codes = tuple[frozenset[str], ...]
Chosen = Mapping[Basis, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which locations are known, which of them abroad, and by which ones the clauses go."""

    domestic: frozenset[Basis]
    foreign: frozenset[Basis]
    deciding: tuple[Basis, ...]
    """One for each clause that has a basis, in their order."""


def patterns(asked: Demand) -> tuple[Pattern, ...]:
    """List the patterns in which every clause with a basis goes by a domestic location, all known first."""
    return _patterns(asked.abroad, bool(asked.homes), tuple(basis for basis, _ in asked.located))


@lru_cache(maxsize=1024)
def _patterns(asked_abroad: bool | None, asks_home: bool, bases: tuple[tuple[Basis, ...], ...]) -> tuple[Pattern, ...]:
    found = []
    for states in product(("domestic", "foreign", None), repeat=len(KINDS)):
        known = {kind: state for kind, state in zip(KINDS, states, strict=True) if state is not None}
        is_abroad = next(iter(known.values()), None) == "foreign"
        if asked_abroad is not None and is_abroad is not asked_abroad:
            continue
        if asks_home and known.get(Basis.DOMICILE) == "foreign":
            continue
        deciding = tuple(next((kind for kind in basis if kind in known), None) for basis in bases)
        domestic = frozenset(kind for kind, state in known.items() if state == "domestic")
        settled = tuple(kind for kind in deciding if kind is not None and kind in domestic)
        if len(settled) == len(deciding):
            found.append(Pattern(domestic, frozenset(known) - domestic, settled))
    return tuple(found)


class Space:
    """All places that some landmarks let us tell apart, searched for what a demand asks."""

    def __init__(self, landmarks: Landmarks) -> None:
        self.landmarks = landmarks
        self._known_choices: dict[tuple[Codes, Codes], tuple[str, ...]] = {}
        self._known_homes: dict[Codes, tuple[str, ...]] = {}

    def may_be_home(self, domicile: str | None, asked: Demand) -> bool:
        """Say whether the victim's home may lie where every document asks, if this much is known of it."""
        if not asked.homes:
            return True
        if domicile is not None and all(lies_in(homes, domicile) for homes in asked.homes):
            return True
        finer = (code for homes in asked.homes for code in homes if domicile is None or contains(domicile, code))
        return any(all(lies_in(homes, code) for homes in asked.homes) for code in finer)

    def choices(self, kind: Basis, pattern: Pattern, asked: Demand) -> tuple[str, ...]:
        """List the landmarks at which a location that decides lies in the territory of every clause that goes by it."""
        territories = [
            territory for by, (_, territory) in zip(pattern.deciding, asked.located, strict=True) if by is kind
        ]
        homes = asked.homes if kind is Basis.DOMICILE else ()
        key = (tuple(territories), homes)
        found = self._known_choices.get(key)
        if found is None:
            found = self._known_choices[key] = tuple(
                code
                for code in self.landmarks.within(territories[0])
                if all(lies_in(territory, code) for territory in territories[1:])
                and (not homes or self.may_be_home(code, asked))
            )
        return found

    def place(self, asked: Demand) -> dict[Basis, str] | None:
        """Find places at which every clause is located; None if there are none."""
        for pattern in patterns(asked):
            kinds = tuple(dict.fromkeys(pattern.deciding))
            for codes in product(*(self.choices(kind, pattern, asked) for kind in kinds)):
                found = self.complete(dict(zip(kinds, codes, strict=True)), pattern, asked)
                if found is not None:
                    return found
        return None

    def complete(self, chosen: Chosen, pattern: Pattern, asked: Demand) -> dict[Basis, str] | None:
        """Add the locations that decide nothing, so that all that is asked of places holds; None if it cannot."""
        if Basis.DOMICILE not in pattern.domestic and not self.may_be_home(None, asked):
            return None
        # The home first: it may be bound, and the others are sought around it.
        free = tuple(kind for kind in reversed(KINDS) if kind in pattern.domestic and kind not in chosen)
        for places in self._filled(free, chosen, asked):
            if _crosses(places, asked):
                return {**places, **dict.fromkeys(pattern.foreign, ABROAD)}
        return None

    def _filled(self, free: tuple[Basis, ...], chosen: Chosen, asked: Demand) -> Iterator[Chosen]:
        if not free:
            yield chosen
            return
        for code in self._fillings(free[0], chosen, asked):
            yield from self._filled(free[1:], {**chosen, free[0]: code}, asked)

    def _fillings(self, kind: Basis, chosen: Chosen, asked: Demand) -> tuple[str, ...]:
        if kind is Basis.DOMICILE and asked.homes:
            return self._homes(asked)
        regions = chosen.values() or self.landmarks.codes[:1]
        return tuple(dict.fromkeys(code for region in regions for code in self.landmarks.near(region)))

    def _homes(self, asked: Demand) -> tuple[str, ...]:
        found = self._known_homes.get(asked.homes)
        if found is None:
            found = tuple(code for code in self.landmarks.codes if self.may_be_home(code, asked))
            self._known_homes[asked.homes] = found
        return found


def _crosses(places: Chosen, asked: Demand) -> bool:
    provinces = {province_of(code) for code in places.values()} - {None}
    regencies = {regency_of(code) for code in places.values()} - {None}
    return (asked.cross_province is None or asked.cross_province is (len(provinces) > 1)) and (
        asked.cross_regency is None or asked.cross_regency is (len(regencies) > 1)
    )
