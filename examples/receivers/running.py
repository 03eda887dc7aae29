"""A receiver as its agency runs it: processes that can be killed, and an inbox that can be looked into."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.receivers.languages import HOST, Language
from examples.receivers.waiting import until

ALLOWED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Kept:
    """A webhook as it lies in an inbox."""

    id: str
    type: str
    data: Mapping[str, Any]
    tries: int
    done_at: int | None


class Running:
    """One example and its inbox, which outlives its processes."""

    def __init__(self, language: Language, directory: Path, *, api_url: str, key: str) -> None:
        self.language = language
        self._inbox, self._log = directory / f"{language.name}.sqlite", directory / f"{language.name}.log"
        self._api_url, self._key = api_url, key
        self._processes: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port: int = free.getsockname()[1]

    async def start(self, *secrets: str) -> None:
        """Start it with the secrets it is to know, and wait until it listens."""
        environment = {
            **{name: os.environ[name] for name in ALLOWED if name in os.environ},
            **self.language.environment,
            "API_URL": self._api_url,
            "API_KEY": self._key,
            "WEBHOOK_SECRETS": " ".join(secrets),
            "INBOX": str(self._inbox),
        }
        for command in self.language.commands(self.port):
            self._processes.append(self._started(command, environment))
        await until("it listens", self._listens)

    def _started(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            # In a session of its own: it is ended with all that it started, and Ctrl-C is for us to hear.
            return subprocess.Popen(  # noqa: S603
                command,
                cwd=self.language.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it at once, wherever it stands."""
        for process in self._processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()

    async def restart(self, *secrets: str) -> None:
        """Kill it, and start it with other secrets."""
        self.kill()
        await self.start(*secrets)

    def inbox(self) -> list[Kept]:
        """Read what it has kept, in the order in which it came."""
        if not self._inbox.exists():
            return []
        with closing(sqlite3.connect(self._inbox, timeout=10)) as db:
            rows = db.execute("SELECT id, body, tries, done_at FROM inbox ORDER BY rowid").fetchall()
        return [Kept(id_, *_told(body), tries, done_at) for id_, body, tries, done_at in rows]

    def kept(self, webhook_id: str) -> Kept | None:
        """Read one webhook."""
        return next((one for one in self.inbox() if one.id == webhook_id), None)

    def handoffs(self) -> dict[str, tuple[int, str]]:
        """Read the sequence and the state it knows of each handoff."""
        with closing(sqlite3.connect(self._inbox, timeout=10)) as db:
            rows = db.execute("SELECT id, sequence, state FROM handoffs").fetchall()
        return {id_: (sequence, state) for id_, sequence, state in rows}

    def complaints(self) -> str:
        """Read the end of its log."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    async def _listens(self) -> bool:
        if any(process.poll() is not None for process in self._processes):
            raise RuntimeError(f"{self.language.name} did not start:\n{self.complaints()}")
        try:
            _, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        writer.close()
        return True


def _told(body: str | bytes) -> tuple[str, Mapping[str, Any]]:
    news = json.loads(body)
    return news["type"], news["data"]
