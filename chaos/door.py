"""The API as the agencies' systems call it: through whichever process answers, as often as it takes, once in effect."""

import asyncio
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

HOST = "127.0.0.1"
AGAIN_AFTER = 0.25
LOST = 0.03
"""The share of good answers to a POST that are lost on their way: the caller asks again with the same key."""
LONGEST_CALL = 12.0
PASSING = frozenset({429, 502, 503, 504})
IN_FLIGHT = "idempotency_in_flight"


class Door:
    """What stands before the API: a file lists the ports that take requests, and any of them will do.

    Every status is counted, and each that no caller should ever see is complained of in a file.
    """

    def __init__(self, ports: Path, complaints: Path) -> None:
        self._ports = ports
        self._complaints = complaints
        self._client = httpx.AsyncClient(timeout=LONGEST_CALL, trust_env=False)
        self.statuses: dict[str, int] = {}
        self.replayed = 0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self, key: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Call until there is an answer that stands: a 2xx, or a 4xx that no repeat would change."""
        headers = {"Authorization": f"Bearer {key}"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        first: tuple[int, str] | None = None
        while True:
            try:
                answer = await self._client.request(
                    method, f"http://{HOST}:{self._port()}/v1{path}", json=body, headers=headers
                )
                status, text = answer.status_code, answer.text
            except (httpx.HTTPError, OSError) as error:
                self._count(type(error).__name__)
                await asyncio.sleep(AGAIN_AFTER)
                continue
            self._count(str(status))
            if "idempotency-replayed" in answer.headers:
                self.replayed += 1
                if first not in {None, (status, text)}:
                    self._complain(f"{method} {path} was repeated and answered otherwise than at first")
            elif first is not None and 200 <= status < 300:
                self._complain(f"{method} {path} was repeated with its key and done twice")
            if status == 500 or status in {401, 422}:
                self._complain(f"{method} {path} was answered with {status}: {text[:300]}")
            if method == "POST" and 200 <= status < 300 and first is None and random.random() < LOST:  # noqa: S311
                first = status, text
                continue
            found = json.loads(text) if text.startswith("{") else {}
            if 200 <= status < 300 or (
                400 <= status < 500 and status not in PASSING and found.get("code") != IN_FLIGHT
            ):
                return status, found
            await asyncio.sleep(AGAIN_AFTER)

    def _port(self) -> int:
        ports: list[int] = json.loads(self._ports.read_text())
        return random.choice(ports)  # noqa: S311 - any will do

    def _count(self, what: str) -> None:
        self.statuses[what] = self.statuses.get(what, 0) + 1

    def _complain(self, what: str) -> None:
        with self._complaints.open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")
