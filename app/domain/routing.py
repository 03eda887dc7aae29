"""The compiled rules: who is offered a service, by the documents in force and the registry (routing.md)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.domain.candidates import Institutions, Listings, coordinators_by_region
from app.domain.clauses import Assign
from app.domain.decision import ENGINE_VERSION, Candidate, Decision, DutyOwed
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.index import ClauseIndex
from app.domain.neighbours import Neighbours
from app.domain.question import Question, Verdict
from app.domain.regions import NATION, ancestry, is_country
from app.domain.registry import Registry
from app.domain.vocabulary import Outcome, Reason, Urgency, Vocabulary

__all__ = ["ENGINE_VERSION", "Candidate", "Decision", "DutyOwed", "Rules", "compile_rules"]

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Effect:
    """When one version of a document counts: from its beginning until its end or its successor's beginning."""

    document: Document
    begins: datetime
    ends: datetime | None


class Rules:
    """All published documents, the registry and the code sets, made ready to decide."""

    def __init__(self, registry: Registry, documents: Iterable[Document], vocabulary: Vocabulary) -> None:
        self.registry = registry
        self.vocabulary = vocabulary
        self.institutions = Institutions(registry)
        documents = tuple(documents)
        self.listings = Listings(registry, {code for document in documents for code in document.territory})
        self._coordinators = coordinators_by_region(registry)
        self._effects = effects(documents)
        changes = {moment for effect in self._effects for moment in (effect.begins, effect.ends) if moment is not None}
        self._changes = sorted(changes)
        self._indexes: dict[int, ClauseIndex] = {}

    @cached_property
    def neighbours(self) -> Neighbours:
        """Return all agencies by where they are, for explanations."""
        return Neighbours(self.registry)

    def index(self, at: datetime) -> ClauseIndex:
        """Return the clauses in force at a moment; they are compiled once for each set of documents."""
        period = bisect_right(self._changes, at)
        index = self._indexes.get(period)
        if index is None:
            index = self._indexes[period] = ClauseIndex(self.in_force(at))
        return index

    def unchanged_since(self, at: datetime) -> datetime | None:
        """Return since when the documents in force at a moment have been the same; None if nothing came before."""
        period = bisect_right(self._changes, at)
        return self._changes[period - 1] if period else None

    def in_force(self, at: datetime) -> tuple[Document, ...]:
        """List the documents in force at a moment, of each at most one version."""
        return tuple(
            effect.document
            for effect in self._effects
            if effect.begins <= at and (effect.ends is None or at < effect.ends)
        )

    def question(self, facts: Facts, service: str, tried: frozenset[str] = NOBODY) -> Question:
        """Ask who takes a service, without deciding yet."""
        index = self.index(facts.received_at)
        return Question(index, self.listings, self.not_for(facts), facts, service, tried)

    def decide(self, facts: Facts, service: str, tried: frozenset[str] = NOBODY) -> Decision:
        """Decide who is offered a service, or why it goes to the coordinator."""
        question = self.question(facts, service, tried)
        return self._decision(question, facts)

    def off_list(self, facts: Facts) -> frozenset[str]:
        """Name the agencies off every list: those in conflict with their whole institution, and those refused."""
        if not facts.conflicts and not facts.refuses:
            return NOBODY
        return self.institutions.of(facts.conflicts) | facts.refuses

    def not_for(self, facts: Facts) -> frozenset[str]:
        """Name the agencies that may not be offered anything: those off every list, and those not consented to."""
        off = self.off_list(facts)
        return off if facts.consents_to is None else off | (self.registry.agencies.keys() - facts.consents_to)

    def coordinator(self, facts: Facts) -> str | None:
        """Name who coordinates; None if everyone who could is off the list."""
        off = self.off_list(facts)
        for region in self._calling(facts):
            for code in self._coordinators.get(region, ()):
                if code not in off:
                    return code
        return None

    def wider_coordinators(self, facts: Facts) -> tuple[str, ...]:
        """List all who may coordinate, the narrowest first; for a victim abroad or nowhere, the national one."""
        off = self.off_list(facts)
        every = (code for region in self._calling(facts) for code in self._coordinators.get(region, ()))
        return tuple(code for code in every if code not in off)

    def _calling(self, facts: Facts) -> tuple[str, ...]:
        """List the regions whose coordinators are called, the narrowest first."""
        where = facts.current or facts.incident or facts.domicile
        return (NATION,) if where is None or is_country(where) else ancestry(where)

    def _decision(self, question: Question, facts: Facts) -> Decision:
        way, verdict = question.first
        missing = question.missing
        outcome, reason = _outcome(question, facts, verdict, missing)
        head = verdict.head if outcome is Outcome.OFFERED or reason is Reason.AMBIGUOUS else None
        warnings = question.warnings(head) if head is not None else ()
        if outcome is Outcome.OFFERED and missing:
            warnings = (*warnings, *(f"decided_without:{fact}" for fact in missing))
        cited = verdict.denied_by if reason is Reason.DENIED else None
        respond = None
        if outcome is Outcome.OFFERED and head is not None:
            cited = head.place
            clause = question.index.clauses[cited].clause
            own = clause.respond if isinstance(clause, Assign) else None
            respond = own or self.vocabulary.urgencies[facts.urgency].respond
        indexed = question.index.clauses[cited] if cited is not None else None
        return Decision(
            outcome=outcome,
            reason=reason,
            agency=head.offer.agency if head is not None and outcome is Outcome.OFFERED else None,
            document=indexed.document.id if indexed else None,
            document_version=indexed.document.version if indexed else None,
            clause=indexed.clause.key if indexed else None,
            citation=indexed.clause.citation if indexed else None,
            respond=respond,
            chain=question.chain(way) if head is not None else (),
            warnings=tuple(sorted(warnings)),
            missing=tuple(sorted(missing)),
            duties=question.duties(way),
            coordinator=self.coordinator(facts),
            matched=question.matched(),
            documents=question.index.digests,
            engine=ENGINE_VERSION,
            registry_version=self.registry.version,
            vocabulary_version=self.vocabulary.version,
        )


def compile_rules(registry: Registry, documents: Iterable[Document], vocabulary: Vocabulary) -> Rules:
    """Make all published versions of the documents ready to decide with a registry and the code sets."""
    return Rules(registry, documents, vocabulary)


def _outcome(
    question: Question, facts: Facts, verdict: Verdict, missing: frozenset[str]
) -> tuple[Outcome, Reason | None]:
    is_emergency = facts.urgency is Urgency.EMERGENCY
    if question.is_denied_in_every_way:
        return Outcome.NEEDS_COORDINATOR, Reason.DENIED
    if not facts.consent and not is_emergency:
        return Outcome.NEEDS_COORDINATOR, Reason.NO_CONSENT
    if missing and (not is_emergency or question.is_denied_in_some_way or verdict.head is None):
        return Outcome.NEEDS_COORDINATOR, Reason.UNDETERMINED
    return verdict.outcome, verdict.reason


def effects(documents: Iterable[Document]) -> tuple[Effect, ...]:
    """List when each version counts: a successor closes its predecessor for good (routing.md, Documents)."""
    versions: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        versions[document.id].append(document)
    found: list[Effect] = []
    for id_ in sorted(versions):
        successor_begins: datetime | None = None
        for document in sorted(versions[id_], key=lambda one: one.version, reverse=True):
            begins, ends = document.begins, document.ends
            closes = [moment for moment in (ends, successor_begins) if moment is not None]
            effect = Effect(document, begins, min(closes, default=None))
            if effect.ends is None or begins < effect.ends:
                found.append(effect)
            successor_begins = min(begins, successor_begins) if successor_begins is not None else begins
    return tuple(found)
