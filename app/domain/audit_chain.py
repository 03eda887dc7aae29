"""The chain over the audit: what an entry's bytes are, how batches are linked, and what is signed of it.

An entry is canonical JSON of its columns; one that is null is left out, so that a column added later changes nothing
of what was linked before. A segment's root is over its entries, its head over the head before it and the segment: who
knows one head knows everything before it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.domain.canonical import canonical_bytes

PUBLIC_PREFIX = "lapk_"
GENESIS = sha256(b"lintas audit").digest()
"""The head before the first segment."""

Place = tuple[int, UUID]
"""Where an entry stands: the transaction that wrote it, and its id."""
BEFORE_ALL: Place = (-1, UUID(int=0))


class PublicKeyInvalid(ValueError):
    """What was given is no public key of an audit."""


class Root:
    """Gathers a segment's entries into its root."""

    def __init__(self) -> None:
        self._digest = sha256()
        self.count = 0
        self.newest_at: datetime | None = None

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add the next entry, by its columns."""
        there = {name: value for name, value in entry.items() if value is not None}
        written = orjson.dumps(there, default=_uuid_said, option=orjson.OPT_SORT_KEYS)
        self._digest.update(len(written).to_bytes(4))
        self._digest.update(written)
        self.count += 1
        at = entry["at"]
        self.newest_at = at if self.newest_at is None or at > self.newest_at else self.newest_at

    def digest(self) -> bytes:
        """Give the root of what was added so far."""
        return self._digest.digest()


@dataclass(frozen=True, slots=True)
class Segment:
    """One link of the chain: a batch of entries, sealed with all that came before."""

    number: int
    count: int
    entries: int
    """How many entries the chain holds up to here."""
    last: Place
    newest_at: datetime
    root: bytes
    head: bytes
    linked_at: datetime
    signature: bytes

    @property
    def signed(self) -> "SignedHead":
        """Give what of this is said outside of the database."""
        return SignedHead(self.number, self.entries, self.head, self.linked_at, self.signature)

    def follows(self, head: bytes) -> bool:
        """Say whether this row is what was sealed, if this is the head before it."""
        return self.head == _head(head, self.number, self.count, self.entries, self.last, self.newest_at, self.root)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as it is said in the log, where the owner of the database cannot reach it: an anchor."""

    segment: int
    entries: int
    head: bytes
    linked_at: datetime
    signature: bytes

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Say whether the signature is that of this key over exactly this."""
        return _is_signed(key, self.signature, _head_said(self.segment, self.entries, self.head, self.linked_at))

    def to_log(self, key: Ed25519PublicKey) -> dict[str, Any]:
        """Give the fields of its line in the log."""
        return {
            "segment": self.segment,
            "entries": self.entries,
            "head": self.head.hex(),
            "linked_at": self.linked_at,
            "signature": base64.b64encode(self.signature).decode(),
            "key_id": key_id(key),
        }


@dataclass(frozen=True, slots=True)
class Drop:
    """The statement that the entries of all segments up to one were dropped when their time was over."""

    up_to: int
    dropped_at: datetime
    signature: bytes

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Say whether the signature is that of this key over exactly this."""
        return _is_signed(key, self.signature, _drop_said(self.up_to, self.dropped_at))


def link(before: Segment | None, root: Root, last: Place, *, linked_at: datetime, key: Ed25519PrivateKey) -> Segment:
    """Seal a batch of at least one entry as the next segment."""
    if root.newest_at is None:
        raise ValueError("a segment holds at least one entry")
    number = before.number + 1 if before else 1
    entries = (before.entries if before else 0) + root.count
    head = _head(before.head if before else GENESIS, number, root.count, entries, last, root.newest_at, root.digest())
    signature = key.sign(_head_said(number, entries, head, linked_at))
    return Segment(number, root.count, entries, last, root.newest_at, root.digest(), head, linked_at, signature)


def drop(up_to: int, *, dropped_at: datetime, key: Ed25519PrivateKey) -> Drop:
    """Sign that the entries of all segments up to this one were dropped."""
    return Drop(up_to, dropped_at, key.sign(_drop_said(up_to, dropped_at)))


def written_key(key: Ed25519PublicKey) -> str:
    """Write a public key as people pass it on."""
    return PUBLIC_PREFIX + base64.b64encode(key.public_bytes_raw()).decode()


def read_key(written: str) -> Ed25519PublicKey:
    """Read a public key, else PublicKeyInvalid."""
    try:
        if not written.startswith(PUBLIC_PREFIX):
            raise ValueError  # noqa: TRY301 - one refusal for all
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(written.removeprefix(PUBLIC_PREFIX), validate=True))
    except ValueError:
        raise PublicKeyInvalid(f"a public key is {PUBLIC_PREFIX} and 32 bytes in base64") from None


def key_id(key: Ed25519PublicKey) -> str:
    """Name a public key by the first half of its digest."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _head(before: bytes, number: int, count: int, entries: int, last: Place, newest_at: datetime, root: bytes) -> bytes:
    sealed = {
        "before": before.hex(),
        "count": count,
        "entries": entries,
        "last": [last[0], str(last[1])],
        "newest_at": _written(newest_at),
        "number": number,
        "root": root.hex(),
    }
    return sha256(canonical_bytes(sealed)).digest()


def _head_said(segment: int, entries: int, head: bytes, linked_at: datetime) -> bytes:
    said = {"entries": entries, "head": head.hex(), "linked_at": _written(linked_at), "segment": segment}
    return b"lintas audit head\n" + canonical_bytes(said)


def _drop_said(up_to: int, dropped_at: datetime) -> bytes:
    return b"lintas audit drop\n" + canonical_bytes({"dropped_at": _written(dropped_at), "up_to": up_to})


def _uuid_said(value: Any) -> str:
    """Write an id that the database's driver has a type of its own for."""
    if not isinstance(value, UUID):
        raise TypeError
    return str(value)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _is_signed(key: Ed25519PublicKey, signature: bytes, said: bytes) -> bool:
    try:
        key.verify(signature, said)
    except InvalidSignature:
        return False
    return True
