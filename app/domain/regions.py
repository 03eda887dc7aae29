"""Region codes: dotted text, never numbers, and a code contains every code below it (routing.md, Regions)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

COUNTRY = "country:"
NATION = "ID"

REGION = r"^(ID|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?)$"
"""The form of a domestic region code, "ID" for the whole country."""
_REGION = re.compile(REGION[1:-1])
_ABROAD = re.compile(r"country:(?!ID)[A-Z]{2}")


class Level(StrEnum):
    """How fine a region is."""

    PROVINCE = "province"
    REGENCY = "regency"
    CITY = "city"
    DISTRICT = "district"
    VILLAGE = "village"


@dataclass(frozen=True, slots=True)
class Region:
    """A region as the national list names it."""

    code: str
    name: str
    level: Level
    parent: str | None


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions that are or were listed; below the regency only some provinces are."""

    by_code: Mapping[str, Region]
    retired: frozenset[str] = frozenset()
    """Codes of an earlier edition: known still, so that what names them stays valid."""
    _listed_below_regency: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fine = frozenset(code[:2] for code in self.by_code if depth(code) > REGENCY_DEPTH)
        object.__setattr__(self, "_listed_below_regency", fine)

    @property
    def current(self) -> Iterator[Region]:
        """List the regions of the edition in force, by code."""
        return (self.by_code[code] for code in sorted(self.by_code) if code not in self.retired)

    def knows(self, code: str) -> bool:
        """Say whether the code exists, as far as the list is fine enough to tell."""
        if code == NATION or code in self.by_code:
            return True
        regency = regency_of(code)
        return regency in self.by_code and code != regency and code[:2] not in self._listed_below_regency


PROVINCE_DEPTH = 1
REGENCY_DEPTH = 2


def is_region(code: str) -> bool:
    """Say whether the text has the form of a domestic region code."""
    return _REGION.fullmatch(code) is not None


def is_location(code: str) -> bool:
    """Say whether the text has the form of a location: a region code or a country other than Indonesia."""
    return is_region(code) or _ABROAD.fullmatch(code) is not None


def is_country(code: str) -> bool:
    """Say whether the location lies abroad."""
    return code.startswith(COUNTRY)


def depth(code: str) -> int:
    """Count the levels below the nation: 0 the nation, 1 a province, 2 a regency or city."""
    return 0 if code == NATION else code.count(".") + 1


def contains(code: str, other: str) -> bool:
    """Say whether the other code is this one or lies below it."""
    if code == NATION:
        return not is_country(other)
    return other == code or other.startswith(code + ".")


def contained_in_any(codes: Iterable[str], other: str) -> bool:
    """Say whether one of the codes contains the other code."""
    return any(contains(code, other) for code in codes)


def is_too_coarse(code: str, asked: Iterable[str]) -> bool:
    """Say whether the code holds some of what is asked but is not held by it, so that it cannot tell."""
    asked = tuple(asked)
    return not contained_in_any(asked, code) and any(contains(code, one) for one in asked)


@lru_cache(maxsize=1 << 17)
def ancestry(code: str) -> tuple[str, ...]:
    """List the codes that contain this one, itself first and the nation last; none contains a country."""
    if is_country(code):
        return ()
    if code == NATION:
        return (NATION,)
    parts = code.split(".")
    return (*(".".join(parts[:length]) for length in range(len(parts), 0, -1)), NATION)


@lru_cache(maxsize=1 << 17)
def province_of(code: str) -> str | None:
    """Name the province a domestic code lies in, if it is fine enough to tell."""
    return None if code == NATION or is_country(code) else code.split(".", 1)[0]


@lru_cache(maxsize=1 << 17)
def regency_of(code: str) -> str | None:
    """Name the regency or city a domestic code lies in, if it is fine enough to tell."""
    return None if is_country(code) or depth(code) < REGENCY_DEPTH else ".".join(code.split(".", 2)[:2])
