"""All pages of the console, in the order in which an address is looked up."""

from fastapi import APIRouter

from app.console.pages import handoffs, home, referral_changes, referral_entry, referrals, sign_in

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    home.for_everybody,
    sign_in.router,
    handoffs.router,
    # A fixed address before the one of a referral.
    referral_entry.router,
    referrals.router,
    referral_changes.router,
    # The last: it takes every address that is left.
    home.elsewhere,
)
