"""Routing by the letter of routing.md: slow, with no index and no memory, to hold the engine against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from app.domain.agreement import Assign, Clause, Condition, Covers, Deny, Document, VictimLine, Where
from app.domain.facts import Facts
from app.domain.regions import contains, depth, is_country, is_too_coarse, province_of
from app.domain.registry import Agency, Registry
from app.domain.vocabulary import Sex, Urgency

Result = tuple[str, str | None, str | None]
ELSEWHERE = "country:XX"


@dataclass(frozen=True)
class Plain:
    """What the letter of the rules says."""

    outcome: str
    reason: str | None
    agency: str | None
    cited: str | None
    chain: list[str]
    warnings: list[str]
    missing: list[str]


@dataclass(frozen=True)
class Supposed:
    """Facts in which nothing is missing but places; `home` is the domicile supposed for covers alone."""

    facts: Facts
    home: str

    @property
    def age(self) -> int:
        assert self.facts.age is not None
        return self.facts.age

    @property
    def sex(self) -> Sex:
        assert self.facts.sex is not None
        return self.facts.sex


@dataclass(frozen=True)
class Judged:
    denied_by: str | None
    head: str | None
    cited: str | None
    result: Result
    lacking: frozenset[str]
    chain: list[str]
    warnings: list[str]


class PlainRouter:
    def __init__(self, registry: Registry, documents: list[Document], facts: Facts, service: str) -> None:
        self.registry = registry
        self.documents = sorted(documents, key=lambda d: (d.precedence, d.id))
        self.facts = facts
        self.service = service

    def decide(self, tried: frozenset[str]) -> Plain:
        ways = [(place, self.judge(way, tried)) for place, way in self.ways()]
        judged = [one for _, one in ways]
        missing = frozenset[str]().union(*(one.lacking for one in judged))
        names = ("locations.domicile", "perpetrator_in_household", "victim.sex", "victim.age")
        for (place, one), (other_place, other) in product(ways, ways):
            changed = [axis for axis in range(4) if place[axis] != other_place[axis]]
            if len(changed) == 1 and one.result != other.result:
                missing |= {names[changed[0]]}
        first = judged[0]
        emergency = self.facts.urgency is Urgency.EMERGENCY
        waits = ("needs_coordinator", None)
        if all(one.denied_by for one in judged):
            return Plain(waits[0], "denied", None, first.denied_by, [], [], [])
        listed = sorted(missing)
        if not self.facts.consent and not emergency:
            return Plain(waits[0], "no_consent", None, None, [], [], listed)
        if missing and (not emergency or any(one.denied_by for one in judged) or first.head is None):
            return Plain(waits[0], "undetermined", None, None, [], [], listed)
        outcome, reason, agency = first.result
        warnings = sorted([*first.warnings, *(f"decided_without:{fact}" for fact in listed)])
        cited = first.cited if outcome == "offered" else None
        if reason == "ambiguous":
            warnings = first.warnings
        return Plain(outcome, reason, agency, cited, first.chain, warnings, listed)

    def ways(self) -> Iterator[tuple[tuple[int, int, int, int], Supposed]]:
        facts = self.facts
        homes = self.homes()
        perpetrators = [True, False] if facts.perpetrator_in_household is None else [facts.perpetrator_in_household]
        sexes = list(Sex) if facts.sex is None else [facts.sex]
        ages = self.ages() if facts.age is None else [facts.age]
        for place in product(*(range(len(axis)) for axis in (homes, perpetrators, sexes, ages))):
            h, p, s, a = place
            known = replace(facts, perpetrator_in_household=perpetrators[p], sex=sexes[s], age=ages[a])
            yield (h, p, s, a), Supposed(known, homes[h])

    def ages(self) -> list[int]:
        lines: list[Condition | VictimLine] = [clause.when for d in self.documents for clause in d.clauses]
        lines.extend(line for d in self.documents for line in d.covers.victims)
        named = {age for line in lines for age in (line.age_from, line.age_below)}
        for agency in self.registry.agencies.values():
            if self.service in agency.services:
                named |= {agency.services[self.service].age_from, agency.services[self.service].age_below}
        return sorted({0} | {age for age in named if age is not None})

    def homes(self) -> list[str]:
        listed = {code for document in self.documents for code in document.covers.domicile}
        domicile = self.facts.domicile
        if domicile is None:
            homes = {*listed, ELSEWHERE}
        else:
            homes = {domicile, *(code for code in listed if contains(domicile, code))}

        def protective(home: str) -> tuple[list[bool], str]:
            return [not covers_home(document.covers, home) for document in self.documents], home

        found: dict[tuple[bool, ...], str] = {}
        for home in sorted(homes, key=protective):
            found.setdefault(tuple(protective(home)[0]), home)
        return list(found.values())

    def judge(self, way: Supposed, tried: frozenset[str]) -> Judged:
        entries = [(d, c) for d in self.documents for c in d.clauses if self.holds(d, c, way)]
        denials = sorted((d.precedence, d.id, c.key) for d, c in entries if isinstance(c, Deny))
        if denials:
            by = f"{denials[0][1]}/{denials[0][2]}"
            return Judged(by, None, None, ("needs_coordinator", "denied", None), frozenset(), [], [])
        assigns = [(d, c) for d, c in entries if isinstance(c, Assign)]
        assigns.sort(key=lambda e: (e[0].precedence, e[1].rank, e[0].id, e[1].key))
        unlocated = [(d, c) for d, c in assigns if self.is_unlocated(d, c)]
        matching = [(d, c) for d, c in assigns if (d, c) not in unlocated and self.lies_within(d, c)]
        named = [(d, c, self.candidates(d, c, way)) for d, c in matching]
        chain: dict[str, tuple[Document, Assign]] = {}
        for d, c, codes in named:
            for code in codes:
                if code not in tried:
                    chain.setdefault(code, (d, c))
        if not chain:
            lacking = frozenset(fact for _, c in unlocated for fact in self.lacking(c))
            reason = "chain_exhausted" if any(codes for _, _, codes in named) else "unroutable"
            return Judged(None, None, None, ("needs_coordinator", reason, None), lacking, [], [])
        head, (document, clause) = next(iter(chain.items()))
        level = (document.precedence, clause.rank)
        lacking = frozenset(f for d, c in unlocated if (d.precedence, c.rank) <= level for f in self.lacking(c))
        firsts = {
            next(code for code in codes if code not in tried)
            for d, c, codes in named
            if (d.precedence, c.rank) == level and set(codes) - tried
        }
        before = named[: matching.index((document, clause))]
        warnings = [f"passed_over:{d.id}/{c.key}" for d, c, codes in before if not codes]
        warnings += self.near(head)
        result: Result = ("offered", None, head)
        if len(firsts) > 1:
            if self.facts.urgency is Urgency.EMERGENCY:
                warnings.append("ambiguous")
            else:
                result = ("needs_coordinator", "ambiguous", None)
        return Judged(None, head, f"{document.id}/{clause.key}", result, lacking, list(chain), sorted(warnings))

    def near(self, head: str) -> list[str]:
        home = self.registry.agencies[head].region
        avoided = self.facts.avoid_regions
        is_near = depth(home) >= 2 and any(contains(a, home) or contains(home, a) for a in avoided)
        return ["near_avoided_region"] if is_near else []

    def holds(self, document: Document, clause: Clause, way: Supposed) -> bool:
        covers, when, facts = document.covers, clause.when, way.facts
        return (
            (not covers.domicile or covers_home(covers, way.home))
            and covers.abroad in (None, facts.abroad)
            and (not covers.victims or any(self.victim_is(line, way) for line in covers.victims))
            and (not when.services or self.service in when.services)
            and (not when.urgency or facts.urgency in when.urgency)
            and self.victim_is(when, way)
            and when.abroad in (None, facts.abroad)
            and when.cross_province in (None, facts.cross_province)
            and when.cross_regency in (None, facts.cross_regency)
            and when.perpetrator_in_household in (None, facts.perpetrator_in_household)
        )

    def victim_is(self, line: Condition | VictimLine, way: Supposed) -> bool:
        return (
            (not line.sexes or way.sex in line.sexes)
            and (line.age_from is None or way.age >= line.age_from)
            and (line.age_below is None or way.age < line.age_below)
            and (not line.case_types or bool(line.case_types & way.facts.case_types))
        )

    def known(self, clause: Assign) -> list[tuple[str, str]]:
        found = ((basis.value, self.facts.location(basis)) for basis in clause.basis)
        return [(name, code) for name, code in found if code is not None]

    def is_unlocated(self, document: Document, clause: Assign) -> bool:
        if not clause.basis:
            return False
        known = self.known(clause)
        return not known or is_too_coarse(known[0][1], document.territory)

    def lacking(self, clause: Assign) -> list[str]:
        names = [name for name, _ in self.known(clause)][:1] or [basis.value for basis in clause.basis]
        return [f"locations.{name}" for name in names]

    def lies_within(self, document: Document, clause: Assign) -> bool:
        if not clause.basis:
            return True
        _, region = self.known(clause)[0]
        return any(contains(code, region) for code in document.territory)

    def candidates(self, document: Document, clause: Assign, way: Supposed) -> list[str]:
        fit: list[tuple[int, int, str]] = []
        region = self.known(clause)[0][1] if clause.to.where else None
        kinds = list(clause.to.kinds)
        for agency in self.registry.agencies.values():
            narrowness = self.fits(agency, document, clause, region)
            if narrowness is None or not self.may_take(agency, way):
                continue
            if kinds and agency.kind not in kinds:
                continue
            fit.append((-narrowness, kinds.index(agency.kind) if kinds else 0, agency.code))
        return [code for _, _, code in sorted(fit)]

    def fits(self, agency: Agency, document: Document, clause: Assign, region: str | None) -> int | None:
        if clause.to.agency is not None:
            return 0 if clause.to.agency == agency.code else None
        if region is None or self.service not in agency.services:
            return None
        areas = [depth(code) for code in agency.services[self.service].area if contains(code, region)]
        home = agency.region
        if clause.to.where is Where.PARTNER:
            others = [p for p in document.parties if not any(contains(code, region) for code in p.territory)]
            return 0 if any(contains(code, home) for p in others for code in p.territory) else None
        if clause.to.where is Where.PROVINCE:
            is_at_home = home == province_of(region)
        else:
            is_at_home = any(contains(code, home) for code in document.territory)
        return max(areas) if areas and is_at_home else None

    def may_take(self, agency: Agency, way: Supposed) -> bool:
        offered = agency.services.get(self.service)
        if offered is None or not agency.active or not offered.available:
            return False
        if not offered.admits(way.sex, way.age, way.facts.case_types):
            return False
        facts = self.facts
        if agency.code in facts.refuses or self.root(agency.code) in {self.root(code) for code in facts.conflicts}:
            return False
        if self.service in ("law_enforcement", "legal_service"):
            return True
        return not any(contains(code, agency.region) for code in facts.avoid_regions)

    def root(self, code: str) -> str:
        for _ in range(len(self.registry.agencies) + 1):
            agency = self.registry.agencies.get(code)
            if agency is None or agency.part_of is None:
                return code
            code = agency.part_of
        raise AssertionError("the plain router wants no circles")


def covers_home(covers: Covers, home: str) -> bool:
    return not is_country(home) and any(contains(code, home) for code in covers.domicile)
