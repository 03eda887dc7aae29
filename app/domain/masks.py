"""Bitmaps: who allows a value, one bit for each of those who were asked, in their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from app.domain.regions import ancestry

MOST_REMEMBERED = 50_000


def bits(mask: int) -> list[int]:
    """List the places of the bits that are set, the lowest first."""
    found = []
    while mask:
        # From the top, for what is left gets shorter then.
        place = mask.bit_length() - 1
        found.append(place)
        mask ^= 1 << place
    found.reverse()
    return found


def lowest(mask: int) -> int:
    """Return the place of the lowest bit that is set; -1 if none is."""
    return (mask & -mask).bit_length() - 1


def union(masks: Iterable[int]) -> int:
    """Return the bits that are set in any of the masks."""
    every = 0
    for mask in masks:
        every |= mask
    return every


class Line:
    """One line that clauses may carry, such as `services`: a mask for each value and one for any other value."""

    __slots__ = ("free", "named")

    def __init__(self, asked: Iterable[frozenset[str]]) -> None:
        self.free = 0
        named: dict[str, int] = defaultdict(int)
        for place, values in enumerate(asked):
            if not values:
                self.free |= 1 << place
            for value in values:
                named[value] |= 1 << place
        self.named = {value: mask | self.free for value, mask in named.items()}

    def allows(self, value: str) -> int:
        """Return who allows a value."""
        return self.named.get(value, self.free)

    def allows_any(self, values: Iterable[str]) -> int:
        """Return who allows one value or another."""
        return self.free | union(self.named.get(value, 0) for value in values)


class Flag:
    """One line that clauses may ask to be true or to be false."""

    __slots__ = ("_masks",)

    def __init__(self, asked: Iterable[tuple[bool | None, ...]]) -> None:
        no, yes = 0, 0
        for place, answers in enumerate(asked):
            if True not in answers:
                no |= 1 << place
            if False not in answers:
                yes |= 1 << place
        self._masks = (no, yes)

    def allows(self, value: bool) -> int:
        """Return who allows the fact to be so."""
        return self._masks[value]


class Places:
    """A line of region codes: who contains a location, and who cannot tell because it is too coarse."""

    def __init__(self, asked: Sequence[tuple[str, ...]]) -> None:
        self.free = 0
        self._at: dict[str, int] = defaultdict(int)
        self._within: dict[str, int] = defaultdict(int)
        for place, codes in enumerate(asked):
            if not codes:
                self.free |= 1 << place
            for code in codes:
                self._at[code] |= 1 << place
                for above in ancestry(code)[1:]:
                    self._within[above] |= 1 << place
        self.regions = tuple(sorted(self._at))
        self._known: dict[str, tuple[int, int]] = {}

    def around(self, location: str) -> tuple[int, int]:
        """Return who contains a location, and for whom it is too coarse."""
        found = self._known.get(location)
        if found is None:
            inside = union(self._at.get(region, 0) for region in ancestry(location))
            found = (inside, self._within.get(location, 0) & ~inside)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[location] = found
        return found
