"""What the known locations of a case mean to the clauses: one lookup a location (routing.md, Facts and Regions)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from sys import intern
from typing import Generic, NamedTuple, TypeVar

from app.domain.clauses import Basis
from app.domain.facts import Facts
from app.domain.homes import Homes
from app.domain.masks import MOST_REMEMBERED, Places
from app.domain.regions import province_of, regency_of

LOCATIONS = (Basis.INCIDENT, Basis.DOMICILE, Basis.CURRENT)
NOWHERE = len(LOCATIONS)
"""The number of no location, behind those of the three."""

Found = TypeVar("Found")


class Whereabouts(NamedTuple):
    """What the known locations come to."""

    allowed: int
    """The clauses that the locations allow, located or not, the homes that are covered aside."""
    unlocated: int
    """The clauses that no known location is fine enough to decide."""
    deciding: tuple[int, ...]
    """For each clause, the number of the location from which it looks for agencies."""


class Site(NamedTuple):
    """One location."""

    allowed: int
    """The clauses that it does not decide, and those that it does and which it lies in or is too coarse for."""
    unlocated: int
    """The clauses that it decides and is too coarse for."""


class FineSite(NamedTuple):
    """A location that is fine enough for every clause, and for the regency."""

    allowed: int
    """The clauses that it allows; of a domicile, as the home as well."""
    regency: str
    province: str


class Sites(dict[str | None, Found], Generic[Found]):
    """Locations of one kind, made when they are first met and remembered within a bound."""

    def __init__(self, make: Callable[[str | None], Found]) -> None:
        super().__init__()
        self._make = make
        self._alike: dict[Found, Found] = {}
        """Most locations mean what their neighbours mean; those are one."""

    def __missing__(self, code: str | None) -> Found:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
            self._alike.clear()
        made = self._make(code)
        made = self[code] = self._alike.setdefault(made, made)
        return made


class Plan(NamedTuple):
    """Which location decides which clauses, for all facts in which the same locations are known."""

    nowhere: int
    sites: tuple[Sites[Site], ...]
    decided_by: tuple[int, ...]
    """For each location, the clauses that it decides."""
    deciding: tuple[int, ...]


class Fine(NamedTuple):
    """The locations of each kind that are fine enough for all that can be asked, where all three are known."""

    incidents: Sites[FineSite | None]
    domiciles: Sites[FineSite | None]
    currents: Sites[FineSite | None]


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
        self._every = (1 << len(looking)) - 1
        self._territory, self._homes = territory, homes
        either = (False, True)
        self._derived = {flags: derived(*flags) for flags in product(either, either, either)}
        self._plans = {known: self._plan(known) for known in self._derived}
        all_known = self._plans[True, True, True]
        self.deciding = all_known.deciding
        self.fine = Fine(*(Sites(self._fine(all_known, at)) for at in range(len(LOCATIONS))))

    def locate(self, facts: Facts) -> Whereabouts:
        """Return what the known locations mean to the clauses."""
        places = (facts.incident, facts.domicile, facts.current)
        plan = self._plans[places[0] is not None, places[1] is not None, places[2] is not None]
        allowed, unlocated = self._derived[facts.derived], plan.nowhere
        for sites, place in zip(plan.sites, places, strict=True):
            if place is not None:
                site = sites[place]
                allowed &= site.allowed
                unlocated |= site.unlocated
        return Whereabouts(allowed, unlocated, plan.deciding)

    def _plan(self, known: tuple[bool, bool, bool]) -> Plan:
        by_location: dict[int, int] = defaultdict(int)
        numbers: dict[tuple[Basis, ...], int] = {}
        for basis, clauses in self._bases.items():
            places = (LOCATIONS.index(kind) for kind in basis)
            numbers[basis] = number = next((place for place in places if known[place]), NOWHERE)
            if basis:
                by_location[number] |= clauses
        decided_by = tuple(by_location[at] for at in range(len(LOCATIONS)))
        deciding = tuple(NOWHERE if basis is None else numbers[basis] for basis in self._looking)
        return Plan(by_location[NOWHERE], tuple(map(self._sites, decided_by)), decided_by, deciding)

    def _sites(self, decided: int) -> Sites[Site]:
        def make(code: str | None) -> Site:
            inside, coarse = self._territory.around(code or "")
            return Site(self._every & ~decided | decided & (inside | coarse), decided & coarse)

        return Sites(make)

    def _fine(self, plan: Plan, at: int) -> Callable[[str | None], FineSite | None]:
        sites = plan.sites[at]

        def make(code: str | None) -> FineSite | None:
            if code is None:
                return None
            site, regency, province = sites[code], regency_of(code), province_of(code)
            if regency is None or province is None or site.unlocated:
                return None
            allowed = site.allowed
            if LOCATIONS[at] is Basis.DOMICILE:
                if self._homes.is_too_coarse(code, self._every):
                    return None
                allowed &= self._homes.known(code).clauses
            return FineSite(allowed, intern(regency), intern(province))

        return make
