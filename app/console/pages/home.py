"""The first page, what every page can do (leave, choose a language), and the files that pages need."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.docs.routes import FOR_EVER
from app.api.language import Language
from app.api.refusals import NoSuchPage
from app.console.assets import assets
from app.console.console import console_of
from app.console.forms import Form
from app.console.languages import COOKIE
from app.console.navigation import menu_of
from app.console.rendering import page
from app.console.route import after_post, console_router, open_router, own_path
from app.console.signed_in import Person, show_none, token_in
from app.domain.caller import Role
from app.storage.console_sessions import SignedIn
from app.workflows import sign_in

router = console_router()
for_everybody = open_router()
A_YEAR = 31_536_000


@router.get("")
async def show_home(request: Request, person: Person) -> Response:
    """Lead to what waits for a person whose roles have one such page, else show where they can go."""
    menu = menu_of(person.caller)
    if len(menu) == 1 or person.caller.roles == {Role.COORDINATOR}:
        return RedirectResponse(menu[0].path, 303)
    return page(request, "home.html")


@router.get("/here")
async def stay(person: Person) -> Response:
    """Note that somebody is still writing in a form: a session does not end under their hands."""
    return Response(status_code=204)


@router.post("/sign-out")
async def sign_out(request: Request, person: Person) -> Response:
    """End this session."""
    await sign_in.sign_out(request.state.tx, person.token, request_id=request.state.request_id)
    answer = _signed_out(request, person, "signed_out")
    show_none(answer)
    return answer


@router.post("/sign-out-everywhere")
async def sign_out_everywhere(request: Request, person: Person) -> Response:
    """End all sessions of who asks."""
    await sign_in.sign_out_everywhere(request.state.tx, request.state.caller)
    answer = _signed_out(request, person, "signed_out_everywhere")
    show_none(answer)
    return answer


def _signed_out(request: Request, person: SignedIn, done: str) -> Response:
    """Lead to where one signs in; by way of the provider, whose own session ends there, if it is one of its."""
    provider = console_of(request).provider
    if provider is not None and person.issuer == provider.terms.issuer:
        away = provider.way_off(back_to=f"{request.app.state.terms.public_url}/console/sign-in")
        if away is not None:
            return RedirectResponse(away, 303)
    return after_post("/console/sign-in", done=done)


@for_everybody.post("/leave")
async def leave(request: Request) -> Response:
    """End the session, if there is one, and lead to a harmless page: whoever asks, with any form or none."""
    if (token := token_in(request)) is not None:
        await sign_in.sign_out(request.state.tx, token, request_id=request.state.request_id)
    answer = RedirectResponse(console_of(request).leave_to, 303)
    show_none(answer)
    return answer


@for_everybody.post("/language")
async def choose_language(form: Form) -> Response:
    """Keep the language that a person chose, and show the page again."""
    if form.get("language") not in {*Language}:
        raise NoSuchPage
    answer = after_post(own_path(form.get("back")))
    answer.set_cookie(
        COOKIE, form.get("language"), max_age=A_YEAR, path="/", secure=True, httponly=True, samesite="lax"
    )
    return answer


@for_everybody.get("/assets/{digest}/{name}")
async def read_asset(digest: str, name: str) -> Response:
    """Give a file that pages need."""
    found = assets().get(name)
    if found is None or found.digest != digest:
        raise NoSuchPage
    headers = {"Cache-Control": f"public, max-age={FOR_EVER}, immutable"}
    return Response(found.body, media_type=f"{found.media_type}; charset=utf-8", headers=headers)


elsewhere = open_router()


@elsewhere.api_route("/{path:path}", methods=["GET", "POST"])
async def show_nothing(path: str) -> Response:
    """Say that there is no such page."""
    raise NoSuchPage
