"""The webhook: the bytes that are posted and the Standard Webhooks headers that prove where they come from.

Source: the Standard Webhooks specification 1.0 (github.com/standard-webhooks), for both signature schemes.
"""

import base64
import binascii
import hmac
import secrets as chance
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.canonical import canonical_bytes

HMAC_PREFIX = "whsec_"
ED25519_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
_FEWEST, _NEW, _MOST = 24, 32, 64
"""Bytes of an HMAC secret: the least and the most that the specification allows, and what a new one has."""
_SEED = 32


class Scheme(StrEnum):
    """How a webhook is signed: by a secret that both sides hold, or a key whose public half the receiver has."""

    HMAC_SHA256 = "hmac_sha256"
    ED25519 = "ed25519"


class SecretInvalid(ValueError):
    """A signing secret is neither `whsec_` with 24 to 64 bytes nor `whsk_` with an ed25519 key; it is never shown."""


def new_secret(scheme: Scheme = Scheme.HMAC_SHA256) -> str:
    """Make a new secret of 32 random bytes: `whsec_` and base64 for HMAC, `whsk_` and base64 for ed25519."""
    prefix = ED25519_PREFIX if scheme is Scheme.ED25519 else HMAC_PREFIX
    return prefix + base64.b64encode(chance.token_bytes(_NEW)).decode()


def public_key_of(secret: str) -> str | None:
    """Give the public key of a `whsk_` secret, as `whpk_` and base64; an HMAC secret has none."""
    if not secret.startswith(ED25519_PREFIX):
        return None
    return PUBLIC_PREFIX + base64.b64encode(_private_key(secret).public_key().public_bytes_raw()).decode()


def raw_public_key(public_key: str) -> bytes:
    """Give the 32 bytes of a `whpk_` public key."""
    return _decoded(public_key, PUBLIC_PREFIX)


def body_of(event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> bytes:
    """Write an event as the thin JSON body {"data", "timestamp", "type"}: the same bytes in every attempt.

    The timestamp is RFC 3339 in UTC with microseconds; a time without an offset raises ValueError.
    """
    if occurred_at.utcoffset() is None:
        raise ValueError("an event needs a time with an offset")
    timestamp = occurred_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return canonical_bytes({"type": event_type, "timestamp": timestamp, "data": data})


def headers_of(message_id: str, sent_at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Give the three headers of one attempt, signed with every secret given; SecretInvalid where one cannot sign."""
    timestamp = int(sent_at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(message_id, timestamp, body, secrets),
    }


def sign(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> str:
    """Sign `id.timestamp.body` with each secret, the signatures separated by a space; the timestamp is Unix seconds.

    A `whsec_` secret gives `v1,` (HMAC-SHA256), a `whsk_` one gives `v1a,` (ed25519); others raise SecretInvalid.
    """
    if not secrets:
        raise SecretInvalid("a webhook needs a secret to be signed with")
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(secret, content) for secret in secrets)


def _signature(secret: str, content: bytes) -> str:
    if secret.startswith(ED25519_PREFIX):
        return "v1a," + base64.b64encode(_private_key(secret).sign(content)).decode()
    return "v1," + base64.b64encode(hmac.digest(_hmac_key(secret), content, "sha256")).decode()


def _hmac_key(secret: str) -> bytes:
    key = _decoded(secret, HMAC_PREFIX)
    if not _FEWEST <= len(key) <= _MOST:
        raise SecretInvalid(f"an HMAC secret has {_FEWEST} to {_MOST} bytes")
    return key


def _private_key(secret: str) -> Ed25519PrivateKey:
    key = _decoded(secret, ED25519_PREFIX)
    # Some libraries write the seed alone, others the seed with the public key behind it.
    if len(key) not in {_SEED, 2 * _SEED}:
        raise SecretInvalid("an ed25519 key has 32 bytes, or 64 with its public key")
    return Ed25519PrivateKey.from_private_bytes(key[:_SEED])


def _decoded(secret: str, prefix: str) -> bytes:
    if not secret.startswith(prefix):
        raise SecretInvalid(f"a signing secret begins with {HMAC_PREFIX} or {ED25519_PREFIX}")
    try:
        return base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raise SecretInvalid("a signing secret is base64 after its prefix") from None
