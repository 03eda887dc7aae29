"""The worked cases of tests/cases/routing.yaml, one test for each case and service."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.facts import Facts
from app.domain.routing import compile_rules
from app.reference.cases import line
from app.reference.load import shipped
from app.reference.yaml_text import load_yaml

CASES = Path(__file__).parent.parent / "cases" / "routing.yaml"
RULES = compile_rules(shipped().registry, shipped().documents, shipped().vocabulary)


def _worked() -> list[object]:
    cases = load_yaml(CASES.read_text("utf-8")).value
    assert isinstance(cases, list)
    return [
        pytest.param(case, service, id=f"{case['name']}: {service}")
        for case in cases
        for service in case["facts"]["services"]
    ]


@pytest.mark.parametrize(("case", "service"), _worked())
def test_a_worked_case_is_decided_as_it_says(case: dict[str, dict[str, object]], service: str) -> None:
    written = {key: value for key, value in case["facts"].items() if key != "services"}
    expected = case["expect"][service]
    assert isinstance(expected, dict)

    decision = RULES.decide(Facts.from_json(written), service, frozenset(case.get("tried", ())))

    got = line("", service, decision)
    assert {key: got[key] for key in expected} == expected
