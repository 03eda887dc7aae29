"""`lintas all`: one command starts everything, and its end leaves nothing behind."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}


def lintas(place: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=place,
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(place: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start `lintas all`, and give the process and what it told the person who started it."""
    told, logged = place / "told.txt", place / "log.txt"
    with told.open("w") as out, logged.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "all", "--port", "0"],
            cwd=place,
            env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=err,
            text=True,
        )
    try:
        patience = time.monotonic() + 60
        while "curl" not in told.read_text():
            assert process.poll() is None, logged.read_text()
            assert time.monotonic() < patience, logged.read_text()
            time.sleep(0.05)
        yield process, told.read_text()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def servers_of(place: Path) -> list[str]:
    """List the PostgreSQL processes that work in a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(place):
                found.append(process.name)
        except OSError:
            continue
    return found


def keys_in(told: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +\S+ +(lintas_\w+)$", told, re.MULTILINE))


def address_in(told: str) -> str:
    return str(re.findall(r"http://[\d.:]+$", told, re.MULTILINE)[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lintas").resolve()


def test_a_first_start_is_all_it_takes_to_send_a_referral(place: Path) -> None:
    with running(place) as (process, told):
        command = told[told.index("curl") :].strip()
        sent = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)  # noqa: S603, S607
        keys, url = keys_in(told), address_in(told)
        work = httpx.get(f"{url}/v1/handoffs", headers={"Authorization": f"Bearer {keys['receiver']}"})
        docs = httpx.get(f"{url}/docs")
        listed = lintas(place, "keys", "list")
        healthy = lintas(place, "health", "--url", url)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    referral = json.loads(sent.stdout)
    assert {request["state"] for request in referral["service_requests"]} == {"offered"}
    assert [handoff["referral_id"] for handoff in work.json()["items"]] == [referral["id"]]
    assert docs.status_code == 200
    assert set(keys) == {"sender", "receiver", "coordinator", "operator", "protection_officer"}
    assert "dp3ap2kb-ppu" in listed.stdout
    assert not any(key in listed.stdout for key in keys.values())
    assert (healthy.returncode, json.loads(healthy.stdout)["status"]) == (0, "pass")
    assert servers_of(place) == []
    assert "Bunga" not in (place / "log.txt").read_text()
    for name in ("keyring.json", "trial-keys.json"):
        assert stat.S_IMODE((place / ".lintas" / name).stat().st_mode) == 0o600


def test_a_second_start_keeps_its_data_and_its_keys(place: Path) -> None:
    before = json.loads((place / ".lintas" / "trial-keys.json").read_text())

    with running(place) as (process, told):
        assert keys_in(told) == before
        key = {"Authorization": f"Bearer {before['sender']}"}
        referrals = httpx.get(f"{address_in(told)}/v1/referrals", headers=key).json()
        created = lintas(place, "keys", "create", "--agency", "dp3a-kukar", "--role", "sender", "--role", "receiver")
        secret = created.stdout.strip()
        authorized = {"Authorization": f"Bearer {secret}"}
        assert httpx.get(f"{address_in(told)}/v1/handoffs", headers=authorized).status_code == 200
        key_id = created.stderr.partition(":")[0]
        assert lintas(place, "keys", "revoke", key_id).returncode == 0
        assert httpx.get(f"{address_in(told)}/v1/handoffs", headers=authorized).status_code == 401
        assert lintas(place, "keys", "revoke", key_id).returncode == 1
        assert lintas(place, "keys", "create", "--agency", "nobody", "--role", "sender").returncode == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    assert len(referrals["items"]) == 1
    assert servers_of(place) == []


def test_a_request_under_way_is_answered_before_the_end(place: Path) -> None:
    with running(place) as (process, told):
        key = keys_in(told)["sender"]
        host, port = address_in(told).removeprefix("http://").split(":")
        body = b'{"oops": 1}'
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(
                b"POST /v1/referrals HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n"
                + f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body[:4]
            )
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None
            connection.sendall(body[4:])
            answer = connection.recv(65536)
        assert process.wait(30) == 0

    assert answer.startswith(b"HTTP/1.1 422 ")
    assert servers_of(place) == []


def test_a_port_in_use_is_said_in_a_line_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = lintas(tmp_path, "all", "--port", str(port))

    by = "--port or LINTAS_PORT, --host or LINTAS_HOST"
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"lintas: 127.0.0.1:{port} tidak dapat dipakai; pilih lain dengan {by.replace(' or ', ' atau ')}",
        f"lintas: 127.0.0.1:{port} cannot be used (Address already in use); choose another with {by}",
    ]
    assert not (tmp_path / ".lintas").exists()


@pytest.mark.parametrize("command", ["serve", "work"])
def test_in_earnest_nothing_starts_without_a_database_and_a_key_ring(tmp_path: Path, command: str) -> None:
    nowhere = "postgresql://lintas:canary@127.0.0.1:1/lintas"

    without_database = lintas(tmp_path, command)
    without_ring = lintas(tmp_path, command, LINTAS_DATABASE_URL=nowhere)
    with_a_broken_ring = lintas(tmp_path, command, LINTAS_DATABASE_URL=nowhere, LINTAS_KEY_RING='{"canary": 1}')
    with_a_lost_ring = lintas(tmp_path, command, LINTAS_DATABASE_URL=nowhere, LINTAS_KEY_RING_FILE="lost.json")

    for answer, says in (
        (without_database, "LINTAS_DATABASE_URL is not set"),
        (without_ring, "LINTAS_KEY_RING"),
        (with_a_broken_ring, "the key ring is not JSON"),
        (with_a_lost_ring, "the key ring file cannot be read"),
    ):
        assert answer.returncode == 1
        assert says in answer.stderr
        assert "canary" not in answer.stderr + answer.stdout
        assert len(answer.stderr.splitlines()) <= 2


def test_a_database_that_does_not_answer_is_said_in_a_line(tmp_path: Path) -> None:
    answer = lintas(tmp_path, "migrate", LINTAS_DATABASE_URL="postgresql://lintas:canary@127.0.0.1:1/lintas")

    assert answer.returncode == 1
    assert "the database does not answer" in answer.stderr
    assert "canary" not in answer.stderr + answer.stdout


def test_the_worked_cases_are_decided_without_a_database(tmp_path: Path) -> None:
    answer = lintas(tmp_path, "route", str(ROOT / "tests" / "cases" / "routing.yaml"), "--json")

    assert answer.returncode == 0, answer.stderr
    assert {"case", "service", "outcome"} <= set(json.loads(answer.stdout.splitlines()[0]))


def test_what_cannot_be_listened_on_kept_in_or_reckoned_with_is_said_plainly(tmp_path: Path) -> None:
    nowhere = lintas(tmp_path, "all", "--host", "300.1.1.1", "--port", "0")
    endless = lintas(tmp_path, "keys", "create", "--agency", "x", "--role", "sender", "--days", "99999999999")

    Path(tmp_path, "file").touch()
    no_room = lintas(tmp_path, "all", "--port", "0", LINTAS_DATA_DIR="file")

    assert no_room.returncode == 1
    assert [line.partition(" (")[0] for line in no_room.stderr.splitlines()] == [
        "lintas: LINTAS_DATA_DIR tidak dapat dibuat sebagai direktori",
        "lintas: LINTAS_DATA_DIR cannot be made, or is no directory",
    ]
    assert nowhere.returncode == 1
    assert "300.1.1.1:0 tidak dapat dipakai" in nowhere.stderr
    assert "Unknown error" not in nowhere.stderr
    assert endless.returncode == 2
    assert "36500" in endless.stderr
