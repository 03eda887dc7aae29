"""An access token of the outside issuer is taken for what it says, and nothing else is taken for one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from app.api.bearer import LONGEST_TOKEN
from app.domain.access_token import TokenFault, TokenRefused
from app.domain.caller import Role
from app.storage import token_subjects
from app.storage.tables import audit
from tests.api.issuers import EC, ED, OTHER_RSA, RSA, TokenIssuer, an_issuer, hmac_of, part, signed, tokens_of
from tests.api.notes import Sessions, router
from tests.conftest import ClientFactory, KeyFactory

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that signs with an RSA key."""
    async with an_issuer() as found:
        yield found


@pytest.fixture
async def client(a_client: ClientFactory, a_key: KeyFactory, issuer: TokenIssuer) -> httpx.AsyncClient:
    """A client of a service that takes tokens."""
    await a_key("dp3a-kukar", Role.SENDER)
    return await a_client(router, tokens=tokens_of(issuer), real_clock=lambda: NOW)


async def test_who_holds_a_token_acts_for_the_agency_that_it_names(
    client: httpx.AsyncClient, issuer: TokenIssuer
) -> None:
    answer = await write(client, issuer.token(NOW))

    assert answer.status_code == 201, answer.text
    assert answer.json()["by"] == "dp3a-kukar"


async def test_keys_count_beside_tokens(client: httpx.AsyncClient, a_key: KeyFactory) -> None:
    assert (await read(client, await a_key("dp3a-kukar", Role.SENDER))).status_code == 200
    assert (await read(client, "lintas_sender_wrong")).status_code == 401


async def test_without_an_issuer_no_token_counts(
    a_client: ClientFactory, a_key: KeyFactory, issuer: TokenIssuer
) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    client = await a_client(router)

    assert (await read(client, issuer.token(NOW))).status_code == 401


async def test_the_audit_names_who_held_the_token_and_a_revoked_subject_is_out_at_once(
    client: httpx.AsyncClient, issuer: TokenIssuer, sessions: Sessions
) -> None:
    assert (await write(client, issuer.token(NOW, lintas_roles=["receiver"]))).status_code == 403
    async with sessions.begin() as tx:
        (subject,) = await token_subjects.listed(tx)
        recorded = (await tx.execute(select(audit.c.key_id, audit.c.agency_code))).one()
        assert tuple(recorded) == (subject.id, "dp3a-kukar")
        assert (subject.issuer, subject.subject) == (issuer.url, "client-of-kukar")
        assert await token_subjects.revoke(tx, subject.id)
        assert not await token_subjects.revoke(tx, subject.id)

    assert (await read(client, issuer.token(NOW))).status_code == 401
    assert (await read(client, issuer.token(NOW, sub="another-client"))).status_code == 200


async def test_a_token_for_an_agency_that_is_not_there_is_refused(
    client: httpx.AsyncClient, issuer: TokenIssuer, sessions: Sessions
) -> None:
    answer = await read(client, issuer.token(NOW, lintas_agency="no-such-agency"))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token", error_description="agency"')
    async with sessions.begin() as tx:
        assert await token_subjects.listed(tx) == []


async def test_the_role_of_a_token_is_held_to_like_that_of_a_key(
    client: httpx.AsyncClient, issuer: TokenIssuer
) -> None:
    answer = await write(client, issuer.token(NOW, lintas_roles=["receiver", "somebody"]))

    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")


async def test_where_a_claim_for_scopes_is_set_a_token_holds_those_alone(
    a_client: ClientFactory, a_key: KeyFactory, issuer: TokenIssuer
) -> None:
    await a_key("dp3a-kukar", Role.SENDER)
    client = await a_client(router, tokens=tokens_of(issuer, scope_claim="scope"), real_clock=lambda: NOW)

    narrowed = issuer.token(NOW, scope="openid notes:read")

    assert (await read(client, narrowed)).status_code == 200
    assert (await write(client, narrowed)).json()["scope"] == "notes:create"
    assert (await read(client, issuer.token(NOW))).json()["code"] == "scope_required"
    assert (await read(client, issuer.token(NOW, scope=["notes:read"]))).status_code == 200


async def test_claims_may_lie_deeper_and_are_then_named_by_a_pointer(issuer: TokenIssuer) -> None:
    tokens = tokens_of(issuer, roles_claim="/realm_access/roles", agency_claim="https://lintas.example/agency")
    claims: dict[str, Any] = {"realm_access": {"roles": ["receiver"]}, "https://lintas.example/agency": "uptd-ppa-ppu"}

    holder = await tokens.holder(issuer.token(NOW, **claims), now=NOW)

    assert (holder.agency_code, holder.roles) == ("uptd-ppa-ppu", frozenset({Role.RECEIVER}))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"iss": "https://elsewhere.example"}, TokenFault.ISSUER),
        ({"iss": None}, TokenFault.ISSUER),
        ({"aud": "https://another-service.example"}, TokenFault.AUDIENCE),
        ({"aud": None}, TokenFault.AUDIENCE),
        ({"aud": ["a", {"b": "https://lintas.example"}]}, TokenFault.AUDIENCE),
        ({"aud": "https://lintas.example https://another.example"}, TokenFault.AUDIENCE),
        ({"exp": None}, TokenFault.TIMES),
        ({"exp": "4102444800"}, TokenFault.TIMES),
        ({"exp": True}, TokenFault.TIMES),
        ({"iat": None}, TokenFault.TIMES),
        ({"nbf": "soon"}, TokenFault.TIMES),
        ({"iat": -1e300}, TokenFault.TIMES),
        ({"nonce": "n"}, TokenFault.ID_TOKEN),
        ({"at_hash": "h"}, TokenFault.ID_TOKEN),
        ({"typ": "ID"}, TokenFault.ID_TOKEN),
        ({"typ": "Refresh"}, TokenFault.ID_TOKEN),
        ({"sub": None}, TokenFault.SUBJECT),
        ({"sub": "a\x00b"}, TokenFault.SUBJECT),
        ({"sub": "a" * 256}, TokenFault.SUBJECT),
        ({"lintas_agency": None}, TokenFault.AGENCY),
        ({"lintas_agency": ["dp3a-kukar"]}, TokenFault.AGENCY),
        ({"lintas_agency": "dp3a\x00kukar"}, TokenFault.AGENCY),
        ({"lintas_roles": None}, TokenFault.ROLES),
        ({"lintas_roles": ["admin"]}, TokenFault.ROLES),
        ({"lintas_roles": {"sender": True}}, TokenFault.ROLES),
        ({"cnf": {"jkt": "a"}}, TokenFault.CERTIFICATE),
        ({"cnf": "a"}, TokenFault.CERTIFICATE),
    ],
)
async def test_a_token_that_says_something_else_is_refused(
    issuer: TokenIssuer, changes: dict[str, Any], fault: TokenFault
) -> None:
    assert await refusal(issuer, issuer.token(NOW, **changes)) is fault


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        ({"exp": -29}, None),
        ({"exp": -30}, TokenFault.EXPIRED),
        ({"nbf": 30}, None),
        ({"nbf": 31}, TokenFault.TOO_EARLY),
        ({"iat": 30}, None),
        ({"iat": 31}, TokenFault.TOO_EARLY),
        ({"exp": 3600}, None),
        ({"exp": 3601}, TokenFault.TIMES),
    ],
)
async def test_the_issuers_clock_may_be_off_by_the_leeway_and_no_more(
    issuer: TokenIssuer, times: dict[str, int], fault: TokenFault | None
) -> None:
    at: dict[str, Any] = {name: int((NOW + timedelta(seconds=seconds)).timestamp()) for name, seconds in times.items()}

    assert await refusal(issuer, issuer.token(NOW, **at)) is fault


async def test_the_algorithms_are_pinned(issuer: TokenIssuer) -> None:
    issuer.keys |= {"ec": EC, "ed": ED}

    assert await refusal(issuer, issuer.token(NOW, kid="ec", algorithm="ES256")) is None
    assert await refusal(issuer, issuer.token(NOW, kid="ed", algorithm="EdDSA")) is None
    for algorithm in ("RS512", "PS256"):
        assert await refusal(issuer, issuer.token(NOW, algorithm=algorithm)) is TokenFault.ALGORITHM
    assert await refusal(issuer, issuer.token(NOW, kid="ed", algorithm="Ed25519")) is TokenFault.ALGORITHM


@pytest.mark.parametrize("algorithm", ["none", "NONE", "nOnE", "", "HS256", "HS512", 1, None, ["RS256"]])
async def test_an_unsigned_token_is_refused_however_it_calls_itself(issuer: TokenIssuer, algorithm: Any) -> None:
    header = {"typ": "at+jwt", "alg": algorithm, "kid": "first"}
    claims = issuer.claims(NOW)

    for signature in ("", part(b"x"), issuer.token(NOW).rpartition(".")[2]):
        found = await refusal(issuer, f"{part(header)}.{part(claims)}.{signature}")

        assert found is TokenFault.ALGORITHM


async def test_a_public_key_is_never_taken_for_a_secret(issuer: TokenIssuer) -> None:
    """Key confusion: HMAC under the issuer's public key, in each way it may be written."""
    issuer.more = [{"kty": "oct", "kid": "secret", "k": part(b"0" * 32), "use": "sig"}]
    pem = RSA.as_pem(private=False)

    for secret in (pem, pem.strip(), str(RSA.as_dict(private=False)["n"]).encode()):
        for kid in ("first", "secret"):
            header = {"typ": "at+jwt", "alg": "HS256", "kid": kid}
            token = hmac_of(header, issuer.claims(NOW), secret)
            assert await refusal(issuer, token) is TokenFault.ALGORITHM
            # Not even where somebody had pinned it.
            assert await refusal(issuer, token, algorithms=frozenset({"HS256"})) in {
                TokenFault.SIGNATURE,
                TokenFault.KEY,
            }


@pytest.mark.parametrize(
    "more",
    [
        {"jwk": OTHER_RSA.as_dict(private=False)},
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"zip": "DEF"},
    ],
)
async def test_no_token_brings_its_own_key_or_another_way_to_be_read(issuer: TokenIssuer, more: dict[str, Any]) -> None:
    assert await refusal(issuer, issuer.token(NOW, key=OTHER_RSA, header=more)) is TokenFault.HEADER
    assert await refusal(issuer, issuer.token(NOW, header=more)) is TokenFault.HEADER


async def test_a_token_that_another_key_signed_is_refused(issuer: TokenIssuer) -> None:
    assert await refusal(issuer, issuer.token(NOW, key=OTHER_RSA)) is TokenFault.SIGNATURE
    head, claims, signature = issuer.token(NOW).split(".")
    changed = part(issuer.claims(NOW, lintas_agency="uptd-ppa-ppu"))
    assert await refusal(issuer, f"{head}.{changed}.{signature}") is TokenFault.SIGNATURE
    assert await refusal(issuer, f"{head}.{claims}.") is TokenFault.SIGNATURE
    assert await refusal(issuer, issuer.token(NOW, kid="unknown", key=RSA)) is TokenFault.KEY
    assert await refusal(issuer, issuer.token(NOW, header={"kid": None})) is TokenFault.KEY


async def test_a_key_signs_only_by_the_algorithm_it_is_for(issuer: TokenIssuer) -> None:
    issuer.more = [{**RSA.as_dict(private=False), "kid": "other", "alg": "RS512"}]

    assert await refusal(issuer, issuer.token(NOW, kid="other", key=RSA)) is TokenFault.SIGNATURE
    assert (
        await refusal(issuer, signed({"typ": "at+jwt", "alg": "ES256", "kid": "first"}, {}, EC)) is TokenFault.SIGNATURE
    )


async def test_keys_that_must_not_be_used_are_left_out(issuer: TokenIssuer) -> None:
    public = OTHER_RSA.as_dict(private=False)
    with pytest.warns(match="2048"):
        small = RSAKey.generate_key(1024)
    issuer.more = [
        {**public, "kid": "encrypting", "use": "enc"},
        {**public, "kid": "signing", "key_ops": ["sign"]},
        {**small.as_dict(private=False), "kid": "small"},
        {"kty": "RSA", "kid": "broken", "n": "%%%", "e": "AQAB"},
        {"kty": "EC", "kid": "curve", "crv": "P-0", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "empty"},
        {"kty": ["RSA"], "kid": "odd"},
        {"kid": 7},
        *([7, None] * 2),  # type: ignore[list-item]
    ]

    assert await refusal(issuer, issuer.token(NOW)) is None
    for kid, key in (("encrypting", OTHER_RSA), ("signing", OTHER_RSA), ("small", small)):
        assert await refusal(issuer, issuer.token(NOW, kid=kid, key=key)) is TokenFault.KEY


@pytest.mark.parametrize("kind", ["JWT", "jwt", "id_token+jwt", "", None, 7, "at+jwt; charset=utf-8"])
async def test_what_is_no_access_token_by_its_type_is_refused(issuer: TokenIssuer, kind: Any) -> None:
    assert await refusal(issuer, issuer.token(NOW, header={"typ": kind})) is TokenFault.TYPE


async def test_an_issuer_that_writes_jwt_can_be_taken_and_its_id_tokens_are_not(issuer: TokenIssuer) -> None:
    assert await refusal(issuer, issuer.token(NOW, header={"typ": "application/AT+JWT"})) is None
    types = frozenset({"at+jwt", "jwt"})

    assert await refusal(issuer, issuer.token(NOW, header={"typ": "JWT"}), types=types) is None
    id_token = issuer.token(NOW, header={"typ": "JWT"}, nonce="n")
    assert await refusal(issuer, id_token, types=types) is TokenFault.ID_TOKEN


async def test_what_is_no_token_is_refused(issuer: TokenIssuer) -> None:
    good = issuer.token(NOW).split(".")
    bad_headers = (b"[]", b'"alg"', b"7", b"null", b"{", b"\xff", b"[" * 1200, b'{"alg":' * 200)

    for bad in bad_headers:
        assert await refusal(issuer, f"{part(bad)}.{good[1]}.{good[2]}") is TokenFault.MALFORMED
    for token in ("..", "a.b.c", "a.b.c.d", "a", f"{good[0]}=.{good[1]}.{good[2]}"):
        assert await refusal(issuer, token) is TokenFault.MALFORMED
    header = {"typ": "at+jwt", "alg": "RS256", "kid": "first"}
    for payload in (b"[]", b"7", b"{", b"\xff\xfe", b"[" * 3000):
        assert await refusal(issuer, signed(header, payload, RSA)) is TokenFault.MALFORMED


async def test_a_token_that_is_too_large_is_not_looked_at(client: httpx.AsyncClient, issuer: TokenIssuer) -> None:
    large = issuer.token(NOW, more="a" * LONGEST_TOKEN)

    assert await refusal(issuer, large) is TokenFault.TOO_LARGE
    assert (await read(client, large)).status_code == 401
    assert (await read(client, issuer.token(NOW, more="a" * 4000))).status_code == 200
    assert await refusal(issuer, issuer.token(NOW, header={"more": "a" * 4000})) is TokenFault.MALFORMED


async def refusal(issuer: TokenIssuer, token: str, **changes: Any) -> TokenFault | None:
    try:
        await tokens_of(issuer, **changes).holder(token, now=NOW)
    except TokenRefused as refused:
        return refused.fault
    return None


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def read(client: httpx.AsyncClient, secret: str) -> httpx.Response:
    return await client.get("/v1/notes", headers=bearer(secret))


async def write(client: httpx.AsyncClient, secret: str) -> httpx.Response:
    return await client.post("/v1/notes", json={"text": "hello"}, headers={**bearer(secret), "Idempotency-Key": "a"})
