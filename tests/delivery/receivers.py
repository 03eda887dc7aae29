"""Receivers on loopback: good ones over aiohttp.web, and bad ones over bare sockets."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext, SSLError
from time import monotonic
from typing import TypeAlias

from aiohttp import web


@dataclass(frozen=True)
class Received:
    """One webhook as it came."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """An HTTP server that keeps what it is sent, and answers as told."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        return [webhook.id for webhook in self.received]


Behaviour: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def answering(*statuses: int, headers: dict[str, str] | None = None) -> Behaviour:
    """Answer with these statuses in turn, the last one for ever."""
    left = list(statuses)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0], headers=headers)

    return answer


@asynccontextmanager
async def a_receiver(
    behaviour: Behaviour | None = None, *, tls: SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """Serve a receiver while the block runs; without a behaviour it takes everything."""
    receiver = Receiver()
    behave = behaviour or answering(204)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        receiver.received.append(Received(headers, await request.read(), monotonic()))
        return await behave(request)

    server = web.Server(handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_doorkeeper(tls: SSLContext) -> AsyncIterator[Receiver]:
    """Serve TLS alone, as servers do that say why they refuse a client: asyncio's own hangs up without a word."""
    receiver = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    receiver.connections += 1
                    with plain, plain.dup() as raw:
                        with suppress(SSLError), tls.wrap_socket(plain, server_side=True):
                            return
                        raw.settimeout(5)
                        raw.shutdown(socket.SHUT_WR)
                        with suppress(OSError):
                            while raw.recv(4096):
                                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        receiver.url = f"https://127.0.0.1:{listener.getsockname()[1]}/hook"
        try:
            yield receiver
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            await asyncio.to_thread(thread.join, 5)


Conversation: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_bad_receiver(conversation: Conversation) -> AsyncIterator[Receiver]:
    """Serve a bare socket: each connection is one conversation."""
    receiver = Receiver()
    open_ones: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await conversation(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            open_ones.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


async def say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the connection, and never answer."""
    await asyncio.Event().wait()


async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the request, and close."""
    await reader.readuntil(b"\r\n\r\n")


async def trickle_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte of the headers now and then, for ever."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def trickle_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say 500 at once, and a byte of the body now and then, for ever."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 500 Oh\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def never_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say 200 with a body that only the end of the connection ends, which never comes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello")
    await writer.drain()
    await asyncio.Event().wait()
