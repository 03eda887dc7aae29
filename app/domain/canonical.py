"""One way to write a value as bytes, so that equal values have equal digests."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import orjson


def canonical_bytes(value: Mapping[str, object]) -> bytes:
    """Write a JSON-able mapping as UTF-8 with sorted keys and no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return sha256(content).hexdigest()
