"""RFC 9457 problems: the only place that gives an error a status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.api import refusals
from app.api.faults import Finding, few, findings
from app.api.language import Language, chosen
from app.api.problem_texts import PROBLEMS
from app.api.scopes import scope_of_action
from app.domain import errors, handoff, rights
from app.domain.caller import Caller
from app.domain.errors import DomainError

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:lintas:problem:"
AGAIN_IN = 2
"""Seconds until a repeat is worth while, where nothing better is known."""


ENDING = (refusals.BodyTooLarge, refusals.BodyTooSlow, refusals.MalformedRequest, refusals.HeadTooLarge)
"""After these, nobody knows where the next request on the connection would begin."""


@dataclass(frozen=True, slots=True)
class Row:
    """How an error is answered: its status, and which of its attributes become members of the problem."""

    status: int
    members: tuple[str, ...] = ()


ROWS: Mapping[type[DomainError], Row] = {
    DomainError: Row(422),
    errors.FaultsFound: Row(422),
    errors.InvalidInput: Row(422),
    errors.DocumentInvalid: Row(422),
    errors.FactsInvalid: Row(422),
    errors.RegistryInvalid: Row(422),
    errors.UnknownAgency: Row(422),
    errors.NotFound: Row(404),
    errors.DuplicateReference: Row(409, ("referral_id",)),
    errors.RoleRequired: Row(403, ("roles",)),
    errors.ScopeRequired: Row(403, ("scope",)),
    errors.PreconditionRequired: Row(428),
    errors.PreconditionFailed: Row(412),
    errors.ReferralNotOpen: Row(409, ("current_state",)),
    errors.RequestNotWaiting: Row(409, ("current_state",)),
    errors.RecoveryRunning: Row(409, ("recovery_id",)),
    errors.RecoveryOfHeld: Row(409),
    errors.NotSentAgain: Row(409),
    errors.ConsentRequired: Row(409),
    errors.NothingToConfirm: Row(409),
    errors.HolderRequired: Row(403),
    errors.DutyNotOwed: Row(409),
    errors.VersionPublished: Row(409),
    errors.NotNextVersion: Row(409, ("next_version",)),
    errors.TooManyUnverified: Row(409),
    errors.TooManySecrets: Row(409),
    errors.NotAWebhook: Row(409),
    errors.KeyReplaced: Row(409),
    errors.ProposalEnded: Row(409, ("current_state",)),
    errors.AnotherPersonRequired: Row(403),
    errors.TooManyProposals: Row(409),
    errors.DocumentRefused: Row(422, ("findings",)),
    handoff.IllegalTransition: Row(409, ("current_state", "event", "available_actions")),
    rights.ProcessingRestricted: Row(403, ("restricted_at",)),
    rights.ReferralErased: Row(410),
    rights.UnderLegalHold: Row(409),
    rights.EmergencyRunning: Row(409),
    rights.AlreadyAnswered: Row(409),
    rights.NotRestricted: Row(409),
    rights.HoldLifted: Row(409),
    rights.LedgerUnavailable: Row(503),
    refusals.Refusal: Row(400),
    refusals.MalformedBody: Row(400),
    refusals.BodyTooLarge: Row(413),
    refusals.BodyTooSlow: Row(408),
    refusals.UnsupportedMediaType: Row(415),
    refusals.BadParameter: Row(400),
    refusals.BadQuery: Row(400),
    refusals.MalformedRequest: Row(400),
    refusals.HeadTooLarge: Row(431),
    refusals.Unauthenticated: Row(401),
    refusals.IdempotencyKeyInvalid: Row(400),
    refusals.IdempotencyKeyRequired: Row(400),
    refusals.IdempotencyKeyReused: Row(422),
    refusals.IdempotencyInFlight: Row(409),
    refusals.RateLimited: Row(429),
    refusals.Unavailable: Row(503),
    refusals.NoSuchPage: Row(404),
    refusals.MethodNotAllowed: Row(405, ("allow",)),
    refusals.Unexpected: Row(500),
}
NEVER_ANSWERED: Mapping[type[DomainError], str] = {
    DomainError: "what every error is of",
    errors.FaultsFound: "what every error with faults is of",
    refusals.Refusal: "what every refusal of a request is of",
    errors.FactsInvalid: "what is read are facts that were checked when they were taken in",
    errors.RegistryInvalid: "a change of the registry is answered as invalid_input",
}
"""Errors whose code no caller ever sees, and why; the documents leave them out."""


def problem(scope: Scope, error: DomainError) -> Response:
    """Answer an error as a problem, in the language the request asks for."""
    row = _row(type(error))
    members = {name: _plain(getattr(error, name)) for name in row.members}
    if isinstance(error, handoff.IllegalTransition):
        members["available_actions"] = _within_reach(scope, error.available_actions)
    return _render(scope, row.status, error.code, _findings(error), members, headers_of(error))


def status_of(kind: type[DomainError]) -> int:
    """Say with which status an error is answered."""
    return _row(kind).status


def invalid_request(scope: Scope, error: RequestValidationError) -> Response:
    """Answer what validation found: faults of the body are 422, of a parameter 400, of a path nothing that is there."""
    found = findings(error.errors(), error.body)
    if any(finding.pointer is not None for finding in found):
        return _render(scope, 422, errors.InvalidInput.code, found)
    if any(fault["loc"][:1] == ("path",) for fault in error.errors()):
        return _render(scope, 404, errors.NotFound.code, found)
    return _render(scope, 400, refusals.BadParameter.code, found)


def unexpected(scope: Scope) -> Response:
    """Answer that something broke, and not what."""
    return problem(scope, refusals.Unexpected())


async def on_domain_error(request: Request, error: Exception) -> Response:
    """Handle a DomainError for Starlette."""
    return problem(request.scope, error if isinstance(error, DomainError) else refusals.Unexpected())


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Handle FastAPI's validation errors for Starlette."""
    if not isinstance(error, RequestValidationError):
        return unexpected(request.scope)
    return invalid_request(request.scope, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Handle what the framework refuses by itself: unknown paths and methods."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return problem(request.scope, refusals.MethodNotAllowed(allowed_methods(request)))
    if status == 404:
        return problem(request.scope, refusals.NoSuchPage())
    return problem(request.scope, refusals.Unexpected() if status >= 500 else refusals.Refusal())


def allowed_methods(request: Request) -> str:
    """List the methods of every route at the request's path: the framework names those of the first alone."""
    methods: set[str] = set()
    for route in request.app.state.route_table:
        if route.regex.match(request.url.path):
            methods |= route.methods | ({"HEAD"} if "GET" in route.methods else set())
    return ", ".join(sorted(methods))


def _row(kind: type[DomainError]) -> Row:
    return next(ROWS[known] for known in kind.__mro__ if known in ROWS)


def _within_reach(scope: Scope, actions: Iterable[str]) -> list[str]:
    """Keep the actions that the caller's key, if it is narrowed, may take."""
    caller: Caller | None = scope.get("state", {}).get("caller")
    return [action for action in actions if caller is None or caller.reaches(scope_of_action(action))]


def _findings(error: DomainError) -> Sequence[Finding]:
    if isinstance(error, refusals.MalformedBody | refusals.BadQuery):
        return few(error.findings)
    if isinstance(error, errors.FaultsFound):
        return few(Finding.of(fault) for fault in error.faults)
    if isinstance(error, refusals.BadParameter):
        return [Finding(error.fault, parameter=error.parameter)]
    return ()


def headers_of(error: DomainError) -> dict[str, str]:
    """Give the headers that an error is answered with."""
    if isinstance(error, refusals.Unauthenticated):
        detail = ', error="invalid_token"' if error.key_given else ""
        detail += f', error_description="{error.fault}"' if error.fault else ""
        return {"WWW-Authenticate": f'Bearer realm="lintas"{detail}'}
    if isinstance(error, errors.ScopeRequired):
        return {"WWW-Authenticate": f'Bearer realm="lintas", error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, refusals.RateLimited):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, refusals.Unavailable | refusals.IdempotencyInFlight | rights.LedgerUnavailable):
        return {"Retry-After": str(AGAIN_IN)}
    if isinstance(error, refusals.MethodNotAllowed):
        return {"Allow": error.allow}
    if isinstance(error, ENDING):
        return {"Connection": "close"}
    if isinstance(error, refusals.UnsupportedMediaType):
        return {"Accept": "application/json"}
    return {}


def _render(
    scope: Scope,
    status: int,
    code: str,
    found: Iterable[Finding] = (),
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    language = chosen(_header(scope, b"accept-language"))
    wording = PROBLEMS[code]
    extension = dict(members or {})
    body: dict[str, Any] = {
        "type": f"{TYPE}{code}",
        "title": getattr(wording.title, language.value),
        "status": status,
        "detail": _filled(getattr(wording.detail, language.value), extension, language),
        "code": code,
    }
    if request_id := scope.get("state", {}).get("request_id"):
        body["instance"] = f"urn:lintas:request:{request_id}"
    if listed := [finding.as_json(language) for finding in found]:
        body["errors"] = listed
    body |= {name: value for name, value in extension.items() if name not in body}
    return Response(
        orjson.dumps(body),
        status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": language.value, "Vary": "Accept-Language", **(headers or {})},
    )


def _filled(template: str, members: Mapping[str, Any], language: Language) -> str:
    either = " atau " if language is Language.INDONESIAN else " or "
    said = {name: either.join(map(str, value)) if isinstance(value, list) else value for name, value in members.items()}
    return template.format_map(said)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value


def _header(scope: Scope, name: bytes) -> str:
    values = [value for key, value in scope["headers"] if key == name]
    return b",".join(values).decode("latin-1")
