"""Signing in at the provider: out to it, and back with its answer."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

import structlog
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.rate_limit import address_of
from app.api.refusals import NoSuchPage, RateLimited
from app.console.console import console_of
from app.console.forms import Form
from app.console.provider import Provider, ProviderUnavailable, SignInRefused, Trip
from app.console.rendering import page
from app.console.route import outside_router, own_path
from app.console.signed_in import LONGEST_TOKEN, show_session, token_in
from app.domain.access_token import TokenFault
from app.storage import console_sign_ins
from app.storage.console_sessions import new_token
from app.workflows.sign_in import sign_in_as

router = outside_router()

TRIP = "__Host-lintas-signing-in"
"""The cookie that says whose sign-in is under way: an answer that comes to another browser is nobody's."""
WAY_BACK = "/console/sign-in/return"
LARGEST_ANSWER = 8 * 1024
SAID: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "state": ("again", 400),
        "over": ("again", 400),
        "denied": ("denied", 403),
        TokenFault.AGENCY: ("no_access", 403),
        TokenFault.ROLES: ("no_access", 403),
        "not_let_in": ("no_access", 403),
    }
)
"""What a person is told of why, and with which status; of everything else, that the provider's answer is no good."""

log = structlog.get_logger()


@router.post("/sign-in/provider")
async def go_out(request: Request, form: Form) -> Response:
    """Send a person to the provider, and remember that their browser was sent."""
    provider, console = _provider(request), console_of(request)
    going = f"to the provider {address_of(request.scope)}"
    # Each leaves a row behind, and nobody knows who asks: one address has as many as one session has requests.
    if console.requests is not None and not console.requests.take(going):
        raise RateLimited(console.requests.wait(going))
    trip = Trip(new_token())
    try:
        address = await provider.way_out(trip, back_to=_way_back(request))
    except ProviderUnavailable:
        return _away(request)
    async with request.app.state.sessions.begin() as tx:
        await console_sign_ins.go_out(tx, trip.secret, next_page=own_path(form.get("next")), now=console.real_clock())
    answer = RedirectResponse(address, 303)
    life = int(console_sign_ins.PROVIDER_LIVES.total_seconds())
    answer.set_cookie(TRIP, trip.secret, max_age=life, path="/", secure=True, httponly=True, samesite="lax")
    return answer


@router.get("/sign-in/return")
async def come_back(request: Request) -> Response:
    """Sign in whom the provider's answer names; an answer counts once, and in the browser that was sent alone."""
    provider, console = _provider(request), console_of(request)
    trip = _trip(request)
    if trip is None:
        return _refused(request, "state")
    try:
        said = _answer(request)
    except ValueError:
        return _refused(request, "provider")
    # Taken back before anything is asked: whatever becomes of it, the same answer never counts again.
    async with request.app.state.sessions.begin() as tx:
        next_page = await console_sign_ins.come_back(tx, trip.secret, now=console.real_clock())
    if next_page is None:
        return _refused(request, "over")
    try:
        named = await provider.who(trip, said, back_to=_way_back(request), now=console.real_clock())
    except SignInRefused as refused:
        return _refused(request, refused.why)
    except ProviderUnavailable:
        return _away(request)
    async with request.app.state.sessions.begin() as tx:
        token = await sign_in_as(
            tx,
            named.holder,
            named.name,
            before=token_in(request),
            now=console.real_clock(),
            terms=console.sessions,
            request_id=request.state.request_id,
        )
    if token is None:
        return _refused(request, "not_let_in")
    answer = RedirectResponse(own_path(next_page), 303)
    show_session(answer, token)
    return _trip_over(answer)


def _provider(request: Request) -> Provider:
    """Give the provider to who has failures to spare."""
    console, address = console_of(request), address_of(request.scope)
    if console.provider is None:
        raise NoSuchPage
    if console.failures is not None and console.failures.left(address) < 1:
        raise RateLimited(console.failures.wait(address))
    return console.provider


def _way_back(request: Request) -> str:
    at: str = request.app.state.terms.public_url
    return f"{at}{WAY_BACK}"


def _trip(request: Request) -> Trip | None:
    secret = request.cookies.get(TRIP)
    return Trip(secret) if secret and len(secret) <= LONGEST_TOKEN and secret.isascii() else None


def _answer(request: Request) -> dict[str, str]:
    """Read the parameters of an answer, each once, else ValueError: said twice, two readers could differ."""
    written = request.url.query
    pairs = parse_qsl(written, keep_blank_values=True, errors="strict", max_num_fields=50)
    said = dict(pairs)
    if len(said) != len(pairs) or len(written) > LARGEST_ANSWER:
        raise ValueError("the answer cannot be read")
    return said


def _refused(request: Request, why: str) -> Response:
    failures = console_of(request).failures
    if failures is not None:
        failures.take(address_of(request.scope))
    log.info("sign_in_refused", why=why)
    because, status = SAID.get(why, ("provider", 403))
    return _trip_over(page(request, "sign_in_failed.html", status=status, because=because))


def _away(request: Request) -> Response:
    answer = page(request, "sign_in_failed.html", status=503, because="away")
    answer.headers["Retry-After"] = "10"
    return _trip_over(answer)


def _trip_over(answer: Response) -> Response:
    answer.delete_cookie(TRIP, path="/", secure=True, httponly=True, samesite="lax")
    return answer
