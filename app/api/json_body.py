"""A request's body, read whole and strictly before anything else looks at it."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from app.api.faults import FIELD_NAME, MOST_FINDINGS, Finding, pointer
from app.api.refusals import BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedMediaType

LARGEST = 256 * 1024
DEEPEST = 32
MOST_MEMBERS = 1000
"""Of one list or object; the longest that means something is an area, of 600."""
MOST_VALUES = 30_000
SLOWEST = 30.0
LARGEST_NUMBER = 2**63 - 1
DIGITS = len(str(LARGEST_NUMBER))


class JsonRequest(Request):
    """A request whose body has been read and understood already."""

    def keep(self, body: bytes, parsed: Any) -> None:
        """Let all who ask for body or JSON have these."""
        self._body = body
        self._json = parsed


async def read(request: Request) -> bytes:
    """Read the body, counting as it streams; BodyTooLarge above 256 KiB, BodyTooSlow after half a minute."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > LARGEST:
        raise BodyTooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    raise BodyTooLarge
    except TimeoutError:
        raise BodyTooSlow from None
    return bytes(body)


def check_media_type(request: Request) -> None:
    """Take JSON in UTF-8 alone, said once and not packed, else UnsupportedMediaType."""
    kinds, codings = request.headers.getlist("content-type"), request.headers.getlist("content-encoding")
    if len(kinds) != 1 or len(codings) > 1:
        raise UnsupportedMediaType
    kind, _, parameters = kinds[0].partition(";")
    name, _, charset = parameters.strip().partition("=")
    plain = not codings or codings[0].strip().lower() == "identity"
    utf8 = not name or (name.strip().lower() == "charset" and charset.strip().strip('"').lower() in {"utf-8", "utf8"})
    if kind.strip().lower() != "application/json" or not plain or not utf8:
        raise UnsupportedMediaType


def parse(body: bytes) -> Any:
    """Parse JSON that means the same to every reader, or say what is wrong with it and where (MalformedBody)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed("not_utf8", limit=error.start) from None
    if text.startswith("\ufeff"):
        raise _malformed("byte_order_mark")
    try:
        parsed = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=_Odd.not_finite
        )
    except json.JSONDecodeError as error:
        raise _malformed("not_json", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _malformed("too_deep") from None
    if found := _look_through(parsed):
        raise MalformedBody(tuple(found))
    return parsed


class _Odd:
    """Stands where the text held something that JSON, or this service, has no value for."""

    def __init__(self, code: str) -> None:
        self.code = code

    @classmethod
    def not_finite(cls, _: str) -> "_Odd":
        return cls("not_finite")


class _Doubled(dict[str, Any]):
    """An object that names something twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(found)


def _whole(digits: str) -> int | _Odd:
    if len(digits) <= DIGITS + 1:
        number = int(digits)
        if -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
            return number
    return _Odd("number_out_of_range")


def _decimal(digits: str) -> float | _Odd:
    number = float(digits)
    return number if abs(number) != float("inf") else _Odd("number_out_of_range")


def _look_through(parsed: Any) -> list[Finding]:
    found: list[Finding] = []
    seen = 0
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(parsed, ())]
    while waiting and len(found) <= MOST_FINDINGS:
        value, path = waiting.pop()
        if (seen := seen + 1) > MOST_VALUES:
            found.append(Finding("too_many", pointer=""))
            break
        if isinstance(value, dict | list) and len(path) >= DEEPEST:
            found.append(Finding("too_deep", pointer=_shown(path)))
        elif isinstance(value, dict | list) and len(value) > MOST_MEMBERS:
            found.append(Finding("too_many", pointer=_shown(path)))
        elif isinstance(value, dict):
            found += [Finding("duplicate_key", pointer=_shown(path))] if isinstance(value, _Doubled) else []
            found += [Finding(code, pointer=_shown(path)) for key in value if (code := _odd_text(key))]
            waiting += [(inner, (*path, key)) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(inner, (*path, place)) for place, inner in reversed(list(enumerate(value)))]
        elif code := _odd_text(value) if isinstance(value, str) else value.code if isinstance(value, _Odd) else None:
            found.append(Finding(code, pointer=_shown(path)))
    return found


def _odd_text(text: str) -> str | None:
    if "\0" in text:
        return "nul_character"
    # A str that UTF-8 cannot hold has half of a surrogate pair.
    return None if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text) else "lone_surrogate"


def _shown(path: tuple[str | int, ...]) -> str:
    """Point as deep as names look like fields: a stranger's name for one may be anything."""
    shown: list[str | int] = []
    for part in path:
        if isinstance(part, str) and not FIELD_NAME.match(part):
            break
        shown.append(part)
    return pointer(shown)


def _malformed(code: str, **limits: int) -> MalformedBody:
    return MalformedBody((Finding(code, pointer="", limits={name: str(limit) for name, limit in limits.items()}),))
