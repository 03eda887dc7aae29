"""The sealing of personal data: a data key for each referral, what is sealed by the ring itself, keyed hashes."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.storage.key_sources import read_ring_file
from app.storage.ring_keys import KEY_LENGTH, HeldKeys, KeyRingInvalid, RingKeys, SealBroken, decrypt, encrypt

__all__ = ["DataKey", "KeyRing", "KeyRingInvalid", "SealBroken", "sealed_under"]

DATA_KEY = "data-key"
_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Seals and opens by the keys of a ring: the active one wraps what is new, the others still open."""

    keys: RingKeys = field(repr=False)

    @classmethod
    def generate(cls, key_id: str) -> "KeyRing":
        """Make a ring with one fresh key."""
        return cls(HeldKeys.generate(key_id))

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read a ring from its JSON."""
        return cls(HeldKeys.parse(text))

    @classmethod
    def read(cls, path: Path) -> "KeyRing":
        """Read a ring from a file."""
        return cls(HeldKeys.parse(read_ring_file(path)))

    def write(self, path: Path) -> None:
        """Write the ring to a new file; KeyRingInvalid where its keys are not in this process's hands."""
        if not isinstance(self.keys, HeldKeys):
            raise KeyRingInvalid("the keys of this ring lie elsewhere and cannot be written")
        self.keys.write(path)

    @property
    def active(self) -> str:
        """Give the id of the key that wraps what is new."""
        return self.keys.active

    @property
    def ids(self) -> frozenset[str]:
        """Give the ids of all keys."""
        return self.keys.ids

    def holds(self, key_id: str) -> bool:
        """Say whether what was wrapped under this key can be opened."""
        return key_id in self.keys.ids

    def seal(self, purpose: str, subject: str, plain: bytes) -> bytes:
        """Seal bytes that belong to no referral, bound to what they are and whose."""
        key_id = self.active.encode()
        return bytes([len(key_id)]) + key_id + self.keys.wrap(purpose, f"{purpose}|{subject}".encode(), plain)

    def open(self, purpose: str, subject: str, sealed: bytes, *, formerly: str | None = None) -> bytes:
        """Open what `seal` sealed for the same purpose and subject, else SealBroken.

        `formerly` is the subject that older versions sealed the same for.
        """
        key_id = sealed_under(sealed)
        wrapped = sealed[1 + sealed[0] :]
        try:
            return self.keys.unwrap(key_id, purpose, f"{purpose}|{subject}".encode(), wrapped)
        except SealBroken:
            if formerly is None:
                raise
        return self.keys.unwrap(key_id, purpose, f"{purpose}|{formerly}".encode(), wrapped)

    def hash(self, purpose: str, plain: bytes) -> bytes:
        """Hash under a key, so that equal values are found and nobody without the ring can try guesses."""
        return self.keys.mac(purpose, plain)

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """Give the key that signs for a purpose. It stays the same for as long as the ring's hash key does."""
        return self.keys.signing_key(purpose)

    def check_value(self, key_id: str) -> bytes:
        """Give the value by which a key of the ring, or its hash key, is known again."""
        return self.keys.check_value(key_id)

    def new_data_key(self, referral_id: UUID) -> "DataKey":
        """Make a referral's own key, wrapped under the active key of the ring."""
        return self._wrapped(referral_id, os.urandom(KEY_LENGTH))

    def unwrap(self, referral_id: UUID, key_id: str, wrapped: bytes) -> "DataKey":
        """Open a referral's data key, else SealBroken."""
        secret = self.keys.unwrap(key_id, DATA_KEY, referral_id.bytes, wrapped)
        return DataKey(referral_id, key_id, wrapped, secret)

    def rewrap(self, referral_id: UUID, key_id: str, wrapped: bytes) -> "DataKey":
        """Wrap a referral's data key under the active key, whichever wrapped it before, else SealBroken."""
        return self._wrapped(referral_id, self.keys.unwrap(key_id, DATA_KEY, referral_id.bytes, wrapped))

    def _wrapped(self, referral_id: UUID, secret: bytes) -> "DataKey":
        return DataKey(referral_id, self.active, self.keys.wrap(DATA_KEY, referral_id.bytes, secret), secret)


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key that seals one referral's personal fields."""

    referral_id: UUID
    ring_key_id: str
    wrapped: bytes
    _secret: bytes = field(repr=False)
    _cipher: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make ready, once, what all fields are sealed by."""
        object.__setattr__(self, "_cipher", AESGCM(self._secret))

    def seal(self, field_name: str, value: Any) -> bytes:
        """Seal a JSON value; it opens for this referral and this field alone."""
        return encrypt(self._cipher, self._place(field_name), _JSON.encode(value).encode())

    def open(self, field_name: str, sealed: bytes) -> Any:
        """Open a field's value, else SealBroken."""
        return json.loads(decrypt(self._cipher, self._place(field_name), sealed))

    def _place(self, field_name: str) -> bytes:
        return self.referral_id.bytes + field_name.encode()


def sealed_under(sealed: bytes) -> str:
    """Give the id of the ring's key that bytes were sealed under, as they say themselves; else SealBroken."""
    length = sealed[0] if sealed else 0
    if not length or len(sealed) <= length:
        raise SealBroken("this is not a sealed value")
    return sealed[1 : 1 + length].decode(errors="replace")
