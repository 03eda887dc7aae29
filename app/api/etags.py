"""ETags from version numbers, and what If-Match says of them."""

import re
from typing import Annotated

from fastapi import Depends, Request

from app.api.refusals import BadParameter
from app.domain.errors import PreconditionRequired
from app.domain.versions import Expected

_TAG = re.compile(r'\s*(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|\Z)')
_OURS = re.compile(r"v([1-9][0-9]{0,18})\Z")


def etag(version: int) -> str:
    """Write the strong ETag of a version."""
    return f'"v{version}"'


async def expected(request: Request) -> Expected:
    """Read If-Match: PreconditionRequired without it, BadParameter if it is no list of tags."""
    given = ",".join(request.headers.getlist("if-match")).strip()
    if not given:
        raise PreconditionRequired
    if given == "*":
        return Expected(None)
    return Expected(frozenset(_versions(given)))


def _versions(given: str) -> set[int]:
    versions: set[int] = set()
    place = _past_nothing(given, 0)
    if place == len(given):
        raise BadParameter("If-Match")
    while place < len(given):
        found = _TAG.match(given, place)
        if found is None:
            raise BadParameter("If-Match")
        # A weak tag, or one that is not ours, is a version that nothing here has.
        if found["weak"] is None and (ours := _OURS.match(found["opaque"])):
            versions.add(int(ours[1]))
        place = _past_nothing(given, found.end())
    return versions


def _past_nothing(given: str, place: int) -> int:
    """Skip the empty elements that a list may hold (RFC 9110, 5.6.1)."""
    while place < len(given) and given[place] in " \t,":
        place += 1
    return place


async def expected_if_given(request: Request) -> Expected | None:
    """Read If-Match where there is one; BadParameter also if it says nothing."""
    if "if-match" not in request.headers:
        return None
    try:
        return await expected(request)
    except PreconditionRequired:
        raise BadParameter("If-Match") from None


IfMatch = Annotated[Expected, Depends(expected)]
MaybeIfMatch = Annotated[Expected | None, Depends(expected_if_given)]
