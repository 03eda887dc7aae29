"""Areas that lie across districts and are nobody's parent: told as dated facts, of no weight in routing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.facts import CURRENT, DOMICILE, INCIDENT, Facts
from app.domain.regions import contained_in_any


@dataclass(frozen=True, slots=True)
class Overlay:
    """An area that lies across districts and changes none of their parents, as far as was known at a time."""

    code: str
    as_of: str
    wholly_or_partly: frozenset[str]
    outside: frozenset[str]

    def lies(self, location: str) -> str | None:
        """Say how a district, or what is in it, lies to the area; None where it has nothing to do with it."""
        if not contained_in_any(self.wholly_or_partly, location):
            return None
        return "outside" if contained_in_any(self.outside, location) else "wholly_or_partly"


def lying(overlays: Iterable[Overlay], facts: Facts) -> list[dict[str, object]]:
    """List how the known locations lie to the areas; a location coarser than a district says nothing."""
    known = ((CURRENT, facts.current), (INCIDENT, facts.incident), (DOMICILE, facts.domicile))
    return [
        {"overlay": overlay.code, "location": name, "region": region, "lies": lies, "as_of": overlay.as_of}
        for overlay in overlays
        for name, region in known
        if region is not None and (lies := overlay.lies(region)) is not None
    ]
