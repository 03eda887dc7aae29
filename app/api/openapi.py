"""The OpenAPI document: FastAPI's own, with what the frame adds to every route said once."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from app.api import asked, etags
from app.api.deprecation import declared
from app.api.description import problems, webhooks
from app.api.description.headers import ACCEPT_LANGUAGE, HEADERS, OF_EVERY_ANSWER, headers, idempotency_key, if_match
from app.api.description.links import add_links
from app.api.description.operation_problems import UNFRAMED, problems_of
from app.api.description.recorded import add_answers, recorded
from app.api.description.schemas import named, tidied
from app.api.description.summaries import summary_of
from app.api.description.tags import tags
from app.api.description.wording import worded
from app.api.pages import paging
from app.api.route import IDEMPOTENT, LintasRoute

DESCRIPTION = """\
Lintas takes in a victim's referral from one agency's system, decides by the signed agreements which agency must act \
for each service the victim needs, and hands it over with the loop closed.

Send a key with every request: `Authorization: Bearer lintas_...`, or an access token in its place where the operator \
takes those of an issuer. Bodies are JSON in UTF-8, at most 256 KiB; times \
are RFC 3339 with an offset, days and times of the years 1900 to 2199. Text holds no NUL, no other control character \
and something to see. Code lists are open: expect codes you do not know yet. Errors are RFC 9457 problems with \
a stable `code`, in Indonesian, or in English where `Accept-Language` asks for it. A POST may carry an \
`Idempotency-Key`; repeated within 72 hours with the same body, it gives the first answer again.

Each operation lists the problems it answers with. Beside these, any request may be refused before it is known what \
it asks for: 400 `malformed_request` and 431 `headers_too_large` for what is not HTTP as this service takes it, 404 \
`no_such_path` and 405 `method_not_allowed` for what is not in this document.

What may change and what not: `docs/api-stability.md`. What is deprecated says so by `deprecated` here and by the \
headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of its answers.
"""
WITHOUT_ETAG = frozenset({"recover_endpoint", "rotate_key"})
"""Operations that set other headers than the version of what they show."""
IN_A_LANGUAGE = frozenset({"export_referral_text"})
"""Operations whose good answer is a text for people, in the language that was asked for."""
MADE: dict[str, str | None] = {"recover_endpoint": "202", "place_legal_hold": None, "record_rights_request": None}
"""With which status what was made has an address of its own, where that is not 201; None is never."""
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
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas |= problems.schemas() | webhooks.schemas()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    found["components"] |= {
        "schemas": {name: tidied(schema) for name, schema in schemas.items()},
        "headers": dict(HEADERS),
        "examples": problems.examples(),
        "securitySchemes": SECURITY_SCHEMES,
    }
    found["webhooks"] = webhooks.webhooks()
    answers = recorded()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method, operation in _operations_of(found["paths"], context):
                _complete(operation, route, method)
                add_answers(operation, answers.get(operation["operationId"], {}))
                add_links(operation["operationId"], operation["responses"])
    found["paths"] = tidied(found["paths"])
    found["tags"] = tags()
    problems.shared(found)
    _leave_out_unused(found)
    return worded(named(found))


def _leave_out_unused(document: dict[str, Any]) -> None:
    """Leave out the headers and the examples that nothing refers to."""
    written = str(document)
    for kind in ("headers", "examples"):
        components = document["components"][kind]
        for name in tuple(components):
            if f"'#/components/{kind}/{name}'" not in written:
                del components[name]


def _operations_of(paths: dict[str, Any], context: RouteContext) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in sorted(context.methods or ()):
        operation = paths.get(context.path_format or "", {}).get(method.lower())
        if operation is not None:
            yield method, operation


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    operation["summary"] = summary_of(operation["description"])
    operation["responses"] = {
        code: said for code, said in operation["responses"].items() if "HTTPValidationError" not in str(said)
    }
    if isinstance(route, LintasRoute):
        _complete_framed(operation, route, method)
    else:
        operation["security"] = []
        for response in operation["responses"].values():
            response["headers"] = headers("X-Request-Id") | response.get("headers", {})
        unframed = UNFRAMED.get(operation["operationId"], ())
        operation["responses"] |= problems.responses_of(unframed, ("X-Request-Id",))


def _complete_framed(operation: dict[str, Any], route: LintasRoute, method: str) -> None:
    required = _if_match_of(route)
    key_required = operation.get("x-idempotency") == IDEMPOTENT["x-idempotency"]
    for code, response in operation["responses"].items():
        response["headers"] = headers(*_told(route, method, code))
    operation["responses"] |= problems.responses_of(
        problems_of(
            operation["operationId"],
            method=method,
            roles=bool(route.roles),
            names_something="{" in route.path,
            if_match=required,
            key_required=key_required,
        ),
        OF_EVERY_ANSWER,
    )
    if (deprecation := declared(route.endpoint)) is not None:
        for response in operation["responses"].values():
            response.setdefault("headers", {}).update(headers(*deprecation.headers()))
    operation["security"] = [{scheme: [route.scope]} for scheme in SECURITY_SCHEMES]
    if route.roles:
        operation["x-roles"] = sorted({role.value for asked_for in route.roles for role in asked_for.roles})
        needed = " or ".join(operation["x-roles"])
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds the role {needed}.".strip()
    parameters = operation.setdefault("parameters", [])
    if method == "POST":
        parameters.append(idempotency_key(required=key_required))
    if required is not None:
        parameters.append(if_match(required=required))
    parameters.append(ACCEPT_LANGUAGE)


def _if_match_of(route: APIRoute) -> bool | None:
    """Say whether a route must be told the version; None where it cannot be."""
    if asked.depends_on(route.dependant, etags.expected):
        return True
    return False if asked.depends_on(route.dependant, etags.expected_if_given) else None


def _told(route: APIRoute, method: str, code: str) -> Iterator[str]:
    """Name the headers of a good answer."""
    yield from OF_EVERY_ANSWER
    if asked.depends_on(route.dependant, paging):
        yield "Link"
    shows_it = route.dependant.response_param_name is not None and route.name not in WITHOUT_ETAG
    if shows_it and code in {"200", "201", str(route.status_code)}:
        yield "ETag"
    if route.name in IN_A_LANGUAGE:
        yield "Content-Language"
    if method == "POST":
        yield "Idempotency-Replayed"
        if code == MADE.get(route.name, "201"):
            yield "Location"
