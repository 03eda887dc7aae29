"""The erasure ledger: one line for each erasure, in a file that no database and no backup of one can take back."""

import fcntl
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from app.domain.rights import Erasure, ErasureCause, LedgerUnavailable
from app.storage.sealing import KeyRing

PURPOSE = "erasure-ledger"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that was cut short or is no entry; the number counts from one."""

    line: int


@dataclass(frozen=True, slots=True)
class Forged:
    """An entry whose digest nobody with this key ring made."""

    line: int


def digest(key_ring: KeyRing, erasure: Erasure) -> str:
    """Give the digest by which an entry is known to be ours."""
    return key_ring.hash(PURPOSE, erasure.vouched_for).hex()


def append(path: Path, key_ring: KeyRing, erasure: Erasure) -> None:
    """Write an entry at the end of the ledger, to last; LedgerUnavailable if it cannot be.

    Any number of processes may write to it. What another left half written when it died is ended first.
    """
    line = orjson.dumps(erasure.written(digest(key_ring, erasure)), option=orjson.OPT_APPEND_NEWLINE)
    try:
        is_new = not path.exists()
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            cut_short = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            whole = b"\n" + line if cut_short else line
            in_whole = os.write(file.fileno(), whole) == len(whole)
            os.fsync(file.fileno())
        if is_new:
            _keep_folder(path.parent)
    except OSError:
        raise LedgerUnavailable from None
    if not in_whole:
        raise LedgerUnavailable


def read(lines: Iterable[bytes], key_ring: KeyRing) -> Iterator[Erasure | Unreadable | Forged]:
    """Read the entries of a ledger, or of a log in which they stand among other lines."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            if line.lstrip().startswith(b"{"):
                yield Unreadable(number)
            continue
        if not isinstance(said, dict) or said.get("event") != "erasure":
            continue
        try:
            erasure = Erasure(
                UUID(said["erasure_id"]),
                UUID(said["referral_id"]),
                datetime.fromisoformat(said["at"]),
                ErasureCause(said["cause"]),
            )
            given = str(said["digest"])
        except (KeyError, ValueError, TypeError, AttributeError):
            yield Unreadable(number)
            continue
        ours = hmac.compare_digest(given.encode(), digest(key_ring, erasure).encode())
        yield erasure if ours else Forged(number)


def _keep_folder(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
