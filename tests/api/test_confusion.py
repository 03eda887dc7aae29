"""What a request claims to be: another type, packed, for another host, from a page elsewhere. Nothing is believed."""

import bz2
import gzip
import zlib
from typing import Any

import httpx
import pytest

from app.api.middleware import SECURITY_HEADERS
from app.domain.caller import Role
from app.main import ROUTERS
from app.workflows.desk import Terms
from tests.conftest import ClientFactory, KeyFactory
from tests.workflows.conftest import PPU, Service, a_referral

JSON = [("Content-Type", "application/json")]
EVIL = "evil.test"


@pytest.fixture
async def client(nobody: httpx.AsyncClient, a_key: KeyFactory) -> httpx.AsyncClient:
    """A client of the whole service with a key that may do everything."""
    nobody.headers["Authorization"] = f"Bearer {await a_key(PPU, *Role)}"
    return nobody


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [*JSON, *JSON],
        [*JSON, ("Content-Type", "text/plain")],
        [("Content-Type", "text/plain"), *JSON],
        [("Content-Type", "application/json, text/plain")],
        [("Content-Type", "application/json; charset=utf-16")],
        [("Content-Type", "application/json; charset=utf-8; charset=utf-7")],
        [("Content-Type", "application/problem+json")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "multipart/form-data; boundary=a")],
        [("Content-Type", "text/json")],
        [*JSON, ("Content-Encoding", "gzip")],
        [*JSON, ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")],
        [*JSON, ("Content-Encoding", "identity, gzip")],
    ],
)
async def test_a_body_of_any_other_type_is_not_read(client: httpx.AsyncClient, headers: list[tuple[str, str]]) -> None:
    sent = [*headers, ("Idempotency-Key", "a")]

    answer = await client.post("/v1/referrals", content=httpx.Response(200, json=a_referral()).content, headers=sent)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a": "' + b"a" * 50_000_000 + b'"}', 9)),
        ("deflate", zlib.compress(b"[" * 50_000_000, 9)),
        ("bzip2", bz2.compress(b" " * 50_000_000)),
        ("br", b"\x5b\xff\xaf\x02\xc0\x22\x79\x5c\xfb\x5a\x8c\x42\x3b\xf4\x25\x55"),
    ],
)
async def test_nothing_is_ever_unpacked(client: httpx.AsyncClient, coding: str, packed: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding, "Idempotency-Key": "a"}

    answer = await client.post("/v1/referrals", content=packed, headers=headers)
    unsaid = await client.post("/v1/referrals", content=packed, headers=headers | {"Content-Encoding": "identity"})

    assert len(packed) < 256 * 1024
    assert (answer.status_code, unsaid.status_code) == (415, 400)
    assert "content-encoding" not in answer.headers


async def test_an_answer_is_what_it_says_whatever_is_asked_for(client: httpx.AsyncClient) -> None:
    for accept in ("text/html", "application/xml", "*/*;q=0", "../../etc/passwd", "text/html, application/json"):
        answer = await client.get("/v1/agencies?limit=1", headers={"Accept": accept, "Accept-Encoding": "gzip, br"})

        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "content-encoding" not in answer.headers


async def test_no_header_turns_a_request_into_another(client: httpx.AsyncClient) -> None:
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"):
        for value in ("DELETE", "PUT", "/v1/keys"):
            answer = await client.get("/v1/reference/code-sets", headers={name: value})

            assert answer.status_code == 200
            assert "whsec" not in answer.text


async def test_no_page_elsewhere_may_ask_or_read(client: httpx.AsyncClient) -> None:
    origin = {"Origin": f"https://{EVIL}"}
    asking = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answers = [
        await client.options("/v1/referrals", headers=asking),
        await client.get("/v1/agencies", headers=origin),
        await client.get("/v1/agencies", headers={"Origin": "null"}),
        await client.get("/nowhere", headers=origin),
        await client.get("/health/live", headers=origin),
        await client.get("/.well-known/webhook-keys/019f0000-0000-7000-8000-000000000000", headers=origin),
    ]

    assert answers[0].status_code == 405
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "set-cookie" not in answer.headers
        assert EVIL not in answer.text


async def test_no_address_is_made_of_what_a_request_says_of_its_host(service: Service, a_client: ClientFactory) -> None:
    secret = (await service.as_agency(PPU)).headers["Authorization"].removeprefix("Bearer ")
    terms = Terms(public_url="https://lintas.example")
    client = await a_client(*ROUTERS, key=secret, reference=service.keeper, terms=terms)
    forged = {
        "Host": EVIL,
        "Forwarded": f"host={EVIL};proto=http",
        "X-Forwarded-Host": EVIL,
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": f"//{EVIL}",
        "X-Host": EVIL,
    }
    post: dict[str, Any] = {"headers": {**forged, "Idempotency-Key": "a"}, "json": a_referral()}
    answers = [
        await client.post("/v1/referrals", **post),
        await client.get("/v1/agencies?limit=1", headers=forged),
        await client.get("/v1/agencies/", headers=forged),
        await client.get("http://lintas.test//evil.test/v1/agencies", headers=forged),
        await client.get("/docs/", headers=forged),
        await client.get("/docs", headers=forged),
        await client.get("/openapi.json", headers=forged),
        await client.get("/v1/events", headers=forged),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 404, 404, 404, 200, 200, 200]
    assert answers[1].headers["Link"].startswith("</v1/agencies?")
    assert answers[0].headers["Location"].startswith("/v1/referrals/")
    for answer in answers:
        assert EVIL not in answer.text
        assert EVIL not in str(answer.headers)
        assert "gopher" not in answer.text
    assert "https://lintas.example/v1/handoffs/" in (await service.call("uptd-ppa-ppu", "GET", "/events")).text


async def test_every_kind_of_answer_is_guarded(client: httpx.AsyncClient) -> None:
    """Answers that work, refusals of each layer, and what breaks off before any route is reached."""
    key = {"Idempotency-Key": "a"}
    answers = {
        200: await client.get("/v1/agencies"),
        400: await client.get("/v1/agencies?after=x"),
        401: await client.get("/v1/agencies", headers={"Authorization": "Bearer x"}),
        404: await client.get("/nowhere"),
        405: await client.request("TRACE", "/v1/agencies"),
        413: await client.post("/v1/routing/preview", content=b" " * 300_000, headers=dict(JSON)),
        415: await client.post("/v1/referrals", content=b"<a/>", headers=key),
        422: await client.post("/v1/referrals", json={}, headers=key),
        428: await client.put("/v1/agencies/dp3a-kukar/services/legal_service", json={"area": ["64"]}),
    }

    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        for name, value in SECURITY_HEADERS:
            assert answer.headers[name.decode()] == value.decode(), (status, name)
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers
