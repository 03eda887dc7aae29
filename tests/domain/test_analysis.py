from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from app.domain.agreement import (
    Assign,
    Basis,
    Citation,
    Condition,
    Covers,
    Document,
    Party,
    Selector,
    VictimLine,
    Where,
)
from app.domain.analysis import Finding, Severity, check, is_refused
from app.domain.registry import Agency, Registry, Service
from app.domain.routing import compile_rules
from app.domain.vocabulary import Sex, Urgency
from app.reference.cases import parse_cases
from app.reference.load import shipped
from tests.domain.factories import (
    CITED,
    HEALTH,
    MOMENT,
    a_clause,
    a_denial,
    a_duty,
    a_registry,
    an_agency,
    an_agreement,
    to_basis,
    to_partner,
)

REFERENCE = shipped()
AGENCIES = (an_agency("receiver"), an_agency("kukar"), an_agency("ppu", "64.09"), an_agency("other", "64.09"))


def checked(
    document: Document, *published: Document, agencies: tuple[Agency, ...] = AGENCIES, now: datetime = MOMENT
) -> tuple[Finding, ...]:
    return check(
        document,
        published=published,
        registry=a_registry(*agencies),
        vocabulary=REFERENCE.vocabulary,
        regions=REFERENCE.regions,
        now=now,
    )


def clauses_of(code: str, findings: tuple[Finding, ...]) -> list[tuple[str, ...]]:
    return [tuple(name.partition("/")[2] for name in one.clauses) for one in findings if one.code == code]


def the(code: str, findings: tuple[Finding, ...]) -> Finding:
    (found,) = [one for one in findings if one.code == code]
    return found


# --- the shipped documents ---


@pytest.mark.parametrize("document", REFERENCE.documents, ids=lambda document: document.id)
def test_a_shipped_document_is_not_refused(document: Document) -> None:
    findings = check(
        document,
        published=REFERENCE.documents,
        registry=REFERENCE.registry,
        vocabulary=REFERENCE.vocabulary,
        regions=REFERENCE.regions,
        now=datetime(2025, 6, 1, tzinfo=UTC),
    )

    assert not is_refused(findings)
    unconfirmed = [f"{document.id}/{one.key}" for one in document.clauses if not one.citation.confirmed]
    assert [one.clauses[0] for one in findings if one.code == "not_confirmed"] == unconfirmed
    assert {one.code for one in findings} == {"not_confirmed", "nobody_offers", "gap"}


# --- clauses of one rank ---


def test_two_clauses_of_one_rank_with_different_heads_are_refused_with_a_referral_that_shows_it() -> None:
    document = an_agreement(a_clause("one", to="kukar"), a_clause("two", to="ppu"))

    found = the("ambiguous", checked(document))

    assert found.severity is Severity.REFUSE
    assert found.clauses == ("agreement/one", "agreement/two")
    assert found.witness is not None
    (case,) = parse_cases([found.witness], REFERENCE.vocabulary)
    rules = compile_rules(a_registry(*AGENCIES), (document,), REFERENCE.vocabulary)
    decision = rules.decide(case.facts, case.services[0])
    assert decision.reason is not None
    assert decision.reason.value == "ambiguous"


def test_clauses_of_one_rank_that_name_the_same_agency_first_agree() -> None:
    document = an_agreement(a_clause("one", to="kukar"), a_clause("two", to="kukar", basis=(Basis.CURRENT,)))

    assert not is_refused(checked(document))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Condition(services=frozenset({HEALTH})), Condition(services=frozenset({"mediation"}))),
        (Condition(urgency=frozenset({Urgency.EMERGENCY})), Condition(urgency=frozenset({Urgency.STANDARD}))),
        (Condition(sexes=frozenset({Sex.FEMALE})), Condition(sexes=frozenset({Sex.MALE}))),
        (Condition(age_below=18), Condition(age_from=18)),
        (Condition(abroad=True), Condition(abroad=False)),
        (Condition(cross_regency=True), Condition(cross_regency=False)),
        (Condition(perpetrator_in_household=True), Condition(perpetrator_in_household=False)),
    ],
)
def test_clauses_of_one_rank_that_no_referral_matches_both_are_not_refused(one: Condition, other: Condition) -> None:
    document = an_agreement(a_clause("one", to="kukar", when=one), a_clause("two", to="ppu", when=other))

    assert not is_refused(checked(document))


def test_a_case_may_have_two_types_so_that_clauses_on_different_types_collide() -> None:
    sexual, trafficked = (Condition(case_types=frozenset({code})) for code in ("sexual", "trafficking"))
    document = an_agreement(a_clause("one", to="kukar", when=sexual), a_clause("two", to="ppu", when=trafficked))

    found = the("ambiguous", checked(document))

    assert found.witness is not None
    assert parse_cases([found.witness], REFERENCE.vocabulary)[0].facts.case_types == {"sexual", "trafficking"}


def test_clauses_that_go_by_different_places_collide_where_the_places_differ() -> None:
    at_home = a_clause("home", to=to_basis(), basis=(Basis.DOMICILE,))
    on_the_spot = a_clause("spot", to=to_basis(), basis=(Basis.INCIDENT,))
    agencies = (an_agency("kukar"), an_agency("ppu", "64.09"))

    found = the("ambiguous", checked(an_agreement(at_home, on_the_spot), agencies=agencies))

    assert found.witness is not None
    facts = parse_cases([found.witness], REFERENCE.vocabulary)[0].facts
    assert facts.incident != facts.domicile


def test_a_limit_of_a_service_that_parts_two_heads_is_found() -> None:
    for_girls = Service(area=("64.02",), sexes=frozenset({Sex.FEMALE}), age_below=18)
    agencies = (
        an_agency("a-girls", kind="hospital", services={HEALTH: for_girls}),
        an_agency("kukar", kind="hospital"),
        an_agency("z", kind="hospital", services={HEALTH: Service(area=("64",))}),
    )
    # Both name the same two first, but for girls, who are asked for elsewhere before.
    one, two = a_clause("one", to=to_basis("hospital")), a_clause("two", to="kukar", basis=(Basis.CURRENT,))

    found = the("ambiguous", checked(an_agreement(one, two), agencies=agencies))

    assert found.witness is not None
    facts = parse_cases([found.witness], REFERENCE.vocabulary)[0].facts
    assert (facts.sex, facts.age is not None and facts.age < 18) == (Sex.FEMALE, True)


def test_lists_that_part_after_the_head_are_refused_for_what_follows_a_refusal() -> None:
    agencies = (
        an_agency("a", kind="police"),
        an_agency("b", kind="hospital"),
        an_agency("c", kind="office"),
    )
    document = an_agreement(
        a_clause("one", to=to_basis("police", "hospital")), a_clause("two", to=to_basis("police", "office"))
    )

    found = the("ambiguous_later", checked(document, agencies=agencies))

    assert found.severity is Severity.REFUSE
    assert found.witness is not None
    assert parse_cases([found.witness], REFERENCE.vocabulary)[0].facts.refuses == {"a"}


def test_a_clause_that_collides_with_another_document_of_its_precedence_is_reported() -> None:
    other = an_agreement(a_clause("one", to="kukar"), id="another")
    document = an_agreement(a_clause("two", to="ppu"))

    found = the("ambiguous_with_another", checked(document, other))

    assert found.severity is Severity.REPORT
    assert set(found.clauses) == {"another/one", "agreement/two"}


def test_two_agreements_that_cover_different_homes_live_side_by_side() -> None:
    other = an_agreement(a_clause("one", to="kukar"), id="another", covers=Covers(domicile=("64.02",)))
    document = an_agreement(a_clause("two", to="ppu"), covers=Covers(domicile=("64.09",)))

    assert not clauses_of("ambiguous_with_another", checked(document, other))


# --- clauses that can never match ---


@pytest.mark.parametrize(
    ("when", "basis", "covers"),
    [
        (Condition(sexes=frozenset({Sex.MALE})), (), Covers(victims=(VictimLine(sexes=frozenset({Sex.FEMALE})),))),
        (Condition(age_from=18), (), Covers(victims=(VictimLine(age_below=18),))),
        (Condition(abroad=True), (), Covers(abroad=False)),
        (Condition(abroad=True), (Basis.CURRENT,), Covers()),
        (Condition(), (Basis.DOMICILE,), Covers(domicile=("63.71",))),
        (Condition(cross_regency=False, cross_province=True), (Basis.DOMICILE,), Covers(domicile=("11.01",))),
    ],
)
def test_a_clause_that_can_never_match_is_refused_and_told_why(
    when: Condition, basis: tuple[Basis, ...], covers: Covers
) -> None:
    document = an_agreement(a_clause("never", when=when, basis=basis), covers=covers)

    found = the("never_matches", checked(document))

    assert found.severity is Severity.REFUSE
    assert found.message_en != "This clause can never match: "
    assert found.witness is None


@pytest.mark.parametrize(
    "when",
    [
        Condition(abroad=True),
        Condition(cross_province=True, cross_regency=False),
        Condition(cross_province=True, cross_regency=True, abroad=False),
        Condition(age_from=150),
    ],
)
def test_a_clause_that_matches_seldom_is_not_refused(when: Condition) -> None:
    document = an_agreement(a_clause("seldom", when=when, basis=(Basis.DOMICILE,)))

    assert not clauses_of("never_matches", checked(document))


def test_denials_and_duties_that_can_never_match_are_refused_too() -> None:
    covers = Covers(victims=(VictimLine(sexes=frozenset({Sex.FEMALE})),))
    men = Condition(sexes=frozenset({Sex.MALE}))
    document = an_agreement(a_clause(), a_denial(when=men), a_duty(when=men), covers=covers)

    assert clauses_of("never_matches", checked(document)) == [("denial",), ("duty",)]


# --- clauses that never decide ---


def test_a_clause_behind_one_that_names_the_same_agencies_is_reported_as_shadowed() -> None:
    document = an_agreement(a_clause("first", rank=1), a_clause("second", rank=2, when=Condition(age_below=18)))

    findings = checked(document)

    assert clauses_of("shadowed", findings) == [("second", "first")]
    assert not is_refused(findings)


def test_a_clause_behind_a_narrower_one_is_not_shadowed() -> None:
    document = an_agreement(a_clause("first", rank=1, when=Condition(age_below=18)), a_clause("second", rank=2))

    assert not clauses_of("shadowed", checked(document))


def test_a_clause_whose_service_is_denied_whenever_it_matches_is_reported() -> None:
    mediation = Condition(services=frozenset({"mediation"}))
    document = an_agreement(a_clause("mediate", when=mediation), a_denial(when=mediation))

    assert clauses_of("denied_always", checked(document)) == [("mediate", "denial")]


def test_a_clause_that_finds_no_agency_anywhere_is_reported() -> None:
    document = an_agreement(a_clause("nobody", to=to_partner("police")))

    assert clauses_of("names_nobody", checked(document)) == [("nobody",)]


# --- agencies, services, citations, codes ---


def test_an_agency_that_is_not_in_the_registry_is_refused_as_a_party_and_as_a_receiver() -> None:
    document = an_agreement(a_clause("lost", to="nobody-knows"), parties={"strangers": ["64.02"]})

    findings = checked(document)

    assert clauses_of("unknown_agency", findings) == [(), ("lost",)]
    assert is_refused(findings)


def test_an_agency_that_is_not_active_is_reported() -> None:
    agencies = (*AGENCIES, an_agency("asleep", active=False))

    findings = checked(an_agreement(a_clause("sleep", to="asleep")), agencies=agencies)

    assert clauses_of("inactive_agency", findings) == [("sleep",)]
    assert the("inactive_agency", findings).severity is Severity.REPORT


def test_codes_and_regions_that_nobody_knows_are_refused() -> None:
    odd = a_clause("odd", to=to_basis("castle"), when=Condition(services=frozenset({"no_service"})))
    covers = Covers(victims=(VictimLine(case_types=frozenset({"no_type"})),))
    document = an_agreement(odd, parties={"kukar": ["99.99"]}, covers=covers)

    findings = checked(document)

    said = {one.message_en for one in findings if one.code in ("unknown_code", "unknown_region")}
    assert {word for word in ("no_service", "castle", "no_type", "99.99") if any(word in text for text in said)} == {
        "no_service",
        "castle",
        "no_type",
        "99.99",
    }
    assert is_refused(findings)


def test_a_service_of_the_agreement_that_nobody_in_its_territory_offers_is_reported() -> None:
    agencies = (*AGENCIES, an_agency("far", "63.71", services={"mediation": Service(area=("ID",))}))
    when = Condition(services=frozenset({"mediation", HEALTH}))

    found = the("nobody_offers", checked(an_agreement(a_clause("far", when=when)), agencies=agencies))

    assert "Mediation" in found.message_en
    assert "Mediasi" in found.message_id


def test_a_citation_that_is_not_confirmed_is_reported() -> None:
    unread = replace(a_clause("unread"), citation=Citation("hearsay", confirmed=False))

    assert clauses_of("not_confirmed", checked(an_agreement(unread, a_clause("read", rank=3)))) == [("unread",)]


@pytest.mark.parametrize(("day", "refused"), [(date(2025, 1, 15), False), (date(2025, 1, 16), True)])
def test_a_confirmation_that_is_dated_in_the_future_is_refused(day: date, refused: bool) -> None:
    clause = replace(a_clause("read"), citation=Citation("a source", confirmed=True, confirmed_on=day))

    findings = checked(an_agreement(clause))

    assert clauses_of("confirmed_in_the_future", findings) == ([("read",)] if refused else [])
    assert is_refused(findings) is refused


def test_a_gap_names_the_service_the_place_the_urgency_and_the_victims() -> None:
    children = Condition(services=frozenset({HEALTH}), age_below=18, urgency=frozenset({Urgency.STANDARD}))
    document = an_agreement(a_clause("children", to=to_basis(), when=children))

    gaps = [one for one in checked(document) if one.code == "gap" and one.message_en.startswith("Medical care")]

    said = " ".join(one.message_en for one in gaps)
    assert "emergency or urgent" in said
    assert "standard, aged 18 or older" in said
    assert not any("under 18" in one.message_en and "standard" in one.message_en for one in gaps)


# --- versions ---


def test_a_first_version_may_begin_in_the_past_and_a_successor_may_not() -> None:
    first = an_agreement(a_clause())
    late = replace(first, version=2, effective_from=date(2025, 1, 14))
    in_time = replace(first, version=2, effective_from=date(2025, 1, 16))

    assert not is_refused(checked(first))
    assert the("in_the_past", checked(late, first)).severity is Severity.REFUSE
    assert not is_refused(checked(in_time, first))


def test_a_version_that_is_not_the_next_is_refused() -> None:
    first = an_agreement(a_clause())
    third = replace(first, version=3, effective_from=date(2026, 1, 1))
    other = replace(first, title_en="Another")

    assert the("version_not_next", checked(third, first)).severity is Severity.REFUSE
    assert the("version_not_next", checked(other, first)).severity is Severity.REFUSE
    assert not is_refused(checked(first, first))


# --- size ---


def a_large_agreement(count: int, *, one_rank: bool) -> Document:
    services = list(REFERENCE.vocabulary.service_types)
    agencies = list(REFERENCE.registry.agencies)
    kinds = list(REFERENCE.vocabulary.agency_kinds)
    ages = [*range(0, 100, 10), 100]
    clauses = []
    for number in range(count):
        low, high = list(pairwise(ages))[number // len(services) % 10]
        when = Condition(
            services=frozenset({services[number % len(services)]}),
            age_from=low,
            age_below=high,
            sexes=frozenset({list(Sex)[number // (10 * len(services)) % 2]}),
            perpetrator_in_household=bool(number // (20 * len(services)) % 2),
        )
        to = (
            Selector(where=list(Where)[number % 3], kinds=(kinds[number % len(kinds)],))
            if number % 2
            else Selector(agency=agencies[number % len(agencies)])
        )
        rank = 1 if one_rank else number
        clauses.append(Assign(f"clause-{number}", CITED, when, to, rank, (Basis.CURRENT, Basis.DOMICILE)))
    document = REFERENCE.documents[1]
    parties = (Party("dp3a-kukar", ("64.02", "64.71")), Party("dp3ap2kb-ppu", ("64.09", "65")))
    return replace(document, id="large", parties=parties, clauses=tuple(clauses))


@pytest.mark.parametrize("one_rank", [False, True])
def test_a_document_of_five_hundred_clauses_is_checked_to_its_end(one_rank: bool) -> None:
    document = a_large_agreement(500, one_rank=one_rank)
    findings = check(
        document,
        published=REFERENCE.documents,
        registry=REFERENCE.registry,
        vocabulary=REFERENCE.vocabulary,
        regions=REFERENCE.regions,
        now=MOMENT,
    )

    assert findings


def test_of_very_many_conflicts_the_first_hundred_are_shown() -> None:
    agencies = tuple(an_agency(f"agency-{number}") for number in range(30))
    document = an_agreement(*(a_clause(f"clause-{number}", to=f"agency-{number}") for number in range(30)))

    findings = checked(document, agencies=(*AGENCIES, *agencies))

    assert len(clauses_of("ambiguous", findings)) == 100
    assert the("more_conflicts", findings).severity is Severity.REFUSE


def test_a_registry_without_agencies_can_be_checked_against() -> None:
    findings = check(
        an_agreement(a_clause()),
        published=(),
        registry=Registry(1, {}),
        vocabulary=REFERENCE.vocabulary,
        regions=REFERENCE.regions,
        now=MOMENT,
    )

    assert is_refused(findings)
