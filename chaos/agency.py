"""What an agency's system does with the news it took: it answers offers, and takes notice of what waits for it."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from chaos.door import Door

OFFERED, NEEDS_COORDINATOR = "handoff.offered", "service_request.needs_coordinator"
VERIFICATION = "endpoint.verification"
AT_ONCE = 8


class Agencies:
    """All agencies of one process, each with its own key; what is answered 2xx is kept in a journal."""

    def __init__(self, keys: dict[str, str], door: Door, journal: Path) -> None:
        self._keys = keys
        self._door = door
        self._journal = journal.open("a", encoding="utf-8")  # kept open while it runs
        self._todo: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._seen: set[tuple[str, str]] = set()

    def take(self, agency: str, id_: str, news: dict[str, Any]) -> None:
        """Put what is new on the agency's desk."""
        if (agency, id_) not in self._seen:
            self._seen.add((agency, id_))
            self._todo.put_nowait((agency, news))

    async def work(self) -> None:
        """Work off the desks, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        while True:
            agency, news = await self._todo.get()
            if news["type"] == OFFERED:
                await self._answer(agency, news["data"]["handoff_id"])
            elif news["type"] == NEEDS_COORDINATOR:
                request = news["data"]["service_request_id"]
                await self._do(agency, f"/service-requests/{request}", "acknowledge")
            elif news["type"] == VERIFICATION:
                challenge = {"challenge": news["data"]["challenge"]}
                await self._do(agency, f"/endpoints/{news['data']['endpoint_id']}", "verify", challenge)

    async def _answer(self, agency: str, handoff_id: str) -> None:
        path = f"/handoffs/{handoff_id}"
        status, handoff = await self._door.call(self._keys[agency], "GET", path)
        # The sender and a coordinator are told of an offer too.
        if status != 200 or handoff["agency"] != agency or "accept" not in handoff["available_actions"]:
            return
        drawn = sha256(handoff_id.encode()).digest()[0]
        if drawn < 40:
            await self._do(agency, path, "decline", {"reason": "no_capacity"})
        elif await self._do(agency, path, "accept") and drawn < 160 and await self._do(agency, path, "start"):
            await self._do(agency, path, "complete", {"outcome": "service_given"})

    async def _do(self, agency: str, path: str, action: str, body: dict[str, str] | None = None) -> bool:
        status, _ = await self._door.call(self._keys[agency], "POST", f"{path}/{action}", body)
        if 200 <= status < 300:
            self._journal.write(json.dumps({"agency": agency, "path": path, "action": action}) + "\n")
            self._journal.flush()
        return 200 <= status < 300
