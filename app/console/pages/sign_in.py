"""Signing in: the ways that are open, and the link of a trial."""

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import RedirectResponse, Response

from app.api.dependencies import Transaction, reference
from app.api.rate_limit import address_of
from app.api.refusals import NoSuchPage, RateLimited
from app.console.console import console_of
from app.console.rendering import page
from app.console.route import after_post, open_router, own_path
from app.console.signed_in import show_session, token_in
from app.storage import console_sign_ins
from app.workflows.sign_in import sign_in_by_link

router = open_router()

Link = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]


@router.get("/sign-in")
async def show_ways(request: Request, next_page: Annotated[str, Query(alias="next", max_length=500)] = "") -> Response:
    """Show how one can sign in; who is signed in already goes on."""
    if request.state.signed_in is not None:
        return RedirectResponse(own_path(next_page), 303)
    console = console_of(request)
    has_provider = console.provider is not None
    return page(request, "sign_in.html", next_page=own_path(next_page), provider=has_provider, links=console.links)


@router.get("/sign-in/link/{link}")
async def show_link(request: Request, link: Link, tx: Transaction) -> Response:
    """Show whom a link signs in, without using it up: programs that look at links ask for this alone."""
    _check_links(request)
    found = await console_sign_ins.linked(tx, link, now=console_of(request).real_clock())
    if found is None:
        return _link_over(request)
    registry = (await reference(request)).registry
    agency = registry.agencies.get(found.agency_code)
    return page(
        request,
        "sign_in_link.html",
        found=found,
        agency_called=agency.name if agency else found.agency_code,
        link=link,
    )


@router.post("/sign-in/link/{link}")
async def follow_link(request: Request, link: Link, tx: Transaction) -> Response:
    """Use a link up, and sign its person in."""
    _check_links(request)
    console = console_of(request)
    token = await sign_in_by_link(
        tx,
        link,
        before=token_in(request),
        now=console.real_clock(),
        terms=console.sessions,
        request_id=request.state.request_id,
    )
    if token is None:
        return _link_over(request)
    answer = after_post("/console")
    show_session(answer, token)
    return answer


def _check_links(request: Request) -> None:
    """Take links in a trial and a sandbox alone, and from an address that has failures to spare."""
    console = console_of(request)
    if not console.links:
        raise NoSuchPage
    address = address_of(request.scope)
    if console.failures is not None and console.failures.left(address) < 1:
        raise RateLimited(console.failures.wait(address))


def _link_over(request: Request) -> Response:
    failures = console_of(request).failures
    if failures is not None:
        failures.take(address_of(request.scope))
    return page(request, "link_over.html", status=410)
