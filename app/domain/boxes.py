"""Cases with the same answer, put together into as few boxes as come easily: a set of values for each axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

Case = tuple[Hashable, ...]
Box = tuple[frozenset[Hashable], ...]


def boxes(cases: Iterable[Case]) -> list[Box]:
    """Merge cases that differ in one axis alone, axis by axis from the last to the first."""
    found: list[Box] = [tuple(frozenset({value}) for value in case) for case in dict.fromkeys(cases)]
    axes = len(found[0]) if found else 0
    for axis in reversed(range(axes)):
        alike: dict[Box, set[Hashable]] = defaultdict(set)
        for box in found:
            alike[box[:axis] + box[axis + 1 :]] |= box[axis]
        found = [(*rest[:axis], frozenset(values), *rest[axis:]) for rest, values in alike.items()]
    return found
