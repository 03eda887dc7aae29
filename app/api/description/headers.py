"""The headers of requests and answers, each said once."""

from typing import Any

from app.api.route import KEY_EXPIRES


def _header(
    description: str, kind: str = "string", *, example: Any, required: bool = False, **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"description": description, "schema": {"type": kind, **more}, "example": example}
    return {**said, "required": True} if required else said


HEADERS: dict[str, dict[str, Any]] = {
    "Allow": _header("The methods that the address takes.", example="GET, HEAD, POST"),
    "Content-Language": _header(
        "The language of what people read (of a problem its `title` and `detail`), chosen by `Accept-Language`.",
        example="en",
        enum=["id", "en"],
    ),
    "Deprecation": _header(
        "Since when the operation is deprecated (RFC 9745): seconds since 1970, after an @.",
        example="@1767225600",
        pattern="^@-?[0-9]+$",
    ),
    "ETag": _header("The version of what is shown; send it in If-Match.", example='"v7"', pattern='^"v[0-9]+"$'),
    "Idempotency-Replayed": _header(
        "true: this is the first answer to the same request again.", example="true", enum=["true"]
    ),
    KEY_EXPIRES: _header(
        "When the key expires, in its last 14 days: rotate it before (RFC 3339).",
        example="2025-03-14T01:00:00+00:00",
        format="date-time",
    ),
    "Link": _header(
        'Addresses that belong to the answer (RFC 8288): the next page of a list, with rel="next", absent on the last '
        'one; of a deprecated operation what to read, with rel="deprecation".',
        example='</v1/handoffs?after=WyI2ZjA&limit=50>; rel="next"',
    ),
    "Location": _header(
        "Where what was made can be read.",
        example="/v1/referrals/01955f1c-0000-7000-8000-000000000001",
        format="uri-reference",
    ),
    "RateLimit": _header(
        "How much the key may ask now, and in how many seconds all of it (draft-ietf-httpapi-ratelimit-headers); "
        "absent where the operator sets no limit.",
        example='"key";r=594;t=1',
    ),
    "RateLimit-Policy": _header(
        "How much the key may ask in which time; absent where the operator sets no limit.", example='"key";q=600;w=60'
    ),
    "Retry-After": _header(
        "Seconds after which a repeat is worth while; also of a 409 `idempotency_in_flight`.",
        "integer",
        example=2,
        minimum=1,
    ),
    "Sunset": _header("When the operation ends (RFC 8594), an HTTP date.", example="Thu, 31 Dec 2026 17:00:00 GMT"),
    "WWW-Authenticate": _header(
        'How to authenticate: Bearer, with error="invalid_token" where the key or token is not valid, and '
        'error="insufficient_scope" where it is narrowed to others.',
        example='Bearer realm="lintas", error="invalid_token"',
    ),
    "X-Request-Id": _header(
        "The request, as the service's log knows it: the one you sent, if it is a UUID, ULID or 32 hex digits.",
        example="01955f1c-0000-7000-8000-00000000000a",
        required=True,
    ),
}
OF_EVERY_ANSWER = ("X-Request-Id", "RateLimit-Policy", "RateLimit", KEY_EXPIRES)
"""What every answer under /v1 may carry."""


def headers(*names: str) -> dict[str, Any]:
    """Refer to headers by their names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def if_match(*, required: bool) -> dict[str, Any]:
    """Describe If-Match as a parameter."""
    return {
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": "The ETag of what is changed, as it was read" + ("." if required else "; where it is there."),
        "schema": {"type": "string"},
        "examples": {"version": {"value": '"v7"'}, "any": {"value": "*", "summary": "Whichever version there is."}},
    }


def idempotency_key(*, required: bool) -> dict[str, Any]:
    """Describe Idempotency-Key as a parameter."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Repeated with the same body within 72 hours, it gives the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "examples": {"uuid": {"value": "3f1c9d52-7d1f-4a43-9b1e-0c8f3f6f6f10"}},
    }


ACCEPT_LANGUAGE: dict[str, Any] = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "The language of problems: Indonesian, or English where it is wanted more.",
    "schema": {"type": "string"},
    "examples": {"indonesian": {"value": "id"}, "english": {"value": "en"}},
}
