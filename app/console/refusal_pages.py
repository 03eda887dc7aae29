"""Refusals as pages: what happened, in the person's language, that nothing was changed, and where to go on."""

import re
from enum import Enum
from string import Formatter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.api import refusals
from app.api.language import Language
from app.api.problem_texts import PROBLEMS
from app.api.problems import headers_of, status_of
from app.console.forms import FormExpired
from app.console.languages import said
from app.console.rendering import page
from app.console.signed_in import SignInNeeded
from app.console.words import WORDS
from app.domain import errors, handoff
from app.domain.errors import DomainError
from app.domain.labels import LABELS

NOT_THERE = (errors.NotFound, refusals.NoSuchPage, errors.RoleRequired, errors.ScopeRequired)
"""What is not there and what is not yours look the same."""
STATES = {
    handoff.IllegalTransition: "handoff_state",
    errors.ReferralNotOpen: "referral_state",
    errors.RequestNotWaiting: "request_state",
    errors.ProposalEnded: "proposal_state",
}
_OF_ONE = re.compile(r"/console/[a-z-]+/[0-9a-f-]{36}")
BROKEN = (refusals.Unexpected, refusals.Unavailable)


def refusal(request: Request, error: DomainError) -> Response:
    """Answer an error as a page."""
    code, status = _code_and_status(error)
    language = request.state.language
    of_one = _OF_ONE.match(request.url.path)
    title, detail = _texts(code, error, language)
    answer = page(
        request,
        "refusal.html",
        status=status,
        code=code,
        title=title,
        detail=detail,
        state=_state(error, language),
        nothing_changed=request.method == "POST" and not isinstance(error, BROKEN),
        look_at=of_one[0] if of_one and request.method == "POST" else None,
        sign_in=isinstance(error, SignInNeeded),
        request_id=request.state.request_id if isinstance(error, BROKEN) else None,
    )
    answer.headers.update(headers_of(error))
    return answer


def _code_and_status(error: DomainError) -> tuple[str, int]:
    if isinstance(error, NOT_THERE):
        return "not_found", 404
    if isinstance(error, FormExpired):
        return FormExpired.code, 403
    if isinstance(error, SignInNeeded):
        return SignInNeeded.code, 401
    if isinstance(error, refusals.Unexpected):
        return "broken", 500
    return error.code, status_of(type(error))


def _texts(code: str, error: DomainError, language: Language) -> tuple[str, str]:
    if f"refusal.{code}" in WORDS:
        return said(f"refusal.title.{code}", language), said(f"refusal.{code}", language)
    wording = PROBLEMS[code]
    detail: str = getattr(wording.detail, language.value)
    names = [name for _, name, _, _ in Formatter().parse(detail) if name]
    members = {name: _said(name, getattr(error, name), error, language) for name in names}
    return getattr(wording.title, language.value), detail.format_map(members)


def _said(name: str, value: Any, error: DomainError, language: Language) -> str:
    """Say a member of an error as a person reads it."""
    if name == "current_state":
        return _state(error, language) or ""
    if isinstance(value, Enum):
        label = LABELS["handoff_event"].get(value.value)
        return label.said(language.value) if label else str(value.value)
    if isinstance(value, list | tuple | frozenset):
        return ", ".join(_said(name, one, error, language) for one in value)
    return str(value)


def _state(error: DomainError, language: Language) -> str | None:
    """Say in which state it is now, for who acted on another one."""
    state = getattr(error, "current_state", None)
    kind = next((STATES[one] for one in type(error).__mro__ if one in STATES), None)
    if state is None or kind is None:
        return None
    code = state.value if isinstance(state, Enum) else str(state)
    label = LABELS[kind].get(code)
    return label.said(language.value) if label else code
