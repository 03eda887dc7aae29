"""What stands around the control API: nobody but a program on this machine may call it, and every answer says so."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.application import route_table
from app.api.middleware import LastResort, RequestLog, SecurityHeaders
from app.api.problems import on_domain_error, on_http_exception, on_invalid_request
from app.domain.errors import DomainError

HOSTS = ("127.0.0.1", "localhost", "[::1]")
DESCRIPTION = """\
Controls a Lintas sandbox: how the agencies behave that it plays, what time it is, what was sent to you. It is \
there in `lintas sandbox` alone, on this machine alone, and asks for no key. Nothing in it is real. The API that you \
write your client for is the other one, as it is everywhere.
"""


class FromHere:
    """Answers programs on this machine alone: no page of a browser, and no name that was made to lead here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"").decode("latin-1")
            if host.rpartition(":")[0] not in HOSTS or b"origin" in headers:
                await PlainTextResponse("only for programs on this machine\n", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def build(routers: Iterable[APIRouter], *, version: str) -> FastAPI:
    """Put the control API together."""
    api = FastAPI(
        title="Lintas sandbox",
        version=version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(LastResort),
            Middleware(FromHere),
        ],
        exception_handlers={
            DomainError: on_domain_error,
            RequestValidationError: on_invalid_request,
            HTTPException: on_http_exception,
        },
    )
    for router in routers:
        api.include_router(router)
    api.state.route_table = tuple(route_table(api))
    return api
