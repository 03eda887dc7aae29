"""The sealing of personal data: a key ring, a data key for each referral, AES-256-GCM throughout."""

import base64
import binascii
import hmac
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY = 32
_VERSION = b"\x01"


class KeyRingInvalid(Exception):
    """The key ring cannot be used; the sentence says why and never shows a key."""


class SealBroken(Exception):
    """A sealed value does not open where it lies: it was moved, changed, or sealed under another key."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that wrap data keys, by id; the active one wraps what is new, the others still open."""

    active: str
    _keys: dict[str, bytes] = field(repr=False)
    _hash_key: bytes = field(repr=False)
    _known: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False, compare=False)
    """The keys that were derived, by key and purpose."""

    @classmethod
    def generate(cls, key_id: str) -> "KeyRing":
        """Make a ring with one fresh key."""
        return cls(key_id, {key_id: os.urandom(_KEY)}, os.urandom(_KEY))

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read a ring from its JSON: {"active": id, "keys": {id: base64 of 32 bytes}, "hash_key": base64}."""
        try:
            body = json.loads(text)
            keys = {str(key_id): base64.b64decode(key, validate=True) for key_id, key in body["keys"].items()}
            active, hash_key = str(body["active"]), base64.b64decode(body["hash_key"], validate=True)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise KeyRingInvalid('the key ring is not JSON with "active", "keys" and "hash_key"') from None
        if active not in keys:
            raise KeyRingInvalid(f"the key ring's active key {active!r} is not among its keys")
        if any(len(key) != _KEY for key in (*keys.values(), hash_key)):
            raise KeyRingInvalid("every key of the key ring must be 32 bytes, in base64")
        return cls(active, keys, hash_key)

    @classmethod
    def read(cls, path: Path) -> "KeyRing":
        """Read a ring from a file."""
        try:
            return cls.parse(path.read_text())
        except OSError as error:
            raise KeyRingInvalid(f"the key ring file cannot be read: {error.strerror}") from None

    def write(self, path: Path) -> None:
        """Write the ring to a new file that its owner alone can read, whole or not at all, and to last."""
        body = {
            "active": self.active,
            "keys": {key_id: base64.b64encode(key).decode() for key_id, key in self._keys.items()},
            "hash_key": base64.b64encode(self._hash_key).decode(),
        }
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(body, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, leaves a ring alone that is there already.
        path.hardlink_to(draft)
        draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def holds(self, key_id: str) -> bool:
        """Say whether what was wrapped under this key can be opened."""
        return key_id in self._keys

    def seal(self, purpose: str, subject: str, plain: bytes) -> bytes:
        """Seal bytes that belong to no referral, bound to what they are and whose."""
        key_id = self.active.encode()
        sealed = _encrypt(self._derived(self.active, purpose), f"{purpose}|{subject}".encode(), plain)
        return bytes([len(key_id)]) + key_id + sealed

    def open(self, purpose: str, subject: str, sealed: bytes) -> bytes:
        """Open what `seal` sealed for the same purpose and subject, else SealBroken."""
        length = sealed[0] if sealed else 0
        key_id = sealed[1 : 1 + length].decode(errors="replace")
        if key_id not in self._keys:
            raise SealBroken("the key ring does not hold the key this was sealed under")
        return _decrypt(self._derived(key_id, purpose), f"{purpose}|{subject}".encode(), sealed[1 + length :])

    def hash(self, purpose: str, plain: bytes) -> bytes:
        """Hash under a key, so that equal values are found and nobody without the ring can try guesses."""
        return hmac.digest(self._hash_key, len(purpose).to_bytes(2) + purpose.encode() + plain, "sha256")

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """Give the key that signs for a purpose. It stays the same for as long as the ring's hash key does."""
        seed = HKDF(hashes.SHA256(), _KEY, salt=None, info=f"lintas sign {purpose}".encode()).derive(self._hash_key)
        return Ed25519PrivateKey.from_private_bytes(seed)

    def new_data_key(self, referral_id: UUID) -> "DataKey":
        """Make a referral's own key, wrapped under the active key of the ring."""
        secret = os.urandom(_KEY)
        wrapped = _encrypt(self._derived(self.active, "data-key"), referral_id.bytes, secret)
        return DataKey(referral_id, self.active, wrapped, secret)

    def unwrap(self, referral_id: UUID, key_id: str, wrapped: bytes) -> "DataKey":
        """Open a referral's data key, else SealBroken."""
        if key_id not in self._keys:
            raise SealBroken("the key ring does not hold the key this data key was wrapped under")
        secret = _decrypt(self._derived(key_id, "data-key"), referral_id.bytes, wrapped)
        return DataKey(referral_id, key_id, wrapped, secret)

    def _derived(self, key_id: str, purpose: str) -> bytes:
        derived = self._known.get((key_id, purpose))
        if derived is None:
            of_purpose = HKDF(hashes.SHA256(), _KEY, salt=None, info=f"lintas {purpose}".encode())
            derived = self._known[key_id, purpose] = of_purpose.derive(self._keys[key_id])
        return derived


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key that seals one referral's personal fields."""

    referral_id: UUID
    ring_key_id: str
    wrapped: bytes
    _secret: bytes = field(repr=False)

    def seal(self, field_name: str, value: Any) -> bytes:
        """Seal a JSON value; it opens for this referral and this field alone."""
        return _encrypt(self._secret, self._place(field_name), json.dumps(value, ensure_ascii=False).encode())

    def open(self, field_name: str, sealed: bytes) -> Any:
        """Open a field's value, else SealBroken."""
        return json.loads(_decrypt(self._secret, self._place(field_name), sealed))

    def _place(self, field_name: str) -> bytes:
        return self.referral_id.bytes + field_name.encode()


def _encrypt(key: bytes, place: bytes, plain: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, _VERSION + place)


def _decrypt(key: bytes, place: bytes, sealed: bytes) -> bytes:
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE:
        raise SealBroken("this is not a sealed value")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _VERSION + place)
    except InvalidTag:
        raise SealBroken("the value was moved, changed, or sealed under another key") from None
