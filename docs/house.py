"""A Lintas for the length of a document, in a directory that looks like a clone."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
USUAL = "127.0.0.1:8080"
SANDBOX, CONTROL = "127.0.0.1:8090", "127.0.0.1:8091"
READY_WITHIN = 600.0
"""Seconds: word for word, an environment is made first."""


@dataclass(slots=True)
class House:
    """Where a document is followed: a directory, and a Lintas that runs in it."""

    directory: Path
    at: str
    binaries: Path
    control: str | None = None
    """Where a sandbox is told what to do; None is no sandbox."""

    def said(self, text: str) -> str:
        """Give a command as it is run here."""
        if self.control is not None:
            return text.replace(SANDBOX, self.at).replace(CONTROL, self.control)
        return text.replace(USUAL, self.at)

    def environment(self) -> dict[str, str]:
        """Give the variables a reader has: lintas on the path, and the keys that were printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
        keys = {role.upper(): key for role, key in self._keys().items()}
        return {**kept, "PATH": f"{self.binaries}:{kept['PATH']}", **keys}

    def _keys(self) -> dict[str, str]:
        if self.control is None:
            return dict(json.loads((self.directory / ".lintas" / "trial-keys.json").read_text("utf-8")))
        with urllib.request.urlopen(f"http://{self.control}/sandbox", timeout=10) as answer:
            return {key["role"]: key["secret"] for key in json.load(answer)["keys"]}


@contextmanager
def house() -> Iterator[House]:
    """Run a Lintas on a port that is free, in a directory that looks like a clone."""
    with tempfile.TemporaryDirectory(prefix="lintas-docs-") as made:
        directory = Path(made)
        directory.chmod(0o755)
        for name in ("app", "tests", "docs", "openapi", "migrations"):
            (directory / name).symlink_to(ROOT / name)
        port = _free_port()
        there = House(directory, f"127.0.0.1:{port}", Path(sys.executable).parent)
        with running([str(there.binaries / "lintas"), "all", "--port", str(port)], there):
            yield there


@contextmanager
def sandbox() -> Iterator[House]:
    """Run a sandbox on ports that are free, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="lintas-docs-") as made:
        directory, port, control = Path(made), _free_port(), _free_port()
        directory.chmod(0o755)
        there = House(directory, f"127.0.0.1:{port}", Path(sys.executable).parent, f"127.0.0.1:{control}")
        ports = ["--port", str(port), "--control-port", str(control)]
        with running([str(there.binaries / "lintas"), "sandbox", *ports], there):
            yield there


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def running(command: list[str], there: House) -> Iterator[None]:
    """Have a command run until what is done beside it is done."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
    with tempfile.TemporaryFile("w+") as said:
        server = subprocess.Popen(  # noqa: S603 - Lintas itself, or what the document says
            command, cwd=there.directory, env=kept, stdout=said, stderr=said, start_new_session=True
        )
        try:
            _wait_until_ready(there.at, server)
            yield
        finally:
            if server.poll() is None:
                os.kill(server.pid, signal.SIGINT)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _wait_until_ready(at: str, server: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + READY_WITHIN
    while time.monotonic() < patience:
        if server.poll() is not None:
            raise SystemExit(f"Lintas ended with {server.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"http://{at}/health/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("Lintas is not ready in time")
