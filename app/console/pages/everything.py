"""All pages of the console, in the order in which an address is looked up."""

from fastapi import APIRouter

from app.console.pages import handoff, handoffs, home, provider, sign_in

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    home.for_everybody,
    sign_in.router,
    provider.router,
    handoffs.router,
    handoff.router,
    # The last: it takes every address that is left.
    home.elsewhere,
)
