"""Whatever is sent as a token, a key, a certificate, a cursor, a tag or an encoding: an answer, and never a 500."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.bearer import secret_in
from app.domain.access_token import TokenHolder, TokenRefused
from app.domain.caller import Role
from app.domain.client_certificate import CertificateUnreadable, HeaderForm, Presented, read_header
from app.domain.key_set import KeySetUnreadable, read_key_set
from tests.api.conftest import TOKEN_TIME as NOW
from tests.api.issuers import RSA, TokenIssuer, part, signed, tokens_of
from tests.conftest import KeyFactory
from tests.workflows.conftest import PPU, Service, a_referral

REAL = datetime.now(UTC)  # noqa: TID251 - certificates are judged by real time
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
CLAIMS = st.dictionaries(
    st.sampled_from(
        ["iss", "aud", "sub", "exp", "iat", "nbf", "lintas_agency", "lintas_roles", "scope", "cnf", "typ", "nonce"]
    ),
    ANYTHING | st.sampled_from(["dp3a-kukar", "sender", ["sender"], "\x00", 0, -1, 1e308, 2**64, {"x5t#S256": "a"}]),
    max_size=4,
)
HEADER = st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "cty", "x5t"]),
    ANYTHING | st.sampled_from(["RS256", "ES256", "none", "HS256", "at+jwt", "first", ["b64"], RSA.as_dict()]),
    max_size=4,
)
HEADER_BYTES = st.binary(max_size=60).map(lambda value: bytes(one for one in value if one not in b"\r\n\0"))
KEY_WORDS = ["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "X25519", "AQAB", "sig", part(b"a" * 300)]
PARTS = st.lists(ANYTHING | st.sampled_from([2**63, -(2**63) - 1, "0" * 32, "\x00", "\ud7ff"]), max_size=4)


@pytest.fixture
async def client(nobody: httpx.AsyncClient, a_key: KeyFactory) -> httpx.AsyncClient:
    """A client of the whole service with a key that may do everything."""
    nobody.headers["Authorization"] = f"Bearer {await a_key(PPU, *Role)}"
    return nobody


@MANY
@given(header=HEADER, claims=CLAIMS, good_signature=st.booleans())
async def test_any_header_and_any_claims_are_judged(
    issuer: TokenIssuer, *, header: dict[str, Any], claims: dict[str, Any], good_signature: bool
) -> None:
    given_header = {"typ": "at+jwt", "alg": "RS256", "kid": "first", **header}
    given_claims = {**issuer.claims(NOW), **claims}
    token = f"{part(given_header)}.{part(given_claims)}.{part(b'x')}"
    if good_signature:
        text = token.rpartition(".")[0]
        token = f"{text}.{signed({'alg': 'RS256'}, {}, RSA).rpartition('.')[2]}"
        if given_header["alg"] == "RS256":
            token = signed(given_header, given_claims, RSA)

    try:
        holder = await tokens_of(issuer).holder(token, now=NOW)
    except TokenRefused:
        return
    assert isinstance(holder, TokenHolder)
    assert (holder.issuer, holder.agency_code.isprintable()) == (issuer.url, True)
    assert given_header["alg"] == "RS256"
    assert good_signature


@FEW
@given(claims=CLAIMS)
async def test_any_claims_are_answered_over_http(
    client: httpx.AsyncClient, issuer: TokenIssuer, claims: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Bearer {issuer.token(NOW, **{'kid': 'first', **claims})}"}

    answer = await client.get("/v1/events", headers=headers)

    assert answer.status_code in {200, 401, 403}, answer.text


@FEW
@given(text=st.binary(max_size=200) | st.text("ey.J-_=", max_size=60).map(str.encode))
async def test_any_authorization_is_answered(client: httpx.AsyncClient, text: bytes) -> None:
    clean = bytes(one for one in text if one not in b"\r\n\0")

    for scheme in (b"Bearer ", b"bearer\t", b"Basic ", b""):
        answer = await client.get("/v1/events", headers=[(b"authorization", scheme + clean)])

        assert answer.status_code == 401


@MANY
@given(
    content=st.binary(max_size=60)
    | ANYTHING.map(lambda one: json.dumps(one).encode())
    | st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "kid", "n", "e", "crv", "x", "y", "use", "alg", "key_ops", "d"]),
            ANYTHING | st.sampled_from(KEY_WORDS),
        ),
        max_size=3,
    ).map(lambda keys: json.dumps({"keys": keys}).encode())
)
def test_any_key_set_is_read_or_is_none(content: bytes) -> None:
    try:
        keys = read_key_set(content)
    except KeySetUnreadable:
        return
    assert all(isinstance(kid, str) and not key.is_private for kid, key in keys.items())


@MANY
@given(value=st.text(max_size=80) | st.binary(max_size=200).map(lambda der: f":{base64.b64encode(der).decode()}:"))
def test_anything_in_the_place_of_a_certificate_is_read_or_is_none(value: str) -> None:
    for form in HeaderForm:
        try:
            presented = read_header(value, form, now=REAL + timedelta(0))
        except CertificateUnreadable:
            continue
        assert isinstance(presented, Presented)
        assert presented.value.isprintable()


@MANY
@given(value=st.binary(max_size=600))
def test_a_secret_is_what_a_header_can_hold(value: bytes) -> None:
    secret = secret_in([(b"authorization", value)])

    assert secret is None or secret.isascii()


@FEW
@given(
    name=st.sampled_from(
        [
            "if-match",
            "idempotency-key",
            "accept-language",
            "x-request-id",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-client-cert",
            "content-type",
            "content-encoding",
            "accept",
            "accept-encoding",
            "range",
            "host",
            "cookie",
        ]
    ),
    value=HEADER_BYTES,
)
async def test_any_header_is_answered(client: httpx.AsyncClient, name: str, value: bytes) -> None:
    shown: list[tuple[bytes, bytes]] = [(name.encode(), value)]
    amend = "/v1/referrals/00000000-0000-7000-8000-000000000000/amend"
    idempotent = [] if name == "idempotency-key" else [(b"idempotency-key", b"a")]

    for answer in (
        await client.get("/v1/handoffs", headers=shown),
        await client.post(amend, headers=[*shown, *idempotent], content=b'{"urgency": "urgent"}'),
        await client.put("/v1/agencies/dp3a-kukar/services/legal_service", headers=shown, content=b"{}"),
    ):
        assert answer.status_code < 500, (answer.status_code, answer.text)


@FEW
@given(parts=PARTS, raw=st.binary(max_size=40))
async def test_any_cursor_is_answered(
    client: httpx.AsyncClient, service: Service, parts: list[Any], raw: bytes
) -> None:
    if not (await client.get("/v1/events")).json()["items"]:
        await service.submit(a_referral())
        await service.submit(a_referral())

    for path in ("/v1/events", "/v1/handoffs", "/v1/referrals", "/v1/agencies", "/v1/reference/regions"):
        real = (await client.get(path, params={"limit": 1})).json()["next"]
        bound = "" if real is None else orjson.loads(base64.urlsafe_b64decode(real + "=" * (-len(real) % 4)))[0]
        made = base64.urlsafe_b64encode(json.dumps([bound, *parts]).encode()).rstrip(b"=").decode()
        for cursor in (made, base64.urlsafe_b64encode(raw).decode(), raw.decode("latin-1")):
            answer = await client.get(path, params={"limit": 1, "after": cursor})
            assert answer.status_code in {200, 400}, (path, answer.text)


@FEW
@given(raw=st.binary(min_size=1, max_size=30), encoding=st.sampled_from(["gzip", "deflate", "br", "identity", "utf-7"]))
async def test_any_path_query_and_body_is_answered(client: httpx.AsyncClient, raw: bytes, encoding: str) -> None:
    written = quote_from_bytes(raw, safe="")
    headers = {"Idempotency-Key": "a", "Content-Encoding": encoding, "Content-Type": "application/json"}

    for answer in (
        await client.get(f"/v1/handoffs/{written}"),
        await client.get(f"/v1/agencies/{written}"),
        await client.get(f"/v1/agreements/{written}/versions/{written}"),
        await client.get(f"/v1/handoffs?state={written}&{written}={written}"),
        await client.get(f"/{written}"),
        await client.post("/v1/routing/preview", content=raw, headers=headers),
        await client.post("/v1/referrals", content=b'{"sender_reference": "' + raw + b'"}', headers=headers),
    ):
        assert answer.status_code < 500, (answer.status_code, answer.text)
        assert answer.status_code >= 400 or answer.status_code == 200
