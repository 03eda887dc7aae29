"""Lists, page by page: a cursor says where the last page ended, so a page costs the same wherever it lies."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, overload

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.api.refusals import BadParameter
from app.api.validation import fault

LARGEST = 200
USUAL = 50
CURSOR = "after"
LARGEST_NUMBER = 2**63 - 1
DIGITS = re.compile(r"[0-9]{1,9}\Z")
NOT_FILTERS = frozenset({CURSOR, "limit", "done"})

View = TypeVar("View", bound=BaseModel)
Row = TypeVar("Row")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Page(BaseModel, Generic[View]):
    """A page of a list, and the cursor of the next one; null where the list ends."""

    model_config = ConfigDict(frozen=True)

    items: list[View]
    next: str | None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for."""

    limit: int
    cursor: str | None
    request: Request
    response: Response

    @property
    def look_ahead(self) -> int:
        """How many rows to ask the database for: one more than the page holds says whether there is another."""
        return self.limit + 1

    @overload
    def after(self, first: Callable[[Any], A], /) -> tuple[A] | None: ...
    @overload
    def after(self, first: Callable[[Any], A], second: Callable[[Any], B], /) -> tuple[A, B] | None: ...
    @overload
    def after(
        self, first: Callable[[Any], A], second: Callable[[Any], B], third: Callable[[Any], C], /
    ) -> tuple[A, B, C] | None: ...
    def after(self, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
        """Give the place where the last page ended, each part read by its kind; None for the first page."""
        if self.cursor is None:
            return None
        try:
            bound, *parts = orjson.loads(base64.b64decode(_padded(self.cursor), altchars=b"-_", validate=True))
            if bound != self._binding() or len(parts) != len(kinds):
                raise BadParameter(CURSOR, "malformed_cursor")
            return tuple(_part(kind, part) for kind, part in zip(kinds, parts, strict=True))
        except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError):
            raise BadParameter(CURSOR, "malformed_cursor") from None

    def page(
        self, rows: Sequence[Row], view: Callable[[Row], View], place: Callable[[Row], tuple[Any, ...]]
    ) -> Page[View]:
        """Make a page of up to `look_ahead` rows; `place` gives the parts that `after` reads."""
        return self._linked([view(row) for row in rows[: self.limit]], self.following(rows, place))

    def following(self, rows: Sequence[Row], place: Callable[[Row], tuple[Any, ...]]) -> str | None:
        """Give the cursor of the page after up to `look_ahead` rows; None where the list ends with them."""
        return self._cursor(place(rows[self.limit - 1])) if len(rows) > self.limit else None

    def feed(
        self, rows: Sequence[Row], view: Callable[[Row], View], place: Callable[[Row], tuple[Any, ...]]
    ) -> Page[View]:
        """Make a page of a feed that grows: once anything was there, `next` says where to go on later."""
        shown = rows[: self.limit]
        following = self._cursor(place(shown[-1])) if shown else self.cursor
        return self._linked([view(row) for row in shown], following)

    def _linked(self, items: list[View], following: str | None) -> Page[View]:
        if following is not None:
            url = self.request.url.include_query_params(**{CURSOR: following, "limit": self.limit})
            self.response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return Page[View](items=items, next=following)

    def _cursor(self, place: tuple[Any, ...]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self._binding(), *place], default=str)).rstrip(b"=").decode()

    def _binding(self) -> str:
        """Bind a cursor to its list and its filters."""
        filters = sorted(pair for pair in self.request.query_params.multi_items() if pair[0] not in NOT_FILTERS)
        said = orjson.dumps([self.request.url.path, filters])
        return hashlib.sha256(said).hexdigest()[:12]


def _part(kind: Callable[[Any], Any], part: Any) -> Any:
    """Read a part of a cursor as what it was written from, and as nothing else that could be made into it."""
    if kind is int:
        if type(part) is not int or not -LARGEST_NUMBER <= part <= LARGEST_NUMBER:
            raise ValueError("no number of the database")
    elif not isinstance(part, str) or "\0" in part:
        raise ValueError("no text of the database")
    read = kind(part)
    if isinstance(read, datetime):
        if read.tzinfo is None:
            raise ValueError("no moment of the database")
        # OverflowError for a moment before the first year or after the last: the database has none of those.
        return read.astimezone(UTC)
    return read


_Limit = Annotated[int, Field(ge=1, le=LARGEST)]


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not DIGITS.match(value):
        raise fault("whole_number_required")
    return value


def _padded(cursor: str) -> bytes:
    return cursor.encode("ascii") + b"=" * (-len(cursor) % 4)


async def paging(
    request: Request,
    response: Response,
    limit: Annotated[_Limit, BeforeValidator(_digits), Query(description="How many to give.")] = USUAL,
    after: Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")] = None,
) -> Paging:
    """Read which page is asked for."""
    return Paging(limit, after or None, request, response)


PageAsked = Annotated[Paging, Depends(paging)]
