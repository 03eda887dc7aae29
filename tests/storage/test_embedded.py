import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.storage.embedded import DataInUseError, EmbeddedPostgres, EmbeddedPostgresError

ROOT = Path(__file__).parents[2]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG and /proc are Linux's")

LINTAS = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
from app.storage.embedded import EmbeddedPostgres

def say(**what):
    print(json.dumps(what), flush=True)

server = EmbeddedPostgres.start(Path(sys.argv[1]))
about = dict(port=server.port, guard=server._guard.pid, look=server.describe().splitlines()[1])
"""


def ask(look: str, sql: str) -> str:
    """Ask as a person does, with the line that describe() prints."""
    answer = subprocess.run(f"{look} -Atc {shlex.quote(sql)}", shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    return answer.stdout.strip() or answer.stderr.strip()


def look_of(server: EmbeddedPostgres) -> str:
    return server.describe().splitlines()[1]


def until(truth: Callable[[], bool], within: float = 10.0) -> None:
    patience = time.monotonic() + within
    while not truth():
        assert time.monotonic() < patience, "it did not come true in time"
        time.sleep(0.02)


def nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def start_lintas(script: str, data: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", LINTAS + script, str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def heard(lintas: "subprocess.Popen[str]") -> dict[str, object]:
    assert lintas.stdout is not None
    patience = threading.Timer(60, lintas.kill)
    patience.start()
    try:
        said: dict[str, object] = json.loads(lintas.stdout.readline())
    finally:
        patience.cancel()
    return said


def postmaster(data: Path) -> int:
    return int((data / "cluster" / "postmaster.pid").read_text().split()[0])


async def test_a_started_server_answers_sqlalchemy(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        engine = create_async_engine(server.url())
        async with engine.connect() as connection:
            settings = await connection.execute(
                text(
                    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'data_checksums', 'server_encoding')"
                )
            )
            values = {name: setting for name, setting in settings}  # noqa: C416 - rows are no pairs to mypy
            upper = await connection.scalar(text("SELECT upper('é')"))
        await engine.dispose()

    assert values == {"fsync": "off", "data_checksums": "on", "server_encoding": "UTF8"}
    assert upper == "É"


def test_durable_is_the_default(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg") as server:
        modes = ask(look_of(server), "SHOW fsync; SHOW synchronous_commit; SHOW full_page_writes")

    assert modes.split() == ["on", "on", "on"]


def test_data_outlives_a_restart(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg") as server:
        ask(look_of(server), "CREATE TABLE kept AS SELECT 42 AS answer")

    with EmbeddedPostgres.start(tmp_path / "pg") as server:
        answer = ask(look_of(server), "SELECT answer FROM kept")

    assert answer == "42"


def test_a_database_is_created_once_whatever_its_name(tmp_path: Path) -> None:
    name = "odd \"name' ; \\q"

    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        server.create_database(name)
        server.create_database(name)
        names = ask(look_of(server), "SELECT datname FROM pg_database")

    assert name in names.splitlines()


def test_a_second_start_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        with pytest.raises(DataInUseError, match=f"in use by another Lintas .process {os.getpid()}"):
            EmbeddedPostgres.start(tmp_path / "pg")
        still = ask(look_of(server), "SELECT 1")

    assert still == "1"


def test_a_port_that_is_taken_is_named_in_the_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(EmbeddedPostgresError, match="Address already in use"):
            EmbeddedPostgres.start(tmp_path / "pg", port=taken.getsockname()[1], durable=False)


def test_stopping_leaves_nothing_running_and_may_be_repeated(tmp_path: Path) -> None:
    server = EmbeddedPostgres.start(tmp_path / "pg", durable=False)
    process = postmaster(tmp_path / "pg")

    server.stop()
    server.stop()

    assert nobody_listens(server.port)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_killed_parent_leaves_no_server_and_loses_nothing(tmp_path: Path) -> None:
    lintas = start_lintas("say(**about)\ntime.sleep(60)", tmp_path / "pg")
    with lintas:
        about = heard(lintas)
        ask(str(about["look"]), "CREATE TABLE kept AS SELECT 42 AS answer")
        lintas.kill()
    until(lambda: nobody_listens(int(str(about["port"]))), within=10)

    with EmbeddedPostgres.start(tmp_path / "pg") as server:
        answer = ask(look_of(server), "SELECT answer FROM kept")

    assert answer == "42"


def test_a_forked_child_of_a_killed_parent_does_not_keep_the_server(tmp_path: Path) -> None:
    fork = "child = os.fork()\nif child:\n    say(child=child, **about)\nos.close(1)\ntime.sleep(60)"
    with start_lintas(fork, tmp_path / "pg") as lintas:
        about = heard(lintas)
        lintas.kill()
    try:
        until(lambda: nobody_listens(int(str(about["port"]))), within=10)
    finally:
        os.kill(int(str(about["child"])), signal.SIGKILL)


@on_linux
def test_killing_parent_and_guard_together_leaves_no_server_either(tmp_path: Path) -> None:
    with start_lintas("say(**about)\ntime.sleep(60)", tmp_path / "pg") as lintas:
        about = heard(lintas)
        ask(str(about["look"]), "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(lintas.pid, signal.SIGSTOP)
        os.kill(int(str(about["guard"])), signal.SIGKILL)
        os.kill(lintas.pid, signal.SIGKILL)

    with EmbeddedPostgres.start(tmp_path / "pg") as server:
        answer = ask(look_of(server), "SELECT answer FROM kept")

    assert answer == "42"
    assert nobody_listens(int(str(about["port"])))


def test_ctrl_c_in_the_terminal_leaves_the_server_to_the_service(tmp_path: Path) -> None:
    # Held back from before anybody hears of it, so that it is not over before it is waited for.
    drain = """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
say(**about)
signal.sigwait([signal.SIGINT])
time.sleep(0.5)  # longer than the server takes to stop
say(answer=subprocess.getoutput(about["look"] + " -Atc 'SELECT 42'"))
server.stop()
"""
    with start_lintas(drain, tmp_path / "pg") as lintas:
        heard(lintas)
        os.killpg(lintas.pid, signal.SIGINT)
        answer = heard(lintas)

    assert answer == {"answer": "42"}
    assert lintas.returncode == 0


@on_linux
def test_a_server_killed_outright_is_replaced_though_its_number_went_to_a_stranger(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    server = EmbeddedPostgres.start(data)
    ask(look_of(server), "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster(data), signal.SIGKILL)
    server.stop()
    stale = data / "cluster" / "postmaster.pid"
    stale.write_text(stale.read_text().replace(stale.read_text().split()[0], str(os.getpid()), 1))

    with EmbeddedPostgres.start(data) as server:
        answer = ask(look_of(server), "SELECT answer FROM kept")

    assert answer == "42"


def test_a_layout_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "pg" / "cluster.new" / "base").mkdir(parents=True)

    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        answer = ask(look_of(server), "SELECT 42")

    assert answer == "42"


def test_data_of_another_major_version_is_refused(tmp_path: Path) -> None:
    EmbeddedPostgres.start(tmp_path / "pg", durable=False).stop()
    (tmp_path / "pg" / "cluster" / "PG_VERSION").write_text("15\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 15, and this is"):
        EmbeddedPostgres.start(tmp_path / "pg")


@pytest.mark.parametrize("name", ["a path with spaces, 'quotes' and ö", "long/" * 40])
def test_the_data_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    with EmbeddedPostgres.start(tmp_path / name / "pg", durable=False) as server:
        answer = ask(look_of(server), "SELECT 42")

    assert answer == "42"
