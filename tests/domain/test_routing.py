from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.agreement import Basis, Condition, Covers, Document, Selector, VictimLine
from app.domain.decision import Decision
from app.domain.facts import Facts
from app.domain.registry import Registry, Service
from app.domain.routing import compile_rules
from app.domain.vocabulary import Reason, Sex, Urgency
from app.reference.load import shipped
from tests.domain import factories
from tests.domain.factories import (
    HEALTH,
    MOMENT,
    a_clause,
    a_denial,
    a_duty,
    an_agency,
    an_agreement,
    facts,
    rules,
    to_basis,
)
from tests.domain.strategies import briefly, every_shape


def asked(decision: Decision) -> list[str]:
    return [candidate.agency for candidate in decision.chain]


def test_the_clause_with_the_lower_rank_is_asked_first() -> None:
    agreement = an_agreement(a_clause("late", rank=2, to="ppu"), a_clause("early", rank=1, to="kukar"))

    decision = rules([an_agency("ppu"), an_agency("kukar")], agreement).decide(facts(), HEALTH)

    assert asked(decision) == ["kukar", "ppu"]
    assert (decision.agency, decision.document, decision.clause) == ("kukar", "agreement", "early")


def test_the_document_with_the_lower_precedence_is_asked_first_whatever_the_rank() -> None:
    national = an_agreement(a_clause(rank=1, to="national"), id="national", precedence=900)
    local = an_agreement(a_clause(rank=90, to="local"), id="local", precedence=100)

    decision = rules([an_agency("national"), an_agency("local")], national, local).decide(facts(), HEALTH)

    assert asked(decision) == ["local", "national"]


def test_an_agency_is_asked_once_by_the_clause_that_first_named_it() -> None:
    agreement = an_agreement(a_clause("first", rank=1), a_clause("second", rank=2))

    decision = rules([an_agency()], agreement).decide(facts(), HEALTH)

    assert [(one.agency, one.clause) for one in decision.chain] == [("receiver", "first")]


def test_when_everyone_was_tried_the_chain_is_exhausted() -> None:
    decision = rules([an_agency()], an_agreement(a_clause())).decide(facts(), HEALTH, frozenset({"receiver"}))

    assert (decision.reason, decision.chain) == (Reason.CHAIN_EXHAUSTED, ())


def test_equal_clauses_that_name_different_agencies_first_are_ambiguous() -> None:
    clauses = [a_clause("one", to="a"), a_clause("two", to="b"), a_clause("three", to="a", rank=11)]
    compiled = rules([an_agency("a"), an_agency("b")], an_agreement(*clauses))

    assert compiled.decide(facts(), HEALTH).reason is Reason.AMBIGUOUS
    assert compiled.decide(facts(), HEALTH, frozenset({"b"})).agency == "a"
    emergency = compiled.decide(facts(urgency=Urgency.EMERGENCY), HEALTH)
    assert (emergency.agency, emergency.warnings) == ("a", ("ambiguous",))


def test_a_denial_is_cited_by_precedence_then_document_then_key() -> None:
    papers = [
        an_agreement(a_denial("a"), id="later", precedence=2),
        an_agreement(a_denial("z"), a_denial("b"), id="sooner", precedence=1),
        an_agreement(a_clause(rank=0), id="assigning", precedence=0),
    ]

    decision = rules([an_agency()], *papers).decide(facts(), HEALTH)

    assert (decision.reason, decision.document, decision.clause) == (Reason.DENIED, "sooner", "b")
    assert decision.agency is None


def test_the_first_known_location_of_the_basis_decides_and_a_country_is_not_passed_over() -> None:
    clause = a_clause(to=to_basis(), basis=[Basis.CURRENT, Basis.DOMICILE])
    compiled = rules([an_agency(), an_agency("ppu", region="64.09")], an_agreement(clause))

    assert compiled.decide(facts(current="64.09.01"), HEALTH).agency == "ppu"
    assert compiled.decide(facts(current=None), HEALTH).agency == "receiver"
    assert compiled.decide(facts(current="country:MY"), HEALTH).reason is Reason.UNROUTABLE


def test_a_coarse_place_leaves_the_clause_unlocated_though_a_later_one_is_known() -> None:
    clause = a_clause(to=to_basis(), basis=[Basis.CURRENT, Basis.DOMICILE])

    decision = rules([an_agency()], an_agreement(clause)).decide(facts(current="64"), HEALTH)

    assert (decision.reason, decision.missing) == (Reason.UNDETERMINED, ("locations.current",))


def test_an_unlocated_clause_matters_only_up_to_the_level_of_the_head() -> None:
    def decided(rank: int) -> Decision:
        unlocated = a_clause("unlocated", to=to_basis(), basis=[Basis.INCIDENT], rank=rank)
        return rules([an_agency()], an_agreement(a_clause(rank=10), unlocated)).decide(facts(incident=None), HEALTH)

    assert decided(11).agency == "receiver"
    assert decided(10).missing == ("locations.incident",)
    assert decided(9).missing == ("locations.incident",)


def test_an_emergency_goes_on_without_the_unlocated_clause_and_says_so() -> None:
    unlocated = a_clause("unlocated", to=to_basis(), basis=[Basis.INCIDENT], rank=1)
    compiled = rules([an_agency()], an_agreement(unlocated, a_clause()))

    decision = compiled.decide(facts(incident=None, urgency=Urgency.EMERGENCY), HEALTH)

    assert (decision.agency, decision.warnings) == ("receiver", ("decided_without:locations.incident",))


def test_a_missing_fact_that_changes_nothing_is_not_asked_for() -> None:
    women = an_agreement(a_clause(), covers=Covers(victims=(VictimLine(sexes=frozenset({Sex.FEMALE})),)), id="women")
    everyone = an_agreement(a_clause(), id="everyone", precedence=200)
    compiled = rules([an_agency()], women, everyone)

    decision = compiled.decide(facts(sex=None), HEALTH)

    assert (decision.agency, decision.document, decision.missing) == ("receiver", "women", ())


def test_a_limit_of_the_registry_alone_can_make_the_age_matter() -> None:
    adults = an_agency("adults", services={HEALTH: Service(area=("64.02",), age_from=18)})
    compiled = rules([adults, an_agency()], an_agreement(a_clause("first", to="adults", rank=1), a_clause(rank=2)))

    assert compiled.decide(facts(age=None), HEALTH).missing == ("victim.age",)
    emergency = compiled.decide(facts(age=None, urgency=Urgency.EMERGENCY), HEALTH)
    assert (emergency.agency, emergency.warnings) == (
        "receiver",
        ("decided_without:victim.age", "passed_over:agreement/first"),
    )


def test_a_prohibition_that_may_hold_fails_closed_even_in_an_emergency() -> None:
    denial = a_denial(when=Condition(perpetrator_in_household=True))
    compiled = rules([an_agency()], an_agreement(a_clause(), denial))

    decision = compiled.decide(facts(perpetrator_in_household=None, urgency=Urgency.EMERGENCY), HEALTH)

    assert (decision.reason, decision.missing) == (Reason.UNDETERMINED, ("perpetrator_in_household",))


def test_a_domicile_cannot_lie_in_two_documents_that_no_place_shares() -> None:
    kukar = an_agreement(a_clause(to="a"), id="kukar", covers=Covers(domicile=("64.02",)))
    banjarmasin = an_agreement(a_clause(to="a"), id="banjarmasin", covers=Covers(domicile=("63.71",)))
    elsewhere = an_agreement(a_clause(to="a"), id="national", precedence=900)
    compiled = rules([an_agency("a")], kukar, banjarmasin, elsewhere)

    question = compiled.question(facts(domicile=None), HEALTH)

    assert [way.home.region for _, way, _ in question.verdicts] == ["63.71", "64.02", None]
    assert compiled.decide(facts(domicile=None), HEALTH).agency == "a"


def test_without_consent_nobody_is_told_unless_it_is_an_emergency() -> None:
    compiled = rules([an_agency()], an_agreement(a_clause()))

    assert compiled.decide(facts(consent=False), HEALTH).reason is Reason.NO_CONSENT
    assert compiled.decide(facts(consent=False, urgency=Urgency.EMERGENCY), HEALTH).agency == "receiver"


def test_duties_ask_nothing_of_routing_and_are_carried() -> None:
    sexual = Condition(case_types=frozenset({"sexual"}))
    compiled = rules([an_agency()], an_agreement(a_clause(), a_duty(when=sexual)))

    case = facts(case_types=frozenset({"physical", "sexual"}))

    assert [(owed.duty, owed.within, owed.clause) for owed in compiled.decide(case, HEALTH).duties] == [
        ("report_to_police", "PT72H", "duty")
    ]
    assert compiled.decide(facts(), HEALTH).duties == ()


def test_the_respond_time_is_the_clauses_else_the_urgencys() -> None:
    agencies = [an_agency()]

    assert rules(agencies, an_agreement(a_clause(respond="PT2H"))).decide(facts(), HEALTH).respond == "PT2H"
    assert rules(agencies, an_agreement(a_clause())).decide(facts(), HEALTH).respond == "P3WD"


def version(number: int, begins: date, agency: str, ends: date | None = None) -> Document:
    return an_agreement(a_clause(to=agency), version=number, begins=begins, ends=ends, time_zone="UTC")


def test_a_successor_closes_its_predecessor_for_good() -> None:
    first = version(1, date(2024, 1, 1), "old")
    second = version(2, date(2025, 1, 1), "new", ends=date(2025, 6, 1))
    compiled = rules([an_agency("old"), an_agency("new")], second, first)

    def at(moment: datetime) -> Decision:
        return compiled.decide(facts(received_at=moment), HEALTH)

    turn = datetime(2025, 1, 1, tzinfo=UTC)
    assert (at(turn - timedelta(seconds=1)).agency, at(turn).agency) == ("old", "new")
    assert at(turn).document_version == 2
    assert at(datetime(2025, 6, 1, tzinfo=UTC)).reason is Reason.UNROUTABLE
    assert at(datetime(2023, 1, 1, tzinfo=UTC)).documents == ()


def test_a_version_that_its_successor_overtakes_never_counts() -> None:
    papers = [version(1, date(2024, 1, 1), "a"), version(2, date(2026, 1, 1), "b"), version(3, date(2025, 1, 1), "c")]
    compiled = rules([an_agency(code) for code in "abc"], *papers)

    for year, agency in ((2024, "a"), (2025, "c"), (2026, "c")):
        assert compiled.decide(facts(received_at=datetime(year, 5, 1, tzinfo=UTC)), HEALTH).agency == agency


def test_a_decision_names_all_that_it_was_made_of() -> None:
    decision = rules([an_agency()], an_agreement(a_clause(), a_denial(when=Condition(age_below=18)))).decide(
        facts(), HEALTH
    )

    assert [(id_, number, len(sha)) for id_, number, sha in decision.documents] == [("agreement", 1, 64)]
    assert decision.matched == ("agreement/clause",)
    assert decision.citation == factories.CITED
    assert (decision.registry_version, decision.vocabulary_version) == (1, 1)


@every_shape
@briefly
def test_nobody_is_asked_twice_and_nobody_off_the_list_is_asked(
    registry: Registry, papers: list[Document], case: Facts, service: str, tried: frozenset[str]
) -> None:
    compiled = compile_rules(registry, papers, shipped().vocabulary)

    agencies = asked(compiled.decide(case, service, tried))

    assert len(agencies) == len(set(agencies))
    assert not set(agencies) & (compiled.off_list(case) | tried)


@every_shape
@briefly
def test_the_same_question_has_the_same_answer_whatever_the_order_of_what_is_read(
    registry: Registry, papers: list[Document], case: Facts, service: str, tried: frozenset[str]
) -> None:
    turned = Registry(
        registry.version, {code: registry.agencies[code] for code in sorted(registry.agencies, reverse=True)}
    )
    shuffled = [replace(paper, clauses=tuple(reversed(paper.clauses))) for paper in reversed(papers)]

    one = compile_rules(registry, papers, shipped().vocabulary).decide(case, service, tried).to_json()
    other = compile_rules(turned, shuffled, shipped().vocabulary).decide(case, service, tried).to_json()

    assert {**one, "documents": None} == {**other, "documents": None}


@given(st.permutations(["a", "b", "c", "d"]))
@settings(max_examples=24, suppress_health_check=[HealthCheck.too_slow])
def test_declining_one_after_the_other_follows_the_chain(order: list[str]) -> None:
    clauses = [a_clause(f"c{rank}", to=Selector(agency=code), rank=rank) for rank, code in enumerate(order)]
    compiled = rules([an_agency(code) for code in order], an_agreement(*clauses))

    for number, code in enumerate(order):
        assert compiled.decide(facts(received_at=MOMENT), HEALTH, frozenset(order[:number])).agency == code
