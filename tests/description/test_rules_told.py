"""A rule that a schema can say is said: what the service refuses by its form, the description refuses as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.domain.own_headers import OwnHeader, faults_of
from app.domain.regions import is_region

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text(encoding="utf-8"))


def fits(schema: str, body: Any) -> bool:
    """Say whether the description lets a body through."""
    described = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return Draft202012Validator(described).is_valid(body)


@pytest.mark.parametrize(
    "code", ["ID", "64", "64.09", "64.09.04", "64.09.04.2001", "6409", "64.9", "country:MY", "x", ""]
)
def test_a_region_code_has_one_form(code: str) -> None:
    assert fits("OfferedService", {"area": [code]}) is is_region(code)


@pytest.mark.parametrize(
    "header", [("X-Api-Key", "a b"), ("0x", "a"), ("a_b", "a"), ("X", " a"), ("X", "é"), ("X", "a\t"), ("X" * 65, "a")]
)
def test_a_header_of_ones_own_has_one_form(header: tuple[str, str]) -> None:
    name, value = header

    assert fits("HeaderBody", {"name": name, "value": value}) is not any(faults_of([OwnHeader(name, value)]))


@pytest.mark.parametrize(
    ("schema", "body", "twice"),
    [
        ("CaseOfViolence", {"types": ["physical"]}, {"types": ["physical", "physical"]}),
        ("CaseAmendment", {"types": ["physical"]}, {"types": ["physical", "physical"]}),
        ("Consent", {"basis": "none", "services": ["a"]}, {"basis": "none", "services": ["a", "a"]}),
        ("Consent", {"basis": "none", "agencies_refused": []}, {"basis": "none", "agencies_refused": ["a", "a"]}),
        ("ReferralAmendment", {"conflicts": ["a"]}, {"conflicts": ["a", "a"]}),
    ],
)
def test_what_may_be_named_once_is_told(schema: str, body: Any, twice: Any) -> None:
    assert fits(schema, body)
    assert not fits(schema, twice)


def test_an_agency_is_confirmed_or_not() -> None:
    agency = {"name": "UPTD", "kind": "uptd_ppa", "region": "64.09"}

    assert fits("AgencyBody", agency | {"status": "confirmed"})
    assert fits("AgencyBody", agency | {"status": None})
    assert not fits("AgencyBody", agency | {"status": "0"})


def test_a_case_to_try_a_version_on_has_a_name_and_facts() -> None:
    assert fits("SimulationBody", {"cases": [{"name": "a", "facts": {}}]})
    assert not fits("SimulationBody", {"cases": [{}]})
    assert not fits("SimulationBody", {"cases": [{"name": None, "facts": None}]})
