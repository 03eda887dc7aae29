"""Pages made of templates: escaped by themselves, and every name in them must be there."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from app.api.language import Language
from app.api.pages import CURSOR
from app.console import assets, times
from app.console.console import console_of
from app.console.languages import said
from app.console.navigation import menu_of
from app.console.signed_in import csrf_of
from app.console.words import WORDS
from app.domain.labels import LABELS
from app.domain.registry import Agency
from app.domain.vocabulary import Urgency
from app.domain.wording import Wording
from app.storage.reference import Reference

TIMES = tuple(key for key in WORDS if key.startswith("times."))
NOWHERE = "Asia/Jakarta"
"""The time zone of who is of no agency that is known."""


@cache
def templates() -> Environment:
    """Give the templates, read once."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Answer with a page: a template filled with these values and with what every page has (docs/console.md)."""
    language: Language = request.state.language
    console = console_of(request)
    body = templates().get_template(template).render(**{**_around(request, language), **values})
    headers = {
        "Content-Security-Policy": console.policy,
        "Content-Language": language.value,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Vary": "Cookie, Accept-Language",
    }
    return Response(body, status, media_type="text/html; charset=utf-8", headers=headers)


def _around(request: Request, language: Language) -> dict[str, Any]:
    console, person = console_of(request), request.state.signed_in
    reference: Reference | None = getattr(request.state, "reference", None)
    agency = _agency(reference, person.caller.agency_code) if person else None
    zone = agency.time_zone if agency else NOWHERE
    done = request.query_params.get("done", "")
    return {
        "t": partial(_told, language),
        "has_text": WORDS.__contains__,
        "language": language.value,
        "label": partial(_labelled, language),
        "moment": lambda when: times.moment(when, zone, language),
        "day": lambda when: times.day(when, zone, language),
        "time_left": lambda until: times.time_left(until, request.state.now, language),
        "is_over": lambda until: until <= request.state.now,
        # For the script that goes on counting while the page is looked at.
        "now": request.state.now,
        "times": {key.removeprefix("times."): getattr(WORDS[key], language.value) for key in TIMES},
        "asset": assets.address_of,
        "here": request.url.path,
        "query": {name: value for name, value in request.query_params.items() if name not in {CURSOR, "done"}},
        "leave_to": console.leave_to,
        "done": said(f"done.{done}", language) if f"done.{done}" in WORDS else None,
        "person": person,
        "agency": agency,
        "menu": menu_of(person.caller) if person else [],
        "csrf": csrf_of(request.app.state.key_ring, person) if person else "",
        # One for each form: what is sent again with the same one is done once.
        "form_key": lambda: uuid4().hex,
        **_names(reference, language),
    }


def _names(reference: Reference | None, language: Language) -> dict[str, Callable[[str], str]]:
    if reference is None:
        return {"service": str, "urgency": str, "case_type": str, "agency_name": str, "region": str}
    wording = Wording(reference.registry, reference.vocabulary, reference.regions)
    return {
        "service": lambda code: wording.service(code).said(language.value),
        "urgency": lambda code: wording.urgency(Urgency(code)).said(language.value),
        "case_type": lambda code: wording.case_type(code).said(language.value),
        "agency_name": lambda code: found.name if (found := _agency(reference, code)) else code,
        "region": lambda code: wording.region(code).said(language.value),
    }


def _agency(reference: Reference | None, code: str) -> Agency | None:
    return reference.registry.agencies.get(code) if reference else None


def _told(language: Language, key: str, **values: object) -> str:
    return said(key, language, **values)


def _labelled(language: Language, kind: str, code: object) -> str:
    """Say a code of a set (app/domain/labels.py); one that is not known stands for itself."""
    text = LABELS[kind].get(str(code))
    return text.said(language.value) if text else str(code)
