"""Bytes that are the same for everybody: sent once, zipped where that is taken, and not again to who has them."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response

Encodings = Annotated[str, Header(alias="accept-encoding")]
"""What a caller can unpack, as it says so."""


def unless_known(
    request: Request, body: bytes, media_type: str, headers: Mapping[str, str], encodings: str
) -> Response:
    """Answer with bytes and their ETag; 304 to whoever names it in If-None-Match."""
    zipped = "gzip" in {part.partition(";")[0].strip() for part in encodings.split(",") if "q=0" not in part}
    tag = f'"{_digest(body)}{"-gz" if zipped else ""}"'
    told = {**headers, "ETag": tag}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=told)
    if zipped:
        return Response(_zipped(body), media_type=media_type, headers={**told, "Content-Encoding": "gzip"})
    return Response(body, media_type=media_type, headers=told)


@lru_cache(maxsize=128)
def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]


@lru_cache(maxsize=128)
def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)
