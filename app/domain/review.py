"""A document read beside those that are published: its rules, its places, its table, and cases that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from app.domain.clauses import Clause
from app.domain.coverage import Coverage, coverage
from app.domain.demands import referral
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.finding import Witness
from app.domain.landmarks import Landmarks, landmarks
from app.domain.placings import Space
from app.domain.reach import Reach, reach
from app.domain.regions import Regions
from app.domain.registry import Registry
from app.domain.routing import Rules, compile_rules, effects
from app.domain.vocabulary import Vocabulary
from app.domain.wording import Wording

MINUTE = timedelta(minutes=1)


def moment_of(document: Document, now: datetime) -> datetime:
    """Return now by the minute, or the nearest one at which a document is in force by its own days."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    ends = document.ends
    return max(document.begins, minute if ends is None or minute < ends else ends - MINUTE)


def in_force_with(document: Document, published: Iterable[Document], now: datetime) -> frozenset[tuple[str, int]]:
    """Name the versions that a document is read beside: those in force at the moment that its cases are decided at."""
    at = moment_of(document, now)
    return frozenset(
        (one.document.id, one.document.version)
        for one in effects((*published, document))
        if one.begins <= at and (one.ends is None or at < one.ends)
    )


@dataclass(frozen=True)
class Review:
    """A document beside those that are published, with the registry, code sets and regions it is read by."""

    document: Document
    published: tuple[Document, ...]
    registry: Registry
    vocabulary: Vocabulary
    regions: Regions
    now: datetime

    @cached_property
    def at(self) -> datetime:
        """Return the moment cases are decided at: now, or the nearest minute at which the document is in force."""
        return moment_of(self.document, self.now)

    @cached_property
    def wording(self) -> Wording:
        """Return how codes are said."""
        return Wording(self.registry, self.vocabulary, self.regions)

    @cached_property
    def others(self) -> tuple[Document, ...]:
        """List what is published, this version aside."""
        return tuple(
            one for one in self.published if (one.id, one.version) != (self.document.id, self.document.version)
        )

    @cached_property
    def alone(self) -> Rules:
        """Return the rules of this document and no other."""
        return compile_rules(self.registry, (self.document,), self.vocabulary)

    @cached_property
    def together(self) -> Rules:
        """Return the rules as they are once the document is published."""
        return compile_rules(self.registry, (*self.others, self.document), self.vocabulary)

    @cached_property
    def landmarks(self) -> Landmarks:
        """Return the regions that stand for all others."""
        in_force = (one for one in self.together.in_force(self.at) if one != self.document)
        return landmarks((self.document, *in_force), self.registry, self.regions)

    @cached_property
    def space(self) -> Space:
        """Return all places that can be told apart."""
        return Space(self.landmarks)

    @cached_property
    def coverage(self) -> Coverage:
        """Return who takes which service where."""
        return coverage(self.document, self.together, self.at, self.landmarks)

    @cached_property
    def reaches(self) -> dict[str, Reach]:
        """Return for each clause a referral that it matches, or why there is none."""
        return {
            clause.key: reach(self.document, clause, self.alone, self.space, self.at)
            for clause in self.document.clauses
        }

    def name(self, clause: Clause) -> str:
        """Name a clause as decisions do."""
        return f"{self.document.id}/{clause.key}"

    def witness(self, name: str, facts: Facts, service: str) -> Witness:
        """Write a referral as a case, with what is decided once the document is published."""
        decision = self.together.decide(facts, service)
        waits = decision.agency is None
        expected = {
            "outcome": decision.outcome.value,
            "reason": decision.reason.value if decision.reason else None,
            "agency": decision.agency,
            "document": decision.document,
            "clause": decision.clause,
            "chain": [candidate.agency for candidate in decision.chain],
            "warnings": sorted(decision.warnings),
            "coordinator": decision.coordinator if waits else None,
        }
        return {**referral(facts.to_json(), [service], name), "expect": {service: expected}}

    def clause_witness(self, clause: Clause) -> Witness | None:
        """Write a referral that a clause matches."""
        found = self.reaches[clause.key]
        return None if found.facts is None else self.witness(self.name(clause), found.facts, found.service)
