"""What an ID token must say so that somebody is signed in, once its signature has been found good.

Sources: OpenID Connect Core 1.0, 3.1.3.7 (ID token validation), RFC 8725 (best current practice).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from app.domain.access_token import (
    LONGEST_SUBJECT,
    TokenFault,
    TokenHolder,
    TokenRefused,
    judge_times,
    listed,
    who_it_names,
)

TYPES = frozenset({None, "jwt"})
"""What the header's `typ` may be. An access token says that it is one (RFC 9068), and is none of these."""
NAMES = ("name", "preferred_username")
"""The claims that say how somebody is called, the better one first."""


class OtherSignIn(Exception):
    """The token is good, and answers another sign-in than this one."""


@dataclass(frozen=True, slots=True)
class SignInTerms:
    """Whose ID tokens count, as the operator has settled it."""

    issuer: str
    client_id: str
    algorithms: frozenset[str]
    agency_claim: str
    roles_claim: str
    leeway: timedelta
    longest_life: timedelta


@dataclass(frozen=True, slots=True)
class Named:
    """Whom an ID token names."""

    holder: TokenHolder
    name: str
    """How the person is greeted."""


def judge_id_token(claims: Mapping[str, Any], terms: SignInTerms, *, nonce: str, now: datetime) -> Named:
    """Say whom an ID token names, else TokenRefused, or OtherSignIn where its nonce is not the one that was asked for.

    `now` is real time.
    """
    if claims.get("iss") != terms.issuer:
        raise TokenRefused(TokenFault.ISSUER)
    audience = listed(claims.get("aud"), separated=False)
    # One that is for others too could have been shown to us by any of them.
    if audience != {terms.client_id} or claims.get("azp", terms.client_id) != terms.client_id:
        raise TokenRefused(TokenFault.AUDIENCE)
    judge_times(claims, now=now, leeway=terms.leeway, longest_life=terms.longest_life)
    said = claims.get("nonce")
    if not isinstance(said, str) or not compare_digest(said.encode(), nonce.encode()):
        raise OtherSignIn
    subject, agency, roles = who_it_names(claims, agency_claim=terms.agency_claim, roles_claim=terms.roles_claim)
    return Named(TokenHolder(terms.issuer, subject, agency, roles, None, None), _name(claims) or subject)


def _name(claims: Mapping[str, Any]) -> str:
    names = (" ".join(said.split()) for name in NAMES if isinstance(said := claims.get(name), str))
    return next((name for name in names if 0 < len(name) <= LONGEST_SUBJECT and name.isprintable()), "")
