from __future__ import annotations

import pytest

from app.domain.decision import Decision
from app.domain.registry import Agency, Service
from app.domain.vocabulary import Outcome, Reason, Sex
from tests.domain.factories import (
    HEALTH,
    a_clause,
    an_agency,
    an_agreement,
    facts,
    rules,
    to_basis,
    to_partner,
    to_province,
)


def asked(decision: Decision) -> list[str]:
    return [candidate.agency for candidate in decision.chain]


def test_the_narrowest_area_comes_first_then_the_kind_then_the_code() -> None:
    wide, narrow = Service(area=("64",)), Service(area=("64", "64.02.06"))
    agencies = [
        an_agency("a-wide", services={HEALTH: wide}, kind="hospital"),
        an_agency("b-unit", services={HEALTH: narrow}, kind="uptd_ppa"),
        an_agency("z-hospital", services={HEALTH: narrow}, kind="hospital"),
        an_agency("a-unit", services={HEALTH: narrow}, kind="uptd_ppa"),
        an_agency("police", services={HEALTH: narrow}, kind="police"),
    ]
    agreement = an_agreement(a_clause(to=to_basis("hospital", "uptd_ppa")))

    decision = rules(agencies, agreement).decide(facts(), HEALTH)

    assert asked(decision) == ["z-hospital", "a-unit", "b-unit", "a-wide"]


def test_the_partner_need_not_serve_the_region_and_its_areas_are_all_equal() -> None:
    agencies = [
        an_agency("near", region="64.02"),
        an_agency("partner-b", region="64.09", services={HEALTH: Service(area=("64.09",))}),
        an_agency("partner-a", region="64.09", services={HEALTH: Service(area=("64.09.04",))}),
        an_agency("national", region="ID"),
        an_agency("elsewhere", region="64.72"),
    ]

    decision = rules(agencies, an_agreement(a_clause(to=to_partner()))).decide(facts(), HEALTH)

    assert asked(decision) == ["partner-a", "partner-b"]


def test_the_province_is_asked_at_home_only_and_where_it_serves() -> None:
    agencies = [
        an_agency("province", region="64"),
        an_agency("regency", region="64.02"),
        an_agency("next", region="63"),
    ]

    decision = rules(agencies, an_agreement(a_clause(to=to_province()))).decide(facts(), HEALTH)

    assert asked(decision) == ["province"]


def test_a_named_agency_is_asked_wherever_it_is() -> None:
    decision = rules([an_agency(region="91")], an_agreement(a_clause())).decide(facts(), HEALTH)

    assert decision.agency == "receiver"


def test_agencies_of_the_nation_belong_to_the_national_territory_alone() -> None:
    agencies = [an_agency("national", region="ID")]
    local = an_agreement(a_clause(to=to_basis()))
    national = an_agreement(a_clause(to=to_basis()), parties={"national": ["ID"]})

    assert rules(agencies, local).decide(facts(), HEALTH).reason is Reason.UNROUTABLE
    assert rules(agencies, national).decide(facts(), HEALTH).agency == "national"


@pytest.mark.parametrize(
    "agency",
    [
        an_agency(active=False),
        an_agency(services={HEALTH: Service(area=("64.02",), available=False)}),
        an_agency(services={"mediation": Service(area=("64.02",))}),
        an_agency(services={HEALTH: Service(area=("64.02",), sexes=frozenset({Sex.MALE}))}),
        an_agency(services={HEALTH: Service(area=("64.02",), age_from=31)}),
        an_agency(services={HEALTH: Service(area=("64.02",), age_below=30)}),
        an_agency(services={HEALTH: Service(area=("64.02",), case_types=frozenset({"sexual"}))}),
    ],
)
def test_who_is_inactive_does_not_offer_it_or_takes_other_victims_is_no_candidate(agency: Agency) -> None:
    decision = rules([agency], an_agreement(a_clause())).decide(facts(), HEALTH)

    assert (decision.outcome, decision.reason) == (Outcome.NEEDS_COORDINATOR, Reason.UNROUTABLE)


def test_a_conflict_takes_the_whole_institution_off_the_list_and_a_refusal_one_agency() -> None:
    agencies = [an_agency("office"), an_agency("unit", part_of="office"), an_agency("shelter", part_of="unit")]
    agreement = an_agreement(a_clause(to=to_basis()))
    compiled = rules(agencies, agreement)

    assert compiled.off_list(facts(conflicts=frozenset({"shelter"}))) == {"office", "unit", "shelter"}
    assert compiled.off_list(facts(refuses=frozenset({"unit"}))) == {"unit"}
    assert asked(compiled.decide(facts(refuses=frozenset({"unit"})), HEALTH)) == ["office", "shelter"]


def test_institutions_that_go_in_a_circle_hang_nobody() -> None:
    circle = [an_agency("a", part_of="b"), an_agency("b", part_of="a"), an_agency("c", part_of="a")]
    compiled = rules([*circle, an_agency("d", part_of="d")], an_agreement(a_clause()))

    assert compiled.off_list(facts(conflicts=frozenset({"c"}))) == {"a", "b", "c"}
    assert compiled.off_list(facts(conflicts=frozenset({"d"}))) == {"d"}
    assert compiled.off_list(facts(conflicts=frozenset({"nobody-knows"}))) == {"nobody-knows"}


def test_an_avoided_region_takes_those_at_home_in_it_off_the_list_but_not_from_legal_help() -> None:
    services = {HEALTH: Service(area=("64.02",)), "legal_service": Service(area=("64.02",))}
    compiled = rules([an_agency(services=services)], an_agreement(a_clause()))
    unsafe = facts(avoid_regions=frozenset({"64.02"}))

    assert compiled.decide(unsafe, HEALTH).reason is Reason.UNROUTABLE
    legal = compiled.decide(unsafe, "legal_service")
    assert (legal.agency, legal.warnings) == ("receiver", ("near_avoided_region",))


def test_a_head_at_home_in_a_province_carries_no_warning_of_the_avoided_regency() -> None:
    compiled = rules([an_agency(region="64")], an_agreement(a_clause()))

    assert compiled.decide(facts(avoid_regions=frozenset({"64.02"})), HEALTH).warnings == ()


def test_a_clause_without_candidates_is_not_passed_over_in_silence_but_a_tried_one_is() -> None:
    agreement = an_agreement(
        a_clause("nobody", rank=1, to="gone"), a_clause("tried", rank=2, to="asked"), a_clause(rank=3)
    )
    compiled = rules([an_agency(), an_agency("asked")], agreement)

    decision = compiled.decide(facts(), HEALTH, frozenset({"asked"}))

    assert decision.agency == "receiver"
    assert decision.warnings == ("passed_over:agreement/nobody",)


def test_the_narrowest_coordinator_that_may_act_coordinates() -> None:
    agencies = [
        an_agency("regency", coordinator_for="64.02"),
        an_agency("province-b", region="64", coordinator_for="64"),
        an_agency("province-a", region="64", coordinator_for="64"),
        an_agency("asleep", coordinator_for="64.02", active=False),
        an_agency("nation", region="ID", coordinator_for="ID"),
    ]
    compiled = rules(agencies)

    assert compiled.wider_coordinators(facts()) == ("regency", "province-a", "province-b", "nation")
    assert compiled.coordinator(facts(refuses=frozenset({"regency"}))) == "province-a"
    assert compiled.coordinator(facts(current="64")) == "province-a"
    assert compiled.coordinator(facts(current="country:MY")) == "nation"
    assert compiled.coordinator(facts(current=None, incident=None, domicile=None)) == "nation"
    assert compiled.coordinator(facts(current=None, incident=None, domicile="64.02")) == "regency"
