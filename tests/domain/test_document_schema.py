from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from app.domain.agreement import Document, DocumentInvalid, canonical_json, parse_document
from app.domain.document_schema import document_schema
from app.reference.load import shipped
from tests.domain.strategies import documents

VOCABULARY = shipped().vocabulary
SCHEMA = Draft202012Validator(document_schema(VOCABULARY))
AGREEMENT = next(one for one in shipped().documents if one.id == "pks-kukar-ppu-2024")


def written(document: Document = AGREEMENT) -> Any:
    return orjson.loads(canonical_json(document))


def is_readable(value: Any) -> bool:
    try:
        parse_document(value, VOCABULARY)
    except DocumentInvalid:
        return False
    return True


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(document_schema(VOCABULARY))


@pytest.mark.parametrize("document", shipped().documents, ids=lambda document: document.id)
def test_a_shipped_document_validates(document: Document) -> None:
    assert [error.message for error in SCHEMA.iter_errors(written(document))] == []


@given(documents())
def test_what_the_reader_takes_the_schema_takes(papers: list[Document]) -> None:
    for document in papers:
        value = written(document)
        assert not is_readable(value) or SCHEMA.is_valid(value)


WRONG: dict[str, Callable[[Any], object]] = {
    "a region as a number": lambda d: d["parties"][0].update(territory=[64.02]),
    "a region of another form": lambda d: d["covers"].update(domicile=["64-02"]),
    "an unknown service": lambda d: d["clauses"][0]["when"].update(services=["no_such_service"]),
    "an unknown case type": lambda d: d["covers"].update(victims=[{"case_types": ["no_such_type"]}]),
    "an unknown kind of agency": lambda d: d["clauses"][0]["to"].update(kinds=["castle"]),
    "an unknown urgency": lambda d: d["clauses"][0]["when"].update(urgency=["soon"]),
    "a key that is not known": lambda d: d.update(surprise=1),
    "a condition that is not known": lambda d: d["clauses"][0]["when"].update(colour="red"),
    "a missing title": lambda d: d.pop("title"),
    "by whom, of what nobody confirmed": lambda d: d["clauses"][0]["cite"].update(confirmed=False, confirmed_by="x"),
    "a confirmation on no day": lambda d: d["clauses"][0]["cite"].update(confirmed=True, confirmed_on="soon"),
    "a rank that is not whole": lambda d: d["clauses"][0].update(rank=1.5),
    "a missing citation": lambda d: d["clauses"][0].pop("cite"),
    "a required key that is null": lambda d: d["clauses"][0].update(rank=None),
    "neither where nor agency": lambda d: d["clauses"][0].update(to={}),
    "both where and agency": lambda d: d["clauses"][0].update(to={"where": "basis", "agency": "lpsk"}),
    "where without a basis": lambda d: d["clauses"][0].pop("basis"),
    "a basis twice": lambda d: d["clauses"][0].update(basis=["current", "current"]),
    "an empty list": lambda d: d["clauses"][0]["when"].update(services=[]),
    "no clauses": lambda d: d.update(clauses=[]),
    "a respond time of another form": lambda d: d["clauses"][0].update(respond="1 hour"),
    "a respond time of nothing": lambda d: d["clauses"][0].update(respond="PT0H"),
    "a deny with a rank": lambda d: d["clauses"][0].update(kind="deny"),
    "an unknown kind of clause": lambda d: d["clauses"][0].update(kind="forbid"),
    "an unknown kind of document": lambda d: d.update(kind="treaty"),
    "another format": lambda d: d.update(format=2),
    "version zero": lambda d: d.update(version=0),
    "a version as text": lambda d: d.update(version="1"),
    "a day that is none": lambda d: d["effective"].update({"from": "17-07-2024"}),
    "an age below nothing": lambda d: d["covers"].update(victims=[{"age_below": 0}]),
    "an id with spaces": lambda d: d.update(id="my agreement"),
    "confirmed as text": lambda d: d["clauses"][0]["cite"].update(confirmed="yes"),
    "a blank source": lambda d: d["clauses"][0]["cite"].update(source="  "),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_fails_in_the_schema_and_in_the_reader(wrong: Callable[[Any], object]) -> None:
    value = deepcopy(written())
    assert SCHEMA.is_valid(value)
    assert is_readable(value)

    wrong(value)

    assert not SCHEMA.is_valid(value)
    assert not is_readable(value)


def test_what_nobody_has_to_say_may_be_said() -> None:
    value = written()
    value["version"] = 1.0
    value["clauses"][0]["rank"] = 20.0
    value["clauses"][0]["cite"] |= {"confirmed": True, "confirmed_by": "Biro Hukum", "confirmed_on": "2025-01-09"}

    assert SCHEMA.is_valid(value)
    assert is_readable(value)


def test_a_null_stands_for_a_key_that_is_left_out() -> None:
    value = written()
    value["effective"]["until"] = None
    value["clauses"][0]["respond"] = None
    value["clauses"][0]["to"]["agency"] = None

    assert SCHEMA.is_valid(value)
    assert is_readable(value)
