import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from app.domain.webhook import (
    Scheme,
    SecretInvalid,
    body_of,
    headers_of,
    new_secret,
    public_key_of,
    raw_public_key,
    sign,
)

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "webhook_signatures.json").read_text()
)
SENT_AT = datetime(2025, 3, 4, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_published_vectors_are_met(vector: dict[str, Any]) -> None:
    secret = vector.get("secret") or f"whsk_{vector['key_b64']}"

    signature = sign(vector["id"], vector["timestamp"], vector["body"].encode(), [secret])

    assert signature == vector["signature"]


@given(body=st.text(), message_id=st.text("abc-123", min_size=1), key=st.binary(min_size=24, max_size=64))
def test_the_reference_library_makes_the_same_signature(body: str, message_id: str, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()

    signature = sign(message_id, int(SENT_AT.timestamp()), body.encode(), [secret])

    assert signature == Webhook(secret).sign(message_id, SENT_AT, body)


def test_the_reference_library_accepts_what_is_sent() -> None:
    secret, now = new_secret(), datetime.now(UTC)  # noqa: TID251 - the library compares with the real clock
    body = body_of("handoff.offered", now, {"handoff_id": "1", "name": "é"})

    headers = headers_of("message", now, body, [secret])

    assert Webhook(secret).verify(body, headers)["data"] == {"handoff_id": "1", "name": "é"}


def test_several_secrets_sign_at_once_and_each_is_enough() -> None:
    old, new = new_secret(), new_secret()
    now = datetime.now(UTC)  # noqa: TID251 - the library compares with the real clock

    headers = headers_of("message", now, b"{}", [old, new])

    assert headers["webhook-signature"].count("v1,") == 2
    assert Webhook(old).verify(b"{}", headers) == Webhook(new).verify(b"{}", headers) == {}


def test_an_ed25519_signature_is_verified_by_the_public_key_alone() -> None:
    key = Ed25519PrivateKey.generate()
    secret = "whsk_" + base64.b64encode(key.private_bytes_raw()).decode()

    version, signature = sign("message", 1, b"{}", [secret]).split(",")

    assert version == "v1a"
    key.public_key().verify(base64.b64decode(signature), b"message.1.{}")


def test_a_body_is_thin_and_the_same_in_every_attempt() -> None:
    occurred_at = datetime(2025, 3, 4, 17, 0, tzinfo=timezone(timedelta(hours=8)))

    body = body_of("handoff.offered", occurred_at, {"sequence": 1, "handoff_id": "7"})

    assert body == (
        b'{"data":{"handoff_id":"7","sequence":1},"timestamp":"2025-03-04T09:00:00.000000Z","type":"handoff.offered"}'
    )
    assert body == body_of("handoff.offered", SENT_AT, {"handoff_id": "7", "sequence": 1})


def test_an_event_without_an_offset_has_no_body() -> None:
    with pytest.raises(ValueError, match="offset"):
        body_of("handoff.offered", datetime(2025, 3, 4), {})  # noqa: DTZ001


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + "A" * 88,
        "whsec_not base64!",
        "whsk_c2hvcnQ=",
        "whpk_" + base64.b64encode(bytes(32)).decode(),
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_what_is_no_secret_signs_nothing_and_is_never_shown(secret: str) -> None:
    with pytest.raises(SecretInvalid) as raised:
        sign("message", 1, b"{}", [secret])

    assert not secret or secret not in str(raised.value)


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(SecretInvalid):
        sign("message", 1, b"{}", [])


def test_new_secrets_differ_and_have_32_bytes() -> None:
    secrets = {new_secret() for _ in range(10)}

    assert len(secrets) == 10
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}


def test_a_new_ed25519_secret_signs_what_its_public_key_verifies() -> None:
    secret = new_secret(Scheme.ED25519)
    public = public_key_of(secret)

    _, signature = sign("message", 1, b"{}", [secret]).split(",")

    assert secret.startswith("whsk_")
    assert public is not None
    assert public.startswith("whpk_")
    Ed25519PublicKey.from_public_bytes(raw_public_key(public)).verify(base64.b64decode(signature), b"message.1.{}")
    assert public_key_of(new_secret()) is None
