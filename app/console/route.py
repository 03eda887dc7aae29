"""The frame around every page: who is signed in, the form, one transaction that ends before the answer."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from app.api import asked, json_body
from app.api.dependencies import reference
from app.api.desk import told_of
from app.api.idempotency import Slot, place_for
from app.api.refusals import IdempotencyInFlight, NoSuchPage, RateLimited, Unavailable, Unexpected
from app.api.refused import record_refusal, record_repeat
from app.api.validation import Judging, judged_by
from app.console import refusal_pages, signed_in
from app.console.console import console_of
from app.console.forms import CSRF, FORM_KEY, OURS, FormExpired, PostedForm, read_form
from app.console.languages import language_of
from app.console.signed_in import SignInNeeded
from app.domain.caller import Role
from app.domain.errors import DomainError, RoleRequired
from app.observability import told_of as told_of_error
from app.storage.console_sessions import SignedIn
from app.storage.database import is_passing

PREFIX = "/console"
SIGN_IN = "/console/sign-in"
READING = frozenset({"GET", "HEAD"})
OWN_PATH = re.compile(r"/console(/[A-Za-z0-9_-]+)*\Z")
"""Where a page may lead by what an address says: to the console itself, and nowhere else."""
TRIES, PAUSE = 30, 0.1
"""How often, and how many seconds apart, the second of two equal posts asks whether the first one is done."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

log = structlog.get_logger()


def console_router() -> APIRouter:
    """Make a router of pages for who is signed in; a parameter of app.api.dependencies asks for a role."""
    return APIRouter(prefix=PREFIX, route_class=PageRoute, include_in_schema=False)


def open_router() -> APIRouter:
    """Make a router of pages that are for everybody."""
    return APIRouter(prefix=PREFIX, route_class=OpenRoute, include_in_schema=False)


def outside_router() -> APIRouter:
    """Make a router of pages that are for everybody, and ask somebody outside."""
    return APIRouter(prefix=PREFIX, route_class=OutsideRoute, include_in_schema=False)


def own_path(said: str | None) -> str:
    """Give a page of the console that an address names, or its first page."""
    return said if said and OWN_PATH.match(said) else PREFIX


class PageRoute(APIRoute):
    """A page for who is signed in, or for everybody; every refusal is a page too."""

    for_everybody = False
    in_transaction = True

    def get_route_handler(self) -> Handler:
        """Put the frame around FastAPI's own handler."""
        handle = super().get_route_handler()
        roles = frozenset(role for one in asked.roles(self.dependant) for role in one.roles)

        async def framed(request: Request) -> Response:
            request.state.language = language_of(request)
            request.state.signed_in = None
            try:
                if not self.in_transaction:
                    await _prepared(request)
                    return await handle(request)
                return await _served(request, handle, roles, for_everybody=self.for_everybody)
            except SignInNeeded as needed:
                if request.method not in READING:
                    return refusal_pages.refusal(request, needed)
                return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path)}", 303)
            except RequestValidationError:
                # An address that cannot be read leads nowhere, as one of what is not there.
                return refusal_pages.refusal(request, NoSuchPage())
            except DomainError as error:
                await record_refusal(request, error.code)
                return refusal_pages.refusal(request, error)
            except Exception as error:  # noqa: BLE001 - the top of the stack: a person is shown a page
                if is_passing(error):
                    log.warning("database_unavailable", error=type(error).__name__)
                    return refusal_pages.refusal(request, Unavailable())
                log.error("request_broke", **told_of_error(error))  # noqa: TRY400 - the message may hold anything
                return refusal_pages.refusal(request, Unexpected())

        return framed


class OpenRoute(PageRoute):
    """A page for everybody. Its forms are bound to no session: what they do harms nobody, whoever is signed in."""

    for_everybody = True


class OutsideRoute(OpenRoute):
    """A page for everybody that asks somebody outside: it opens its transactions itself, before and after."""

    in_transaction = False


async def _prepared(request: Request) -> dict[str, list[str]]:
    """Read what was sent, and let it pass if it is one of the console's own forms."""
    if not request.app.state.ring_checked.is_set():
        raise Unavailable
    request.state.now = request.app.state.clock()
    if request.method in READING:
        return {}
    # Read before a connection is taken: a slow browser holds none.
    fields = read_form(request, await json_body.read(request))
    check_origin(request)
    request.state.form = PostedForm({name: tuple(given) for name, given in fields.items() if name not in OURS})
    return fields


async def _served(request: Request, handle: Handler, roles: frozenset[Role], *, for_everybody: bool) -> Response:
    fields = await _prepared(request)
    async with request.app.state.sessions.begin() as tx:
        request.state.tx = tx
        person = await signed_in.find(request, tx, console_of(request).real_clock())
        if person is not None:
            await _take_in(request, person, roles)
        elif not for_everybody:
            raise SignInNeeded
        if not for_everybody and person is not None:
            _check_roles(person, roles)
            await reference(request)
        answer = await (handle(request) if for_everybody else _answer(request, handle, fields))
        if answer.status_code >= 400:
            await tx.rollback()
    return answer


async def _take_in(request: Request, person: SignedIn, roles: frozenset[Role]) -> None:
    requests = console_of(request).requests
    if requests is not None and not requests.take(str(person.session_id)):
        raise RateLimited(requests.wait(str(person.session_id)))
    caller = replace(person.caller, acting=person.caller.roles & roles, request_id=request.state.request_id)
    request.state.caller = caller
    request.state.signed_in = replace(person, caller=caller)


def _check_roles(person: SignedIn, roles: frozenset[Role]) -> None:
    if roles and not person.caller.may(*roles):
        # It looks as if it were not there, and the audit has that somebody was kept from it.
        raise RoleRequired(*sorted(role.value for role in roles))


async def _answer(request: Request, handle: Handler, fields: dict[str, list[str]]) -> Response:
    if request.method in READING:
        return await handle(request)
    person: SignedIn = request.state.signed_in
    ring = request.app.state.key_ring
    if not signed_in.is_csrf_of(ring, person, (fields.get(CSRF) or [""])[0]):
        raise FormExpired
    tx: AsyncSession = request.state.tx
    place = _place(request, fields, person)
    if place is not None and (first := await _first_answer(place, tx)) is not None:
        await record_repeat(request)
        return first
    with judged_by(Judging(request.state.now, await reference(request))):
        answer = await handle(request)
    if place is not None and answer.status_code == 303:
        await place.keep(tx, answer, referral_id=told_of(request))
    return answer


def _place(request: Request, fields: dict[str, list[str]], person: SignedIn) -> Slot | None:
    key = (fields.get(FORM_KEY) or [""])[0]
    if not key:
        return None
    sent = "\n".join(f"{name}={value}" for name, given in sorted(fields.items()) if name != CSRF for value in given)
    return place_for(request, f"form {key}", sent.encode(), person.caller, request.app.state.key_ring, by_key=True)


async def _first_answer(place: Slot, tx: AsyncSession) -> Response | None:
    for _ in range(TRIES):
        try:
            return await place.first_answer(tx)
        except IdempotencyInFlight:
            # Somebody pressed twice: the browser shows the answer to the second press alone.
            await asyncio.sleep(PAUSE)
    return await place.first_answer(tx)


def check_origin(request: Request) -> None:
    """Let a post pass that one of the console's own pages makes, else FormExpired.

    A browser that has Sec-Fetch-Site says itself where a post comes from. An older one says Origin, which is "null"
    because the pages have no referrer: that says nothing, and the form's own token decides.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise FormExpired
        return
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return
    ours = {request.headers.get("host"), urlsplit(request.app.state.terms.public_url).netloc}
    if urlsplit(origin).netloc not in ours:
        raise FormExpired


def after_post(path: str, *, done: str | None = None) -> Response:
    """Lead to a page after a post (303), which says what was done by its code: `done.{code}` of the words."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303)
