"""The senders' systems, in a process of their own: they send referrals, and keep a journal of what was answered 2xx.

Orders come as JSON lines on standard input: first who and where, then `{"send": N, "over": SECONDS}` again and again.
When its input ends it sends to the end what it began, and ends.
"""

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from chaos.door import Door

PLACES = ("64.02.06", "64.02.01", "64.09.01", "64.09.04", "64.71.01", "64.72.01")
SERVICES = (
    ("legal_service",),
    ("psychological_support",),
    ("health_service", "psychological_support"),
    ("legal_service", "psychological_support"),
    ("law_enforcement",),
)
URGENCIES = ("emergency",) * 9 + ("urgent", "standard")


@dataclass(frozen=True, slots=True)
class Orders:
    """Who sends, and where everything lies."""

    keys: dict[str, str]
    ports: str
    journal: str
    complaints: str
    counts: str
    seed: int


class Sender:
    """Sends referrals until each is answered with a 2xx."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._door = Door(Path(orders.ports), Path(orders.complaints))
        self._journal = Path(orders.journal).open("a", encoding="utf-8")  # noqa: SIM115 - kept open while it runs
        self._chance = random.Random(orders.seed)  # noqa: S311 - it must be the same again
        self._numbers = count(1)

    async def send(self, number: int, over: float) -> None:
        """Send so many referrals, spread over so many seconds, each until it was taken."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(number):
                tasks.create_task(self._send_one(f"CHAOS-{next(self._numbers):05}"))
                await asyncio.sleep(over / number)

    async def _send_one(self, reference: str) -> None:
        sender = self._chance.choice(sorted(self._orders.keys))
        status, referral = await self._door.call(
            self._orders.keys[sender], "POST", "/referrals", a_referral(reference, self._chance)
        )
        line = {"reference": reference, "sender": sender, "status": status, "id": referral.get("id")}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()

    async def end(self) -> None:
        """Write down how everything was answered."""
        counted = {"statuses": self._door.statuses, "replayed": self._door.replayed}
        await asyncio.to_thread(Path(self._orders.counts).write_text, json.dumps(counted))
        await self._door.aclose()


def a_referral(reference: str, chance: random.Random) -> dict[str, Any]:
    """Write a referral that somebody takes; no person in it is real."""
    home = chance.choice(PLACES)
    return {
        "sender_reference": reference,
        "urgency": chance.choice(URGENCIES),
        "case": {"types": ["physical", "psychological"]},
        "locations": {"incident": chance.choice(PLACES), "domicile": home, "current": home},
        "victim": {"alias": reference, "sex": "female", "age": chance.randint(19, 60)},
        "services": [{"type": service} for service in chance.choice(SERVICES)],
        "consent": {"basis": "victim", "given_at": "2025-01-06T09:00:00+08:00"},
    }


async def main() -> None:
    """Take orders until there are no more."""
    sender = Sender(Orders(**json.loads(sys.stdin.readline())))
    async with asyncio.TaskGroup() as tasks:
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            tasks.create_task(sender.send(order["send"], order["over"]))
    await sender.end()


if __name__ == "__main__":
    asyncio.run(main())
