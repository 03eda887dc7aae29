"""Ibu Kota Nusantara in explanations: a dated fact that changes nothing in routing."""

from typing import Any

import pytest

from app.domain.explanation import explain
from app.domain.sentences import SENTENCES
from app.reference.load import load_overlay
from tests.domain.factories import HEALTH, a_clause, an_agency, an_agreement, facts, rules, to_basis

COMPILED = rules([an_agency()], an_agreement(a_clause(to=to_basis())))


def told(**given: Any) -> dict[str, Any]:
    return explain(COMPILED, facts(**given), HEALTH, overlays=(load_overlay(),))


def test_a_location_in_the_new_capital_is_told_with_the_day_up_to_which_that_is_known() -> None:
    explanation = told(current="64.09.04")

    assert explanation["overlays"] == [
        {
            "overlay": "ikn",
            "location": "locations.current",
            "region": "64.09.04",
            "lies": "wholly_or_partly",
            "as_of": "2025-06-30",
        }
    ]
    assert "Nusantara" in explanation["sentences"]["ikn.wholly_or_partly"]["en"]


@pytest.mark.parametrize(
    ("location", "lies"),
    [
        ("64.02.13", "wholly_or_partly"),
        ("64.02.13.1001", "wholly_or_partly"),
        ("64.02.03.2001", "outside"),
        ("64.02.06", None),
        ("64.02", None),
        ("64", None),
        ("ID", None),
        ("country:MY", None),
        (None, None),
    ],
)
def test_a_district_or_village_is_placed_and_what_is_coarser_is_not(location: str | None, lies: str | None) -> None:
    overlays = told(incident=location)["overlays"]

    assert [one["lies"] for one in overlays] == ([lies] if lies else [])


def test_it_changes_nothing_else() -> None:
    case = facts(current="64.09.04", incident="64.02.13")
    without, overlaid = explain(COMPILED, case, HEALTH), explain(COMPILED, case, HEALTH, overlays=(load_overlay(),))

    assert overlaid["decision"] == without["decision"]
    assert overlaid["clauses"] == without["clauses"]


def test_every_way_to_lie_has_a_sentence() -> None:
    assert {"ikn.wholly_or_partly", "ikn.outside"} <= set(SENTENCES)
