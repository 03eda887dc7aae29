"""Processes of Lintas as they are run, with a port for whoever watches them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import make_url

from app.storage.sealing import KeyRing
from chaos.units import free_port
from chaos.wire import HOST, Wire

ROOT = Path(__file__).parents[2]


class Door(Wire):
    """A way to PostgreSQL that can also be shut: who comes is refused."""

    async def shut(self) -> None:
        """End all that is open, and refuse whoever comes."""
        assert self._listener is not None
        self._listener.close()
        self.cut()

    async def reopen(self) -> None:
        """Let in again whoever comes, at the same port."""
        self._listener = await asyncio.start_server(self._connected, HOST, self.port)

    def address(self, database_url: str) -> str:
        """Give the database's address by this way."""
        return make_url(database_url).set(port=self.port).render_as_string(hide_password=False)


@asynccontextmanager
async def a_door(database_url: str) -> AsyncIterator[Door]:
    """Open a way to the database."""
    port = make_url(database_url).port or 5432
    door = Door(lambda: port)
    await door.open()
    yield door
    await door.close()


@dataclass(frozen=True)
class Running:
    """A process that runs, and where it is watched."""

    process: asyncio.subprocess.Process
    watched_at: str
    served_at: str
    log: Path


@asynccontextmanager
async def lintas(
    place: Path, key_ring: KeyRing, database_url: str, what: str, **environment: str
) -> AsyncIterator[Running]:
    """Run `lintas serve` or `lintas work`, and end it in the end."""
    key_ring.write(place / f"{what}.ring.json")
    watched, served = free_port(), free_port()
    given = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")} | {
        "LINTAS_DATABASE_URL": database_url,
        "LINTAS_KEY_RING_FILE": str(place / f"{what}.ring.json"),
        "LINTAS_DATA_DIR": str(place / "data"),
        "LINTAS_STOP_WITHIN": "1",
        "LINTAS_METRICS__PORT": str(watched),
    }
    if what == "serve":
        given["LINTAS_PORT"] = str(served)
    log = place / f"{what}.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", what, cwd=ROOT, env=given | environment, stdout=out, stderr=out
        )
    try:
        yield Running(process, f"http://{HOST}:{watched}", f"http://{HOST}:{served}", log)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


async def status(client: httpx.AsyncClient, url: str) -> int:
    """Give the status of an answer; 0 where nobody is there."""
    try:
        return (await client.get(url)).status_code
    except httpx.TransportError as error:
        if isinstance(error, httpx.TimeoutException):
            raise
        return 0


async def becomes(client: httpx.AsyncClient, url: str, wanted: int, *, within: float = 60.0) -> None:
    """Wait until an address answers with a status, else TimeoutError."""
    async with asyncio.timeout(within):
        while await status(client, url) != wanted:  # noqa: ASYNC110 - it says so to who asks
            await asyncio.sleep(0.05)
