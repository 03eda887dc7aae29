"""The processes of Lintas, each over a wire of its own, kept alive as a supervisor keeps them."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO

import httpx

from chaos.wire import HOST, Wire

PROJECT = Path(__file__).parents[1]
STOP_WITHIN = 8.0
"""What Lintas is told to stop within."""
STOP_SLACK = 6.0
"""How much later than that a process may be gone: it has its connections to close, on a busy machine."""
STARTS_WITHIN = 60.0
AGAIN_AFTER = 0.3
LOOK_EVERY = 0.05


@dataclass(slots=True)
class Unit:
    """One process: `serve` or `work`, on a machine whose clock may be set (`clock`) or by the plain command line."""

    name: str
    serves: bool
    wire: Wire
    clock: Path | None
    log: Path
    process: asyncio.subprocess.Process
    output: IO[bytes]
    port: int | None = None
    ending: bool = False
    """It was told to end, or killed: nobody is to wonder that it is gone."""
    marked_at: int = 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it."""
        self.ending = True
        self.send(signal.SIGKILL)

    def mark(self) -> None:
        """Remember how far its log is."""
        self.marked_at = self.log.stat().st_size

    def said_since(self, words: bytes) -> bool:
        """Say whether its log has something since the mark."""
        with self.log.open("rb") as file:
            file.seek(self.marked_at)
            return words in file.read()


class House:
    """All processes of Lintas, and the list of ports that its callers go by."""

    def __init__(
        self, directory: Path, server_port: Callable[[], int], address: str, settings: Mapping[str, str]
    ) -> None:
        """Take the directory for logs, what tells the database's port, its address on port 0, and further settings."""
        self._directory = directory
        self._server_port = server_port
        self._address = address
        self._settings = settings
        self.ports = directory / "ports.json"
        self.ports.write_text("[]")
        self.units: list[Unit] = []
        self.findings: list[str] = []
        self._started = 0
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, kinds: Sequence[tuple[str, bool, bool]]) -> None:
        """Start a unit for each name, whether it serves, and whether its machine's clock may be set."""
        for name, serves, clocked in kinds:
            clock = self._directory / f"{name}.clock" if clocked else None
            if clock is not None:
                clock.write_text("0")
            self.units.append(await self._launch(name, serves=serves, clock=clock))
        await self.until_ready()
        self._keeping = asyncio.create_task(self._keep())

    async def end(self) -> None:
        """End all of them, in order."""
        if self._keeping is not None:
            self._keeping.cancel()
        await asyncio.gather(*(self.terminate(unit) for unit in self.units))
        for unit in self.units:
            await unit.wire.close()

    def kill_all(self) -> None:
        """Kill all that is left, whatever went wrong."""
        for unit in self.units:
            unit.kill()

    async def terminate(self, unit: Unit) -> None:
        """Have a unit drain and end, which must be in order and in time."""
        unit.ending = True
        unit.send(signal.SIGCONT)
        unit.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(unit.process.wait(), STOP_WITHIN + STOP_SLACK)
        except TimeoutError:
            self.findings.append(f"{unit.name} did not end within {STOP_WITHIN + STOP_SLACK:.0f} s of SIGTERM")
            unit.kill()
            await unit.process.wait()
        # By SIGTERM itself ends who is still being read, before it has taken the signal over and begun anything.
        if unit.process.returncode not in {0, -signal.SIGKILL, -signal.SIGTERM}:
            self.findings.append(f"{unit.name} ended with {unit.process.returncode} after SIGTERM")
        unit.output.close()

    async def deploy(self) -> None:
        """Replace every unit, one after the other: first the new one, then the old one drains."""
        for old in list(self.units):
            new = await self._launch(old.name, serves=old.serves, clock=old.clock)
            self.units[self.units.index(old)] = new
            if new.port is not None and not await self._is_up(new, within=STARTS_WITHIN):
                self.findings.append(f"{new.name} was not ready {STARTS_WITHIN:.0f} s after it was deployed")
            self._list_ports()
            await self.terminate(old)
            await old.wire.close()

    async def until_ready(self) -> None:
        """Wait until every unit has started and every API is ready."""
        for unit in list(self.units):
            if unit.serves and not await self._is_up(unit, within=STARTS_WITHIN):
                self.findings.append(
                    f"{unit.name} was not ready within {STARTS_WITHIN:.0f} s, though nothing is broken"
                )
        self._list_ports()

    async def _is_up(self, unit: Unit, *, within: float) -> bool:
        patience = monotonic() + within
        async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
            while monotonic() < patience:
                unit = next((now for now in self.units if now.name == unit.name and now.alive), unit)
                try:
                    if (await client.get(f"http://{HOST}:{unit.port}/health/ready")).status_code == 200:
                        return True
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(LOOK_EVERY)
        return False

    async def _launch(self, name: str, *, serves: bool, clock: Path | None) -> Unit:
        self._started += 1
        wire = Wire(self._server_port)
        await wire.open()
        port = free_port() if serves else None
        log = self._directory / f"{name}.{self._started}.log"
        process, output = await self._spawn(serves, wire, clock, port, log)
        return Unit(name, serves, wire, clock, log, process, output, port)

    async def _spawn(
        self, serves: bool, wire: Wire, clock: Path | None, port: int | None, log: Path
    ) -> tuple[asyncio.subprocess.Process, IO[bytes]]:
        what = ["serve", *(["--port"] if clock is None else []), str(port)] if serves else ["work"]
        command = ["app.cli", *what] if clock is None else ["chaos.clocked", str(clock), *what]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
        environment |= self._settings
        environment["LINTAS_DATABASE_URL"] = self._address.replace(":0/", f":{wire.port}/")
        output = log.open("ab")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            cwd=PROJECT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return process, output

    async def _keep(self) -> None:
        """Start anew what has ended; what ended without being told to is a finding."""
        while True:
            for place, unit in enumerate(self.units):
                if unit.alive:
                    continue
                if not unit.ending and unit.process.returncode != -signal.SIGKILL:
                    self.findings.append(
                        f"{unit.name} ended by itself with {unit.process.returncode}: {_tail(unit.log)}"
                    )
                unit.output.close()
                unit.process, unit.output = await self._spawn(unit.serves, unit.wire, unit.clock, unit.port, unit.log)
                unit.ending = False
                self.units[place] = unit
            await asyncio.sleep(AGAIN_AFTER)

    def _list_ports(self) -> None:
        draft = self.ports.with_suffix(".new")
        draft.write_text(json.dumps([unit.port for unit in self.units if unit.port is not None]))
        draft.replace(self.ports)


def free_port() -> int:
    """Give a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-3:])
