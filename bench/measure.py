"""Figures that hold on a machine that others use too: rounds in turn, medians, spread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from gc import collect, disable, enable
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to be timed: what it does to each item, and the items of a round."""

    name: str
    do: Callable[[Any], Any]
    items: Callable[[int], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """Microseconds for one item, a round each."""

    name: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the middle round."""
        return median(self.rounds)

    @property
    def spread(self) -> str:
        """Show the middle round, with the fastest and slowest."""
        return f"{_short(self.median)} ({_short(min(self.rounds))} to {_short(max(self.rounds))})"

    @property
    def per_second(self) -> str:
        """Show how many were done in a second in the middle round."""
        return f"{1e6 / self.median:,.0f}"

    def times(self, other: "Figure") -> str:
        """Show how many times faster this is than another, round by round."""
        ratios = sorted(theirs / ours for ours, theirs in zip(self.rounds, other.rounds, strict=True))
        return f"{_short(median(ratios))} ({_short(ratios[0])} to {_short(ratios[-1])})"


def in_turn(contenders: Sequence[Contender], rounds: int) -> dict[str, Figure]:
    """Time every contender once a round, one after the other, for some rounds."""
    taken: dict[str, list[float]] = {one.name: [] for one in contenders}
    for number in range(rounds):
        for one in contenders:
            items = one.items(number)
            do = one.do
            collect()
            disable()
            started = perf_counter()
            for item in items:
                do(item)
            taken[one.name].append((perf_counter() - started) / len(items) * 1e6)
            enable()
    return {name: Figure(name, tuple(times)) for name, times in taken.items()}


def each(do: Callable[[Any], Any], items: Sequence[Any]) -> list[float]:
    """Time every item by itself, in microseconds, sorted."""
    found = []
    for item in items:
        started = perf_counter()
        do(item)
        found.append((perf_counter() - started) * 1e6)
    return sorted(found)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
