"""Where a domicile may lie that is missing or too coarse, the document that decides first in front."""

from __future__ import annotations

from typing import NamedTuple

from app.domain.masks import MOST_REMEMBERED, Places, bits
from app.domain.regions import contains


class Home(NamedTuple):
    """A domicile that is known or supposed, by the clauses that cover it and the region it stands for."""

    clauses: int
    region: str | None
    """None: outside every region that a document covers."""


class Homes:
    """The homes that the documents in force tell apart, in the order of the documents that cover them."""

    def __init__(self, line: Places, coverage: Places) -> None:
        self._line = line
        self._coverage = coverage
        self.outside = Home(line.free, None)
        self._everywhere = self._in_order([*(self._home(region) for region in line.regions), self.outside])
        self._covering: dict[int, int] = {}
        """By clause, which of the homes everywhere it covers."""
        for number, home in enumerate(self._everywhere):
            for place in bits(home.clauses & ~line.free):
                self._covering[place] = self._covering.get(place, 0) | 1 << number
        self._known: dict[str, Home] = {}
        self._within: dict[str, tuple[Home, ...]] = {}

    def known(self, domicile: str) -> Home:
        """Return a home by its region."""
        home = self._known.get(domicile)
        if home is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            home = self._known[domicile] = self._home(domicile)
        return home

    def is_too_coarse(self, domicile: str, clauses: int) -> bool:
        """Say whether a domicile is too coarse for some of the clauses to tell."""
        return self._line.around(domicile)[1] & clauses != 0

    def everywhere(self, could: int) -> tuple[Home, ...]:
        """List the homes that some clauses which could hold tell apart, when nothing is known of the domicile."""
        touched = 0
        for place in bits(could & ~self._line.free):
            touched |= self._covering[place]
        # Of all homes that none of these clauses covers, the first stands for the others.
        untouched = (~touched & (touched + 1)).bit_length() - 1
        return _distinct([self._everywhere[number] for number in bits(touched | 1 << untouched)], could)

    def within(self, domicile: str) -> tuple[Home, ...]:
        """List the homes that a domicile which is too coarse may stand for, itself among them."""
        homes = self._within.get(domicile)
        if homes is None:
            finer = [region for region in self._line.regions if region != domicile and contains(domicile, region)]
            homes = self._in_order([*(self._home(region) for region in finer), self._home(domicile)])
            if len(self._within) >= MOST_REMEMBERED:
                self._within.clear()
            self._within[domicile] = homes
        return homes

    def _home(self, region: str) -> Home:
        return Home(self._line.free | self._line.around(region)[0], region)

    def _in_order(self, homes: list[Home]) -> tuple[Home, ...]:
        """Sort by the documents that cover a home: the first to decide weighs more than all that come after."""

        def weight(home: Home) -> int:
            return -self._coverage.around(home.region)[0] if home.region is not None else 0

        return tuple(sorted(homes, key=weight))


def _distinct(homes: list[Home], could: int) -> tuple[Home, ...]:
    distinct: dict[int, Home] = {}
    for home in homes:
        distinct.setdefault(home.clauses & could, home)
    return tuple(distinct.values())


def distinct(homes: tuple[Home, ...], could: int) -> tuple[Home, ...]:
    """List the homes that some clauses which could hold tell apart."""
    return homes if len(homes) == 1 else _distinct(list(homes), could)
