"""The key or token in a request, read in one way by all who ask for it."""

import re
from collections.abc import Iterable

LONGEST = 500
LONGEST_TOKEN = 8 * 1024
"""An issuer that writes more into a token puts there what does not belong into it."""
_BEARER = re.compile(rb"[ \t]*bearer[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*", re.IGNORECASE)


def secret_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Give the secret of the one Authorization header; None if there is none, or more, or it is no bearer's."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or len(given[0]) > 2 * LONGEST_TOKEN:
        return None
    found = _BEARER.fullmatch(given[0])
    secret = found[1].decode() if found else ""
    return secret if 0 < len(secret) <= (LONGEST_TOKEN if is_token(secret) else LONGEST) else None


def is_token(secret: str) -> bool:
    """Say whether this has the three parts of a signed token, which no key has."""
    return secret.count(".") == 2
