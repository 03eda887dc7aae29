"""The headers an agency adds to its own webhooks: which names and values may stand in a request beside ours."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.errors import Fault

MOST = 10
LONGEST_NAME = 64
LONGEST_VALUE = 2000
MOST_CHARACTERS = 8000
"""Of all names and values together: a request's head has at most 8 KiB on many servers."""

# Underscores and other marks that a name may hold are dropped, or joined with others, by common servers.
NAME = "^[A-Za-z][A-Za-z0-9-]*$"
VALUE = "^[!-~]([ -~]*[!-~])?$"
_NAME, _VALUE = re.compile(NAME[1:-1]), re.compile(VALUE[1:-1])

FORBIDDEN = frozenset(
    {
        # what frames the request, or belongs to one hop of it (RFC 9110, 7.6.1; RFC 9112)
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"),
        *("expect", "via", "forwarded", "max-forwards", "http2-settings"),
        # what the body is, and what may come back
        *("content-type", "content-encoding", "content-range", "accept-encoding", "range"),
        # who we are
        *("user-agent", "date", "origin", "referer"),
        # by these cloud machines know that a request for their credentials is meant
        *("metadata", "metadata-flavor"),
    }
)
FORBIDDEN_BEGINNINGS = ("webhook-", "proxy-", "sec-", "access-control-", "x-forwarded-", "x-aws-ec2-metadata-")


@dataclass(frozen=True, slots=True)
class OwnHeader:
    """One header that an agency wants on its webhooks; the value may be a secret."""

    name: str
    value: str = field(repr=False)


def faults_of(headers: Sequence[OwnHeader]) -> Iterator[Fault]:
    """List what keeps headers from being sent; none of it repeats a name or a value."""
    if len(headers) > MOST:
        yield Fault("/headers", "too_many", f"there are at most {MOST} own headers")
        return
    if sum(len(header.name) + len(header.value) for header in headers) > MOST_CHARACTERS:
        yield Fault("/headers", "headers_too_long", f"names and values have at most {MOST_CHARACTERS} characters")
    seen: set[str] = set()
    for place, header in enumerate(headers):
        name = header.name.lower()
        if not _NAME.fullmatch(header.name) or len(name) > LONGEST_NAME:
            yield Fault(f"/headers/{place}/name", "header_name", "letters, digits and hyphens, a letter first")
        elif name in FORBIDDEN or name.startswith(FORBIDDEN_BEGINNINGS):
            yield Fault(f"/headers/{place}/name", "header_reserved", "this header is not for an agency to set")
        elif name in seen:
            yield Fault(f"/headers/{place}/name", "twice", "this header is there twice")
        seen.add(name)
        if not _VALUE.fullmatch(header.value) or len(header.value) > LONGEST_VALUE:
            yield Fault(f"/headers/{place}/value", "header_value", "printable ASCII, without spaces at its ends")
