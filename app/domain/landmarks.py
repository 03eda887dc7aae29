"""The regions that stand for all others: whatever documents and registry tell apart, one of these tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from app.domain.document import Document
from app.domain.regions import (
    NATION,
    PROVINCE_DEPTH,
    REGENCY_DEPTH,
    Regions,
    ancestry,
    depth,
    province_of,
    regency_of,
)
from app.domain.registry import Registry

FRESH = 2
"""How many regencies that nobody names stand for the rest of a province."""


def lies_in(codes: frozenset[str], region: str) -> bool:
    """Say whether one of the codes contains a region, however many codes there are."""
    return not codes.isdisjoint(ancestry(region))


@dataclass(frozen=True)
class Landmarks:
    """The regions that some documents and a registry can tell apart, the finest first; more lie between none."""

    codes: tuple[str, ...]
    regencies: tuple[str, ...]
    """Regencies that nobody names, of provinces that are named and of two that are not."""
    _within: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    _near: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def within(self, territory: frozenset[str]) -> tuple[str, ...]:
        """List those that lie in a territory."""
        found = self._within.get(territory)
        if found is None:
            found = self._within[territory] = tuple(code for code in self.codes if lies_in(territory, code))
        return found

    @cached_property
    def _by_province(self) -> dict[str | None, tuple[str, ...]]:
        found: dict[str | None, list[str]] = {}
        for code in self.codes:
            if depth(code) == REGENCY_DEPTH:
                found.setdefault(province_of(code), []).append(code)
        return {province: tuple(codes) for province, codes in found.items()}

    def near(self, region: str) -> tuple[str, ...]:
        """List one region for each way another may lie to this one: itself, beside it, around it, elsewhere."""
        found = self._near.get(region)
        if found is None:
            found = self._near[region] = tuple(dict.fromkeys(self._around(region)))
        return found

    def _around(self, region: str) -> Iterable[str]:
        province, regency = province_of(region), regency_of(region)
        yield region
        beside = [code for code in self._by_province.get(province, ()) if code != regency]
        yield from beside[:FRESH]
        elsewhere = [code for there, codes in self._by_province.items() if there != province for code in codes[:1]]
        yield from elsewhere[:FRESH]
        yield from (code[:2] for code in (region, *elsewhere[:FRESH]) if depth(code) >= PROVINCE_DEPTH)
        yield NATION


def landmarks(documents: Iterable[Document], registry: Registry, regions: Regions) -> Landmarks:
    """Find the regions that documents and registry tell apart, with some that they do not for the rest."""
    documents = tuple(documents)
    territory = frozenset(code for document in documents for code in document.territory)
    named = {*territory, *(code for document in documents for code in document.covers.domicile)}
    for agency in registry.agencies.values():
        areas = {code for service in agency.services.values() for code in service.area}
        named |= {code for code in (agency.region, *areas) if lies_in(territory, code)}
    named = {above for code in named for above in ancestry(code)}
    fresh = _fresh(named, regions)
    codes = sorted({*named, *fresh}, key=lambda code: (-depth(code), code))
    return Landmarks(tuple(codes), fresh)


def _fresh(named: set[str], regions: Regions) -> tuple[str, ...]:
    """Pick regencies that nobody names: some in each province that is named, and in two that are not."""
    by_province: dict[str, list[str]] = {}
    for code in (region.code for region in regions.current):
        if depth(code) == REGENCY_DEPTH and code not in named:
            by_province.setdefault(code[:2], []).append(code)
    others = [province for province in by_province if province not in named][:FRESH]
    return tuple(
        code
        for province, codes in by_province.items()
        if province in named or province in others
        for code in codes[:FRESH]
    )
