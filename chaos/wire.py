"""The wire between one process of Lintas and PostgreSQL, which can be cut, go silent, or lose the answers alone."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic

HOST = "127.0.0.1"
CHUNK = 64 * 1024
FORGOTTEN_AFTER = 35.0
"""Seconds after which the server's end of a silent connection is closed, as keepalives of its own would do."""


class Fate(StrEnum):
    """What becomes of bytes on a connection."""

    CARRIED = "carried"
    SILENT = "silent"
    """Nothing goes through in either direction, and neither end is told."""
    UNANSWERED = "unanswered"
    """What is asked arrives and is done; the answers are lost."""


class Link:
    """One connection; once it lost a byte it is lost for good, as it is where a router forgot it."""

    def __init__(self, client: asyncio.StreamWriter, fate: Fate) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.fate = fate

    def abort(self) -> None:
        """Reset both ends."""
        for end in (self.client, self.server):
            if end is not None:
                end.transport.abort()


class Wire:
    """The way of one process to PostgreSQL; it knows when the process last had an answer."""

    def __init__(self, server_port: Callable[[], int]) -> None:
        self._server_port = server_port
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fate = Fate.CARRIED
        self._listener: asyncio.Server | None = None
        self.port = 0
        self.answered_at = monotonic()
        self.carried = self.lost = 0
        """How many times bytes came through, and how many times they were lost."""

    async def open(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End every connection, and listen no more."""
        if self._listener is not None:
            self._listener.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection there is; new ones are carried."""
        for link in list(self._links):
            link.abort()

    def lose(self, fate: Fate) -> None:
        """Let every connection, and each new one until `heal`, meet this fate."""
        self._fate = fate
        for link in self._links:
            link.fate = fate

    def heal(self) -> None:
        """Carry new connections; those that lost something stay lost."""
        self._fate = Fate.CARRIED

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer, self._fate)
        self._links.add(link)
        try:
            from_server, link.server = await asyncio.open_connection(HOST, self._server_port())
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(link, reader, link.server, asked=True))
                both.create_task(self._pump(link, from_server, writer, asked=False))
        except* OSError:
            pass
        finally:
            link.abort()
            self._links.discard(link)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool
    ) -> None:
        while data := await reader.read(CHUNK):
            if link.fate is Fate.SILENT or (link.fate is Fate.UNANSWERED and not asked):
                self.lost += 1
                continue
            self.carried += 1
            if not asked:
                self.answered_at = monotonic()
            writer.write(data)
            await writer.drain()
        if link.fate is not Fate.CARRIED:
            # The end of a connection is not heard of either.
            await asyncio.sleep(FORGOTTEN_AFTER)
        with suppress(OSError):
            writer.close()
        raise ConnectionResetError
