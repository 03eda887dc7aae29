"""How a route says that it is deprecated: by one declaration, from which all else follows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, TypeVar

DECLARED = "deprecation"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when a route is deprecated, when it ends, and where to read what takes its place."""

    since: datetime
    sunset: datetime | None = None
    """In UTC, and never before `since` (RFC 9745, 5)."""
    read: str | None = None
    """An address, of a page or a part of this service."""

    def __post_init__(self) -> None:
        """Refuse an end before the beginning; ValueError."""
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("a route ends after it is deprecated, not before")

    def headers(self) -> dict[str, str]:
        """Write the headers: Deprecation (RFC 9745), Sunset (RFC 8594) and Link."""
        told = {"Deprecation": f"@{int(self.since.timestamp())}"}
        if self.sunset is not None:
            told["Sunset"] = format_datetime(self.sunset, usegmt=True)
        if self.read is not None:
            told["Link"] = f'<{self.read}>; rel="deprecation"'
        return told


def deprecated(said: Deprecation) -> Callable[[Endpoint], Endpoint]:
    """Declare a route deprecated; stands below the router's own decorator."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, DECLARED, said)
        return endpoint

    return declare


def declared(endpoint: Callable[..., Any]) -> Deprecation | None:
    """Read what was declared of a route; None where it is not deprecated."""
    found: Deprecation | None = getattr(endpoint, DECLARED, None)
    return found
