"""Access tokens of the outside issuer: taken apart, verified with its keys, and judged by what they say.

Sources: RFC 7515 (signatures), RFC 8725 (best current practice), RFC 9068 (access tokens as JWT).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel

from app.api.bearer import LONGEST_TOKEN
from app.api.issuer_keys import IssuerKeys
from app.domain.access_token import TokenFault, TokenHolder, TokenRefused, TokenTerms, judge

LONGEST_HEADER = 2 * 1024
REFUSED_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc", "epk"})
"""A key, or where to find one, is never taken from who shows the token; nor is another way of reading it."""


class _Pinned(jws.JWSRegistry):
    """Knows the algorithms that the operator has named, and no default."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST_TOKEN
    max_signature_length = 2 * 1024

    def get_alg(self, name: str) -> JWSAlgModel:
        """Give an algorithm, if it is one of those."""
        if name not in (self.allowed or ()):
            raise TokenRefused(TokenFault.ALGORITHM)
        return self.algorithms[name]


class Signatures:
    """Says what a token claims, once it is known to be its issuer's."""

    def __init__(self, keys: IssuerKeys, *, algorithms: Iterable[str], types: Iterable[str | None]) -> None:
        """Take tokens of these `types` alone; None among them is a token that says none."""
        self.keys = keys
        self._algorithms, self._types = frozenset(algorithms), frozenset(types)
        self._registry = _Pinned(algorithms=sorted(self._algorithms), strict_check_header=False)

    async def claims(self, token: str) -> dict[str, Any]:
        """Give what a token claims, else TokenRefused, or KeysUnavailable where nobody can say whose it is.

        It may ask the issuer for its keys: no transaction may be open.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused(TokenFault.TOO_LARGE)
        if not token.isascii():
            raise TokenRefused(TokenFault.MALFORMED)
        signed = self._taken_apart(token.encode())
        header = signed.headers()
        self._check_header(header)
        kid = header.get("kid")
        key = await self.keys.key(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefused(TokenFault.KEY)
        try:
            good = jws.validate_compact(signed, key, registry=self._registry)
        except (JoseError, ValueError, TypeError):
            good = False
        if not good:
            raise TokenRefused(TokenFault.SIGNATURE)
        return _claims(signed.payload or b"")

    def _taken_apart(self, token: bytes) -> jws.CompactSignature:
        try:
            signed = jws.extract_compact(token, registry=self._registry)
            header: Any = signed.headers()
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
            raise TokenRefused(TokenFault.MALFORMED) from None
        if not isinstance(header, dict):
            raise TokenRefused(TokenFault.MALFORMED)
        return signed

    def _check_header(self, header: dict[str, Any]) -> None:
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise TokenRefused(TokenFault.ALGORITHM)
        if header.keys() & REFUSED_HEADERS:
            raise TokenRefused(TokenFault.HEADER)
        kind = header.get("typ")
        if kind is not None and not isinstance(kind, str):
            raise TokenRefused(TokenFault.TYPE)
        if (kind and kind.lower().removeprefix("application/")) not in self._types:
            raise TokenRefused(TokenFault.TYPE)


class Tokens:
    """Says who holds a token."""

    def __init__(self, terms: TokenTerms, keys: IssuerKeys) -> None:
        self.terms = terms
        self.keys = keys
        self._signatures = Signatures(keys, algorithms=terms.algorithms, types=terms.types)

    async def holder(self, token: str, *, now: datetime) -> TokenHolder:
        """Say who holds a token, else TokenRefused, or KeysUnavailable where nobody can say; `now` is real time.

        It may ask the issuer for its keys: no transaction may be open.
        """
        return judge(await self._signatures.claims(token), self.terms, now=now)


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise TokenRefused(TokenFault.MALFORMED) from None
    if not isinstance(claims, dict):
        raise TokenRefused(TokenFault.MALFORMED)
    return claims
