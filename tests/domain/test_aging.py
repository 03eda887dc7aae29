"""What a check says of regions that are no longer listed, and of capacities that nobody has confirmed for too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.agreement import Basis, Condition, Covers, Document
from app.domain.analysis import Finding, check, is_refused
from app.domain.landmarks import landmarks
from app.domain.regions import REGENCY_DEPTH, Regions, depth
from app.domain.registry import Registry, Service
from app.domain.routing import compile_rules
from app.reference.cases import parse_cases
from app.reference.load import shipped
from tests.domain.factories import HEALTH, MOMENT, a_clause, a_duty, a_registry, an_agency, an_agreement, to_basis

REFERENCE = shipped()
CARE = Condition(services=frozenset({HEALTH}))


def checked(document: Document, registry: Registry, *retired: str) -> tuple[Finding, ...]:
    regions = replace(REFERENCE.regions, retired=frozenset(retired))
    return check(
        document,
        published=(),
        registry=registry,
        vocabulary=REFERENCE.vocabulary,
        regions=regions,
        now=MOMENT,
    )


def the(code: str, findings: tuple[Finding, ...]) -> Finding:
    (found,) = [one for one in findings if one.code == code]
    return found


def an_agency_that(confirmed_on: date | None, valid_for: int | None) -> Registry:
    offered = Service(area=("64.02",), confirmed_on=confirmed_on, valid_for=valid_for)
    return a_registry(an_agency("one", services={HEALTH: offered}))


def test_a_territory_that_an_edition_retired_is_reported_with_the_clauses_that_go_by_it() -> None:
    document = an_agreement(
        a_clause("by-place", to=to_basis(), when=CARE),
        a_clause("by-name", to="one", rank=20),
        a_duty(),
        parties={"one": ["64.02"], "two": ["64.09"]},
    )

    findings = checked(document, a_registry(an_agency("one"), an_agency("two")), "64.02")
    found = the("retired_region", findings)

    assert found.clauses == ("agreement/by-place",)
    assert "64.02" in found.message_en
    assert found.witness is not None
    (case,) = parse_cases([found.witness], REFERENCE.vocabulary)
    assert case.facts.current == "64.02"
    rules = compile_rules(a_registry(an_agency("one"), an_agency("two")), (document,), REFERENCE.vocabulary)
    assert "agreement/by-place" in rules.decide(case.facts, HEALTH).matched
    assert not is_refused(findings)


def test_a_home_that_an_edition_retired_is_reported_for_every_clause() -> None:
    document = an_agreement(
        a_clause("any", to="one", when=CARE), a_duty(), covers=Covers(domicile=("64.09",)), parties={"one": ["64.02"]}
    )

    found = the("retired_region", checked(document, a_registry(an_agency("one")), "64.09"))

    assert found.clauses == ("agreement/any", "agreement/duty")
    assert found.witness is not None
    assert parse_cases([found.witness], REFERENCE.vocabulary)[0].facts.domicile == "64.09"


def test_a_region_that_is_retired_elsewhere_is_no_concern_of_the_document() -> None:
    document = an_agreement(a_clause(to="one", when=CARE), parties={"one": ["64.02"]})

    assert "retired_region" not in {one.code for one in checked(document, a_registry(an_agency("one")), "64.09")}


@pytest.mark.parametrize(
    ("confirmed_on", "valid_for", "code"),
    [
        (date(2024, 12, 1), 30, "capacity_unknown"),
        (None, 30, "capacity_never_confirmed"),
        (date(2025, 1, 10), 30, None),
        (date(2020, 1, 1), None, None),
    ],
)
def test_a_capacity_that_nobody_confirmed_for_too_long_is_reported_with_a_referral_that_is_warned_of_it(
    confirmed_on: date | None, valid_for: int | None, code: str | None
) -> None:
    registry = an_agency_that(confirmed_on, valid_for)
    document = an_agreement(a_clause("care", to=to_basis(), when=CARE, basis=(Basis.CURRENT,)))

    findings = checked(document, registry)
    told = [one for one in findings if one.code.startswith("capacity")]

    assert [one.code for one in told] == ([code] if code else [])
    for found in told:
        assert found.clauses == ("agreement/care",)
        assert found.witness is not None
        (case,) = parse_cases([found.witness], REFERENCE.vocabulary)
        decision = compile_rules(registry, (document,), REFERENCE.vocabulary).decide(case.facts, HEALTH)
        assert decision.warnings == ("capacity_unknown:one",)
        assert case.expect[HEALTH]["warnings"] == ["capacity_unknown:one"]


def test_no_retired_region_stands_for_others() -> None:
    document = an_agreement(a_clause(), parties={"one": ["64"]})
    before = landmarks((document,), a_registry(), REFERENCE.regions)
    gone = frozenset(code for code in before.regencies if code.startswith("64."))
    regions = Regions(REFERENCE.regions.by_code, gone)

    after = landmarks((document,), a_registry(), regions)

    assert gone
    assert not gone & {*after.codes, *after.regencies}
    assert [code for code in after.regencies if code.startswith("64.") and depth(code) == REGENCY_DEPTH]
