"""Agencies' servers that fail in every way, say what was planted while they do, and keep each byte they are sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.leaks.canaries import MARK, NATIONAL_ID

SAID = f"{MARK}9999 {NATIONAL_ID}"
"""What a receiver may have in its answers: it knows the person."""
_FIELDS = f"Retry-After: {SAID}\r\nLocation: http://127.0.0.1:1/{MARK}\r\nSet-Cookie: a={MARK}\r\nServer: {MARK}\r\n"


def _answer(status: str, body: str = SAID) -> bytes:
    head = f"HTTP/1.1 {status} {SAID}\r\n{_FIELDS}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


ANSWERS = {
    "/takes": _answer("200"),
    "/breaks": _answer("500"),
    "/sends-away": _answer("302"),
    "/is-gone": _answer("410"),
    "/no-http": f"{SAID} {SAID}\r\n\r\n".encode(),
    "/bad-length": f"HTTP/1.1 200 OK\r\nContent-Length: {MARK}\r\n\r\n{SAID}".encode(),
    "/bad-coding": f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 50\r\n\r\n{SAID * 2}".encode(),
    "/cut-short": f"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{SAID}".encode(),
    "/hangs-up": b"",
}
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
COLLECTS = "/collects"
"""Where traces are sent: a cookie that it set would come back to it."""
HANGS = "/hangs"
PATHS = (*ANSWERS, HANGS)


MAILBOXES = ("takes", "unknown", "refused", "later", "full")
"""The local parts of addresses, each answered in its way."""


def refusing(address: str) -> str:
    """Answer to the recipient of a mail: the server may say anything of a person it knows."""
    return {
        "unknown": f"550 5.1.1 {SAID}",
        "refused": f"554 5.7.1 {SAID}",
        "later": f"450 4.2.0 {SAID}",
        "full": f"552 5.2.2 {SAID}",
    }.get(address.partition("@")[0], f"250 2.1.5 {SAID}")


@dataclass(slots=True)
class Receivers:
    """One server, a path for each way to answer."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)

    def took(self, path: str) -> int:
        """Count what came to a path."""
        return sum(webhook.startswith(f"POST {path} ".encode()) for webhook in self.received)


@asynccontextmanager
async def receivers() -> AsyncIterator[Receivers]:
    """Serve while the block runs."""
    there, open_ones = Receivers(), set[asyncio.Task[None]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        task.add_done_callback(open_ones.discard)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")),
                0,
            )
            there.received.append(head + await reader.readexactly(length))
            path = head.split(b" ")[1].decode()
            if path == HANGS:
                await asyncio.Event().wait()
            writer.write(_TAKEN if path == COLLECTS else ANSWERS.get(path, b""))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    try:
        yield there
    finally:
        server.close()
        for task in list(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)
