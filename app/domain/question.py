"""Deciding one service of one referral (routing.md, The decision)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.candidates import NO_OFFERS, Listing, Listings, Offer, admits
from app.domain.decision import Candidate, DutyOwed
from app.domain.facts import Facts
from app.domain.index import ClauseIndex, IndexedClause
from app.domain.masks import bits
from app.domain.regions import REGENCY_DEPTH, contained_in_any, contains, depth
from app.domain.unknowns import Place, Way, Ways, facts_that_matter, ways
from app.domain.vocabulary import Outcome, Reason, Sex, Urgency

AVOIDED_ALL_THE_SAME = frozenset({"law_enforcement", "legal_service"})
"""Services whose place follows the venue, not the victim's safety."""

NOTHING: frozenset[str] = frozenset()
NEAR_AVOIDED = "near_avoided_region"


@dataclass(frozen=True, slots=True)
class Head:
    """Whom the matching clauses name first, and what was met on the way to it."""

    place: int
    offer: Offer
    is_ambiguous: bool
    passed_over: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
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
        places = index.whereabouts(facts)
        self.located, self.unlocated, self._regions = places.located, places.unlocated, places.regions
        self.ways: Ways = ways(index, facts, index.holding(facts, service), self._limits)
        self.verdicts: list[tuple[Place, Way, Verdict]] = self._judge_every_way()
        """What each way comes to, the most protective first."""

    def _judge_every_way(self) -> list[tuple[Place, Way, Verdict]]:
        known: dict[tuple[int, Sex, int], Verdict] = {}
        judged = []
        for place, way in self.ways:
            key = (way.clauses, way.sex, way.age)
            verdict = known.get(key)
            if verdict is None:
                verdict = known[key] = self.judge(way)
            judged.append((place, way, verdict))
        return judged

    @property
    def first(self) -> tuple[Way, Verdict]:
        """Return the most protective way and what it comes to."""
        _, way, verdict = self.verdicts[0]
        return way, verdict

    @property
    def is_denied_in_every_way(self) -> bool:
        """Say whether a clause denies the service however the facts turn out."""
        return all(verdict.denied_by is not None for _, _, verdict in self.verdicts)

    @property
    def is_denied_in_some_way(self) -> bool:
        """Say whether a clause denies the service if the facts turn out so."""
        return any(verdict.denied_by is not None for _, _, verdict in self.verdicts)

    @property
    def missing(self) -> frozenset[str]:
        """Name the facts that are missing: those that change the result, and the places of unlocated clauses."""
        if len(self.verdicts) == 1:
            return self.verdicts[0][2].lacking
        lacking = NOTHING.union(*(verdict.lacking for _, _, verdict in self.verdicts))
        return lacking | facts_that_matter({place: verdict.result for place, _, verdict in self.verdicts})

    def judge(self, way: Way) -> Verdict:
        """Decide the service as if the facts had turned out in this way."""
        denied = way.clauses & self.index.deny
        if denied:
            denied_by = next(bits(denied))
            return Verdict(denied_by, None, Outcome.NEEDS_COORDINATOR, Reason.DENIED, NOTHING)
        matching = way.clauses & self.located
        head, someone_was_tried = self._head(matching, way)
        unlocated = way.clauses & self.unlocated
        if head is not None:
            unlocated &= self.index.up_to(head.place)
        lacking = self.index.unlocated_by(unlocated, self.facts) if unlocated else NOTHING
        if head is None:
            reason = Reason.CHAIN_EXHAUSTED if someone_was_tried else Reason.UNROUTABLE
            return Verdict(None, None, Outcome.NEEDS_COORDINATOR, reason, lacking)
        if head.is_ambiguous and not self._is_emergency:
            return Verdict(None, head, Outcome.NEEDS_COORDINATOR, Reason.AMBIGUOUS, lacking)
        return Verdict(None, head, Outcome.OFFERED, None, lacking)

    def _head(self, matching: int, way: Way) -> tuple[Head | None, bool]:
        passed_over: list[int] = []
        someone_was_tried = False
        for place in bits(matching):
            offers = self.offers(place, way)
            if not offers:
                passed_over.append(place)
                continue
            first = self._first_untried(offers)
            if first is None:
                someone_was_tried = True
                continue
            level = matching & self.index.up_to(place) & -(2 << place)
            others = (self._first_untried(self.offers(other, way)) for other in bits(level))
            is_ambiguous = any(other is not None and other.agency != first.agency for other in others)
            return Head(place, first, is_ambiguous, tuple(passed_over)), someone_was_tried
        return None, someone_was_tried

    def _first_untried(self, offers: tuple[Offer, ...]) -> Offer | None:
        return next((offer for offer in offers if offer.agency not in self.tried), None)

    def listing(self, place: int) -> Listing:
        """Return whom an assign clause selects, before anyone is left out."""
        indexed = self.index.clauses[place]
        if indexed.selection is None:
            return NO_OFFERS
        return self._listings.listing(indexed.selection, self.service, self.region(indexed))

    def region(self, indexed: IndexedClause) -> str | None:
        """Return the deciding region of an assign clause that looks for agencies by region."""
        return None if indexed.by_region is None else self._regions[indexed.by_region]

    def offers(self, place: int, way: Way) -> tuple[Offer, ...]:
        """List the candidates of an assign clause in one way, those tried among them."""
        listing = self.listing(place)
        if not listing.is_limited and not self._off and not self._avoided:
            return listing.offers
        return tuple(
            offer
            for offer in listing.offers
            if offer.agency not in self._off
            and admits(offer, way.sex, way.age, self.facts.case_types)
            and not self.is_avoided(offer.home)
        )

    def is_avoided(self, home: str) -> bool:
        """Say whether an agency at home there is left out because the victim is not safe there."""
        return bool(self._avoided) and contained_in_any(self._avoided, home)

    def _limits(self, clauses: int) -> list[Listing]:
        return [self.listing(place) for place in bits(clauses & self.located)]

    def chain(self, way: Way) -> tuple[Candidate, ...]:
        """List whom to ask in one way, best first; an agency appears once, with the clause that first named it."""
        first_for: dict[str, Candidate] = {}
        for place in bits(way.clauses & self.located):
            indexed = self.index.clauses[place]
            for offer in self.offers(place, way):
                if offer.agency not in first_for and offer.agency not in self.tried:
                    first_for[offer.agency] = Candidate(offer.agency, indexed.document.id, indexed.clause.key)
        return tuple(first_for.values())

    def warnings(self, head: Head) -> tuple[str, ...]:
        """List what must be known of a head before it is asked."""
        said = [f"passed_over:{self.index.clauses[place].name}" for place in head.passed_over]
        home = head.offer.home
        if depth(home) >= REGENCY_DEPTH and any(
            contains(region, home) or contains(home, region) for region in self.facts.avoid_regions
        ):
            said.append(NEAR_AVOIDED)
        if head.is_ambiguous and self._is_emergency:
            said.append(Reason.AMBIGUOUS.value)
        return tuple(sorted(said))

    def duties(self, way: Way) -> tuple[DutyOwed, ...]:
        """List the duties that a handoff carries in one way."""
        return tuple(self.index.duties[place] for place in bits(way.clauses & self.index.duty))

    def matched(self) -> tuple[str, ...]:
        """Name the clauses that match in some way, or could if a place were known, in the order of deciding."""
        could = 0
        for _, way, _ in self.verdicts:
            could |= way.clauses
        could &= self.located | self.unlocated | self.index.deny | self.index.duty
        return tuple(self.index.clauses[place].name for place in bits(could))
