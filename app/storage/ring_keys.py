"""The keys of a ring behind a port: who seals, hashes or signs asks it, and never sees a key of the ring."""

import base64
import binascii
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HASH_KEY = ""
"""Stands for the hash key where keys are named: no key of a ring has an empty id."""
KEY_LENGTH = 32
_NONCE = 12
_VERSION = b"\x01"
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z")


class KeyRingInvalid(Exception):
    """The key ring cannot be used; the sentence says why and never shows a key."""


class SealBroken(Exception):
    """A sealed value does not open where it lies: it was moved, changed, or sealed under another key."""


class RingKeys(Protocol):
    """What the service asks of the keys that seal: a ring held in memory, or anything that keeps its keys to itself.

    It is asked within requests and transactions, so it answers at once and from memory: what lies behind a network is
    fetched by a KeySource when the process starts.
    """

    @property
    def active(self) -> str:
        """Give the id of the key that wraps what is new."""

    @property
    def ids(self) -> frozenset[str]:
        """Give the ids of all keys that still unwrap."""

    def wrap(self, purpose: str, place: bytes, plain: bytes) -> bytes:
        """Wrap bytes under the active key, so that they unwrap for this purpose and this place alone."""

    def unwrap(self, key_id: str, purpose: str, place: bytes, wrapped: bytes) -> bytes:
        """Unwrap what one of the keys wrapped for the same purpose and place, else SealBroken."""

    def mac(self, purpose: str, plain: bytes) -> bytes:
        """Give 32 bytes that only who holds the hash key can work out."""

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """Give what signs for a purpose: the same for as long as the hash key is."""

    def check_value(self, key_id: str) -> bytes:
        """Give 32 bytes by which a key, or HASH_KEY, is known again, and from which nobody works it out."""


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """Ring keys in this process's memory: AES-256-GCM under a key that is derived for each purpose."""

    active: str
    _keys: Mapping[str, bytes] = field(repr=False)
    _hash_key: bytes = field(repr=False)
    _known: dict[tuple[str, str], AESGCM] = field(default_factory=dict, repr=False, compare=False)
    """The keys that were derived, by key and purpose, ready to encrypt."""

    @classmethod
    def generate(cls, key_id: str) -> "HeldKeys":
        """Make fresh keys: one that seals, and a hash key."""
        return cls._checked(key_id, {key_id: os.urandom(KEY_LENGTH)}, os.urandom(KEY_LENGTH))

    @classmethod
    def parse(cls, text: str) -> "HeldKeys":
        """Read keys from their JSON: {"active": id, "keys": {id: base64 of 32 bytes}, "hash_key": base64}."""
        try:
            body = json.loads(text)
            keys = {str(key_id): base64.b64decode(key, validate=True) for key_id, key in body["keys"].items()}
            active, hash_key = str(body["active"]), base64.b64decode(body["hash_key"], validate=True)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise KeyRingInvalid(
                'gantungan kunci bukan JSON dengan "active", "keys" dan "hash_key"\n'
                'the key ring is not JSON with "active", "keys" and "hash_key"'
            ) from None
        return cls._checked(active, keys, hash_key)

    @classmethod
    def _checked(cls, active: str, keys: Mapping[str, bytes], hash_key: bytes) -> "HeldKeys":
        if not all(map(_KEY_ID.match, keys)):
            raise KeyRingInvalid(
                "id kunci terdiri dari 1 sampai 64 huruf, angka, titik, titik dua, garis bawah atau tanda hubung\n"
                "the id of a key is 1 to 64 letters, digits, dots, colons, underscores or hyphens"
            )
        if active not in keys:
            raise KeyRingInvalid(
                f"kunci aktif {active!r} tidak ada di gantungan kunci\n"
                f"the key ring's active key {active!r} is not among its keys"
            )
        if any(len(key) != KEY_LENGTH for key in (*keys.values(), hash_key)):
            raise KeyRingInvalid(
                "setiap kunci di gantungan kunci harus 32 bita, dalam base64\n"
                "every key of the key ring must be 32 bytes, in base64"
            )
        return cls(active, keys, hash_key)

    def write(self, path: Path) -> None:
        """Write the keys to a new file that its owner alone can read, whole or not at all, and to last."""
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

    @property
    def ids(self) -> frozenset[str]:
        """Give the ids of all keys."""
        return frozenset(self._keys)

    def wrap(self, purpose: str, place: bytes, plain: bytes) -> bytes:
        """Wrap bytes under the active key."""
        return encrypt(self._derived(self.active, purpose), place, plain)

    def unwrap(self, key_id: str, purpose: str, place: bytes, wrapped: bytes) -> bytes:
        """Unwrap what a key wrapped for the same purpose and place, else SealBroken."""
        if key_id not in self._keys:
            raise SealBroken("the key ring does not hold the key this was sealed under")
        return decrypt(self._derived(key_id, purpose), place, wrapped)

    def mac(self, purpose: str, plain: bytes) -> bytes:
        """Hash under the hash key: HMAC-SHA-256."""
        return hmac.digest(self._hash_key, len(purpose).to_bytes(2) + purpose.encode() + plain, "sha256")

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """Derive what signs for a purpose from the hash key."""
        seed = HKDF(hashes.SHA256(), KEY_LENGTH, salt=None, info=f"lintas sign {purpose}".encode())
        return Ed25519PrivateKey.from_private_bytes(seed.derive(self._hash_key))

    def check_value(self, key_id: str) -> bytes:
        """Derive the value by which a key is known again."""
        key = self._hash_key if key_id == HASH_KEY else self._keys[key_id]
        return HKDF(hashes.SHA256(), KEY_LENGTH, salt=None, info=b"lintas check value").derive(key)

    def _derived(self, key_id: str, purpose: str) -> AESGCM:
        derived = self._known.get((key_id, purpose))
        if derived is None:
            of_purpose = HKDF(hashes.SHA256(), KEY_LENGTH, salt=None, info=f"lintas {purpose}".encode())
            derived = self._known[key_id, purpose] = AESGCM(of_purpose.derive(self._keys[key_id]))
        return derived


def encrypt(key: AESGCM, place: bytes, plain: bytes) -> bytes:
    """Encrypt with AES-256-GCM, bound to a place: version, nonce, ciphertext and tag."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + key.encrypt(nonce, plain, _VERSION + place)


def decrypt(key: AESGCM, place: bytes, sealed: bytes) -> bytes:
    """Decrypt what was encrypted under the same key for the same place, else SealBroken."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE:
        raise SealBroken("this is not a sealed value")
    try:
        return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _VERSION + place)
    except InvalidTag:
        raise SealBroken("the value was moved, changed, or sealed under another key") from None
