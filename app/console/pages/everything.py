"""All pages of the console, in the order in which an address is looked up."""

from fastapi import APIRouter

from app.console.pages import (
    agreements,
    audit_story,
    endpoints,
    handoffs,
    home,
    persons,
    placing,
    reach,
    service_request,
    service_requests,
    sign_in,
    supplying,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    home.for_everybody,
    sign_in.router,
    handoffs.router,
    service_requests.router,
    service_request.router,
    placing.router,
    supplying.router,
    reach.router,
    endpoints.router,
    agreements.router,
    audit_story.router,
    persons.router,
    # The last: it takes every address that is left.
    home.elsewhere,
)
