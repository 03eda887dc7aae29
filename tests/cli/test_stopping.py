"""SIGTERM ends a process in order and in time, also where its database never says a word."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from app.storage.sealing import KeyRing
from chaos.units import free_port
from chaos.wire import Fate, Wire
from tests.delivery.world import until

ROOT = Path(__file__).parents[2]
IN_TIME = 12
"""Seconds: more than what it was given and is allowed beyond, less than a statement may take that has no answer."""


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    port = make_url(database_url).port or 5432
    wire = Wire(lambda: port)
    await wire.open()
    yield wire
    await wire.close()


@asynccontextmanager
async def lintas(
    place: Path, key_ring: KeyRing, database_url: str, *what: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    key_ring.write(place / "ring.json")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")} | {
        "LINTAS_DATABASE_URL": database_url,
        "LINTAS_KEY_RING_FILE": str(place / "ring.json"),
        "LINTAS_DATA_DIR": str(place / "data"),
        "LINTAS_STOP_WITHIN": "1",
    }
    with (place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", *what, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def through(wire: Wire, database_url: str) -> str:
    return make_url(database_url).set(port=wire.port).render_as_string(hide_password=False)


def says(place: Path, words: str) -> bool:
    return words in (place / "log").read_text()


async def ended(process: asyncio.subprocess.Process) -> int:
    process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(process.wait(), IN_TIME)


async def test_a_worker_that_waits_for_its_database_at_the_start_is_stopped_in_order(
    tmp_path: Path, key_ring: KeyRing
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with lintas(tmp_path, key_ring, nowhere, "work") as worker:
        await until(lambda: says(tmp_path, "worker_waits_for_database"), within=60)

        assert await ended(worker) == 0


@pytest.mark.usefixtures("sessions")
async def test_a_worker_whose_database_went_silent_is_stopped_in_time(
    tmp_path: Path, key_ring: KeyRing, database_url: str, wire: Wire
) -> None:
    async with lintas(tmp_path, key_ring, through(wire, database_url), "work") as worker:
        # By then it runs, and asks again each second.
        await until(lambda: wire.carried > 50, within=60)
        wire.lose(Fate.SILENT)
        await until(lambda: wire.lost > 1, within=20)

        assert await ended(worker) == 0
        assert says(tmp_path, "stopped_unfinished")


@pytest.mark.usefixtures("sessions")
async def test_who_asked_an_api_whose_database_went_silent_is_told_to_come_again_when_it_stops(
    tmp_path: Path, key_ring: KeyRing, database_url: str, wire: Wire
) -> None:
    async with (
        lintas(tmp_path, key_ring, through(wire, database_url), "serve", "--port", str(port := free_port())) as api,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):

        async def is_live() -> bool:
            try:
                return (await client.get("/health/live")).status_code == 200
            except httpx.HTTPError:
                return False

        await until(is_live, within=60)
        key = {"Authorization": "Bearer lintas_sender_nobody"}
        assert (await client.get("/v1/handoffs", headers=key)).status_code == 401
        wire.lose(Fate.SILENT)
        asking = asyncio.create_task(client.get("/v1/handoffs", headers=key))
        await until(lambda: wire.lost > 1, within=20)

        assert await ended(api) == 0
        answer = await asking

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "retry-after" in answer.headers


READING = """
import signal, sys, threading

# As in a terminal, also where these tests run in the background, with the signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Reading:
    def find_spec(self, name, path=None, target=None):
        if name == "app.cli":
            print("reading", flush=True)
            threading.Event().wait(30)

sys.meta_path.insert(0, Reading())
from app.__main__ import main
main()
"""


async def test_who_interrupts_it_while_it_is_still_being_read_sees_no_traceback() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READING, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()

    assert process.returncode == -signal.SIGINT
    assert said == b""
