"""A Lintas that runs as `make run` runs it, in a directory of its own, with what a browser's tests do to it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from socket import create_server
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.storage.database import open_engine, sessions_of
from app.workflows.prepare_trial import ADDRESS, HOLDERS
from app.workflows.sign_in import offer_link
from tests.workflows.conftest import a_referral

STARTS_WITHIN = 60.0
LINTAS = Path(sys.executable).with_name("lintas")


@dataclass(slots=True)
class Town:
    """A running Lintas with the shipped agencies, spoken to over HTTP and by its command line."""

    at: str
    directory: Path
    client: httpx.AsyncClient
    sessions: async_sessionmaker[AsyncSession]
    """Transactions on its database."""
    keys: dict[tuple[str, Role], str] = field(default_factory=dict)

    async def submit(self, body: dict[str, Any] | None = None, sender: str = HOLDERS[Role.SENDER]) -> dict[str, Any]:
        """Hand in a referral, and give what came back."""
        return await self.call(sender, Role.SENDER, "POST", "/referrals", json=body or a_referral())

    async def offer(self, sender: str = HOLDERS[Role.SENDER], **changes: Any) -> str:
        """Hand in a referral for one service, and give the id of the handoff that came of it."""
        answer = await self.submit(a_referral(**changes), sender)
        return str(answer["service_requests"][0]["handoff"]["id"])

    async def act(self, agency: str, handoff_id: str, action: str, **body: Any) -> dict[str, Any]:
        """Answer a handoff as an agency's system does."""
        return await self.call(agency, Role.RECEIVER, "POST", f"/handoffs/{handoff_id}/{action}", json=body or None)

    async def call(self, agency: str, role: Role, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask the API something as an agency, which must work."""
        headers = {"Authorization": f"Bearer {await self.key(agency, role)}"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        answer = await self.client.request(method, f"{self.at}/v1{path}", headers=headers, **more)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def key(self, agency: str, role: Role) -> str:
        """Give a key of an agency."""
        if (agency, role) not in self.keys:
            self.keys[agency, role] = await self.lintas("keys", "create", "--agency", agency, "--role", role.value)
        return self.keys[agency, role]

    async def link(self, agency: str, *roles: Role, name: str = "Ibu Contoh") -> str:
        """Give a link that signs a person in once, made as `lintas sign-in` makes it."""
        now = datetime.now(UTC)  # noqa: TID251 - the service is a process of its own, on the real clock
        async with self.sessions.begin() as tx:
            link = await offer_link(tx, agency_code=agency, roles=roles, name=name, now=now)
        return f"{self.at}/console/sign-in/link/{link}"

    async def lintas(self, *arguments: str) -> str:
        """Run a command of this Lintas, and give what it prints."""
        process = await asyncio.create_subprocess_exec(
            LINTAS, *arguments, env=_environment(self.directory), stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, arguments
        return printed.decode().strip()


def _environment(directory: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
    return inherited | {"LINTAS_DATA_DIR": str(directory)} | more


@asynccontextmanager
async def a_town(directory: Path, **settings: str) -> AsyncIterator[Town]:
    """Run a Lintas of its own, as `lintas all` does, until left; `settings` are further LINTAS_ variables."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = _environment(directory, LINTAS_PORT=str(port), **settings)
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            LINTAS, "all", "--with-parent", env=env, stdout=log, stderr=log, cwd=directory.parent
        )
        try:
            async with httpx.AsyncClient(timeout=20) as client:
                at = f"http://127.0.0.1:{port}"
                await _ready(client, at, process, directory)
                engine = open_engine((directory / ADDRESS).read_text(), application_name="lintas tests")
                town = Town(at, directory, client, sessions_of(engine))
                issued = json.loads((directory / "trial-keys.json").read_text())
                town.keys |= {(HOLDERS[Role(role)], Role(role)): key for role, key in issued.items()}
                yield town
                await engine.dispose()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _ready(client: httpx.AsyncClient, at: str, process: asyncio.subprocess.Process, directory: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.returncode is None:
        try:
            if (await client.get(f"{at}/health/ready")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError((directory.parent / f"{directory.name}.log").read_text()[-2000:])
