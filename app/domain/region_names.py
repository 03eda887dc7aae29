"""Regions found by their names as people write them: with or without what kind they are, short, or misspelt."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from app.domain.regions import Level, Region, is_region

KINDS: Mapping[str, Level] = {
    **dict.fromkeys(("provinsi", "propinsi", "prov", "prop"), Level.PROVINCE),
    **dict.fromkeys(("kabupaten", "kab"), Level.REGENCY),
    **dict.fromkeys(("kota", "kotamadya"), Level.CITY),
    **dict.fromkeys(("kecamatan", "kec", "distrik"), Level.DISTRICT),
    **dict.fromkeys(("kelurahan", "kel", "desa", "kampung"), Level.VILLAGE),
}
"""What stands before a name to say what it is the name of."""

LEVELS = tuple(Level)
SHORTENED = frozenset({Level.PROVINCE, Level.REGENCY, Level.CITY})
"""The levels whose names people shorten."""
MAY_BE_LEFT_OUT = frozenset({"administrasi", "kepulauan"})
CLOSE_ENOUGH = 0.5
MOST_CLOSE = 20

_NO_LETTER = re.compile(r"[^a-z0-9]+")


class Fit(IntEnum):
    """How well a name fits what was written, the best first."""

    EXACT = 0
    SHORT = 1
    BEGINS = 2
    WORDS = 3
    PART = 4
    CLOSE = 5


@dataclass(frozen=True, slots=True)
class Name:
    """A region with its name made plain: the words without what kind it is."""

    region: Region
    words: tuple[str, ...]
    plain: str
    joined: str


@dataclass(frozen=True, slots=True)
class Sought:
    """One way to read what was written: the words, and the kind of region that was asked for, if any."""

    words: tuple[str, ...]
    plain: str
    joined: str
    kind: Level | None

    @classmethod
    def of(cls, words: tuple[str, ...], kind: Level | None) -> Sought:
        """Read some words as the name of a region of a kind, or of any."""
        return cls(words, " ".join(words), "".join(words), kind)


Ranked = tuple[tuple[bool, float], Name]
"""A name with its rank: of another kind than was asked for, and how far it is from what was written."""


class RegionNames:
    """The names of regions, made ready to be searched."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self._names = tuple(_name(region) for region in regions)
        self._by_code = {name.region.code: name.region for name in self._names}
        self._grams: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for gram in _grams(name.plain):
                self._grams[gram].append(number)

    def search(self, written: str) -> list[Region]:
        """List the regions that are meant by a name or a code, the likeliest first; of no name, those close to it."""
        code = written.strip()
        if is_region(code) and code in self._by_code:
            return [self._by_code[code]]
        readings = tuple(_readings(written))
        found: dict[str, Ranked] = {}
        for sought in readings:
            for name in self._names:
                fit = _fit(name, sought)
                if fit is not None:
                    _keep_better(found, name, (_is_another_kind(name, sought), fit))
        if found:
            return [name.region for _, name in sorted(found.values(), key=lambda one: (one[0], *_order(one[1])))]
        return self._close_to(readings)

    def _close_to(self, readings: Iterable[Sought]) -> list[Region]:
        found: dict[str, Ranked] = {}
        for sought in readings:
            grams = _grams(sought.plain)
            shared = Counter(number for gram in grams for number in self._grams.get(gram, ()))
            for number, count in shared.items():
                name = self._names[number]
                likeness = 2 * count / (len(grams) + len(_grams(name.plain)))
                if likeness >= CLOSE_ENOUGH:
                    _keep_better(found, name, (_is_another_kind(name, sought), -likeness))
        ranked = sorted(found.values(), key=lambda one: (one[0], *_order(one[1])))
        return [name.region for _, name in ranked[:MOST_CLOSE]]


def _keep_better(found: dict[str, Ranked], name: Name, rank: tuple[bool, float]) -> None:
    known = found.get(name.region.code)
    if known is None or rank < known[0]:
        found[name.region.code] = (rank, name)


def _order(name: Name) -> tuple[int, int, str]:
    return LEVELS.index(name.region.level), len(name.plain), name.region.code


def _is_another_kind(name: Name, sought: Sought) -> bool:
    return sought.kind is not None and name.region.level is not sought.kind


def _name(region: Region) -> Name:
    words = _words(region.name)
    if region.level in (Level.REGENCY, Level.CITY):
        words = tuple(word for word in words[1:] if word != "administrasi")
    return Name(region, words, " ".join(words), "".join(words))


def _words(written: str) -> tuple[str, ...]:
    return tuple(_NO_LETTER.sub(" ", written.casefold()).split())


def _readings(written: str) -> Iterator[Sought]:
    words = tuple(word for word in _words(written) if word not in ("administrasi", "adm"))
    if words:
        yield Sought.of(words, None)
    if len(words) > 1 and words[0] in KINDS:
        yield Sought.of(words[1:], KINDS[words[0]])


def _fit(name: Name, sought: Sought) -> Fit | None:
    if name.joined == sought.joined:
        return Fit.EXACT
    if name.region.level in SHORTENED and _is_short_for(sought.joined, name.words):
        return Fit.SHORT
    if name.plain.startswith(sought.plain):
        return Fit.BEGINS
    if _words_begin(name.words, sought.words):
        return Fit.WORDS
    return Fit.PART if sought.plain in name.plain else None


def _is_short_for(short: str, words: tuple[str, ...]) -> bool:
    """Say whether a word is made of the beginnings of a name's words: PPU, Kukar, Kaltim, DKI Jakarta."""
    kept = tuple(word for word in words if word not in MAY_BE_LEFT_OUT)
    return any(
        len(some) > 1 and (short == "".join(word[0] for word in some) or _pieces(short, some)) for some in {words, kept}
    )


def _pieces(short: str, words: tuple[str, ...]) -> bool:
    """Say whether what is short takes at least two letters of every word, or the last word whole and others' first."""
    if not words:
        return not short
    if short == "".join(word[0] for word in words[:-1]) + words[-1]:
        return True
    word = words[0]
    most = min(len(word), len(short))
    return any(short[:size] == word[:size] and _pieces(short[size:], words[1:]) for size in range(2, most + 1))


def _words_begin(words: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    """Say whether every word that was written begins a word of the name, in their order."""
    left = iter(words)
    return all(any(word.startswith(one) for word in left) for one in sought)


def _grams(plain: str) -> frozenset[str]:
    padded = f"  {plain} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))
