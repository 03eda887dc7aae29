"""The keys of the issuer whose tokens are taken: fetched from it, kept in memory, fetched again when they rotate."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import structlog

from app.domain.key_set import KeySetUnreadable, PublicKey, read_key_set

DISCOVERY = "/.well-known/openid-configuration"
DEADLINE = 5.0
"""Seconds for both requests together."""
LARGEST = 256 * 1024
PAUSE = 10.0
"""Seconds between two looks at the issuer, whatever is asked meanwhile: nobody has us storm it."""

log = structlog.get_logger()


class KeysUnavailable(Exception):
    """The issuer cannot be asked now, so nobody can say whether a token counts."""


class IssuerWrong(Exception):
    """What the issuer answered cannot be used; the message says what, and repeats nothing of it."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """With which status it answered, where that was not 200."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Where the issuer's keys are."""

    url: str
    key_set_url: str | None = None
    """None: what its discovery document says."""
    allow_http: bool = False
    """In a trial on one machine."""


class HttpKeySource:
    """Fetches the key set of an issuer, by OpenID Connect Discovery where its address is not given."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._tls: ssl.SSLContext | None = None

    async def __call__(self) -> Mapping[str, PublicKey]:
        """Give the keys by their `kid`; httpx.HTTPError, OSError, TimeoutError, IssuerWrong or KeySetUnreadable."""
        if self._tls is None:
            # It parses every authority there is, which takes long enough to be felt.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            asyncio.timeout(DEADLINE),
            httpx.AsyncClient(verify=self._tls, headers=headers, timeout=DEADLINE) as client,
        ):
            address = self._issuer.key_set_url or await self._discovered(client)
            return read_key_set(await read(client, address))

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        document = await discovered(client, self._issuer)
        return address_in(document, "jwks_uri", self._issuer)


async def discovered(client: httpx.AsyncClient, issuer: Issuer) -> Mapping[str, Any]:
    """Give an issuer's discovery document (OpenID Connect Discovery 1.0, 4), else IssuerWrong."""
    content = await read(client, issuer.url.rstrip("/") + DISCOVERY)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise IssuerWrong("the discovery document is not JSON") from None
    if not isinstance(document, dict) or document.get("issuer") != issuer.url:
        raise IssuerWrong("the discovery document is another issuer's")
    return document


def address_in(document: Mapping[str, Any], name: str, issuer: Issuer) -> str:
    """Give an address that a discovery document names, else IssuerWrong."""
    address = document.get(name)
    allowed = ("https://", "http://") if issuer.allow_http else ("https://",)
    if not isinstance(address, str) or not address.startswith(allowed):
        raise IssuerWrong(f"the discovery document names no {name} that may be fetched")
    return address


async def read(client: httpx.AsyncClient, address: str, *, form: Mapping[str, str] | None = None) -> bytes:
    """Give what an address answers with 200, and no more than 256 KiB, else IssuerWrong; with a form it is posted."""
    try:
        asked = client.build_request("GET" if form is None else "POST", address, data=form)
    except (httpx.InvalidURL, ValueError):
        raise IssuerWrong("an address cannot be read") from None
    answer = await client.send(asked, stream=True, follow_redirects=False)
    try:
        if answer.status_code != 200:
            raise IssuerWrong(f"answered {answer.status_code}", status=answer.status_code)
        content = b""
        # As it comes off the wire: what was packed was not asked for, and could unpack to anything.
        async for part in answer.aiter_raw():
            content += part
            if len(content) > LARGEST:
                raise IssuerWrong("answered too much")
        return content
    finally:
        await answer.aclose()


class IssuerKeys:
    """Keeps an issuer's keys: good for a time, renewed before it is over, and at once when an unknown one is named."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Mapping[str, PublicKey]]],
        *,
        clock: Callable[[], float],
        fresh_for: float,
        good_for: float,
        pause: float = PAUSE,
    ) -> None:
        """Hold nothing yet; `clock` counts seconds that nobody can set.

        `fresh_for`: seconds after which the keys are looked at again. `good_for`: seconds for which they count while
        the issuer does not answer.
        """
        self._fetch = fetch
        self._clock = clock
        self._fresh_for, self._good_for, self._pause = fresh_for, good_for, pause
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._next_look: float | None = None
        self._failed = False
        self._looking: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> PublicKey | None:
        """Give a key; None if the issuer has none of this name, KeysUnavailable if it cannot be asked.

        A name that is not known has the issuer asked once, whoever else asks meanwhile, and then not again for a while.
        """
        if (known := self._good().get(kid)) is not None:
            return known
        await self._look()
        known = self._good().get(kid)
        if known is None and self._failed:
            raise KeysUnavailable
        return known

    async def refresh(self) -> None:
        """Fetch the keys if they are not fresh any more: done again and again, it keeps that out of requests."""
        if self._fetched_at is None or self._clock() - self._fetched_at >= self._fresh_for:
            await self._look()

    def close(self) -> None:
        """Wait for the issuer no longer."""
        if self._looking is not None:
            self._looking.cancel()

    def _good(self) -> Mapping[str, PublicKey]:
        if self._fetched_at is None or self._clock() - self._fetched_at >= self._good_for:
            return {}
        return self._keys

    async def _look(self) -> None:
        if self._looking is None:
            if self._next_look is not None and self._clock() < self._next_look:
                return
            self._looking = asyncio.create_task(self._fetch_all())
        # Shielded: who asked may leave, and all others still wait for the same answer.
        await asyncio.shield(self._looking)

    async def _fetch_all(self) -> None:
        try:
            fetched = await self._fetch()
        except (httpx.HTTPError, OSError, TimeoutError, IssuerWrong, KeySetUnreadable) as error:
            self._failed = True
            why = str(error) if isinstance(error, IssuerWrong) else None
            log.warning("issuer_keys_not_fetched", error=type(error).__name__, why=why, count=len(self._good()))
        else:
            if fetched.keys() != self._keys.keys():
                log.info("issuer_keys_changed", count=len(fetched))
            self._keys, self._fetched_at, self._failed = fetched, self._clock(), False
        finally:
            self._next_look = self._clock() + self._pause
            self._looking = None
