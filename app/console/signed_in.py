"""Who is signed in: found by the cookie, as far as every page needs to know."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.api.refusals import Refusal
from app.console.console import SESSION, console_of
from app.storage import console_sessions
from app.storage.console_sessions import SignedIn
from app.storage.sealing import KeyRing

LONGEST_TOKEN = 100


class SignInNeeded(Refusal):
    """The page is for who is signed in."""

    code = "session_over"


def token_in(request: Request) -> str | None:
    """Give the session token that a browser shows, if it shows one."""
    token = request.cookies.get(SESSION)
    return token if token and len(token) <= LONGEST_TOKEN and token.isascii() else None


async def find(request: Request, tx: AsyncSession, now: datetime) -> SignedIn | None:
    """Give who is signed in; None if nobody is. `now` is real time."""
    token = token_in(request)
    if token is None:
        return None
    return await console_sessions.signed_in(tx, token, now=now, terms=console_of(request).sessions)


async def signed_in(request: Request) -> SignedIn:
    """Give who is signed in, as FastAPI asks for it."""
    found: SignedIn = request.state.signed_in
    return found


Person = Annotated[SignedIn, Depends(signed_in)]


def csrf_of(ring: KeyRing, person: SignedIn) -> str:
    """Give what every form of a session holds, and nobody can make who does not know the session's token."""
    return ring.hash("console-form", person.token.encode()).hex()


def is_csrf_of(ring: KeyRing, person: SignedIn, given: str) -> bool:
    """Say whether a form is one of this session's."""
    return secrets.compare_digest(csrf_of(ring, person).encode(), given.encode())


def show_session(answer: Response, token: str) -> None:
    """Have the browser show a session from now on, until it is closed."""
    answer.set_cookie(SESSION, token, path="/", secure=True, httponly=True, samesite="lax")


def show_none(answer: Response) -> None:
    """Have the browser forget the session."""
    answer.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="lax")
