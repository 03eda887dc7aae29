"""A capacity that was not confirmed for as long as the agency's own limit counts as unknown, and says so."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.domain.errors import RegistryInvalid
from app.domain.explanation import explain
from app.domain.registry import Service
from app.domain.routing import Rules
from app.reference.load import parse_registry, shipped
from tests.domain.factories import HEALTH, a_clause, an_agency, an_agreement, facts, rules, to_basis

CONFIRMED = date(2025, 1, 10)


def with_a_capacity(confirmed_on: date | None, valid_for: int | None) -> Rules:
    offered = Service(area=("64.02",), confirmed_on=confirmed_on, valid_for=valid_for)
    return rules([an_agency("one", services={HEALTH: offered})], an_agreement(a_clause(to=to_basis())))


@pytest.mark.parametrize(
    ("received_at", "warnings"),
    [
        (datetime(2025, 1, 17, 15, 59, 59, tzinfo=UTC), ()),
        (datetime(2025, 1, 17, 16, 0, tzinfo=UTC), ("capacity_unknown:one",)),
    ],
)
def test_it_is_unknown_from_the_midnight_after_its_last_day_where_the_agency_is(
    received_at: datetime, warnings: tuple[str, ...]
) -> None:
    compiled = with_a_capacity(CONFIRMED, 7)

    decision = compiled.decide(facts(received_at=received_at), HEALTH)

    assert (decision.agency, decision.warnings) == ("one", warnings)


def test_it_is_unknown_where_it_was_never_confirmed_though_the_agency_set_a_limit() -> None:
    assert with_a_capacity(None, 30).decide(facts(), HEALTH).warnings == ("capacity_unknown:one",)


@pytest.mark.parametrize("confirmed_on", [None, date(2020, 1, 1)])
def test_it_stays_known_where_the_agency_set_no_limit(confirmed_on: date | None) -> None:
    assert with_a_capacity(confirmed_on, None).decide(facts(), HEALTH).warnings == ()


def test_only_the_head_is_warned_of_and_every_candidate_is_explained() -> None:
    old = Service(area=("64.02",), confirmed_on=date(2024, 1, 1), valid_for=30)
    agencies = [an_agency("fresh"), an_agency("stale", services={HEALTH: old})]
    compiled = rules(agencies, an_agreement(a_clause(to=to_basis())))

    told: dict[str, Any] = explain(compiled, facts(), HEALTH)

    decision = compiled.decide(facts(), HEALTH)
    assert (decision.agency, decision.warnings) == ("fresh", ())
    [clause] = told["clauses"]
    assert {one["agency"]: one.get("capacity") for one in clause["candidates"]} == {
        "fresh": None,
        "stale": "capacity_unknown",
    }
    assert "capacity_unknown" in told["sentences"]


@pytest.mark.parametrize("valid_for", ["30", "P1M", "P0D", "P999D", "PT24H", 7])
def test_a_limit_that_is_no_number_of_days_is_refused(valid_for: object) -> None:
    service = {"area": ["64.02"], "valid_for": valid_for}
    agency = {"code": "one", "name": "One", "kind": "hospital", "region": "64.02", "services": {HEALTH: service}}

    with pytest.raises(RegistryInvalid):
        parse_registry({"agencies": [agency]}, shipped().vocabulary)
