"""The OpenAPI document: FastAPI's own, with what the frame adds to every route said once."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from app.api import asked, etags, webhook_contract
from app.api.idempotency import HEADER
from app.api.pages import paging
from app.api.problems import MEDIA_TYPE
from app.api.route import IDEMPOTENT, KEY_EXPIRES, LintasRoute

DESCRIPTION = """\
Lintas takes in a victim's referral from one agency's system, decides by the signed agreements which agency must act \
for each service the victim needs, and hands it over with the loop closed.

Send a key with every request: `Authorization: Bearer lintas_...`, or an access token in its place where the operator \
takes those of an issuer. Bodies are JSON in UTF-8, at most 256 KiB; times \
are RFC 3339 with an offset. Code lists are open: expect codes you do not know yet. Errors are RFC 9457 problems with \
a stable `code`, in Indonesian, or in English where `Accept-Language` asks for it. A POST may carry an \
`Idempotency-Key`; repeated within 72 hours with the same body, it gives the first answer again.
"""


def _header(description: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind, **more}}


PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Some codes add members of their own, such as `available_actions`.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:lintas:problem:invalid_input"]},
        "title": {"type": "string", "description": "What kind of problem it is, for people."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, for people. It never repeats what was sent."},
        "code": {"type": "string", "description": "Stable, for programs.", "examples": ["invalid_input"]},
        "instance": {"type": "string", "format": "uri", "description": "The request, as the service's log knows it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (RFC 6901)."},
                    "parameter": {"type": "string", "description": "Which parameter of path, query or headers."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
HEADERS: dict[str, dict[str, Any]] = {
    "ETag": _header("The version of what is shown; send it in If-Match.", pattern='^"v[0-9]+"$'),
    "Location": _header("Where what was made can be read."),
    "Link": _header('The address of the next page, with rel="next"; absent on the last one.'),
    "Idempotency-Replayed": _header("true: this is the first answer to the same request again.", enum=["true"]),
    "X-Request-Id": _header("The request, as the service's log knows it."),
    "RateLimit-Policy": _header("How much the key may ask in which time (draft-ietf-httpapi-ratelimit-headers)."),
    "RateLimit": _header("How much the key may ask now, and in how many seconds all of it."),
    KEY_EXPIRES: _header("When the key expires, in its last 14 days: rotate it before (RFC 3339).", format="date-time"),
    "Retry-After": _header("Seconds after which a repeat is worth while: of 409 in flight, 429 and 503.", "integer"),
    "WWW-Authenticate": _header('Of 401: Bearer, with error="invalid_token" where the key is not valid.'),
}
SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of your agency, such as lintas_sender_... The scope named is what it must hold if it is "
        "narrowed to scopes; a key that is not holds all that its roles may do.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token (RFC 9068) of the issuer that the operator trusts, where there is one.",
    },
    "certificate": {
        "type": "mutualTLS",
        "description": "A client certificate that is registered for your agency, where the operator's proxy asks for "
        "it. A request with an Authorization header goes by that alone.",
    },
}
ALWAYS = ("X-Request-Id", "RateLimit-Policy", "RateLimit", KEY_EXPIRES)
REFUSED = {"$ref": "#/components/responses/Refused"}
FAILED = {"$ref": "#/components/responses/Failed"}


def document(app: FastAPI, *, server: str | None = None) -> dict[str, Any]:
    """Write the document for an app."""
    found = get_openapi(
        title="Lintas",
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": server or "/", "description": "Where this document was read."}],
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    schemas |= webhook_contract.schemas()
    found["webhooks"] = webhook_contract.webhooks()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["headers"] = HEADERS
    components["responses"] = {
        "Refused": _problem_response("The request is refused; `code` says why.", "Retry-After", "WWW-Authenticate"),
        "Failed": _problem_response(
            "The service cannot answer now; repeat with the same Idempotency-Key.", "Retry-After"
        ),
    }
    components["securitySchemes"] = SECURITY_SCHEMES
    for operation in (operation for operations in found["paths"].values() for operation in operations.values()):
        for response in operation["responses"].values():
            response["headers"] = {**_headers("X-Request-Id"), **response.get("headers", {})}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, LintasRoute):
            _complete(found["paths"], context.original_route, context)
    return found


def _complete(paths: dict[str, Any], route: LintasRoute, context: RouteContext) -> None:
    for method in context.methods or ():
        operation = paths.get(context.path_format or "", {}).get(method.lower())
        if operation is None:
            continue
        responses = {
            code: said for code, said in operation["responses"].items() if "HTTPValidationError" not in str(said)
        }
        for code, response in responses.items():
            response["headers"] = _headers(*_told(route, method, code))
        operation["responses"] = {**responses, "4XX": REFUSED, "5XX": FAILED}
        operation["security"] = [{scheme: [route.scope]} for scheme in SECURITY_SCHEMES]
        if route.roles:
            operation["x-roles"] = sorted({role.value for required in route.roles for role in required.roles})
            needed = " or ".join(operation["x-roles"])
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the role {needed}.".strip()
        parameters = operation.setdefault("parameters", [])
        if method == "POST":
            parameters.append(_idempotency_key(operation.get("x-idempotency")))
        for call, required in ((etags.expected, True), (etags.expected_if_given, False)):
            if asked.depends_on(route.dependant, call):
                parameters.append(_if_match(required=required))
        if not parameters:
            del operation["parameters"]


def _told(route: APIRoute, method: str, code: str) -> Iterator[str]:
    """Name the headers of a good answer."""
    yield from ALWAYS
    if asked.depends_on(route.dependant, paging):
        yield "Link"
    if route.dependant.response_param_name is not None:
        yield "ETag"
    if method == "POST":
        yield "Idempotency-Replayed"
        if code == "201":
            yield "Location"


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _if_match(*, required: bool) -> dict[str, Any]:
    return {
        "name": "If-Match",
        "in": "header",
        "required": required,
        "description": "The ETag of what is changed, as it was read" + ("." if required else "; where it is there."),
        "schema": {"type": "string", "examples": ['"v7"', "*"]},
    }


def _idempotency_key(need: str | None) -> dict[str, Any]:
    return {
        "name": HEADER.title(),
        "in": "header",
        "required": need == IDEMPOTENT["x-idempotency"],
        "description": "Repeated with the same body within 72 hours, it gives the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    }


def _problem_response(description: str, *headers: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": _headers("X-Request-Id", *headers),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
