"""Keys in real processes: what one ends, all refuse, and no process ever writes one down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.clock import SettableClock
from app.storage.sealing import KeyRing
from app.workflows.seed import seed
from tests.cli.test_all import ENVIRONMENT, ROOT

LISTENS = "http://127.0.0.1:"


@dataclass(frozen=True)
class Place:
    """Where processes run, and by which settings."""

    directory: Path
    settings: dict[str, str]

    def lintas(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=self.directory,
            env=ENVIRONMENT | self.settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    @contextmanager
    def serving(self, name: str) -> Iterator[tuple[httpx.Client, Path]]:
        """Run `lintas serve` until the block ends; give a client of it, and its log."""
        log = self.directory / f"{name}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
                cwd=self.directory,
                env=ENVIRONMENT | self.settings,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port_of(process, log)}", timeout=30) as client:
                yield client, log
        finally:
            process.terminate()
            process.wait(60)


def port_of(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """Wait until a process listens, and find the port it took."""
    patience = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < patience, log.read_text()
        listening = {
            line.split()[9]: int(line.split()[1].partition(":")[2], 16)
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        }
        for opened in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                inode = str(opened.readlink()).removeprefix("socket:[").removesuffix("]")
            except OSError:
                continue
            if inode in listening and answers(listening[inode]):
                return listening[inode]
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"{LISTENS}{port}/health/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
async def place(
    tmp_path: Path, database_url: str, sessions: async_sessionmaker[AsyncSession], clock: SettableClock
) -> Place:
    """A database with what ships, a key ring, and logs that hold all there is to log."""
    async with sessions.begin() as tx:
        await seed(tx, clock())
    ring = tmp_path / "ring.json"
    KeyRing.generate("test-1").write(ring)
    settings = {
        "PYTHONPATH": str(ROOT),
        "LINTAS_DATABASE_URL": database_url,
        "LINTAS_KEY_RING_FILE": str(ring),
        "LINTAS_LOG_LEVEL": "DEBUG",
        "LINTAS_RATE_LIMIT__FAILURES_PER_ADDRESS": "0",
    }
    return Place(tmp_path, settings)


def test_what_one_process_ends_all_refuse_from_the_next_request_on(place: Place) -> None:
    made = place.lintas("keys", "create", "--agency", "dp3a-kukar", "--role", "sender")
    secret, key_id = made.stdout.strip(), made.stderr.partition(":")[0]

    with place.serving("one") as (one, log_of_one), place.serving("other") as (other, log_of_other):
        both = (one, other)
        mine = {"Authorization": f"Bearer {secret}"}
        # Used often, so that whatever a process would remember of the key it remembers.
        before = {client.get("/v1/keys", headers=mine).status_code for client in both for _ in range(50)}
        rotated = one.post(f"/v1/keys/{key_id}/rotate", headers=mine, json={}).json()
        new = {"Authorization": f"Bearer {rotated['secret']}"}
        overlap = [client.get("/v1/keys", headers=key).status_code for client in both for key in (mine, new)]
        place.lintas("keys", "revoke", key_id)
        by_command = [client.get("/v1/keys", headers=key).status_code for client in both for key in (mine, new)]
        one.post(f"/v1/keys/{rotated['id']}/revoke", headers=new)
        by_request = [client.get("/v1/keys", headers=new).status_code for client in both]
        listed = place.lintas("keys", "list").stdout

    assert before == {200}
    assert overlap == [200] * 4
    assert by_command == [401, 200, 401, 200]
    assert by_request == [401, 401]
    written = "".join(file.read_text() for file in (log_of_one, log_of_other)) + listed
    assert json.loads(log_of_one.read_text().splitlines()[-1])
    for value in (secret, rotated["secret"]):
        assert value not in written
    # When a process ends it writes what it still knows of the last use.
    uses = {line.split()[0]: line.split()[7] for line in place.lintas("keys", "list").stdout.splitlines()[1:]}
    assert uses[key_id] != "-"
    assert uses[rotated["id"]] != "-"


def test_a_key_is_rotated_on_the_command_line_with_an_overlap(place: Place) -> None:
    made = place.lintas("keys", "create", "--agency", "dp3a-kukar", "--role", "sender", "--label", "simfoni")
    key_id = made.stderr.partition(":")[0]

    rotated = place.lintas("keys", "rotate", key_id, "--overlap-days", "2")
    lines = place.lintas("keys", "list", "--agency", "dp3a-kukar").stdout.splitlines()[1:]

    new_id = rotated.stderr.partition(":")[0]
    assert rotated.stdout.startswith("lintas_sender_")
    assert {line.split()[0]: line.split()[4] for line in lines} == {key_id: "valid", new_id: "valid"}
    assert all(line.endswith("simfoni") for line in lines)
    assert rotated.stdout.strip() not in "".join(lines)
    assert os.linesep.join(lines).count(new_id) == 2
