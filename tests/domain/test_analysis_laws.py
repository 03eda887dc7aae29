"""What a check says of any document, held against referrals drawn at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.agreement import Assign, Document
from app.domain.analysis import Finding, check
from app.domain.facts import Facts
from app.domain.registry import Registry
from app.domain.routing import Rules, compile_rules
from app.domain.vocabulary import Sex, Urgency
from app.reference.cases import parse_cases
from app.reference.load import shipped
from tests.domain import strategies
from tests.domain.factories import MOMENT

VOCABULARY, REGIONS = shipped().vocabulary, shipped().regions
REFERRALS = 100
thoroughly = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
papers = strategies.documents().map(lambda documents: documents[0])


def checked(document: Document, registry: Registry, *published: Document) -> tuple[Finding, ...]:
    return check(
        document,
        published=published,
        registry=registry,
        vocabulary=VOCABULARY,
        regions=REGIONS,
        now=MOMENT,
    )


def referrals(seed: int, count: int = REFERRALS) -> Iterator[tuple[Facts, str]]:
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    places = (None, *strategies.LOCATIONS, "64.05", "11.01")
    for _ in range(count):
        facts = Facts(
            received_at=MOMENT,
            urgency=draw.choice(list(Urgency)),
            case_types=frozenset(draw.sample(strategies.CASE_TYPES, draw.randint(1, 3))),
            incident=draw.choice(places),
            domicile=draw.choice(places),
            current=draw.choice(places),
            age=draw.choice((None, 0, 11, 12, 14, 15, 17, 18, 40, 60, 90)),
            sex=draw.choice((None, Sex.FEMALE, Sex.MALE)),
            perpetrator_in_household=draw.choice((None, True, False)),
            refuses=frozenset(draw.sample(strategies.CODES, draw.randint(0, 3))),
            conflicts=frozenset(draw.sample(strategies.CODES, draw.randint(0, 1))),
            avoid_regions=frozenset(draw.sample(strategies.REGIONS, draw.randint(0, 1))),
        )
        yield facts, draw.choice((*strategies.SERVICES, "complaint_intake"))


def matched(rules: Rules, facts: Facts, service: str) -> set[str]:
    """The clauses that match in some way, and are located if they assign."""
    question = rules.question(facts, service)
    settled = question.located | question.index.deny | question.index.duty
    found = 0
    for _, way, _ in question.verdicts:
        found |= way.clauses & settled
    return {indexed.name for place, indexed in enumerate(question.index.clauses) if found >> place & 1}


def in_conflict(rules: Rules, facts: Facts, service: str) -> Iterator[tuple[str, str]]:
    """Pairs of one rank that both match in one way and name different agencies first."""
    question = rules.question(facts, service)
    clauses = question.index.clauses
    for _, way, _ in question.verdicts:
        heads = {
            place: offers[0].agency
            for place, indexed in enumerate(clauses)
            if isinstance(indexed.clause, Assign)
            and way.clauses & question.located & 1 << place
            and (offers := question.offers(place, way))
        }
        for one, other in combinations(heads, 2):
            if clauses[one].level == clauses[other].level and heads[one] != heads[other]:
                yield clauses[one].name, clauses[other].name


@thoroughly
@given(papers, strategies.registries(), st.integers(0, 1 << 30))
def test_a_clause_that_is_said_never_to_match_matches_no_referral_at_all(
    document: Document, registry: Registry, seed: int
) -> None:
    findings = checked(document, registry)

    never = {name for found in findings if found.code == "never_matches" for name in found.clauses}
    rules = compile_rules(registry, (document,), VOCABULARY)
    for facts, service in referrals(seed):
        assert not never & matched(rules, facts, service)


@thoroughly
@given(papers, strategies.registries(), st.integers(0, 1 << 30))
def test_no_referral_shows_a_conflict_that_the_check_did_not_find(
    document: Document, registry: Registry, seed: int
) -> None:
    findings = checked(document, registry)

    known = {frozenset(found.clauses) for found in findings if found.code.startswith("ambiguous")}
    rules = compile_rules(registry, (document,), VOCABULARY)
    for facts, service in referrals(seed):
        for pair in in_conflict(rules, facts, service):
            assert frozenset(pair) in known, (pair, facts, service)


@thoroughly
@given(strategies.documents(), strategies.registries())
def test_every_witness_reproduces_what_it_shows(documents: list[Document], registry: Registry) -> None:
    document, *others = documents

    findings = checked(document, registry, *others)

    rules = compile_rules(registry, documents, VOCABULARY)
    alone = compile_rules(registry, (document,), VOCABULARY)
    for found in findings:
        if found.witness is None:
            continue
        (case,) = parse_cases([found.witness], VOCABULARY)
        (service,) = case.services
        decision = rules.decide(case.facts, service)
        assert case.expect[service]["agency"] == decision.agency
        assert case.expect[service]["chain"] == [candidate.agency for candidate in decision.chain]
        if found.code in ("ambiguous", "ambiguous_later", "ambiguous_with_another"):
            assert frozenset(found.clauses) in {frozenset(pair) for pair in in_conflict(rules, case.facts, service)}
        elif found.code == "gap":
            assert decision.reason is not None
            assert decision.reason.value == "unroutable"
        elif found.clauses:
            assert matched(alone, case.facts, service) & set(found.clauses)


@thoroughly
@given(papers, strategies.registries(), st.integers(0, 1 << 30))
def test_a_clause_that_is_said_never_to_decide_is_cited_by_no_decision(
    document: Document, registry: Registry, seed: int
) -> None:
    findings = checked(document, registry)

    codes = ("never_matches", "shadowed", "shadowed_together", "denied_always", "names_nobody")
    idle = {found.clauses[0] for found in findings if found.code in codes}
    rules = compile_rules(registry, (document,), VOCABULARY)
    for facts, service in referrals(seed):
        decision = rules.decide(replace(facts, received_at=MOMENT + timedelta(days=1)), service)
        cited = {f"{candidate.document}/{candidate.clause}" for candidate in decision.chain}
        assert not idle & cited
