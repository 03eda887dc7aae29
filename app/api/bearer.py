"""The key in a request, read in one way by all who ask for it."""

import re
from collections.abc import Iterable

LONGEST = 500
_BEARER = re.compile(rb"[ \t]*bearer[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*", re.IGNORECASE)


def secret_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Give the secret of the one Authorization header; None if there is none, or more, or it is no bearer's."""
    given = [value for name, value in headers if name == b"authorization"]
    found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    return found[1].decode() if found and len(found[1]) <= LONGEST else None
