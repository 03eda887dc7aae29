"""The agencies' receivers, in a process of their own, which keep each post before they answer it, and misbehave.

It says on standard output which port it listens on, reads its orders as one JSON line, and ends when its input does;
the line `calm` has it misbehave no more.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from chaos.agency import VERIFICATION, Agencies
from chaos.door import Door
from chaos.peers import process_behind

HOST = "127.0.0.1"
HANGS = 60.0
SLOW = 1.5


@dataclass(frozen=True, slots=True)
class Orders:
    """Who is served here, and how: by the path of each endpoint, its agency and its secret."""

    endpoints: dict[str, tuple[str, str]]
    keys: dict[str, str]
    record: str
    journal: str
    ports: str
    complaints: str
    counts: str
    seed: int
    misbehaves: float
    """The share of first posts that are not answered as they should be; of later ones it is a quarter of that."""


class Receiver:
    """What the receivers remember, and how they answer."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._webhooks = {path: Webhook(secret) for path, (_, secret) in orders.endpoints.items()}
        self._record = os.open(orders.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._times: dict[tuple[str, str], int] = {}
        self.calm = False
        self.door = Door(Path(orders.ports), Path(orders.complaints))
        self.agencies = Agencies(orders.keys, self.door, Path(orders.journal))

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take one post: keep what came, then answer it or not."""
        path, body = request.path, await request.read()
        agency, _ = self._orders.endpoints[path]
        id_ = request.headers.get("webhook-id", "")
        try:
            news: dict[str, Any] = self._webhooks[path].verify(body, dict(request.headers))
            does = ""
        except WebhookVerificationError as error:
            news, does = {}, f"refused: {error}"
        if news.get("type") == VERIFICATION:
            # It comes before anything breaks, and holds what proves that this address is theirs: not for a record.
            self.agencies.take(agency, id_, news)
            return web.Response(status=204)
        if path.startswith("/deadly/"):
            return self._kill_who_posts(request)
        times = self._times[path, id_] = self._times.get((path, id_), 0) + 1
        does = does or self._drawn(path, id_, times)
        self._keep(path, agency, id_, body, request, does)
        if does in {"taken", "slow"}:
            self.agencies.take(agency, id_, news)
        return await _answered(request, does)

    def _drawn(self, path: str, id_: str, times: int) -> str:
        drawn = sha256(f"{self._orders.seed} {path} {id_} {times}".encode()).digest()
        share = self._orders.misbehaves if times == 1 else self._orders.misbehaves / 4
        if self.calm or int.from_bytes(drawn[:4]) / 2**32 >= share:
            return "taken"
        return ("500", "503", "hang", "close", "slow")[drawn[4] % 5]

    def _keep(self, path: str, agency: str, id_: str, body: bytes, request: web.Request, does: str) -> None:
        line = {
            "path": path,
            "agency": agency,
            "id": id_,
            "timestamp": request.headers.get("webhook-timestamp"),
            "body": body.decode(errors="replace"),
            "does": does,
        }
        os.write(self._record, (json.dumps(line) + "\n").encode())

    def _kill_who_posts(self, request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        process = process_behind(peer[1]) if peer else None
        self._keep(request.path, "", request.headers.get("webhook-id", ""), b"", request, f"killed {process}")
        if process is not None:
            os.kill(process, signal.SIGKILL)
        return web.Response(status=500)

    async def end(self) -> None:
        """Write down how the API answered."""
        counted = {"statuses": self.door.statuses, "replayed": self.door.replayed}
        await asyncio.to_thread(Path(self._orders.counts).write_text, json.dumps(counted))
        await self.door.aclose()


async def _answered(request: web.Request, does: str) -> web.StreamResponse:
    if does == "close" and request.transport is not None:
        request.transport.abort()
    elif does == "hang":
        await asyncio.sleep(HANGS)
    elif does == "slow":
        await asyncio.sleep(SLOW)
    elif does.startswith("refused"):
        return web.Response(status=401)
    elif does.isdigit():
        return web.Response(status=int(does), headers={"Retry-After": "1"})
    return web.Response(status=204)


async def main() -> None:
    """Serve until standard input ends."""
    receiver: Receiver | None = None

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        if receiver is None or not isinstance(request, web.Request):
            return web.Response(status=503)
        return await receiver.take(request)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    receiver = Receiver(Orders(**json.loads(await asyncio.to_thread(sys.stdin.readline))))
    working = asyncio.create_task(receiver.agencies.work())
    while line := await asyncio.to_thread(sys.stdin.readline):
        receiver.calm = line.strip() == "calm"
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    await receiver.end()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
