"""What the console of a process is made of: the operator's settings, and what every request of it shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from app.api.rate_limit import Buckets
from app.console.provider import Provider, origin_of
from app.storage.console_sessions import SessionTerms

SESSION = "__Host-lintas-session"
"""The cookie that shows a session. Lax, not Strict: who follows a link from a mail, or comes back from the provider,
would else look signed out. What changes anything is a POST, which a Lax cookie does not go with from elsewhere."""
LEAVE_TO = "https://www.google.com/"


@dataclass(frozen=True, slots=True)
class Console:
    """The console as the operator wants it."""

    real_clock: Callable[[], datetime]
    """What sessions live by."""
    sessions: SessionTerms = field(default_factory=SessionTerms)
    leave_to: str = LEAVE_TO
    """The harmless page that "leave now" leads to."""
    provider: Provider | None = None
    """Where people sign in; None where they cannot."""
    links: bool = False
    """Whether a link that the operator printed signs a person in: in a trial or a sandbox alone."""
    requests: Buckets | None = None
    """How much one session may ask."""
    failures: Buckets | None = None
    """How many sign-ins that fail one address has to spare."""

    @property
    def policy(self) -> str:
        """What a page may load, and where its forms may lead: here, and to what leads away from here."""
        outside = {origin_of(self.leave_to)} | (self.provider.origins if self.provider else frozenset())
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action 'self' {' '.join(sorted(outside))}; base-uri 'none'; frame-ancestors 'none'"
        )


def console_of(request: Request) -> Console:
    """Give the console that a request is made of."""
    found: Console = request.app.state.console
    return found
