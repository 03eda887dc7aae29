"""What the known locations of a case mean to the clauses: one lookup a location (routing.md, Facts and Regions)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from sys import intern
from typing import NamedTuple

from app.domain.clauses import Basis
from app.domain.facts import Facts
from app.domain.homes import Home, Homes
from app.domain.masks import MOST_REMEMBERED, Places
from app.domain.regions import province_of, regency_of

LOCATIONS = (Basis.INCIDENT, Basis.DOMICILE, Basis.CURRENT)
NOWHERE = len(LOCATIONS)
"""The number of no location, behind those of the three."""

Whereabouts = tuple[int, int, Home | None, tuple[int, ...]]
"""What the known locations come to: the clauses that they allow, those among them that are unlocated, the home if it
is known finely enough for every clause, and for each clause the number of the location from which it looks for
agencies. A plain tuple, for one is made for every question."""

Site = tuple[int, int, str | None, str | None, Home | None]
"""One location: the clauses that it allows, those of them for which it is too coarse, its province, its regency, and
of a domicile the home."""


class Sites(dict[str | None, Site]):
    """The locations of one kind, made when they are first met and remembered within a bound."""

    def __init__(self, make: Callable[[str | None], Site]) -> None:
        super().__init__()
        self._make = make
        self._alike: dict[Site, Site] = {}
        """Most locations mean what their neighbours mean; those are one."""

    def __missing__(self, code: str | None) -> Site:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
            self._alike.clear()
        site = self._make(code)
        site = self[code] = self._alike.setdefault(site, site)
        return site


class Plan(NamedTuple):
    """Which location decides which clauses, for all facts in which the same locations are known."""

    nowhere: int
    incidents: Sites
    domiciles: Sites
    currents: Sites
    deciding: tuple[int, ...]


class Locator:
    """Says what locations mean to the clauses of one index."""

    def __init__(
        self,
        bases: Mapping[tuple[Basis, ...], int],
        looking: Sequence[tuple[Basis, ...] | None],
        territory: Places,
        homes: Homes,
        derived: Callable[[bool, bool, bool], int],
    ) -> None:
        """Take the clauses by their basis, and for each its basis if it looks for agencies from the deciding region.

        `derived` returns the clauses which allow it that the victim is abroad, and that the case crosses provinces,
        and regencies.
        """
        self._bases, self._looking = bases, looking
        self._territory, self._homes = territory, homes
        self._derived = {flags: derived(*flags) for flags in product((False, True), repeat=3)}
        self._in_one_regency = derived(False, False, False)
        self._in_one_province = derived(False, False, True)
        self._in_several = derived(False, True, True)
        self._plans = {known: self._plan(known) for known in product((False, True), repeat=3)}
        self._all_known = self._plans[True, True, True]

    def locate(self, facts: Facts) -> Whereabouts:
        """Return what the known locations mean to the clauses."""
        incident, domicile, current = facts.incident, facts.domicile, facts.current
        if incident is not None and domicile is not None and current is not None:
            plan = self._all_known
        else:
            plan = self._plans[incident is not None, domicile is not None, current is not None]
        unlocated, incidents, domiciles, currents, deciding = plan
        allowed, coarse, province, regency, _ = incidents[incident]
        allowed_2, coarse_2, province_2, regency_2, home = domiciles[domicile]
        allowed_3, coarse_3, province_3, regency_3, _ = currents[current]
        if regency is None or regency_2 is None or regency_3 is None:
            allowed &= self._derived[facts.derived]
        elif regency == regency_2 == regency_3:
            allowed &= self._in_one_regency
        elif province == province_2 == province_3:
            allowed &= self._in_one_province
        else:
            allowed &= self._in_several
        return allowed & allowed_2 & allowed_3, unlocated | coarse | coarse_2 | coarse_3, home, deciding

    def _plan(self, known: tuple[bool, bool, bool]) -> Plan:
        by_location: dict[int, int] = defaultdict(int)
        numbers: dict[tuple[Basis, ...], int] = {}
        for basis, clauses in self._bases.items():
            places = (LOCATIONS.index(kind) for kind in basis)
            numbers[basis] = number = next((place for place in places if known[place]), NOWHERE)
            if basis:
                by_location[number] |= clauses
        incidents, domiciles, currents = (self._sites(by_location[at], kind) for at, kind in enumerate(LOCATIONS))
        deciding = tuple(NOWHERE if basis is None else numbers[basis] for basis in self._looking)
        return Plan(by_location[NOWHERE], incidents, domiciles, currents, deciding)

    def _sites(self, deciding: int, kind: Basis) -> Sites:
        free = ((1 << len(self._looking)) - 1) & ~deciding

        def make(code: str | None) -> Site:
            if code is None:
                return free, 0, None, None, None
            inside, coarse = self._territory.around(code)
            home = self._homes.exactly(code) if kind is Basis.DOMICILE else None
            province, regency = (of and intern(of) for of in (province_of(code), regency_of(code)))
            return free | (deciding & (inside | coarse)), deciding & coarse, province, regency, home

        return Sites(make)
