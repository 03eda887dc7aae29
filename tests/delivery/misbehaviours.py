"""Every way of misbehaving that a receiver was thought capable of, over bare sockets: one conversation each."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from tests.delivery.receivers import (
    Conversation,
    hang_up,
    never_close,
    say_nothing,
    trickle_body,
    trickle_headers,
)

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Step: TypeAlias = Callable[[Writer], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\n"


def answering_with(*pieces: bytes) -> Conversation:
    """Take the request, send these pieces as they are, and keep the connection."""

    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"".join(pieces))
        await writer.drain()
        await asyncio.Event().wait()

    return talk


def pouring(start: bytes, piece: bytes, *, every: float = 0.0) -> Conversation:
    """Take the request, begin an answer, and go on and on with one piece, at full speed or one now and then."""

    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return talk


async def close_at_once(_reader: Reader, writer: Writer) -> None:
    """Take the connection and close it."""
    writer.close()


async def reset(reader: Reader, writer: Writer) -> None:
    """Take the request, and tear the connection down."""
    await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def answer_unasked(_reader: Reader, writer: Writer) -> None:
    """Answer before anything was sent, and close."""
    writer.write(OK + b"content-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()


async def half_a_handshake(_reader: Reader, writer: Writer) -> None:
    """Begin a TLS record that says it is long, and say no more."""
    writer.write(b"\x16\x03\x03\x3f\xff\x02")
    await writer.drain()
    await asyncio.Event().wait()


async def trickled_handshake(_reader: Reader, writer: Writer) -> None:
    """Begin a TLS record and send a byte of it now and then, for ever."""
    writer.write(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
    while True:
        writer.write(b"\x03")
        await writer.drain()
        await asyncio.sleep(0.05)


def bomb(coding: str) -> Conversation:
    """Answer with 64 MiB of nothing, pressed to a thousandth."""
    plain = bytes(64 * 1024 * 1024)
    packed = gzip.compress(plain) if coding == "gzip" else zlib.compress(plain)
    head = f"content-encoding: {coding}\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    return answering_with(OK, head, packed)


HANGING: Mapping[str, Conversation] = {
    "says nothing": say_nothing,
    "trickles headers": trickle_headers,
    "continues and says no more": answering_with(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "stops in the status line": answering_with(b"HTTP/1.1 20"),
    "stops in the headers": answering_with(OK, b"content-length: 5\r\n"),
}
"""They have the connection for as long as they are let."""

SLOW_TLS: Mapping[str, Conversation] = {
    "says nothing to a handshake": say_nothing,
    "stops in the handshake": half_a_handshake,
    "trickles the handshake": trickled_handshake,
}

FLOODING: Mapping[str, Conversation] = {
    "continues for ever": pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.02),
    "hints for ever": pouring(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", every=0.02),
    "continues at full speed": pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "sends headers without end": pouring(OK, b"x-more: " + b"a" * 80 + b"\r\n"),
    "sends one header without end": pouring(OK + b"x-long: ", b"a" * 65536),
    "sends a status line without end": pouring(b"HTTP/1.1 200 ", b"a" * 65536),
    "sends a header of a megabyte": answering_with(OK, b"x-long: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "sets cookies without end": pouring(OK, b"set-cookie: a=" + b"b" * 4000 + b"\r\n"),
}
"""What comes is never an answer."""

NO_ANSWER: Mapping[str, Conversation] = {
    "hangs up": hang_up,
    "closes at once": close_at_once,
    "resets": reset,
    "speaks SMTP": answering_with(b"220 mail.example ESMTP\r\n"),
    "speaks HTTP/0.9": answering_with(b"<html>hello</html>\n\n"),
    "sends zeros": answering_with(bytes(100_000)),
    "has a status of two digits": answering_with(b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"),
    "has a status of four digits": answering_with(b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"),
    "has no status": answering_with(b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n"),
    "has two lengths": answering_with(OK, b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"),
    "has a length below zero": answering_with(OK, b"content-length: -5\r\n\r\nhello"),
    "has a header with a line break in it": answering_with(OK, b"x-a: b\r\n c\x00d\r\n\r\n"),
}

POOR_ANSWERS: Mapping[str, tuple[int, Conversation]] = {
    "never closes": (200, never_close),
    "trickles its body": (500, trickle_body),
    "trickles chunks": (200, pouring(OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", every=0.05)),
    "pours chunks": (200, pouring(OK + b"transfer-encoding: chunked\r\n\r\n", b"ffff\r\n" + bytes(65535) + b"\r\n")),
    "pours a body": (200, pouring(OK + b"content-length: 99999999999\r\n\r\n", bytes(65536))),
    "pours a body of no length": (200, pouring(OK + b"connection: close\r\n\r\n", bytes(65536))),
    "has a chunk of a giant size": (200, answering_with(OK, b"transfer-encoding: chunked\r\n\r\nfffffffffffffff\r\na")),
    "sends a gzip bomb": (200, bomb("gzip")),
    "sends a deflate bomb": (200, bomb("deflate")),
    "lies about its coding": (200, answering_with(OK, b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello")),
    "closes within its body": (200, answering_with(OK, b"content-length: 500\r\n\r\nhello")),
    "sets a hundred cookies": (200, answering_with(OK, b"set-cookie: a=b\r\n" * 100, b"content-length: 0\r\n\r\n")),
    "continues, hints and takes it": (
        200,
        answering_with(
            b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\n\r\n" * 5, OK, b"content-length: 0\r\n\r\n"
        ),
    ),
    "has no content and a body": (
        204,
        answering_with(b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello"),
    ),
    "says 000": (0, answering_with(b"HTTP/1.1 000 What\r\ncontent-length: 0\r\n\r\n")),
    "says 999": (999, answering_with(b"HTTP/1.1 999 Denied\r\ncontent-length: 0\r\n\r\n")),
    "switches protocols": (
        101,
        answering_with(b"HTTP/1.1 101 Now\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" + bytes(9)),
    ),
    "answers unasked": (200, answer_unasked),
    "answers twice": (
        200,
        answering_with(OK, b"content-length: 0\r\n\r\n", b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"),
    ),
    "answers a thousand times": (
        200,
        pouring(OK + b"content-length: 0\r\n\r\n", (OK + b"content-length: 0\r\n\r\n") * 1000),
    ),
}
"""There is a status, and it counts."""
