"""The keys by which an issuer's tokens are verified, read from its key set.

Sources: RFC 7517 (JSON Web Key), RFC 7518 (RSA and EC keys), RFC 8037 (Ed25519).
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

PublicKey = RSAKey | ECKey | OKPKey

KINDS: Mapping[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
"""Kinds of keys of which a part is public. A secret in a key set (`oct`) verifies nothing."""
PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y"})
SMALLEST_RSA, LARGEST_RSA = 2048, 8192
MOST_KEYS = 100
LONGEST_KID = 255


class KeySetUnreadable(Exception):
    """It is no key set."""


def read_key_set(content: bytes) -> dict[str, PublicKey]:
    """Read a JSON Web Key Set: the keys that may verify signatures, by their `kid`, else KeySetUnreadable.

    What cannot be used is left out: keys for encryption, without a `kid`, of kinds or sizes that are not taken. Of a
    key that is given with its private part only the public one is read.
    """
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise KeySetUnreadable from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise KeySetUnreadable
    keys: dict[str, PublicKey] = {}
    for one in listed:
        kid = one.get("kid") if isinstance(one, dict) else None
        if isinstance(kid, str) and 0 < len(kid) <= LONGEST_KID and (key := _key(one)) is not None:
            keys.setdefault(kid, key)
    return keys


def _key(written: Mapping[str, Any]) -> PublicKey | None:
    kind = KINDS.get(str(written.get("kty")))
    operations = written.get("key_ops", ["verify"])
    if kind is None or written.get("use", "sig") != "sig":
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    parts = {name: value for name, value in written.items() if name in PUBLIC}
    if isinstance(algorithm := written.get("alg"), str):
        parts["alg"] = algorithm
    try:
        if kind is RSAKey and not SMALLEST_RSA <= _bits(parts["n"]) <= LARGEST_RSA:
            return None
        return kind.import_key(parts)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        return None


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{number}==")).bit_length()
