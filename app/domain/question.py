"""Deciding one service of one referral (routing.md, The decision)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import NamedTuple

from app.domain.candidates import NO_OFFERS, Listing, Listings, Offer
from app.domain.decision import Candidate, DutyOwed
from app.domain.facts import Facts
from app.domain.index import ClauseIndex, IndexedClause, deciding_region
from app.domain.masks import bits, lowest
from app.domain.regions import REGENCY_DEPTH, contained_in_any, contains, depth
from app.domain.unknowns import Place, Way, facts_that_matter, the_way, ways
from app.domain.vocabulary import Outcome, Reason, Sex, Urgency

AVOIDED_ALL_THE_SAME = frozenset({"law_enforcement", "legal_service"})
"""Services whose place follows the venue, not the victim's safety."""

NOTHING: frozenset[str] = frozenset()
ONE = (0,)
NEAR_AVOIDED = "near_avoided_region"
CAPACITY_UNKNOWN = "capacity_unknown"


class Head(NamedTuple):
    """Whom the matching clauses name first, and what was met on the way to it."""

    place: int
    offer: Offer
    is_ambiguous: bool
    passed_over: tuple[int, ...]


class Verdict(NamedTuple):
    """What one way comes to."""

    denied_by: int | None
    head: Head | None
    outcome: Outcome
    reason: Reason | None
    lacking: frozenset[str]

    @property
    def result(self) -> tuple[Outcome, Reason | None, str | None]:
        """Return what a missing fact must not change."""
        offered = self.outcome is Outcome.OFFERED and self.head is not None
        return (self.outcome, self.reason, self.head.offer.agency if offered and self.head else None)


class Question:
    """Who takes one service of one referral, asked of the clauses in force."""

    def __init__(
        self,
        index: ClauseIndex,
        listings: Listings,
        off: frozenset[str],
        facts: Facts,
        service: str,
        tried: frozenset[str],
    ) -> None:
        self.index = index
        self.facts = facts
        self.service = service
        self.tried = tried
        self._listings = listings
        self._off = off
        self._avoided = NOTHING if service in AVOIDED_ALL_THE_SAME else facts.avoid_regions
        self._is_emergency = facts.urgency is Urgency.EMERGENCY
        self._locations = (facts.incident, facts.domicile, facts.current, None)
        self._found: dict[int, Listing] = {}
        settled = index.settled(facts, service)
        if settled is None:
            places = index.whereabouts(facts)
            _, self.unlocated, self._deciding = places
            self.located = index.assign & ~self.unlocated
            """Of the clauses that hold in some way, those that assign and are located."""
            self.ways = ways(index, facts, index.holding(places, facts.urgency, service), self._limits)
        else:
            self.unlocated, self._deciding = 0, index.deciding
            self.located = index.assign
            self.ways = the_way(index, facts, settled)
        self._distinct: list[Verdict] = []
        """What the ways come to, each once; the most protective way's first."""
        self._judged: Sequence[int] = self._judge_every_way()
        """Which of these each way comes to, the most protective first."""

    def _judge_every_way(self) -> Sequence[int]:
        ways, distinct = self.ways, self._distinct
        if len(ways.clauses) == 1:
            distinct.append(self._judge(ways.clauses[0], ways.sexes[0], ways.ages[0]))
            return ONE
        victims = [(sex, age) for sex in ways.sexes for age in ways.ages]
        # Where no offer has limits, whoever is spoken of by the same clauses is decided alike.
        decided: list[list[tuple[int, int, int]]] = [[]] * len(victims)
        if ways.by_limit:
            decided = [[] for _ in victims]
        judged = []
        for holding, (sex, age), known in zip(ways.clauses, cycle(victims), cycle(decided), strict=False):
            at = _decided(known, holding)
            if at is None:
                at = len(distinct)
                distinct.append(self._judge(holding, sex, age))
                counting = self._counting(distinct[at])
                known.append((counting, holding & counting, at))
            judged.append(at)
        return judged

    def _counting(self, verdict: Verdict) -> int:
        """Return the clauses that a verdict rests on: where these hold alike, it is the same whatever else holds."""
        if verdict.denied_by is not None:
            return self.index.deny & ((2 << verdict.denied_by) - 1)
        every = self.located | self.unlocated
        return self.index.deny | (every if verdict.head is None else every & self.index.up_to(verdict.head.place))

    @property
    def verdicts(self) -> list[tuple[Place, Way, Verdict]]:
        """List what each way comes to, the most protective first."""
        return [(place, way, self._distinct[at]) for (place, way), at in zip(self.ways, self._judged, strict=True)]

    @property
    def first(self) -> tuple[Way, Verdict]:
        """Return the most protective way and what it comes to."""
        return self.ways.first, self._distinct[0]

    @property
    def is_denied_in_every_way(self) -> bool:
        """Say whether a clause denies the service however the facts turn out."""
        return all(verdict.denied_by is not None for verdict in self._distinct)

    @property
    def is_denied_in_some_way(self) -> bool:
        """Say whether a clause denies the service if the facts turn out so."""
        return any(verdict.denied_by is not None for verdict in self._distinct)

    @property
    def missing(self) -> frozenset[str]:
        """Name the facts that are missing: those that change the result, and the places of unlocated clauses."""
        if len(self._distinct) == 1:
            return self._distinct[0].lacking
        lacking = NOTHING.union(*(verdict.lacking for verdict in self._distinct))
        results = [verdict.result for verdict in self._distinct]
        alike = [results.index(result) for result in results]
        return lacking | facts_that_matter([alike[at] for at in self._judged], self.ways.lengths)

    def _judge(self, holding: int, sex: Sex, age: int) -> Verdict:
        denied = holding & self.index.deny
        if denied:
            return Verdict(lowest(denied), None, Outcome.NEEDS_COORDINATOR, Reason.DENIED, NOTHING)
        head, someone_was_tried = self._head(holding & self.located, sex, age)
        unlocated = holding & self.unlocated
        if head is not None:
            unlocated &= self.index.up_to(head.place)
        lacking = self.index.unlocated_by(unlocated, self.facts) if unlocated else NOTHING
        if head is None:
            reason = Reason.CHAIN_EXHAUSTED if someone_was_tried else Reason.UNROUTABLE
            return Verdict(None, None, Outcome.NEEDS_COORDINATOR, reason, lacking)
        if head.is_ambiguous and not self._is_emergency:
            return Verdict(None, head, Outcome.NEEDS_COORDINATOR, Reason.AMBIGUOUS, lacking)
        return Verdict(None, head, Outcome.OFFERED, None, lacking)

    def _head(self, matching: int, sex: Sex, age: int) -> tuple[Head | None, bool]:
        passed_over: list[int] = []
        someone_was_tried = False
        while matching:
            place = lowest(matching)
            matching &= matching - 1
            offers = self._offers(place, sex, age)
            if not offers:
                passed_over.append(place)
                continue
            first = self._first_untried(offers)
            if first is None:
                someone_was_tried = True
                continue
            level = matching & self.index.up_to(place)
            others = [self._first_untried(self._offers(other, sex, age)) for other in bits(level)]
            is_ambiguous = any(other is not None and other.agency != first.agency for other in others)
            return Head(place, first, is_ambiguous, tuple(passed_over)), someone_was_tried
        return None, someone_was_tried

    def _first_untried(self, offers: tuple[Offer, ...]) -> Offer | None:
        if not self.tried:
            return offers[0] if offers else None
        return next((offer for offer in offers if offer.agency not in self.tried), None)

    def listing(self, place: int) -> Listing:
        """Return whom an assign clause selects, before anyone is left out."""
        listing = self._found.get(place)
        if listing is None:
            indexed = self.index.clauses[place]
            listing = NO_OFFERS
            if indexed.selection is not None:
                region = self._locations[self._deciding[place]]
                listing = self._listings.listing(indexed.selection, self.service, region)
            self._found[place] = listing
        return listing

    def region(self, indexed: IndexedClause) -> str | None:
        """Return the deciding region of an assign clause that looks for agencies by region."""
        return None if indexed.by_region is None else deciding_region(indexed.by_region, self.facts)

    def offers(self, place: int, way: Way) -> tuple[Offer, ...]:
        """List the candidates of an assign clause in one way, those tried among them."""
        return self._offers(place, way.sex, way.age)

    def _offers(self, place: int, sex: Sex, age: int) -> tuple[Offer, ...]:
        listing = self._found.get(place) or self.listing(place)
        if not listing.is_limited and not self._off and not self._avoided:
            return listing.offers
        offers = listing.admitting(sex, age, self.facts.case_types)
        if not self._off and not self._avoided:
            return offers
        return tuple(offer for offer in offers if offer.agency not in self._off and not self.is_avoided(offer.home))

    def is_avoided(self, home: str) -> bool:
        """Say whether an agency at home there is left out because the victim is not safe there."""
        return bool(self._avoided) and contained_in_any(self._avoided, home)

    def offer_of(self, agency: str) -> Offer | None:
        """Return what an agency offers of the service, if it does."""
        return self._listings.offers(self.service).by_agency.get(agency)

    def is_capacity_unknown(self, offer: Offer) -> bool:
        """Say whether an agency has not confirmed for as long as its own limit that it can."""
        return offer.unknown_from is not None and offer.unknown_from <= self.facts.received_at

    def _limits(self, clauses: int) -> list[Listing]:
        return [self.listing(place) for place in bits(clauses & self.located)]

    def chain(self, way: Way) -> tuple[Candidate, ...]:
        """List whom to ask in one way, best first; an agency appears once, with the clause that first named it."""
        first_for: dict[str, Candidate] = {}
        for place in bits(way.clauses & self.located):
            named = self.index.named[place]
            for offer in self._offers(place, way.sex, way.age):
                agency = offer.agency
                if agency not in first_for and agency not in self.tried:
                    first_for[agency] = named[agency]
        return tuple(first_for.values())

    def warnings(self, head: Head) -> tuple[str, ...]:
        """List what must be known of a head before it is asked."""
        said = [f"passed_over:{self.index.clauses[place].name}" for place in head.passed_over]
        home = head.offer.home
        avoided = self.facts.avoid_regions
        if avoided and depth(home) >= REGENCY_DEPTH and any(contains(r, home) or contains(home, r) for r in avoided):
            said.append(NEAR_AVOIDED)
        if head.is_ambiguous and self._is_emergency:
            said.append(Reason.AMBIGUOUS.value)
        if self.is_capacity_unknown(head.offer):
            said.append(f"{CAPACITY_UNKNOWN}:{head.offer.agency}")
        return tuple(sorted(said))

    def duties(self, way: Way) -> tuple[DutyOwed, ...]:
        """List the duties that a handoff carries in one way."""
        duties = self.index.duties
        return tuple([duties[place] for place in bits(way.clauses & self.index.duty)])

    def matched(self) -> tuple[str, ...]:
        """Name the clauses that match in some way, or could if a place were known, in the order of deciding."""
        index = self.index
        return index.names_of(self.ways.could & (self.located | self.unlocated | index.deny | index.duty))


def _decided(known: Iterable[tuple[int, int, int]], holding: int) -> int | None:
    for counting, counted, at in known:
        if holding & counting == counted:
            return at
    return None
