"""All receivers of a benchmark, in a process of its own: they check every signature and keep what came, and when.

It says on standard output which port it listens on, reads orders as JSON lines, and ends when its input does. A path is
/take/KEY or /hang/KEY, where KEY is the place of the signing key among those that it was told: the one is answered at
once, the other never. Times are those of the machine's monotonic clock, which all processes share.
"""

import asyncio
import base64
import hmac
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httptools
import uvloop

HOST = "127.0.0.1"
TAKE, HANG = "take", "hang"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Kept:
    """One webhook as a receiver kept it: its id, the place of its key, when it came, whether its signature is right."""

    id: str
    key: int
    at: float
    is_signed: bool


class Receivers:
    """The receivers' process, as the benchmark speaks to it."""

    def __init__(self, secrets: Sequence[str]) -> None:
        command = [sys.executable, "-m", "bench.receiving"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.port = int(self._ask({"secrets": list(secrets)}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate(timeout=30)

    def url(self, key: int, *, hangs: bool = False) -> str:
        """Give the address of a receiver by the place of its signing key."""
        return f"http://{HOST}:{self.port}/{HANG if hangs else TAKE}/{key}"

    def forget(self) -> None:
        """Begin anew, with nothing kept."""
        self._ask({"forget": True})

    def count(self) -> int:
        """Count what was taken."""
        return int(self._ask({"count": True}))

    def kept(self) -> list[Kept]:
        """Read all that was taken, in the order in which it came."""
        return [Kept(*row) for row in self._ask({"kept": True})]

    def _ask(self, order: dict[str, Any]) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the receivers speak over pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Connection(asyncio.Protocol):
    """One connection: as little of HTTP as a sender needs, so that the receivers limit nobody."""

    def __init__(self, keys: list[bytes], kept: list[tuple[str, int, float, bool]]) -> None:
        self._keys, self._kept = keys, kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""
        self._headers: dict[bytes, bytes] = {}

    def on_url(self, url: bytes) -> None:
        _, self._kind, key = url.decode().split("/")
        self._key = int(key)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._kind == HANG:
            return
        at, message_id, headers = monotonic(), self._headers[b"webhook-id"], self._headers
        content = b".".join((message_id, headers[b"webhook-timestamp"], self._body))
        right = base64.b64encode(hmac.digest(self._keys[self._key], content, "sha256"))
        self._kept.append((message_id.decode(), self._key, at, headers[b"webhook-signature"] == b"v1," + right))
        self._transport.write(TAKEN)  # type: ignore[attr-defined]


async def receive() -> None:
    """Serve, and carry out orders until there are no more."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    keys: list[bytes] = []
    kept: list[tuple[str, int, float, bool]] = []
    server = await loop.create_server(lambda: _Connection(keys, kept), HOST, 0, backlog=4096)
    while line := await orders.readline():
        order = json.loads(line)
        answer: Any = None
        if "secrets" in order:
            keys += [base64.b64decode(secret.removeprefix("whsec_")) for secret in order["secrets"]]
            answer = server.sockets[0].getsockname()[1]
        elif "forget" in order:
            kept.clear()
        elif "count" in order:
            answer = len(kept)
        elif "kept" in order:
            answer = kept
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(receive())
