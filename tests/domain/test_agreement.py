from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given

from app.domain.agreement import Assign, Citation, Document, DocumentInvalid, canonical_json, parse_document, sha256
from app.reference.load import AGREEMENTS, shipped
from app.reference.yaml_text import load_yaml
from tests.domain.factories import a_clause, an_agreement
from tests.domain.strategies import documents

VOCABULARY = shipped().vocabulary


def a_file() -> dict[str, object]:
    """The shipped agreement as its file says it."""
    value = load_yaml((AGREEMENTS / "pks-kukar-ppu-2024.yaml").read_text("utf-8")).value
    assert isinstance(value, dict)
    return deepcopy(value)


def faults(written: object) -> dict[str, str]:
    with pytest.raises(DocumentInvalid) as raised:
        parse_document(written, VOCABULARY, shipped().regions)
    return {fault.pointer: fault.code for fault in raised.value.faults}


@pytest.mark.parametrize("document", shipped().documents, ids=lambda document: document.id)
def test_a_shipped_document_is_read_back_from_its_canonical_text(document: Document) -> None:
    text = canonical_json(document)

    again = parse_document(orjson.loads(text), VOCABULARY)

    assert again == document
    assert canonical_json(again) == text
    assert sha256(again) == sha256(document)


@given(documents())
def test_any_document_is_read_back_from_its_canonical_text(papers: list[Document]) -> None:
    for document in papers:
        written = orjson.loads(canonical_json(document))
        ages = [part for clause in written["clauses"] for part in (clause["when"],)] + written["covers"].get(
            "victims", []
        )
        if any(part.get("age_from", 0) >= part.get("age_below", 200) for part in ages):
            continue  # true of nobody, which a file may not say

        assert parse_document(written, VOCABULARY) == document


def test_a_confirmation_says_by_whom_and_when_and_is_read_back() -> None:
    said = replace(
        a_clause(),
        citation=Citation("a source", confirmed=True, confirmed_by="the office", confirmed_on=date(2025, 1, 9)),
    )
    document = an_agreement(said)

    text = canonical_json(document)

    assert orjson.loads(text)["clauses"][0]["cite"] == {
        "source": "a source",
        "confirmed": True,
        "confirmed_by": "the office",
        "confirmed_on": "2025-01-09",
    }
    assert parse_document(orjson.loads(text), VOCABULARY) == document


def test_a_citation_that_says_nothing_of_by_whom_keeps_its_canonical_text() -> None:
    written = orjson.loads(canonical_json(an_agreement(a_clause())))

    assert written["clauses"][0]["cite"] == {"source": "a test", "confirmed": True}


def test_by_whom_and_when_are_refused_where_nothing_was_confirmed() -> None:
    written = orjson.loads(canonical_json(an_agreement(a_clause())))
    written["clauses"][0]["cite"] = {
        "source": "a source",
        "confirmed": False,
        "confirmed_by": "the office",
        "confirmed_on": "2025-01-09",
    }

    with pytest.raises(DocumentInvalid) as raised:
        parse_document(written, VOCABULARY)

    assert {(f.pointer, f.code) for f in raised.value.faults} == {
        ("/clauses/0/cite/confirmed_by", "without_confirmation"),
        ("/clauses/0/cite/confirmed_on", "without_confirmation"),
    }


def test_a_whole_number_may_be_written_with_a_point() -> None:
    written = orjson.loads(canonical_json(an_agreement(a_clause())))
    written |= {"format": 1.0, "version": 1.0, "precedence": 100.0}

    document = parse_document(written, VOCABULARY)

    assert (document.version, document.precedence) == (1, 100)
    assert canonical_json(document) == canonical_json(
        parse_document(orjson.loads(canonical_json(document)), VOCABULARY)
    )
    assert b"1.0" not in canonical_json(document)


def test_a_region_written_as_a_number_is_refused_and_told_why() -> None:
    written = a_file()
    written["covers"] = {"domicile": [64.02]}

    with pytest.raises(DocumentInvalid, match="a region code is text and was read as a number") as raised:
        parse_document(written, VOCABULARY)

    assert [(f.pointer, f.code) for f in raised.value.faults] == [("/covers/domicile/0", "region_is_a_number")]


def test_every_fault_is_listed_at_its_place() -> None:
    written = a_file()
    clauses = written["clauses"]
    assert isinstance(clauses, list)
    clauses[0]["when"]["services"] = ["no_such_service"]
    clauses[1]["respond"] = "1 hour"
    clauses[2]["to"] = {"where": "basis", "agency": "lpsk"}
    clauses[3]["surprise"] = 1
    clauses[4]["rank"] = "first"
    del clauses[5]["basis"]
    clauses[6]["kind"] = "forbid"
    clauses[7]["key"] = clauses[8]["key"]
    written["timezone"] = "Mars/Olympus"
    written["effective"] = {"from": "2024-07-17", "until": "2024-07-17"}
    written["parties"] = [{"agency": "dp3a-kukar", "territory": ["99"]}]

    assert faults(written) == {
        "/clauses/0/when/services/0": "unknown_code",
        "/clauses/1/respond": "bad_duration",
        "/clauses/2/to": "where_or_agency",
        "/clauses/3/surprise": "unknown_key",
        "/clauses/4/rank": "bad_number",
        "/clauses/5/to": "no_basis",
        "/clauses/6/kind": "unknown_code",
        "/clauses/8": "named_twice",
        "/timezone": "unknown_time_zone",
        "/effective/until": "never_in_force",
        "/parties/0/territory/0": "unknown_region",
    }


@pytest.mark.parametrize("written", [None, [], "text", {}, {"clauses": "none"}, {"clauses": [1], "title": []}])
def test_what_is_no_document_is_refused_without_breaking(written: object) -> None:
    assert faults(written)


def test_a_line_that_is_true_of_nobody_is_refused() -> None:
    written = a_file()
    written["covers"] = {"victims": [{"age_from": 18, "age_below": 18}]}

    assert faults(written) == {"/covers/victims/0/age_below": "nobody"}


def test_a_null_respond_is_the_urgencys() -> None:
    written = a_file()
    clauses = written["clauses"]
    assert isinstance(clauses, list)
    clauses[0]["respond"] = None

    first = parse_document(written, VOCABULARY).clauses[0]

    assert isinstance(first, Assign)
    assert first.respond is None


def test_days_of_effect_are_local_and_half_open() -> None:
    document = an_agreement(begins=date(2024, 7, 17), ends=date(2024, 7, 18), time_zone="Asia/Makassar")
    first = datetime(2024, 7, 16, 16, 0, tzinfo=UTC)

    assert not document.in_force(first - timedelta(seconds=1))
    assert document.in_force(first)
    assert document.in_force(first + timedelta(hours=24) - timedelta(seconds=1))
    assert not document.in_force(first + timedelta(hours=24))


def test_joint_leave_that_does_not_count_is_kept() -> None:
    written = {**a_file(), "joint_leave_counts": False}

    document = parse_document(written, VOCABULARY)

    assert not document.joint_leave_counts
    assert parse_document(orjson.loads(canonical_json(document)), VOCABULARY) == document
