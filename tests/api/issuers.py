"""An issuer of tokens on loopback, and the tokens it issues: good ones, and such as an attacker would make of them."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from app.api.issuer_keys import HttpKeySource, Issuer, IssuerKeys
from app.api.tokens import Tokens
from app.domain.access_token import TokenTerms
from tests.api.stopwatch import Stopwatch

AUDIENCE = "https://lintas.example"
RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC, ED = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")


def part(content: Any) -> str:
    """Write one part of a token."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@dataclass
class TokenIssuer:
    """An HTTP server that tells its keys, and counts how often it was asked."""

    url: str = ""
    keys: dict[str, Key] = field(default_factory=lambda: {"first": RSA})
    more: list[dict[str, Any]] = field(default_factory=list)
    """What else its key set holds."""
    status: int = 200
    body: bytes | None = None
    says: dict[str, Any] = field(default_factory=dict)
    """What its discovery document says otherwise."""
    asked: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    """Until this is set, the key set is not answered."""

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:
        """Say who holds a good token; what is changed to None is left out."""
        given = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "client-of-kukar",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=10)).timestamp()),
            "lintas_agency": "dp3a-kukar",
            "lintas_roles": ["sender"],
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def token(
        self,
        now: datetime,
        *,
        kid: str = "first",
        algorithm: str = "RS256",
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Issue a token."""
        head = {"typ": "at+jwt", "alg": algorithm, "kid": kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return signed(head, self.claims(now, **changes), key or self.keys[kid])


def signed(header: dict[str, Any], claims: Any, key: Key) -> str:
    """Sign what may be anything: no library that means well would do it."""
    text = f"{part(header)}.{part(claims)}"
    algorithm = jws.JWSRegistry.algorithms[header["alg"]]
    return f"{text}.{part(algorithm.sign(text.encode(), key))}"


def hmac_of(header: dict[str, Any], claims: Any, secret: bytes) -> str:
    """Sign by a secret, as if a public key were one."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), 'sha256'))}"


@asynccontextmanager
async def an_issuer() -> AsyncIterator[TokenIssuer]:
    """Serve an issuer while the block runs."""
    issuer = TokenIssuer()

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response({"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys", **issuer.says})

    async def keys(_: web.Request) -> web.Response:
        issuer.asked += 1
        issuer.was_asked.set()
        if issuer.gate is not None:
            await issuer.gate.wait()
        listed = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in issuer.keys.items()]
        content = issuer.body or json.dumps({"keys": [*issuer.more, *listed]}).encode()
        return web.Response(body=content, status=issuer.status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    issuer.url = f"http://{host}:{port}"
    try:
        yield issuer
    finally:
        await runner.cleanup()


def terms(issuer: TokenIssuer, **changes: Any) -> TokenTerms:
    """Settle which tokens count."""
    settled: dict[str, Any] = {
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "algorithms": frozenset({"RS256", "ES256", "EdDSA"}),
        "types": frozenset({"at+jwt"}),
        "agency_claim": "lintas_agency",
        "roles_claim": "lintas_roles",
        "scope_claim": None,
        "leeway": timedelta(seconds=30),
        "longest_life": timedelta(hours=1),
    }
    return TokenTerms(**{**settled, **changes})


def tokens_of(issuer: TokenIssuer, clock: Stopwatch | None = None, **changes: Any) -> Tokens:
    """Take the tokens of an issuer; `clock` is what its keys grow old by."""
    keys = IssuerKeys(
        HttpKeySource(Issuer(issuer.url, allow_http=True)),
        clock=clock or Stopwatch(),
        fresh_for=300,
        good_for=3600,
        pause=10,
    )
    return Tokens(terms(issuer, **changes), keys)
