"""All pages of the console, in the order in which an address is looked up."""

from fastapi import APIRouter

from app.console.pages import handoffs, home, sign_in

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    home.for_everybody,
    sign_in.router,
    handoffs.router,
    # The last: it takes every address that is left.
    home.elsewhere,
)
