"""Whom a clause may assign to, looked up by service and region (routing.md, Candidates)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.clauses import Selector, Where
from app.domain.document import Document
from app.domain.regions import PROVINCE_DEPTH, ancestry, contained_in_any, depth, province_of
from app.domain.registry import Agency, Registry, Service
from app.domain.vocabulary import Sex

MOST_LISTINGS = 50_000
MOST_ADMITTING = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """An active agency's available offer of the service at hand."""

    agency: str
    kind: str
    home: str
    service: Service
    unknown_from: datetime | None = None
    """Since when the agency has not said that it can."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The offers a clause selects, best first, and which facts about the victim their own limits ask for."""

    offers: tuple[Offer, ...]
    is_limited: bool
    asks_sex: bool
    ages: tuple[int, ...]
    _admitting: dict[tuple[Sex, int, frozenset[str]], tuple[Offer, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, offers: Iterable[Offer]) -> Listing:
        """Put offers that are in order into a listing."""
        offers = tuple(offers)
        services = [offer.service for offer in offers if offer.service.is_limited]
        limits = {age for service in services for age in (service.age_from, service.age_below) if age is not None}
        return cls(offers, bool(services), any(service.sexes for service in services), tuple(sorted(limits)))

    def admitting(self, sex: Sex, age: int, case_types: frozenset[str]) -> tuple[Offer, ...]:
        """List the offers whose own limits hold for a victim; they are looked through once for all that are alike."""
        if not self.is_limited:
            return self.offers
        key = (sex, bisect_right(self.ages, age), case_types)
        found = self._admitting.get(key)
        if found is None:
            found = tuple(offer for offer in self.offers if admits(offer, sex, age, case_types))
            if len(self._admitting) >= MOST_ADMITTING:
                self._admitting.clear()
            self._admitting[key] = found
        return found


NO_OFFERS = Listing.of(())


class Offers:
    """The offers of one service type, by agency, by service area and by every region that contains the home."""

    def __init__(self, service: str, agencies: Iterable[Agency]) -> None:
        self.by_agency: dict[str, Offer] = {}
        self.by_area: dict[str, list[Offer]] = defaultdict(list)
        self.by_territory: dict[str, list[Offer]] = defaultdict(list)
        for agency in agencies:
            offered = agency.services.get(service)
            if offered is None or not offered.available or not agency.active:
                continue
            unknown_from = offered.unknown_from(agency.time_zone)
            offer = Offer(agency.code, agency.kind, agency.region, offered, unknown_from)
            self.by_agency[agency.code] = offer
            for area in dict.fromkeys(offered.area):
                self.by_area[area].append(offer)
            for region in ancestry(agency.region):
                self.by_territory[region].append(offer)

    def serving(self, region: str) -> Iterable[tuple[int, Offer]]:
        """List who serves a region, each with the depth of its narrowest area that contains it."""
        seen: set[str] = set()
        for area in ancestry(region):
            for offer in self.by_area.get(area, ()):
                if offer.agency not in seen:
                    seen.add(offer.agency)
                    yield depth(area), offer

    def at_home_in(self, territory: Iterable[str]) -> Iterable[Offer]:
        """List who is at home in a territory."""
        found = {offer.agency: offer for region in territory for offer in self.by_territory.get(region, ())}
        return found.values()


class Listings:
    """Looks up whom a clause selects; what was looked up is remembered, within a bound."""

    def __init__(self, registry: Registry, named: Iterable[str] = ()) -> None:
        """Take the registry, and the regions that documents name."""
        self._named = {*named, *(agency.region for agency in registry.agencies.values())}
        self._named.update(
            area for agency in registry.agencies.values() for one in agency.services.values() for area in one.area
        )
        self._anchors: dict[str, str] = {}
        self._offering: dict[str, list[Agency]] = defaultdict(list)
        for agency in registry.agencies.values():
            for service in agency.services:
                self._offering[service].append(agency)
        self._offers: dict[str, Offers] = {}
        self._listings: dict[tuple[Selection, str, str | None], Listing] = {}

    def offers(self, service: str) -> Offers:
        """Return the offers of a service type."""
        if service not in self._offering:
            return Offers(service, ())
        if service not in self._offers:
            self._offers[service] = Offers(service, self._offering[service])
        return self._offers[service]

    def listing(self, selection: Selection, service: str, region: str | None) -> Listing:
        """Return whom a selection names for a service at a deciding region."""
        if region is not None:
            region = self._anchors.get(region) or self._anchor(region)
        key = (selection, service, region)
        listing = self._listings.get(key)
        if listing is None:
            listing = Listing.of(selection.choose(self.offers(service), region))
            if len(self._listings) >= MOST_LISTINGS:
                self._listings.clear()
            self._listings[key] = listing
        return listing

    def _anchor(self, region: str) -> str:
        """Name the narrowest region around a region that anybody names: what is in it alike is offered alike."""
        around = ancestry(region)
        named = (code for code in around if code in self._named or depth(code) <= PROVINCE_DEPTH)
        if len(self._anchors) >= MOST_LISTINGS:
            self._anchors.clear()
        anchor = self._anchors[region] = next(named, region)
        return anchor


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A clause's selector with what it needs to know of its document's territories; each is one of a kind."""

    to: Selector
    territories: tuple[tuple[str, ...], ...]
    territory: tuple[str, ...]
    """The document's territory."""

    @classmethod
    def of(cls, document: Document, to: Selector) -> Selection:
        """Take a selector and the territory of each party of its document."""
        territories = tuple(party.territory for party in document.parties) if to.where is not None else ()
        return cls(to, territories, tuple(code for territory in territories for code in territory))

    def choose(self, offers: Offers, region: str | None) -> list[Offer]:
        """List the offers it names: the narrowest area first, then the order of kinds, then the code."""
        kinds = {kind: place for place, kind in enumerate(self.to.kinds)}
        found = [(-fit, offer) for fit, offer in self._found(offers, region) if not kinds or offer.kind in kinds]
        found.sort(key=lambda one: (one[0], kinds.get(one[1].kind, 0), one[1].agency))
        return [offer for _, offer in found]

    def _found(self, offers: Offers, region: str | None) -> Iterable[tuple[int, Offer]]:
        if self.to.agency is not None:
            return ((0, offers.by_agency[self.to.agency]),) if self.to.agency in offers.by_agency else ()
        if region is None:
            return ()
        if self.to.where is Where.PARTNER:
            return ((0, offer) for offer in offers.at_home_in(self.partner_territory(region)))
        if self.to.where is Where.PROVINCE:
            home = province_of(region)
            return (one for one in offers.serving(region) if one[1].home == home)
        return (one for one in offers.serving(region) if contained_in_any(self.territory, one[1].home))

    def partner_territory(self, region: str) -> tuple[str, ...]:
        """List the territory of every party other than the deciding region's."""
        others = (territory for territory in self.territories if not contained_in_any(territory, region))
        return tuple(code for territory in others for code in territory)


class Institutions:
    """Which agencies belong together: all that share the root of their `part_of`, which may even go in a circle."""

    def __init__(self, registry: Registry) -> None:
        self._agencies = registry.agencies
        self._roots: dict[str, str] = {}
        self._members: dict[str, set[str]] = defaultdict(set)
        for code in registry.agencies:
            self._members[self.root(code)].add(code)

    def root(self, code: str) -> str:
        """Name the root of the institution an agency belongs to; of a circle, its first member by code."""
        way: list[str] = []
        at = code
        while at not in self._roots and at not in way:
            way.append(at)
            above = self._agencies[at].part_of if at in self._agencies else None
            if above is None:
                break
            at = above
        if at in self._roots:
            root = self._roots[at]
        elif at in way and at != way[-1]:
            root = min(way[way.index(at) :])
        else:
            root = at
        self._roots.update(dict.fromkeys(way, root))
        return root

    def of(self, codes: Iterable[str]) -> frozenset[str]:
        """List the agencies and every agency of the institutions they belong to."""
        members = {member for code in codes for member in (code, *self._members.get(self._roots.get(code, code), ()))}
        return frozenset(members)


def admits(offer: Offer, sex: Sex, age: int, case_types: frozenset[str]) -> bool:
    """Say whether the offer's own limits hold for a victim."""
    return not offer.service.is_limited or offer.service.admits(sex, age, case_types)


def coordinators_by_region(registry: Registry) -> Mapping[str, tuple[str, ...]]:
    """List the active coordinators of each region, by code."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in sorted(registry.agencies):
        agency = registry.agencies[code]
        if agency.active and agency.coordinator_for is not None:
            found[agency.coordinator_for].append(code)
    return {region: tuple(codes) for region, codes in found.items()}
