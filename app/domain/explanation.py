"""Why a decision came out as it did: every clause, every candidate, every way; the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

from app.domain.canonical import canonical_bytes
from app.domain.clause_parts import Part, parts
from app.domain.clauses import Assign, Deny, Where
from app.domain.facts import AGE, DOMICILE, PERPETRATOR, SEX, Facts
from app.domain.index import IndexedClause
from app.domain.overlays import Overlay, lying
from app.domain.question import CAPACITY_UNKNOWN, Question
from app.domain.regions import contains
from app.domain.registry import Agency
from app.domain.routing import NOBODY, Rules
from app.domain.sentences import sentence
from app.domain.unknowns import Way

MOST_WAYS = 200
OUTSIDE = "outside"


def explain(
    rules: Rules, facts: Facts, service: str, tried: frozenset[str] = NOBODY, *, overlays: Iterable[Overlay] = ()
) -> dict[str, object]:
    """Explain the decision of one service, from the same inputs that it was made of.

    Keys: service, facts, overlays, tried, ways, more_ways, clauses (in the order of deciding, each with its
    candidates), decision, sentences (what each code says, in Indonesian and English). Overlays are told and weigh
    nothing. Candidates are judged in the most protective way. Listed are those at home where the clause looks and in
    the province of the deciding region or nationwide, and all who serve that region.
    """
    question = rules.question(facts, service, tried)
    decision = rules.decide(facts, service, tried)
    told = _Telling(rules, question)
    told.codes.add((decision.reason or decision.outcome).value)
    areas = lying(overlays, facts)
    told.codes.update(f"{area['overlay']}.{area['lies']}" for area in areas)
    every_way = [_way(question, way, verdict.result) for _, way, verdict in question.verdicts]
    return {
        "service": service,
        "facts": facts.to_json(),
        "overlays": areas,
        "tried": sorted(tried),
        "ways": every_way[:MOST_WAYS],
        "more_ways": max(0, len(every_way) - MOST_WAYS),
        "clauses": [told.clause(place, indexed) for place, indexed in enumerate(question.index.clauses)],
        "decision": decision.to_json(),
        "sentences": {code: sentence(code) for code in sorted(told.codes)},
    }


def explanation_bytes(explanation: dict[str, object]) -> bytes:
    """Write an explanation as the same bytes every time."""
    return canonical_bytes(explanation)


def _way(question: Question, way: Way, result: tuple[str, str | None, str | None]) -> dict[str, object]:
    facts = question.facts
    supposed: dict[str, object] = {}
    if len(question.ways.homes) > 1:
        supposed[DOMICILE] = way.home.region or OUTSIDE
    if facts.perpetrator_in_household is None and len(question.ways.perpetrators) > 1:
        supposed[PERPETRATOR] = way.perpetrator
    if facts.sex is None and len(question.ways.sexes) > 1:
        supposed[SEX] = way.sex.value
    if facts.age is None and len(question.ways.ages) > 1:
        supposed[AGE] = way.age
    outcome, reason, agency = result
    return {
        "supposed": supposed,
        "result": {"outcome": str(outcome), "reason": str(reason) if reason else None, "agency": agency},
    }


class _Telling:
    """Tells of each clause and candidate of one question."""

    def __init__(self, rules: Rules, question: Question) -> None:
        self._agencies = rules.registry.agencies
        self._neighbours = rules.neighbours
        self._question = question
        self._facts = question.facts
        self._in_conflict = rules.institutions.of(question.facts.conflicts)
        self._way, _ = question.first
        found = [way.clauses for _, way, _ in question.verdicts]
        self._in_every_way = reduce(int.__and__, found)
        self._in_some_way = reduce(int.__or__, found)
        self._named: dict[str, str] = {}
        results = (verdict.result for _, _, verdict in question.verdicts)
        self.codes = {str(reason or outcome) for outcome, reason, _ in results}
        """Every code that was told, to be put in words."""

    def clause(self, place: int, indexed: IndexedClause) -> dict[str, object]:
        clause = indexed.clause
        every_part = parts(indexed.document, clause, self._facts, self._question.service)
        status = self._status(place, indexed)
        told: dict[str, object] = {
            "clause": indexed.name,
            "kind": "assign" if isinstance(clause, Assign) else "deny" if isinstance(clause, Deny) else "duty",
            "version": indexed.document.version,
            "status": status,
            "failed": [part.name for part in every_part if part.holds is False],
            "depends_on": _missing(every_part),
        }
        self.codes.update((status, *(part.name for part in every_part if part.holds is False)))
        if isinstance(clause, Assign) and status in ("matched", "depends"):
            told["region"] = self._question.region(indexed)
            is_named = bool(self._way.clauses >> place & 1)
            told["candidates"] = [self._candidate(one, indexed, is_named) for one in self._considered(place, indexed)]
        return told

    def _status(self, place: int, indexed: IndexedClause) -> str:
        if not self._in_some_way >> place & 1:
            return "not_matched"
        if isinstance(indexed.clause, Assign):
            if self._question.unlocated >> place & 1:
                return "unlocated"
            if not self._question.located >> place & 1:
                return "not_matched"
        return "matched" if self._in_every_way >> place & 1 else "depends"

    def _considered(self, place: int, indexed: IndexedClause) -> Iterable[str]:
        if indexed.selection is None:
            return ()
        region, service = self._question.region(indexed), self._question.service
        chosen = [offer.agency for offer in self._question.listing(place).offers]
        return (*chosen, *sorted(self._neighbours.considered(indexed.selection, service, region).difference(chosen)))

    def _candidate(self, code: str, indexed: IndexedClause, is_named: bool) -> dict[str, object]:
        reasons = list(self._left_out(code, indexed))
        before = self._named.get(code)
        if not reasons and before is not None:
            reasons = ["named_before"]
        if not reasons and not is_named:
            reasons = ["not_in_this_way"]
        if not reasons:
            self._named[code] = indexed.name
        told: dict[str, object] = {"agency": code, "taken": not reasons, "reasons": reasons or ["taken"]}
        self.codes.update(reasons or ["taken"])
        if reasons == ["named_before"]:
            told["named_by"] = before
        offer = self._question.offer_of(code)
        if offer is not None and self._question.is_capacity_unknown(offer):
            told["capacity"] = CAPACITY_UNKNOWN
            self.codes.add(CAPACITY_UNKNOWN)
        return told

    def _left_out(self, code: str, indexed: IndexedClause) -> Iterator[str]:
        agency = self._agencies.get(code)
        if agency is None:
            yield "unknown_agency"
            return
        if not agency.active:
            yield "inactive"
        yield from self._not_fit(agency, indexed)
        if code in self._facts.conflicts:
            yield "conflict"
        elif code in self._in_conflict:
            yield "institution_in_conflict"
        if code in self._facts.refuses:
            yield "refused"
        if self._facts.consents_to is not None and code not in self._facts.consents_to:
            yield "not_consented"
        if self._question.is_avoided(agency.region):
            yield "avoided_region"
        if code in self._question.tried:
            yield "tried"

    def _not_fit(self, agency: Agency, indexed: IndexedClause) -> Iterator[str]:
        selection, region = indexed.selection, self._question.region(indexed)
        if selection is not None and selection.to.kinds and agency.kind not in selection.to.kinds:
            yield "kind"
        offered = agency.services.get(self._question.service)
        if offered is None:
            yield "not_offered"
            return
        if not offered.available:
            yield "not_available"
        by_area = selection is not None and selection.to.where in (Where.BASIS, Where.PROVINCE)
        if by_area and region is not None and not any(contains(area, region) for area in offered.area):
            yield "outside_area"
        if not offered.admits(self._way.sex, self._way.age, self._facts.case_types):
            yield "limit"


def _missing(every_part: Iterable[Part]) -> list[str]:
    return sorted({fact for part in every_part if part.holds is None for fact in part.missing})
