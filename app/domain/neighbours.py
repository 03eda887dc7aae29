"""Who lives and works where, whether or not it can help now: whom an explanation speaks of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from app.domain.candidates import Selection
from app.domain.clauses import Where
from app.domain.regions import NATION, ancestry, contained_in_any, province_of
from app.domain.registry import Registry


class Neighbours:
    """All agencies by where they are at home and by what they serve, the inactive among them."""

    def __init__(self, registry: Registry) -> None:
        self._agencies = registry.agencies
        self._at_home: dict[str, list[str]] = defaultdict(list)
        self._at_home_within: dict[str, list[str]] = defaultdict(list)
        self._serving: dict[tuple[str, str], list[str]] = defaultdict(list)
        for code, agency in registry.agencies.items():
            self._at_home[agency.region].append(code)
            for region in ancestry(agency.region):
                self._at_home_within[region].append(code)
            for service, offered in agency.services.items():
                for area in offered.area:
                    self._serving[service, area].append(code)

    def considered(self, selection: Selection, service: str, region: str | None) -> set[str]:
        """Name those whom a selection looks at: at home where it looks and near the deciding region, or serving it."""
        named = {selection.to.agency} if selection.to.agency is not None else set()
        if region is None:
            return named
        province = province_of(region)
        if selection.to.where is Where.PARTNER:
            return named.union(*(self._at_home_within.get(code, ()) for code in selection.partner_territory(region)))
        if selection.to.where is Where.PROVINCE:
            return named.union(self._at_home.get(province or "", ()))
        return named.union(self._within(selection.territory, self._near(service, region, province)))

    def _near(self, service: str, region: str, province: str | None) -> Iterator[str]:
        # A home in the nation has no province, and a region that has none is near no home that has one.
        yield from self._at_home.get(NATION, ())
        yield from self._at_home_within.get(province or "", ())
        for area in ancestry(region):
            yield from self._serving.get((service, area), ())

    def _within(self, territory: tuple[str, ...], codes: Iterable[str]) -> Iterator[str]:
        return (code for code in codes if contained_in_any(territory, self._agencies[code].region))
