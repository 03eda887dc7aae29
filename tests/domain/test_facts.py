from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given

from app.domain.canonical import canonical_bytes
from app.domain.errors import FactsInvalid
from app.domain.facts import Facts
from app.domain.vocabulary import Sex
from tests.domain import factories
from tests.domain.strategies import facts as any_facts

WRITTEN = {"received_at": "2024-08-01T09:15:00+08:00", "urgency": "standard", "case_types": ["physical"]}


@given(any_facts)
def test_facts_are_read_back_as_they_were_written(facts: Facts) -> None:
    written = canonical_bytes(facts.to_json())

    assert Facts.from_json(orjson.loads(written)) == facts
    assert canonical_bytes(Facts.from_json(orjson.loads(written)).to_json()) == written


def test_what_is_not_said_is_missing_and_never_a_default() -> None:
    facts = Facts.from_json(WRITTEN)

    assert (facts.age, facts.sex, facts.perpetrator_in_household) == (None, None, None)
    assert (facts.incident, facts.domicile, facts.current) == (None, None, None)
    assert facts.consent


def test_an_unknown_sex_is_a_missing_one() -> None:
    assert Facts.from_json({**WRITTEN, "victim": {"sex": "unknown"}}).sex is None
    assert Facts.from_json({**WRITTEN, "victim": {"sex": "male"}}).sex is Sex.MALE


def test_the_moment_is_kept_whatever_the_offset() -> None:
    facts = Facts.from_json(WRITTEN)

    assert facts.received_at == datetime(2024, 8, 1, 1, 15, tzinfo=UTC)
    assert facts.to_json()["received_at"] == "2024-08-01T01:15:00+00:00"


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"locations": {"incident": 64.02}}, "/locations/incident", "region_is_a_number"),
        ({"locations": {"home": "64"}}, "/locations/home", "unknown_key"),
        ({"locations": {"incident": "country:ID"}}, "/locations/incident", "bad_region"),
        ({"victim": {"age": -1}}, "/victim/age", "bad_number"),
        ({"victim": {"age": True}}, "/victim/age", "bad_number"),
        ({"victim": {"sex": "x"}}, "/victim/sex", "unknown_code"),
        ({"received_at": "2024-08-01T09:15:00"}, "/received_at", "bad_time"),
        ({"case_types": []}, "/case_types", "empty"),
        ({"consent": True}, "/consent", "unknown_code"),
        ({"conflicts": "polres"}, "/conflicts", "not_a_list"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(said: dict[str, object], pointer: str, code: str) -> None:
    with pytest.raises(FactsInvalid) as raised:
        Facts.from_json({**WRITTEN, **said})

    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [(pointer, code)]


def test_a_victim_is_abroad_by_the_first_known_place() -> None:
    assert factories.facts(current="country:MY").abroad
    assert not factories.facts(incident="country:MY").abroad
    assert factories.facts(current=None, incident="country:MY").abroad
    assert not factories.facts(current=None, incident=None, domicile=None).abroad


def test_crossing_is_told_by_the_known_domestic_places_alone() -> None:
    assert factories.facts(incident="64.09").cross_regency
    assert not factories.facts(incident="64.09").cross_province
    assert factories.facts(incident="63.71").cross_province
    assert not factories.facts(incident="64").cross_regency
    assert factories.facts(incident="63").cross_province
    assert not factories.facts(incident="country:MY").cross_province
