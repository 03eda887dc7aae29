"""A PostgreSQL of its own, durable, that is restarted and killed on the same data and port."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from app.storage.embedded import EmbeddedPostgres


class Postgres:
    """One embedded server; what it committed must be there after each of these."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: EmbeddedPostgres | None = None
        self.port = 0

    async def start(self) -> None:
        """Start it, on the port it had before."""
        self._server = await asyncio.to_thread(EmbeddedPostgres.start, self._directory, port=self.port or None)
        self.port = self._server.port

    async def stop(self) -> None:
        """Stop it in order: sessions are ended, and a checkpoint is written."""
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)
            self._server = None

    async def kill(self) -> None:
        """Kill it as the loss of power would, and clear away what is left of it; its data is as it was at that moment.

        The postmaster is killed first: nobody is left to end its backends in order.
        """
        postmaster = self._postmaster()
        backends = _children(postmaster)
        for process in (postmaster, *backends):
            _send(process, signal.SIGKILL)
        await self.stop()

    def kill_backends(self, which: int) -> None:
        """Kill the backend of one session, as the kernel does when memory is short: the server ends all of them."""
        backends = [process for process in _children(self._postmaster()) if _is_session(process)]
        if backends:
            _send(backends[which % len(backends)], signal.SIGKILL)

    def url(self, port: int | None = None) -> str:
        """Give the address, through a wire's port if one is given."""
        if self._server is None:
            raise RuntimeError("the server does not run")
        own = self._server.url()
        return own if port is None else own.replace(f":{self.port}/", f":{port}/")

    def _postmaster(self) -> int:
        return int((self._directory / "cluster" / "postmaster.pid").read_text().split()[0])


def _children(parent: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def _is_session(process: int) -> bool:
    try:
        return b"lintas lintas 127.0.0.1" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
