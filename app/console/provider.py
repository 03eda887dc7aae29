"""The provider at which people sign in: where it sends them, and whom it names when they come back.

Sources: OpenID Connect Core 1.0 (authorization code flow), RFC 7636 (PKCE), RFC 9207 (issuer in the answer), RFC 9700
(best current practice), OpenID Connect RP-Initiated Logout 1.0.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import orjson
import structlog

from app.api.issuer_keys import (
    DEADLINE,
    HttpKeySource,
    Issuer,
    IssuerKeys,
    IssuerWrong,
    KeysUnavailable,
    address_in,
    discovered,
    read,
)
from app.api.tokens import Signatures
from app.domain.access_token import TokenRefused
from app.domain.id_token import TYPES, Named, OtherSignIn, SignInTerms, judge_id_token

PAUSE = 10.0
"""Seconds between two looks at a provider that did not answer."""

log = structlog.get_logger()


class ProviderUnavailable(Exception):
    """The provider cannot be asked now."""


class SignInRefused(Exception):
    """Nobody is signed in; `why` says in a word what was wrong with what the provider or the browser brought."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows this service by."""

    client_id: str
    secret: str | None
    """None: a public client, which PKCE alone protects."""
    scope: str = "openid profile"
    asks_again: bool = True
    """Whether the provider is to ask who it is each time, and not to let in who was there before."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the provider does what, by its discovery document."""

    authorization: str
    token: str
    end_session: str | None
    by_post: bool
    """Whether the client's secret goes into the body: the provider does not take it in the header."""
    says_issuer: bool
    """Whether the provider says in every answer that it is its own (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A sign-in that is under way: all that is secret about it is worked out from what the browser keeps."""

    secret: str

    @property
    def state(self) -> str:
        """What the provider gives back with its answer."""
        return self._part("state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._part("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the provider that who brings the code is who asked for it."""
        return self._part("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand."""
        return _written(hashlib.sha256(self.verifier.encode()).digest())

    def _part(self, name: str) -> str:
        return _written(hmac.digest(self.secret.encode(), name.encode(), "sha256"))


def _written(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """Sends people to the provider, and says who came back; what it knows of the provider is kept, and renewed."""

    def __init__(
        self,
        issuer: Issuer,
        client: Client,
        terms: SignInTerms,
        *,
        clock: Callable[[], float],
        fresh_for: float = 300.0,
        good_for: float = 6 * 3600.0,
    ) -> None:
        """Know nothing yet; `clock` counts seconds that nobody can set."""
        self.terms = terms
        self._issuer, self._client, self._clock, self._fresh_for = issuer, client, clock, fresh_for
        self.keys = IssuerKeys(HttpKeySource(issuer), clock=clock, fresh_for=fresh_for, good_for=good_for)
        self._signatures = Signatures(self.keys, algorithms=terms.algorithms, types=TYPES)
        self._known: Addresses | None = None
        self._looked_at: float | None = None
        self._tls: ssl.SSLContext | None = None
        self._looking = asyncio.Lock()

    @property
    def origins(self) -> frozenset[str]:
        """Where a form may lead on to: to the provider's own pages."""
        known = self._known
        pages = (self._issuer.url, known and known.authorization, known and known.end_session)
        return frozenset(origin_of(one) for one in pages if one)

    async def refresh(self) -> None:
        """Look at the provider again if that was long ago: done again and again, it keeps that out of requests."""
        try:
            await self.addresses()
        except ProviderUnavailable:
            return
        await self.keys.refresh()

    async def addresses(self) -> Addresses:
        """Say where the provider does what, else ProviderUnavailable."""
        async with self._looking:
            if self._is_due():
                await self._look()
        if self._known is None:
            raise ProviderUnavailable
        return self._known

    async def way_out(self, trip: Trip, *, back_to: str) -> str:
        """Give the address that a person is sent to, else ProviderUnavailable; the answer comes to `back_to`."""
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": back_to,
            "scope": self._client.scope,
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": trip.challenge,
            "code_challenge_method": "S256",
        }
        if self._client.asks_again:
            asked["prompt"] = "login"
        return _with((await self.addresses()).authorization, asked)

    async def who(self, trip: Trip, answer: Mapping[str, str], *, back_to: str, now: datetime) -> Named:
        """Say whom an answer of the provider signs in; SignInRefused, or ProviderUnavailable.

        `answer` are the parameters that came with the browser. No transaction may be open.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), trip.state.encode()):
            raise SignInRefused("state")
        addresses = await self.addresses()
        issuer = answer.get("iss", self.terms.issuer if not addresses.says_issuer else None)
        if issuer != self.terms.issuer:
            # Another provider's answer, brought here to have its code sent to this one, or the other way round.
            raise SignInRefused("issuer")
        if "error" in answer:
            raise SignInRefused("denied" if answer["error"] == "access_denied" else "provider")
        if not answer.get("code"):
            raise SignInRefused("code")
        token = await self._exchanged(addresses, answer["code"], trip, back_to)
        try:
            claims = await self._signatures.claims(token)
            return judge_id_token(claims, self.terms, nonce=trip.nonce, now=now)
        except TokenRefused as refused:
            raise SignInRefused(refused.fault.value) from None
        except OtherSignIn:
            raise SignInRefused("nonce") from None
        except KeysUnavailable:
            raise ProviderUnavailable from None

    def way_off(self, *, back_to: str) -> str | None:
        """Give the address that ends a person's session at the provider too; None where it has none."""
        if self._known is None or self._known.end_session is None:
            return None
        asked = {"client_id": self._client.client_id, "post_logout_redirect_uri": back_to}
        return _with(self._known.end_session, asked)

    def close(self) -> None:
        """Wait for the provider no longer."""
        self.keys.close()

    def _is_due(self) -> bool:
        if self._looked_at is None:
            return True
        return self._clock() - self._looked_at >= (self._fresh_for if self._known else PAUSE)

    async def _look(self) -> None:
        self._looked_at = self._clock()
        try:
            async with asyncio.timeout(DEADLINE), await self._http() as client:
                document = await discovered(client, self._issuer)
            self._known = self._read(document)
        except (httpx.HTTPError, OSError, TimeoutError, IssuerWrong) as error:
            # What is known of it still holds: a provider moves its addresses seldom.
            why = str(error) if isinstance(error, IssuerWrong) else None
            log.warning("provider_not_asked", error=type(error).__name__, why=why)

    def _read(self, document: Mapping[str, Any]) -> Addresses:
        methods = document.get("token_endpoint_auth_methods_supported")
        taken = methods if isinstance(methods, list) else ["client_secret_basic"]
        has_end = "end_session_endpoint" in document
        return Addresses(
            authorization=address_in(document, "authorization_endpoint", self._issuer),
            token=address_in(document, "token_endpoint", self._issuer),
            end_session=address_in(document, "end_session_endpoint", self._issuer) if has_end else None,
            by_post="client_secret_basic" not in taken and "client_secret_post" in taken,
            says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _exchanged(self, addresses: Addresses, code: str, trip: Trip, back_to: str) -> str:
        """Have the provider give the ID token for a code, which it does once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back_to,
            "code_verifier": trip.verifier,
            "client_id": self._client.client_id,
        }
        secret, auth = self._client.secret, None
        if secret is not None and addresses.by_post:
            form["client_secret"] = secret
        elif secret is not None:
            # RFC 6749, 2.3.1: both written as in a form before they are put together.
            auth = httpx.BasicAuth(quote_plus(self._client.client_id), quote_plus(secret))
        try:
            async with asyncio.timeout(DEADLINE), await self._http(auth) as client:
                content = await read(client, addresses.token, form=form)
        except IssuerWrong as wrong:
            if wrong.status is None or wrong.status >= 500:
                raise ProviderUnavailable from None
            raise SignInRefused("code") from None
        except (httpx.HTTPError, OSError, TimeoutError):
            raise ProviderUnavailable from None
        try:
            token = orjson.loads(content).get("id_token")
        except (orjson.JSONDecodeError, AttributeError):
            raise SignInRefused("malformed") from None
        if not isinstance(token, str):
            raise SignInRefused("malformed")
        return token

    async def _http(self, auth: httpx.BasicAuth | None = None) -> httpx.AsyncClient:
        if self._tls is None:
            # It parses every authority there is, which takes long enough to be felt.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        return httpx.AsyncClient(verify=self._tls, headers=headers, timeout=DEADLINE, auth=auth)


def origin_of(address: str) -> str:
    """Give the origin of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _with(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
