"""A provider of accounts on loopback: it gives out codes and ID tokens, good ones and others."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from aiohttp import web

from app.api.issuer_keys import Issuer
from app.console.provider import Client, Provider
from app.domain.clock import SettableClock
from app.domain.id_token import SignInTerms
from tests.api.issuers import RSA, signed
from tests.api.stopwatch import Stopwatch

CLIENT, SECRET = "lintas-console", "s3cret/with+signs"


@dataclass
class AccountProvider:
    """An HTTP server that signs people in: whoever comes to it is let through at once."""

    clock: SettableClock
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """What its ID tokens say otherwise; None leaves a claim out."""
    header: dict[str, Any] = field(default_factory=dict)
    says: dict[str, Any] = field(default_factory=dict)
    """What its discovery document says otherwise."""
    status: int = 200
    """With which it answers what it is asked at its token endpoint."""
    body: bytes | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """The codes that were given out and not used yet, with what they were asked for by."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """What came to its token endpoint."""
    authorizations: list[str] = field(default_factory=list)

    def code_for(self, address: str) -> tuple[str, dict[str, str]]:
        """Let a person through who was sent to an address, and give where they are sent back and with what."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}-{len(self.forms)}"
        self.codes[code] = asked
        return asked["redirect_uri"], {"code": code, "state": asked["state"], "iss": self.url}

    def token(self, asked: dict[str, str]) -> str:
        """Write the ID token for what was asked."""
        now = self.clock()
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "account-7",
            "name": "Ibu Rina",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": asked["nonce"],
            "lintas_agency": "uptd-ppa-ppu",
            "lintas_roles": ["receiver", "something-else"],
            **self.claims,
        }
        head = {"typ": "JWT", "alg": "RS256", "kid": "first", **self.header}
        kept = {name: value for name, value in head.items() if value is not None}
        return signed(kept, {name: value for name, value in claims.items() if value is not None}, RSA)

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Give tokens for a code, once, to who proves to have asked for it."""
        secret = f"{quote_plus(CLIENT)}:{quote_plus(SECRET)}".encode()
        if authorization != f"Basic {base64.b64encode(secret).decode()}" and form.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = asked is not None and asked["code_challenge"] == (
            base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        )
        if asked is None or not proven or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked)}


@asynccontextmanager
async def a_provider(clock: SettableClock) -> AsyncIterator[AccountProvider]:
    """Serve a provider while the block runs."""
    provider = AccountProvider(clock)

    async def discovery(_: web.Request) -> web.Response:
        document = {
            "issuer": provider.url,
            "jwks_uri": f"{provider.url}/keys",
            "authorization_endpoint": f"{provider.url}/authorize",
            "token_endpoint": f"{provider.url}/token",
            "authorization_response_iss_parameter_supported": True,
            **provider.says,
        }
        return web.json_response({name: value for name, value in document.items() if value is not None})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [{**RSA.as_dict(private=False), "kid": "first", "use": "sig"}]})

    async def authorize(request: web.Request) -> web.Response:
        back, answer = provider.code_for(str(request.rel_url))
        raise web.HTTPFound(f"{back}?{urlencode(answer)}")

    async def token(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        provider.forms.append(form)
        provider.authorizations.append(request.headers.get("Authorization", ""))
        if provider.status != 200 or provider.body is not None:
            return web.Response(status=provider.status, body=provider.body or b"{}")
        status, body = provider.redeem(form, provider.authorizations[-1])
        return web.json_response(body, status=status)

    async def end(_: web.Request) -> web.Response:
        return web.Response(text="signed out")

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/keys", keys)
    app.router.add_get("/authorize", authorize)
    app.router.add_post("/token", token)
    app.router.add_get("/end", end)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        await runner.cleanup()


def provider_at(url: str, **client: Any) -> Provider:
    """Lay out how people sign in at a provider."""
    terms = SignInTerms(
        issuer=url,
        client_id=CLIENT,
        algorithms=frozenset({"RS256"}),
        agency_claim="lintas_agency",
        roles_claim="lintas_roles",
        leeway=timedelta(seconds=30),
        longest_life=timedelta(hours=24),
    )
    known_by = Client(CLIENT, **{"secret": SECRET, **client})
    return Provider(Issuer(url, allow_http=True), known_by, terms, clock=Stopwatch())
