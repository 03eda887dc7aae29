"""Whether a clause can match at all, and whether another always decides before it (routing.md, Clauses)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.clauses import Assign, Clause, Condition, Deny, Selector
from app.domain.conflicts import facts_of
from app.domain.demands import demand
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.placings import Space
from app.domain.routing import Rules
from app.domain.wording import Text

CONTRADICTION = Text(
    "baris-baris klausul dan cakupan dokumen saling meniadakan",
    "the lines of the clause and what the document covers exclude each other",
)
NO_VICTIM = Text(
    "tidak ada korban yang memenuhi klausul sekaligus cakupan dokumen (jenis kelamin atau usia)",
    "no victim is both of whom the clause speaks and of whom the document does (sex or age)",
)
NO_PLACE = Text(
    "tidak ada lokasi yang memenuhi cakupan, wilayah, dan baris lintas wilayah atau luar negeri sekaligus",
    "no locations satisfy what the document covers, its territory, and the lines on places together",
)


@dataclass(frozen=True, slots=True)
class Reach:
    """A referral that a clause matches, or why there is none."""

    facts: Facts | None
    service: str
    why: Text | None


def reach(document: Document, clause: Clause, rules: Rules, space: Space, at: datetime) -> Reach:
    """Find a referral that a clause matches, and let the engine confirm it."""
    services, case_types = list(rules.vocabulary.service_types), tuple(rules.vocabulary.case_types)
    asked = demand(((document, clause),))
    if asked is None:
        return Reach(None, "", CONTRADICTION)
    service = min(asked.services) if asked.services else services[0]
    victim = next(asked.victims(case_types), None)
    if victim is None:
        return Reach(None, service, NO_VICTIM)
    places = space.place(asked)
    if places is None:
        return Reach(None, service, NO_PLACE)
    facts = facts_of(asked, places, victim, at)
    if not matches(rules, document, clause, facts, service):
        raise AssertionError("the engine does not confirm a referral that was worked out")
    return Reach(facts, service, None)


def matches(rules: Rules, document: Document, clause: Clause, facts: Facts, service: str) -> bool:
    """Let the engine say whether a clause matches a referral in some way that it could turn out."""
    question = rules.question(facts, service)
    name = f"{document.id}/{clause.key}"
    place = next(place for place, indexed in enumerate(question.index.clauses) if indexed.name == name)
    settled = question.located if isinstance(clause, Assign) else question.index.deny | question.index.duty
    return any(way.clauses & settled & 1 << place for _, way, _ in question.verdicts)


def decided_before(document: Document, clause: Assign) -> Clause | None:
    """Name a clause that denies whatever this one assigns, or that names the same agencies first."""
    for other in document.clauses:
        if isinstance(other, Deny) and _asks_no_more(other.when, clause.when, document):
            return other
    for other in document.clauses:
        if (
            isinstance(other, Assign)
            and _comes_before(other, clause)
            and _names_as_many(other.to, clause.to)
            and _asks_no_more(other.when, clause.when, document)
        ):
            return other
    return None


def may_come_before(document: Document, clause: Assign) -> tuple[Clause, ...]:
    """List the clauses that deny, or are asked first and look in the same place, where what they ask holds too."""
    return tuple(
        other
        for other in document.clauses
        if isinstance(other, Deny)
        or (isinstance(other, Assign) and _comes_before(other, clause) and _looks_there(other.to, clause.to))
    )


def _comes_before(other: Assign, clause: Assign) -> bool:
    return (other.rank, other.key) < (clause.rank, clause.key) and _is_located_alike(other, clause)


def _is_located_alike(other: Assign, clause: Assign) -> bool:
    return other.basis == clause.basis or not other.basis


def _names_as_many(other: Selector, clause: Selector) -> bool:
    return _looks_there(other, clause) and (
        not other.kinds or (bool(clause.kinds) and set(clause.kinds) <= set(other.kinds))
    )


def _looks_there(other: Selector, clause: Selector) -> bool:
    return (other.where, other.agency) == (clause.where, clause.agency)


def _asks_no_more(other: Condition, clause: Condition, document: Document) -> bool:
    """Say whether the other condition holds whenever this one does."""
    abroad = clause.abroad if clause.abroad is not None else document.covers.abroad
    flags = (
        (other.abroad, abroad),
        (other.cross_province, clause.cross_province),
        (other.cross_regency, clause.cross_regency),
        (other.perpetrator_in_household, clause.perpetrator_in_household),
    )
    sets: Iterable[tuple[frozenset[str], frozenset[str]]] = (
        (other.services, clause.services),
        (frozenset(other.urgency), frozenset(clause.urgency)),
        (other.case_types, clause.case_types),
        (frozenset(other.sexes), frozenset(clause.sexes)),
    )
    return (
        all(asked is None or asked is said for asked, said in flags)
        and all(not asked or (bool(said) and said <= asked) for asked, said in sets)
        and (other.age_from is None or (clause.age_from or 0) >= other.age_from)
        and (other.age_below is None or (clause.age_below is not None and clause.age_below <= other.age_below))
    )
