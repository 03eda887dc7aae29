"""The processes that are not Lintas: receivers with their agencies, and senders. None outlives this one."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chaos.units import PROJECT

ENDS_WITHIN = 120.0


class Person:
    """A process that takes orders as JSON lines, and ends when they do."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, log: Path) -> "Person":
        """Start a module of this package; what it has to complain of goes into the log."""
        with log.open("ab") as output:
            return cls(
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    module,
                    cwd=PROJECT,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=output,
                    start_new_session=True,
                )
            )

    async def heard(self) -> str:
        """Read a line that it says."""
        if self._process.stdout is None:
            raise RuntimeError("it has no output")
        return (await asyncio.wait_for(self._process.stdout.readline(), 60)).decode().strip()

    async def order(self, orders: Any) -> None:
        """Give it its orders, or one word."""
        await self.say(
            orders if isinstance(orders, str) else json.dumps(orders if isinstance(orders, dict) else asdict(orders))
        )

    async def say(self, line: str) -> None:
        """Say a line to it."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{line}\n".encode())
            await self._process.stdin.drain()

    async def end(self) -> int | None:
        """Let it do what it has begun, and end; its exit code, None where it would not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            return await asyncio.wait_for(self._process.wait(), ENDS_WITHIN)
        except TimeoutError:
            self.kill()
            await self._process.wait()
            return None

    def kill(self) -> None:
        """Kill it."""
        if self._process.returncode is None:
            self._process.kill()
