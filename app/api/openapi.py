"""The OpenAPI document: FastAPI's own, with what the frame adds to every route said once."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from app.api.idempotency import HEADER
from app.api.problems import MEDIA_TYPE
from app.api.route import IDEMPOTENT, LintasRoute

DESCRIPTION = """\
Lintas takes in a victim's referral from one agency's system, decides by the signed agreements which agency must act \
for each service the victim needs, and hands it over with the loop closed.

Send a key with every request: `Authorization: Bearer lintas_...`. Bodies are JSON in UTF-8, at most 256 KiB; times \
are RFC 3339 with an offset. Code lists are open: expect codes you do not know yet. Errors are RFC 9457 problems with \
a stable `code`, in Indonesian, or in English where `Accept-Language` asks for it. A POST may carry an \
`Idempotency-Key`; repeated within 72 hours with the same body, it gives the first answer again.
"""

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
        servers=[{"url": server}] if server else None,
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = {
        "Refused": _problem_response("The request is refused; `code` says why."),
        "Failed": _problem_response("The service cannot answer now; repeat with the same Idempotency-Key."),
    }
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of your agency, such as lintas_sender_..."}
    }
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, LintasRoute):
            _complete(found["paths"], context.original_route, context)
    return found


def _complete(paths: dict[str, Any], route: APIRoute, context: RouteContext) -> None:
    for method in context.methods or ():
        operation = paths.get(context.path_format or "", {}).get(method.lower())
        if operation is None:
            continue
        operation["security"] = [{"key": []}]
        responses = {
            code: said for code, said in operation["responses"].items() if "HTTPValidationError" not in str(said)
        }
        operation["responses"] = {**responses, "4XX": REFUSED, "5XX": FAILED}
        if isinstance(route, LintasRoute) and route.roles:
            operation["x-roles"] = sorted({role.value for required in route.roles for role in required.roles})
            needed = " or ".join(operation["x-roles"])
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the role {needed}.".strip()
        if method == "POST":
            operation.setdefault("parameters", []).append(_idempotency_key(operation.get("x-idempotency")))


def _idempotency_key(need: str | None) -> dict[str, Any]:
    return {
        "name": HEADER.title(),
        "in": "header",
        "required": need == IDEMPOTENT["x-idempotency"],
        "description": "Repeated with the same body within 72 hours, it gives the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def _problem_response(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
