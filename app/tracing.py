"""Traces, where the operator asks for them: what led to what, told by ids and codes alone.

Off, a span is nothing and costs next to nothing; on, it is told by `app/otlp.py`. What an exception says is kept out of
spans: its message may hold anything.
"""

import re
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Literal, Protocol
from uuid import UUID

ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "lintas.attempt",
        "lintas.clock",
        "lintas.delivery_id",
        "lintas.endpoint_id",
        "lintas.event_id",
        "lintas.event_type",
        "lintas.outcome",
        "lintas.referral_id",
        "lintas.request_id",
    }
)
"""All that a span may say; a name that is not here is a mistake in the code."""

TRACEPARENT = re.compile(r"00-(?=[0-9]*[a-f])([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})\Z")
"""W3C Trace Context, 3.2. An id of digits alone could be a citizen's number that somebody put there."""

Kind = Literal["server", "client", "internal"]
Plain = str | int | UUID | Enum | None


class Span:
    """One thing that is done, while it is done; this one is told nobody."""

    trace_id: str | None = None
    traceparent: str | None = None
    """By which others tell theirs to be of the same trace."""

    def name(self, name: str) -> None:
        """Name it, once it is known what it is."""

    def say(self, **attributes: Plain) -> None:
        """Say more of it; `__` in a name stands for a dot, and None says nothing."""

    def fail(self) -> None:
        """Mark it as failed."""


class Teller(Protocol):
    """Tells spans to whoever collects them."""

    def span(
        self, name: str, kind: Kind, parent: str | None, attributes: dict[str, Plain]
    ) -> AbstractContextManager[Span]:
        """Begin a span that ends with the block."""

    def traceparent(self) -> str | None:
        """Give the traceparent of what runs now."""


class _Told:
    """By whom this process tells its spans, if by anybody."""

    by: Teller | None = None


_NOTHING = nullcontext(Span())


def tell_by(teller: Teller | None) -> None:
    """Tell every span by this one from now on; None tells nobody."""
    _Told.by = teller


def is_on() -> bool:
    """Say whether this process traces."""
    return _Told.by is not None


def span(
    name: str, kind: Kind = "internal", *, parent: str | None = None, **attributes: Plain
) -> AbstractContextManager[Span]:
    """Tell of what is done within; `parent` is the traceparent of what led to it, where that is not what runs now."""
    return _NOTHING if _Told.by is None else _Told.by.span(name, kind, parent, attributes)


def traceparent() -> str | None:
    """Give the traceparent of what runs now; None where nothing is traced."""
    return None if _Told.by is None else _Told.by.traceparent()


def is_traceparent(text: str) -> bool:
    """Say whether a caller's traceparent can be gone on from."""
    return TRACEPARENT.match(text) is not None


def plain(name: str, value: Plain) -> tuple[str, str | int]:
    """Write an attribute as it is told: AssertionError for one that no span may say."""
    name = name.replace("__", ".")
    if name not in ATTRIBUTES:
        raise AssertionError(f"a span may not say {name}")
    if isinstance(value, Enum):
        value = value.value
    return name, value if isinstance(value, int) else str(value)
