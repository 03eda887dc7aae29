"""What an access token must say so that its bearer is let in, once its signature has been found good.

Sources: RFC 9068 (access tokens as JWT), RFC 8725 (best current practice), RFC 8705 (bound to a certificate).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

import orjson

from app.domain.caller import Role, Scope
from app.domain.reading import IDENTIFIER

LONGEST_SUBJECT = 255
_OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
_OTHER_KINDS = frozenset({"id", "refresh", "offline", "logout"})
"""What Keycloak writes into `typ` of tokens that are no access tokens."""
_NAMESPACE = UUID("5f0f3c1e-52cf-4d0c-9d4d-0b0cf0a5f5a7")


class TokenFault(StrEnum):
    """Why a token is refused."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    ALGORITHM = "algorithm"
    TYPE = "type"
    HEADER = "header"
    KEY = "key"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    TIMES = "times"
    EXPIRED = "expired"
    TOO_EARLY = "too_early"
    ID_TOKEN = "id_token"  # noqa: S105 - a kind of token, and none itself
    SUBJECT = "subject"
    AGENCY = "agency"
    ROLES = "roles"
    CERTIFICATE = "certificate"


FAULTS: Mapping[TokenFault, str] = MappingProxyType(
    {
        TokenFault.MALFORMED: "it is no signed token, or its header is too large",
        TokenFault.TOO_LARGE: "it is too large",
        TokenFault.ALGORITHM: "it is not signed in a way that was settled (`alg`)",
        TokenFault.TYPE: "its header does not say that it is an access token (`typ`)",
        TokenFault.HEADER: "its header brings a key, or asks for another way of reading it",
        TokenFault.KEY: "the issuer has no key of this name (`kid`) that may sign",
        TokenFault.SIGNATURE: "it was not signed by that key",
        TokenFault.ISSUER: "it is another issuer's (`iss`)",
        TokenFault.AUDIENCE: "it is for another service (`aud`)",
        TokenFault.TIMES: "`exp`, `iat` or `nbf` is missing or no number, or it lives too long",
        TokenFault.EXPIRED: "it has expired (`exp`)",
        TokenFault.TOO_EARLY: "it is not valid yet, or was issued in the future (`nbf`, `iat`)",
        TokenFault.ID_TOKEN: "it is an ID token or a refresh token",
        TokenFault.SUBJECT: "it does not say whose it is (`sub`)",
        TokenFault.AGENCY: "it names no agency, or none that is registered",
        TokenFault.ROLES: "it carries none of the roles",
        TokenFault.CERTIFICATE: "it is bound to a certificate that was not shown, or in another way (`cnf`)",
    }
)


class TokenRefused(Exception):
    """The token does not count."""

    def __init__(self, fault: TokenFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """Which tokens count, as the operator has settled it."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    types: frozenset[str]
    """Of the header, in small letters, without `application/`."""
    agency_claim: str
    roles_claim: str
    scope_claim: str | None
    """None: a token may do all that its roles may."""
    leeway: timedelta
    longest_life: timedelta


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Who a token says that its bearer is."""

    issuer: str
    subject: str
    agency_code: str
    roles: frozenset[Role]
    scopes: frozenset[Scope] | None
    certificate: str | None
    """SHA-256 of the certificate that the token is bound to, in base64url; None is a token for any bearer."""

    @property
    def id(self) -> UUID:
        """What the audit calls who holds it: the same for all tokens of one subject that act for one agency."""
        return uuid5(_NAMESPACE, orjson.dumps([self.issuer, self.subject, self.agency_code]).decode())


def judge(claims: Mapping[str, Any], terms: TokenTerms, *, now: datetime) -> TokenHolder:
    """Say who holds a token, else TokenRefused; `now` is real time."""
    if claims.get("iss") != terms.issuer:
        raise TokenRefused(TokenFault.ISSUER)
    if terms.audience not in listed(claims.get("aud"), separated=False):
        raise TokenRefused(TokenFault.AUDIENCE)
    if claims.keys() & _OF_ID_TOKENS or str(claims.get("typ")).lower() in _OTHER_KINDS:
        raise TokenRefused(TokenFault.ID_TOKEN)
    judge_times(claims, now=now, leeway=terms.leeway, longest_life=terms.longest_life)
    scopes = None if terms.scope_claim is None else listed(_claim(claims, terms.scope_claim))
    said = who_it_names(claims, agency_claim=terms.agency_claim, roles_claim=terms.roles_claim)
    return TokenHolder(terms.issuer, *said, scopes, _certificate(claims.get("cnf")))


def who_it_names(claims: Mapping[str, Any], *, agency_claim: str, roles_claim: str) -> tuple[str, str, frozenset[Role]]:
    """Read the subject, the agency and the roles that claims name, else TokenRefused; other roles are passed over."""
    subject, agency = claims.get("sub"), _claim(claims, agency_claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise TokenRefused(TokenFault.SUBJECT)
    if not isinstance(agency, str) or not IDENTIFIER.fullmatch(agency):
        raise TokenRefused(TokenFault.AGENCY)
    roles = frozenset(Role) & listed(_claim(claims, roles_claim))
    if not roles:
        raise TokenRefused(TokenFault.ROLES)
    return subject, agency, frozenset(map(Role, roles))


def judge_times(claims: Mapping[str, Any], *, now: datetime, leeway: timedelta, longest_life: timedelta) -> None:
    """See that a token counts now, and not for too long, else TokenRefused."""
    at, allowed = now.timestamp(), leeway.total_seconds()
    expires, issued, not_before = (_time(claims.get("exp")), _time(claims.get("iat")), _time(claims.get("nbf", 0)))
    if expires - issued > longest_life.total_seconds():
        raise TokenRefused(TokenFault.TIMES)
    if at >= expires + allowed:
        raise TokenRefused(TokenFault.EXPIRED)
    if max(issued, not_before) > at + allowed:
        raise TokenRefused(TokenFault.TOO_EARLY)


def _time(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise TokenRefused(TokenFault.TIMES)


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Give a claim by its name, or by a JSON Pointer, as /realm_access/roles."""
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for part in name[1:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def listed(value: Any, *, separated: bool = True) -> frozenset[str]:
    """Read a list of words, or one text that holds them, with spaces between unless it is one (not `separated`)."""
    if isinstance(value, str):
        return frozenset(value.split(" ") if separated else [value])
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _certificate(confirmation: Any) -> str | None:
    """Read what the token is bound to; a way of binding that cannot be checked here is refused (RFC 7800, 3.1)."""
    if confirmation is None:
        return None
    if isinstance(confirmation, Mapping) and confirmation.keys() == {"x5t#S256"}:
        thumbprint = confirmation["x5t#S256"]
        if isinstance(thumbprint, str):
            return thumbprint
    raise TokenRefused(TokenFault.CERTIFICATE)
