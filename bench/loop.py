"""The plain way to decide: every clause and every agency is looked at for each referral; no fact may be missing.

It does what `Rules.decide` does where every fact is known and nobody is off the list: it says whom to ask in which
order, by which clause, and which clauses matched. Sorting and everything else that is the same for every referral is
done beforehand.
"""

from dataclasses import dataclass

from app.domain.clauses import Assign, Clause, Condition, Deny, Selector, VictimLine, Where
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.regions import contained_in_any, contains, depth, province_of
from app.domain.registry import Agency, Service
from app.domain.vocabulary import Urgency
from bench.world import World


@dataclass(frozen=True, slots=True)
class Answer:
    """What the loop and the engine must agree on."""

    reason: str | None
    agency: str | None
    cited: str | None
    chain: tuple[tuple[str, str], ...]
    matched: tuple[str, ...]


class Loop:
    """Decides by going through everything."""

    def __init__(self, world: World) -> None:
        entries = [(document, clause) for document in world.documents for clause in document.clauses]
        self._entries = sorted(entries, key=lambda e: (e[0].precedence, _rank(e[1]), e[0].id, e[1].key))
        self._agencies = list(world.registry.agencies.values())

    def decide(self, facts: Facts, service: str) -> Answer:
        """Decide one service."""
        matching = [entry for entry in self._entries if _matches(*entry, facts, service)]
        matched = tuple(f"{document.id}/{clause.key}" for document, clause in matching)
        for (_, clause), name in zip(matching, matched, strict=True):
            if isinstance(clause, Deny):
                return Answer("denied", None, name, (), matched)
        named: dict[str, str] = {}
        firsts: list[tuple[tuple[int, int], str]] = []
        for (document, clause), name in zip(matching, matched, strict=True):
            if isinstance(clause, Assign):
                codes = self._candidates(document, clause, facts, service)
                for code in codes:
                    named.setdefault(code, name)
                firsts += [((document.precedence, clause.rank), code) for code in codes[:1]]
        if not named:
            return Answer("unroutable", None, None, (), matched)
        level, head = firsts[0]
        chain = tuple(named.items())
        if facts.urgency is not Urgency.EMERGENCY and any(at == level and code != head for at, code in firsts):
            return Answer("ambiguous", None, None, chain, matched)
        return Answer(None, head, named[head], chain, matched)

    def _candidates(self, document: Document, clause: Assign, facts: Facts, service: str) -> list[str]:
        region = _deciding(clause, facts)
        found = []
        for agency in self._agencies:
            offered = agency.services.get(service)
            if offered is None or not offered.available or not agency.active:
                continue
            if clause.to.kinds and agency.kind not in clause.to.kinds:
                continue
            if not _selected(clause.to, document, region, agency, offered) or not _within_limits(offered, facts):
                continue
            fit = 0
            if region is not None and clause.to.where in (Where.BASIS, Where.PROVINCE):
                fit = -max(depth(area) for area in offered.area if contains(area, region))
            order = clause.to.kinds.index(agency.kind) if clause.to.kinds else 0
            found.append((fit, order, agency.code))
        return [code for _, _, code in sorted(found)]


def _rank(clause: Clause) -> int:
    return clause.rank if isinstance(clause, Assign) else 0


def _deciding(clause: Assign, facts: Facts) -> str | None:
    return next((region for basis in clause.basis if (region := facts.location(basis)) is not None), None)


def _matches(document: Document, clause: Clause, facts: Facts, service: str) -> bool:
    when, covers = clause.when, document.covers
    return (
        (not when.services or service in when.services)
        and (not when.urgency or facts.urgency in when.urgency)
        and (not covers.domicile or contained_in_any(covers.domicile, facts.domicile or ""))
        and _flags_hold(when, facts)
        and (covers.abroad is None or covers.abroad is facts.abroad)
        and _is_about(when, facts)
        and (not covers.victims or any(_is_about(line, facts) for line in covers.victims))
        and (not isinstance(clause, Assign) or _lies_within(document, clause, facts))
    )


def _flags_hold(when: Condition, facts: Facts) -> bool:
    said = when.perpetrator_in_household
    return (
        (when.abroad is None or when.abroad is facts.abroad)
        and (when.cross_province is None or when.cross_province is facts.cross_province)
        and (when.cross_regency is None or when.cross_regency is facts.cross_regency)
        and (said is None or said is facts.perpetrator_in_household)
    )


def _is_about(asked: Condition | VictimLine | Service, facts: Facts) -> bool:
    age = facts.age if facts.age is not None else 0
    return (
        (not asked.sexes or facts.sex in asked.sexes)
        and (asked.age_from is None or age >= asked.age_from)
        and (asked.age_below is None or age < asked.age_below)
        and (not asked.case_types or not asked.case_types.isdisjoint(facts.case_types))
    )


def _lies_within(document: Document, clause: Assign, facts: Facts) -> bool:
    region = _deciding(clause, facts)
    return not clause.basis or (region is not None and contained_in_any(document.territory, region))


def _within_limits(offered: Service, facts: Facts) -> bool:
    return _is_about(offered, facts)


def _selected(to: Selector, document: Document, region: str | None, agency: Agency, offered: Service) -> bool:
    if to.agency is not None:
        return agency.code == to.agency
    if region is None:
        return False
    if to.where is Where.PARTNER:
        return any(
            contained_in_any(party.territory, agency.region) and not contained_in_any(party.territory, region)
            for party in document.parties
        )
    if not contained_in_any(offered.area, region):
        return False
    if to.where is Where.PROVINCE:
        return agency.region == province_of(region)
    return contained_in_any(document.territory, agency.region)
