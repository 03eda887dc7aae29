"""All pages of the console, in the order in which an address is looked up."""

from fastapi import APIRouter

from app.console.pages import (
    agreements,
    audit_story,
    endpoints,
    handoff,
    handoffs,
    home,
    persons,
    placing,
    provider,
    reach,
    referral_changes,
    referral_entry,
    referrals,
    service_request,
    service_requests,
    sign_in,
    supplying,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    home.for_everybody,
    sign_in.router,
    provider.router,
    handoffs.router,
    handoff.router,
    service_requests.router,
    service_request.router,
    placing.router,
    supplying.router,
    reach.router,
    # A fixed address before the one of a referral.
    referral_entry.router,
    referrals.router,
    referral_changes.router,
    endpoints.router,
    agreements.router,
    audit_story.router,
    persons.router,
    # The last: it takes every address that is left.
    home.elsewhere,
)
