"""An integrator at work: one sandbox as a person starts it, its control, and the API with the keys it printed."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from tests.delivery.receivers import Receiver

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
ENVIRONMENT |= {"PYTHONPATH": str(ROOT)}
STARTS_WITHIN = 90.0
COMES_WITHIN = 40.0
AGENCIES = {"sender": "dp3ap2kb-ppu", "receiver": "uptd-ppa-ppu", "coordinator": "dp3a-kukar"}
FIRST, SECOND, THIRD = "uptd-ppa-kukar", "mall-pelayanan-ppa-kukar", "uptd-ppa-kaltim"
"""Who is asked, one after the other, for what PSYCHOLOGIST asks for; each has a day."""
PSYCHOLOGIST: dict[str, Any] = {
    "urgency": "urgent",
    "case": {"types": ["psychological"]},
    "locations": {"incident": "64.09.01", "domicile": "64.09.01", "current": "64.09.01"},
    "victim": {"alias": "Bunga", "sex": "female", "age": 24},
    "services": [{"type": "psychological_support"}],
    "consent": {"basis": "victim", "given_at": "2025-01-06T09:00:00+08:00"},
}
LAWYER = PSYCHOLOGIST | {"services": [{"type": "legal_service"}]}
"""For the receiver whose key is printed."""


@dataclass
class Told:
    """What the command said to who started it."""

    process: "subprocess.Popen[str]"
    place: Path

    @property
    def text(self) -> str:
        return (self.place / "told.txt").read_text()

    @property
    def api(self) -> str:
        return str(re.findall(r"^API: +(\S+)$", self.text, re.MULTILINE)[0])

    @property
    def control(self) -> str:
        return str(re.findall(r"control: +(\S+)/sandbox ", self.text)[0])

    @property
    def keys(self) -> dict[str, str]:
        return dict(re.findall(r"^(\w+) +\S+ +(lintas_sandbox_\w+)$", self.text, re.MULTILINE))


@contextmanager
def started(place: Path, *options: str, **environment: str) -> Iterator[Told]:
    """Run `lintas sandbox` on free ports in a directory, until left."""
    with (place / "told.txt").open("w") as out, (place / "log.txt").open("w") as err:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "app.cli", "sandbox", "--port", "0", "--control-port", "0", *options],
            cwd=place,
            env=ENVIRONMENT | environment,
            stdout=out,
            stderr=err,
            text=True,
        )
    told = Told(process, place)
    try:
        patience = time.monotonic() + STARTS_WITHIN
        while "clock/advance" not in told.text:
            assert process.poll() is None, (place / "log.txt").read_text()[-3000:]
            assert time.monotonic() < patience, (place / "log.txt").read_text()[-3000:]
            time.sleep(0.05)
        yield told
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something, for as long as that may take at most."""
    ends = time.monotonic() + COMES_WITHIN
    while not await true():
        assert time.monotonic() < ends, "it did not come"
        await asyncio.sleep(0.05)


class Integrator:
    """Whoever tries their client out."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self._client = httpx.AsyncClient(timeout=60, trust_env=False)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self._client.request(method, f"{self.told.control}/sandbox{path}", json=body)

    async def done(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.control(method, path, body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, role: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        key = {"Authorization": f"Bearer {self.told.keys.get(role, role)}"}
        return await self._client.request(method, f"{self.told.api}/v1{path}", json=body, headers=key | headers)

    async def send(self, body: dict[str, Any] = PSYCHOLOGIST) -> str:
        """Send a referral as the printed sender, and give its id."""
        body = body | {"sender_reference": str(uuid4())}
        answer = await self.ask("sender", "POST", "/referrals", body, **{"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def request_of(self, referral_id: str) -> dict[str, Any]:
        """Give the one service request of a referral."""
        [request] = (await self.ask("sender", "GET", f"/referrals/{referral_id}")).json()["service_requests"]
        found: dict[str, Any] = request
        return found

    async def journey(self, referral_id: str) -> list[tuple[str, str]]:
        """List who was offered it and what became of that."""
        request = await self.request_of(referral_id)
        made = [*request["earlier_handoffs"], *([request["handoff"]] if request["handoff"] else [])]
        return [(one["agency"], one["state"]) for one in made]

    async def behave(self, agency: str, **behaviour: Any) -> None:
        await self.done("PUT", f"/agencies/{agency}/behaviour", behaviour)

    async def advance(self, by: str) -> dict[str, Any]:
        return await self.done("POST", "/clock/advance", {"by": by, "within_seconds": 60})

    async def register(self, role: str, receiver: Receiver, **more: Any) -> Webhook:
        """Register and prove an endpoint of one's own; give what verifies its webhooks."""
        made = await self.ask(role, "POST", "/endpoints", {"url": receiver.url, **more})
        assert made.status_code == 201, made.text
        verifier = Webhook(made.json()["secret"])

        async def challenged() -> bool:
            return bool(receiver.received)

        await until(challenged)
        news = verifier.verify(receiver.received[0].body, receiver.received[0].headers)
        proof = {"challenge": news["data"]["challenge"]}
        proven = await self.ask(role, "POST", f"/endpoints/{made.json()['id']}/verify", proof)
        assert proven.json()["state"] == "active", proven.text
        return verifier


def types_in(receiver: Receiver) -> list[str]:
    return [json.loads(one.body)["type"] for one in receiver.received]
