"""Real processes of Lintas on a seeded database, and one exchange between two agencies through them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.storage import api_keys
from app.storage.sealing import KeyRing
from app.workflows.seed import seed
from chaos.units import free_port
from tests.delivery.receivers import Receiver
from tests.delivery.world import RealClock, World, until
from tests.workflows.conftest import PPU, RECEIVER, a_referral

ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, str] = {}
LOOPBACK = {"LINTAS_WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8", "LINTAS_WEBHOOK__ALLOW_HTTP": "true"}


@dataclass(slots=True)
class Process:
    """One that runs, where it listens if it does, and what it logs."""

    running: asyncio.subprocess.Process
    port: int
    log: Path

    def says(self, words: str) -> bool:
        return words in self.log.read_text()

    async def end(self, *, within: float = 40) -> int:
        """Ask it to stop, and give what it ended with."""
        self.running.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.running.wait(), within)


@asynccontextmanager
async def lintas(
    place: Path,
    key_ring: KeyRing,
    database_url: str,
    what: str,
    settings: Mapping[str, str] = NOTHING,
    *,
    code: Path = ROOT,
) -> AsyncIterator[Process]:
    """Run `serve` or `work` of some code while the block runs; a log that tells of an error fails the test."""
    ring = place / f"ring-{uuid4().hex[:6]}.json"
    key_ring.write(ring)
    port, log = free_port(), place / f"{what}-{uuid4().hex[:6]}.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LINTAS_", "PYTHON"))} | {
        "LINTAS_DATABASE_URL": database_url,
        "LINTAS_KEY_RING_FILE": str(ring),
        "LINTAS_DATA_DIR": str(place / "data"),
        "LINTAS_PORT": str(port),
        **LOOPBACK,
        **settings,
    }
    with log.open("wb") as into:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", what, cwd=code, env=environment, stdout=into, stderr=into
        )
    process = Process(running, port, log)
    try:
        if what == "serve":
            await until(lambda: is_ready(port), within=60)
        yield process
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()
    assert not process.says('"level":"error"'), log.read_text()
    assert not process.says('"level": "error"'), log.read_text()


async def is_ready(port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False


async def connected(sessions: async_sessionmaker[AsyncSession], application: str, *, asked: str = "") -> bool:
    """Say whether a process of that name has a connection to the database, whose last statement begins so."""
    found = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name LIKE :name AND query LIKE :asked AND pid <> pg_backend_pid()"
    )
    async with sessions.begin() as tx:
        return bool(await tx.scalar(found, {"name": f"{application}%", "asked": f"{asked}%"}))


class Town:
    """A sender, and a receiver that is told by webhook, of the shipped registry."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> None:
        self.sessions, self.world = sessions, World(sessions, key_ring, RealClock())
        self.keys: dict[str, str] = {}

    @asynccontextmanager
    async def settled(self, receiver: Receiver) -> AsyncIterator[None]:
        """Seed the registry, give both their keys, and register the receiver's endpoint."""
        async with self.sessions.begin() as tx:
            await seed(tx, self.world.clock())
        for agency, role in ((PPU, Role.SENDER), (RECEIVER, Role.RECEIVER)):
            self.keys[agency] = api_keys.new_secret([role])
            async with self.sessions.begin() as tx:
                await api_keys.add(
                    tx, secret=self.keys[agency], agency_code=agency, roles=[role], label="", expires_at=None
                )
        await self.world.endpoint(receiver.url, agency=RECEIVER)
        yield

    async def ask(self, agency: str, port: int, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[agency]}", "Idempotency-Key": str(uuid4())}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            return await client.request(method, f"http://127.0.0.1:{port}/v1{path}", headers=headers, **more)

    async def exchange(self, receiver: Receiver, *, sent_to: int, answered_at: int) -> None:
        """Send a referral, wait for its webhook, accept and complete it, and read its end in the sender's feed."""
        sent = await self.ask(PPU, sent_to, "POST", "/referrals", json=a_referral())
        assert sent.status_code == 201, sent.text
        handoff_id = sent.json()["service_requests"][0]["handoff"]["id"]
        await until(lambda: any(handoff_id.encode() in one.body for one in receiver.received), within=30)
        for action, body in (("accept", {}), ("complete", {"outcome": "service_given"})):
            done = await self.ask(RECEIVER, answered_at, "POST", f"/handoffs/{handoff_id}/{action}", json=body)
            assert done.status_code == 200, done.text

        async def is_told() -> bool:
            feed = await self.ask(PPU, sent_to, "GET", "/events?limit=200")
            return any(
                event["type"] == "handoff.completed" and event["data"]["handoff_id"] == handoff_id
                for event in feed.json()["items"]
            )

        await until(is_told, within=30)
