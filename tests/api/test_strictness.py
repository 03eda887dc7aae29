"""A request says nothing that nobody asked for: unknown parameters, fields where there is no body, and NUL."""

import base64
import hashlib
import json
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from app.domain.caller import Role
from tests.api.notes import router as notes
from tests.api.test_pages import router as numbers
from tests.conftest import ClientFactory, KeyFactory
from tests.workflows.conftest import KUKAR, PPU, Service


@pytest.fixture
async def client(a_client: ClientFactory, a_key: KeyFactory) -> httpx.AsyncClient:
    return await a_client(notes, numbers, key=await a_key("dp3a-kukar", Role.SENDER))


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(fault.get("parameter", fault.get("pointer")), fault["code"]) for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("divisor=%00", [("divisor", "nul_character")]),
        ("after=%00", [("after", "nul_character")]),
        ("%00=1", [("", "nul_character")]),
        ("teal=1&limit=2", [("teal", "unknown_parameter")]),
        ("Siti%20Aminah=1", [("", "unknown_parameter")]),
        ("=", [("", "unknown_parameter")]),
        ("teal=1&teal=2", [("teal", "unknown_parameter")]),
        ("limit=1&limit=2", [("limit", "twice")]),
        ("after=x&limit=2&after=x", [("after", "twice")]),
        ("limit=+5", [("limit", "whole_number_required")]),
        ("limit=5.0", [("limit", "whole_number_required")]),
        ("limit=1_0", [("limit", "whole_number_required")]),
        ("limit=%D9%A5", [("limit", "whole_number_required")]),
    ],
)
async def test_a_query_that_no_list_takes_is_refused_and_not_repeated(
    client: httpx.AsyncClient, query: str, expected: list[tuple[str, str]]
) -> None:
    answer = await client.get(f"/v1/numbers?{query}")

    assert answer.status_code == 400
    assert faults(answer) == expected
    assert "Siti" not in answer.text


async def test_any_number_of_unknown_parameters_is_answered_in_few_words(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/numbers?" + "&".join(f"p{one}=1" for one in range(500)))

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 21
    assert faults(answer)[-1] == ("", "more_faults")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"reason": "x", "note": 1}', [("/reason", "unknown_field"), ("/note", "unknown_field")]),
        (b'{"Siti Aminah": 1, "a/b": 2}', [("", "unknown_field"), ("", "unknown_field")]),
        (b"[]", [("", "object_required")]),
        (b"false", [("", "object_required")]),
    ],
)
async def test_a_body_where_none_is_asked_for_is_refused(
    client: httpx.AsyncClient, body: bytes, expected: list[tuple[str, str]]
) -> None:
    answer = await client.post("/v1/notes/refuse", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert faults(answer) == expected
    assert "Siti" not in answer.text


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b" {} "])
async def test_no_body_may_be_written_in_any_way(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/notes/refuse", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 409, "the route itself answered"


ODD_PARTS: list[Any] = [None, True, 1.5, -1.0, 2**63, 2**64, [], {}, "", "1", "\0", "x\0y"]


async def test_no_cursor_and_no_query_breaks_a_list(service: Service) -> None:
    await service.submit()
    named = ("/agencies", "/agreements", "/reference/regions")
    lists = (*named, "/events", "/endpoints", "/referrals", "/handoffs", "/service-requests")
    for path in lists:
        bound = hashlib.sha256(orjson.dumps([f"/v1{path}", []])).hexdigest()[:12]
        begun = [bound, 1] if path == "/events" else [bound]
        for odd in ODD_PARTS:
            written = base64.urlsafe_b64encode(json.dumps([*begun, odd]).encode()).rstrip(b"=").decode()
            answer = await service.call(PPU, "GET", path, params={"after": written})
            good = path in named and odd in ("", "1")
            assert answer.status_code == (200 if good else 400), (path, odd, answer.text)
        for name in ("after", "state", "status", "q", "parent", "limit"):
            answer = await service.call(PPU, "GET", f"{path}?{name}=%00")
            assert answer.status_code == 400, (path, name)
    bound = hashlib.sha256(orjson.dumps(["/v1/events", []])).hexdigest()[:12]
    for number in (2**63, -(2**63), 2**64, True, 1.0, None, "1"):
        forged = json.dumps([bound, number, str(UUID(int=0))]).encode()
        written = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
        assert (await service.call(PPU, "GET", "/events", params={"after": written})).status_code == 400, number


async def test_a_state_of_deliveries_is_one_of_five(service: Service) -> None:
    answer = await service.call(KUKAR, "POST", "/endpoints", json={"url": "https://agency.example/lintas"})
    assert answer.status_code == 201, answer.text
    path = f"/endpoints/{answer.json()['id']}/deliveries"
    assert answer.headers["Location"] == f"/v1{path.removesuffix('/deliveries')}"

    for state in ("due", "delivered", "held", "superseded", "failed"):
        assert (await service.call(KUKAR, "GET", f"{path}?state={state}")).status_code == 200
    for state in ("%00", "Due", "", "siti"):
        refused = await service.call(KUKAR, "GET", f"{path}?state={state}")
        assert refused.status_code == 400
        assert "siti" not in refused.text


async def test_a_path_with_nul_in_it_breaks_nothing(service: Service) -> None:
    for path in ("/agencies/%00", "/agencies/a%00", "/referrals/%00", "/decisions/%00", "/agreements/%00/versions/1"):
        assert (await service.call(PPU, "GET", path)).status_code in (400, 404), path


async def test_no_action_without_a_body_takes_one(service: Service) -> None:
    referral = await service.submit()
    (request,) = referral["service_requests"]
    for path in (
        f"/referrals/{referral['id']}/cancel",
        f"/referrals/{referral['id']}/void",
        f"/referrals/{referral['id']}/consent/withdraw",
        f"/service-requests/{request['id']}/acknowledge",
        f"/decisions/{request['decision']['id']}/replay",
        f"/endpoints/{referral['id']}/challenge",
        f"/endpoints/{referral['id']}/ping",
        f"/endpoints/{referral['id']}/pause",
        f"/endpoints/{referral['id']}/enable",
        f"/endpoints/{referral['id']}/disable",
        f"/deliveries/{referral['id']}/resend",
        f"/recoveries/{referral['id']}/cancel",
    ):
        answer = await service.call(PPU, "POST", path, json={"reason": "siti"})
        assert answer.status_code == 422, path
        assert faults(answer) == [("/reason", "unknown_field")]
    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["state"] == "open"
