"""What is no document, or may not bind, is refused with the place and the reason, and nothing changes."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.workflows.agreements import (
    BALIKPAPAN,
    OPERATOR,
    SAMARINDA,
    a_clause,
    a_document,
    act,
    path_of,
    put,
)
from tests.workflows.conftest import Service


async def counted(service: Service) -> tuple[int, int, int]:
    """Count drafts and published versions, and give the registry's version."""
    async with service.sessions() as session:
        row = await session.execute(
            text(
                "SELECT (SELECT count(*) FROM drafts), (SELECT count(*) FROM documents), "
                "(SELECT version FROM registry_state)"
            )
        )
        drafts, published, version = row.one()
    return drafts, published, version


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"covers": {"domicile": [64.71]}}, "/covers/domicile/0", "region_is_a_number"),
        ({"covers": {"domicile": ["64.99"]}}, "/covers/domicile/0", "unknown_region"),
        ({"clauses": []}, "/clauses", "empty"),
        ({"clauses": [a_clause(rank="first")]}, "/clauses/0/rank", "bad_number"),
        ({"clauses": [a_clause(), a_clause()]}, "/clauses/1", "named_twice"),
        ({"clauses": [a_clause(to={})]}, "/clauses/0/to", "where_or_agency"),
        (
            {"clauses": [a_clause(cite={"source": "x", "confirmed": False, "confirmed_by": "y"})]},
            "/clauses/0/cite/confirmed_by",
            "without_confirmation",
        ),
        ({"format": 2}, "/format", "bad_number"),
        ({"timezone": "Mars/Olympus"}, "/timezone", "unknown_time_zone"),
        ({"title": {"id": "x" * 2001, "en": "y"}}, "/title/id", "bad_text"),
        ({"secret": True}, "/secret", "unknown_key"),
        ({"Tidak Dikenal": True}, "", "unknown_key"),
        ({"effective": {"from": "2025-02-30"}}, "/effective/from", "bad_date"),
    ],
)
async def test_a_document_with_a_fault_is_refused_at_its_place(
    service: Service, changes: dict[str, Any], pointer: str, code: str
) -> None:
    before = await counted(service)
    body = {**a_document(), **changes}

    answer = await put(service, body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "document_invalid"
    assert (pointer, code) in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert await counted(service) == before


async def test_a_region_read_as_a_number_is_explained_in_the_language_of_who_wrote_it(service: Service) -> None:
    body = a_document(covers={"domicile": [64.10]})

    indonesian = await put(service, body, headers={"Accept-Language": "id"})
    english = await put(service, body, headers={"Accept-Language": "en"})

    assert "tanda kutip" in indonesian.text
    assert "64.10 would become 64.1" in english.text


async def test_the_document_must_be_the_one_that_the_address_names(service: Service) -> None:
    answer = await service.call(OPERATOR, "PUT", "/agreements/another/versions/7", json=a_document())

    assert [one["pointer"] for one in answer.json()["errors"]] == ["/id", "/version"]


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'"text"',
        b"null",
        b"",
        b"{" * 5000,
        b'{"id": "a", "id": "b"}',
        b'{"parties": [' + b"1," * 100_000 + b"1]}",
        b'{"' + b"x" * 100_000 + b'": 1}',
        b'{"clauses": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"id": "\\ud800"}',
        b'{"version": 1e999}',
        b"x" * 300_000,
    ],
)
async def test_hostile_bodies_are_refused_in_few_words_and_nothing_changes(service: Service, raw: bytes) -> None:
    before = await counted(service)

    answer = await service.call(
        OPERATOR, "PUT", path_of(a_document()), content=raw, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 413, 422}
    assert len(answer.content) < 40_000
    assert await counted(service) == before


async def test_addresses_that_name_no_version_are_not_found(service: Service) -> None:
    for path in ("/agreements/x/versions/1", "/agreements/x/versions/0", "/agreements/X%20/versions/1"):
        assert (await service.call(OPERATOR, "GET", path)).status_code == 404
    for action in ("check", "publish"):
        answer = await service.call(OPERATOR, "POST", f"/agreements/x/versions/1/{action}")
        assert answer.status_code == 404


def rivals() -> dict[str, Any]:
    """Two clauses of one rank that name different agencies for the same referral."""
    other = a_clause("legal-where-the-victim-is", basis=["current"])
    return a_document(a_clause(), other)


async def test_clauses_of_one_rank_with_different_heads_refuse_the_document_with_a_referral_that_shows_it(
    service: Service,
) -> None:
    await put(service, rivals())
    before = await counted(service)

    checked = (await act(service, rivals(), "check")).json()
    refused = await act(service, rivals(), "publish")

    assert not checked["publishable"]
    assert (refused.status_code, refused.json()["code"]) == (422, "document_refused")
    [finding] = [one for one in refused.json()["findings"] if one["code"].startswith("ambiguous")]
    assert finding in checked["findings"]
    assert len(finding["clauses"]) == 2
    assert finding["witness"]["facts"]["services"] == ["legal_service"]
    assert await counted(service) == before


async def test_the_witness_of_a_refusal_goes_nowhere_when_the_draft_is_tried_on_it(service: Service) -> None:
    await put(service, rivals())
    checked = (await act(service, rivals(), "check")).json()
    [finding] = [one for one in checked["findings"] if one["code"] == "ambiguous"]
    case = {name: value for name, value in finding["witness"].items() if name in ("name", "facts", "tried")}

    tried = (await act(service, rivals(), "simulate", {"cases": [case]})).json()

    [example] = tried["examples"]
    assert example["to"]["reason"] == "ambiguous"


async def test_a_document_with_an_unknown_agency_or_a_clause_that_never_matches_is_refused(service: Service) -> None:
    unknown = a_document(a_clause(to={"agency": "nobody-knows-it"}, basis=None))
    never = a_document(a_clause(when={"services": ["legal_service"], "abroad": True}), covers={"abroad": False})

    codes = []
    for number, written in enumerate((unknown, never)):
        body = {**written, "id": f"pks-{number}"}
        await put(service, body)
        answer = await act(service, body, "publish")
        assert answer.json()["code"] == "document_refused"
        codes.append({one["code"] for one in answer.json()["findings"]})

    assert "unknown_agency" in codes[0]
    assert "never_matches" in codes[1]


async def test_what_is_only_reported_does_not_keep_a_document_from_being_published(service: Service) -> None:
    unconfirmed = a_document(a_clause(cite={"source": "kabar", "confirmed": False}))
    await put(service, unconfirmed)

    published = await act(service, unconfirmed, "publish")

    assert published.status_code == 200
    assert "not_confirmed" in {one["code"] for one in published.json()["findings"]}
    assert {one["severity"] for one in published.json()["findings"]} == {"report"}
    assert {BALIKPAPAN, SAMARINDA} == {one["agency"] for one in published.json()["document"]["parties"]}
