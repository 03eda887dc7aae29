"""Anchors: the signed heads that were said in the log, read back from whatever kept its lines."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.domain.audit_chain import SignedHead

EVENT = "audit_head"
_WRAPPED = ("log", "message", "MESSAGE", "msg")
"""Where collectors of logs put the line that they were given."""
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor and the line it stands in; None where the line names an anchor and cannot be read."""

    line: int
    said: SignedHead | None


def read_anchors(lines: Iterable[bytes]) -> Iterator[Anchor]:
    """Give the anchors among the lines of a log, one by one; lines of anything else are passed over."""
    name = EVENT.encode()
    for number, line in enumerate(lines, start=1):
        if name in line:
            found = _line_in(line)
            if found is None or found.get("event") == EVENT:
                yield Anchor(number, None if found is None else _head_in(found))


def _line_in(line: bytes | str) -> dict[str, Any] | None:
    """Give the log line of ours, taken out of what a collector wrapped it in."""
    found: Any = line
    for _ in range(_DEPTH):
        if isinstance(found, bytes | str):
            text = found if isinstance(found, bytes) else found.encode()
            try:
                found = orjson.loads(text[max(text.find(b"{"), 0) :])
            except orjson.JSONDecodeError:
                return None
        if not isinstance(found, dict):
            return None
        if "event" in found:
            return found
        found = next((found[name] for name in _WRAPPED if isinstance(found.get(name), str)), None)
    return None


def _head_in(found: dict[str, Any]) -> SignedHead | None:
    try:
        return SignedHead(
            segment=int(found["segment"]),
            entries=int(found["entries"]),
            head=bytes.fromhex(found["head"]),
            linked_at=datetime.fromisoformat(found["linked_at"]),
            signature=base64.b64decode(found["signature"], validate=True),
        )
    except (KeyError, TypeError, ValueError):
        return None
