"""Who takes which service where, for whom: the table a document comes to, and where it leaves nobody."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.domain.boxes import Box, boxes
from app.domain.clauses import Condition, VictimLine
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.landmarks import Landmarks, lies_in
from app.domain.question import Question, Verdict
from app.domain.regions import REGENCY_DEPTH, contains, depth
from app.domain.registry import Service
from app.domain.routing import Rules
from app.domain.vocabulary import Outcome, Reason, Sex, Urgency

URGENCY, CASE_TYPE, PERPETRATOR, SEX, AGE = range(5)
"""The axes of a group: every case of a cell lies somewhere on each."""

URGENCIES = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.STANDARD)
PERPETRATORS = (False, True)


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the territory in which all is decided alike, and a region that stands for it."""

    region: str
    """The region it is named by."""
    example: str
    """The region that cases are decided for."""

    @property
    def is_rest(self) -> bool:
        """Say whether it is what no narrower row of the region covers."""
        return self.region != self.example


@dataclass(frozen=True, slots=True)
class Answer:
    """Who is offered a service, or why its coordinator is asked."""

    agency: str | None
    reason: Reason | None
    coordinator: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of case within a cell, what it comes to and by which clause."""

    group: tuple[Urgency, str, bool, Sex, int]
    answer: Answer
    clause: str | None
    """As document/key."""


@dataclass(frozen=True, slots=True)
class Cell:
    """All that one service in one place comes to."""

    service: str
    row: Row
    cases: tuple[Case, ...]

    def answers(self) -> Mapping[Answer, list[Box]]:
        """Return who answers for which groups, the agencies first."""
        found: dict[Answer, list[Case]] = defaultdict(list)
        for case in sorted(self.cases, key=lambda case: case.answer.agency is None):
            found[case.answer].append(case)
        return {answer: boxes(case.group for case in cases) for answer, cases in found.items()}

    def clauses(self, answer: Answer) -> tuple[str, ...]:
        """List the clauses by which an answer is given."""
        return tuple(dict.fromkeys(case.clause for case in self.cases if case.answer == answer and case.clause))


@dataclass(frozen=True)
class Coverage:
    """The table of one document: its services by the regions of its territory."""

    document: Document
    at: datetime
    services: tuple[str, ...]
    rows: tuple[Row, ...]
    ages: tuple[int, ...]
    """Where a group begins, by age."""
    case_types: tuple[str, ...]
    """Those that someone tells apart, and one for the rest."""
    named: frozenset[str]
    """The case types that someone names."""
    cells: tuple[Cell, ...]

    @cached_property
    def at_place(self) -> Mapping[tuple[str, Row], Cell]:
        """Look cells up by service and row."""
        return {(cell.service, cell.row): cell for cell in self.cells}


def coverage(document: Document, rules: Rules, at: datetime, landmarks: Landmarks) -> Coverage:
    """Decide every service in every part of a document's territory, by the documents in force with it."""
    table = _Table(rules, at)
    rows = tuple(_rows(document, landmarks))
    services = tuple(rules.vocabulary.service_types)
    cells = tuple(Cell(service, row, tuple(table.cases(service, row))) for service in services for row in rows)
    return Coverage(document, at, services, rows, table.ages, table.case_types, table.named, cells)


def _rows(document: Document, landmarks: Landmarks) -> Iterator[Row]:
    """List the parts of a territory: what is named in it, and one regency for the rest of each wider region."""
    territory = frozenset(document.territory)
    found = sorted(code for code in landmarks.within(territory) if code not in landmarks.regencies)
    for code in sorted(found, key=lambda code: (depth(code) == 0, code)):
        if depth(code) >= REGENCY_DEPTH:
            yield Row(code, code)
            continue
        named = [other for other in found if other != code and depth(other) == depth(code) + 1]
        rest = (one for one in landmarks.regencies if contains(code, one) and not lies_in(frozenset(named), one))
        example = next(rest, None)
        if example is not None:
            yield Row(code, example)


class _Table:
    """Decides the cells of one table, with one question for all that the engine tells apart of a victim."""

    def __init__(self, rules: Rules, at: datetime) -> None:
        self._rules = rules
        self._at = at
        self._index = index = rules.index(at)
        documents = index.documents
        lines = [line for document in documents for line in document.covers.victims]
        whens = [clause.when for document in documents for clause in document.clauses]
        services = [service for agency in rules.registry.agencies.values() for service in agency.services.values()]
        asked: tuple[VictimLine | Condition | Service, ...] = (*lines, *whens, *services)
        self.ages = tuple(sorted({0, *(age for one in asked for age in (one.age_from, one.age_below) if age)}))
        self.named = frozenset(code for one in asked for code in one.case_types)
        every = list(rules.vocabulary.case_types)
        rest = [code for code in every if code not in self.named][:1]
        self.case_types = (*(code for code in every if code in self.named), *rest)

    def cases(self, service: str, row: Row) -> Iterator[Case]:
        decided: dict[tuple[bool, int], list[Case]] = {}
        for urgency in URGENCIES:
            # Urgencies that no clause tells apart are decided alike, but for an emergency, which is so by the rules.
            key = (urgency is Urgency.EMERGENCY, self._index.urgency.allows(urgency))
            if key not in decided:
                kinds = (self._of_victims(service, row, urgency, case_type) for case_type in self.case_types)
                decided[key] = [case for cases in kinds for case in cases]
            for case in decided[key]:
                yield Case((urgency, *case.group[1:]), case.answer, case.clause)

    def _of_victims(self, service: str, row: Row, urgency: Urgency, case_type: str) -> Iterator[Case]:
        facts = Facts(
            received_at=self._at,
            urgency=urgency,
            case_types=frozenset({case_type}),
            incident=row.example,
            domicile=row.example,
            current=row.example,
        )
        question = self._rules.question(facts, service)
        coordinator = self._rules.coordinator(facts)
        ways = question.ways
        # Several, where the place is too coarse to say which home the victim has.
        judged: dict[tuple[bool | None, Sex, int], list[Verdict]] = defaultdict(list)
        for _, way, verdict in question.verdicts:
            judged[way.perpetrator, way.sex, way.age].append(verdict)
        told = {key: _answer(question, verdicts, coordinator) for key, verdicts in judged.items()}
        for perpetrator in PERPETRATORS:
            said = perpetrator if perpetrator in ways.perpetrators else ways.perpetrators[0]
            for sex in Sex:
                seen = sex if sex in ways.sexes else ways.sexes[0]
                for age in self.ages:
                    youngest = ways.ages[bisect_right(ways.ages, age) - 1]
                    answer, clause = told[said, seen, youngest]
                    yield Case((urgency, case_type, perpetrator, sex, age), answer, clause)


def _answer(question: Question, verdicts: list[Verdict], coordinator: str | None) -> tuple[Answer, str | None]:
    """Say what all ways come to that differ in what is not known: as a decision would, the most protective first."""
    clauses, verdict = question.index.clauses, verdicts[0]
    denied = [one.denied_by is not None for one in verdicts]
    missing = any(one.lacking for one in verdicts) or len({one.result for one in verdicts}) > 1
    is_emergency = question.facts.urgency is Urgency.EMERGENCY
    if missing and not all(denied) and (not is_emergency or any(denied) or verdict.head is None):
        return Answer(None, Reason.UNDETERMINED, coordinator), None
    if verdict.outcome is Outcome.OFFERED and verdict.head is not None:
        return Answer(verdict.head.offer.agency, None, None), clauses[verdict.head.place].name
    denied_by = verdict.denied_by
    return Answer(None, verdict.reason, coordinator), None if denied_by is None else clauses[denied_by].name
