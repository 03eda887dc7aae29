"""The HTTP server: uvicorn, read strictly, without logs and signals of its own."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from socket import socket

import uvicorn
from starlette.types import ASGIApp

from app.api.protocol import StrictProtocol

KEEP_ALIVE = 65
"""Seconds for which a connection that was used is kept: longer than the proxies in front keep theirs."""


class Server(uvicorn.Server):
    """A server that leaves signals to us and says when it takes requests; every answer carries `headers`."""

    def __init__(
        self,
        api: ASGIApp,
        on_ready: Callable[[], None],
        *,
        stop_within: timedelta,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(
            uvicorn.Config(
                api,
                http=StrictProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                headers=list(headers),
                # What proxies say is read by the API itself, which also has to know who said it.
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=round(stop_within.total_seconds()),
            )
        )
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._on_ready()
