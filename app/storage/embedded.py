"""The embedded PostgreSQL: a real server of our own, for trials and tests, that lives and ends with this process."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.storage import embedded_guard
from app.storage.embedded_cluster import (
    GONE_WITHIN,
    HOST,
    LOOK_EVERY,
    OURS,
    ROLE,
    DataInUseError,
    lay_out,
    password_in,
    take,
)
from app.storage.embedded_install import (
    ENVIRONMENT,
    EmbeddedPostgresError,
    ServerUser,
    own_binaries,
    reachable_binaries,
    server_user,
)

__all__ = ["DataInUseError", "EmbeddedPostgres", "EmbeddedPostgresError"]

ATTEMPTS = 4
RETRY_AFTER = 0.5
READY_WITHIN = 120.0  # crash recovery takes its time
STOPPED_WITHIN = 45.0
LARGEST_LOG = 5 * 1024 * 1024

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, and a clone lies anywhere
    "cluster_name": "lintas",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No statement, parameter or value of a row is ever written to the log, not even by an error.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")


class EmbeddedPostgres:
    """A running server, with its data, its password and its log in one private directory."""

    def __init__(self, data_dir: Path, *, port: int, password: str, guard: subprocess.Popen[bytes], lock: int) -> None:
        self.data_dir = data_dir
        self.port = port
        self._password = password
        self._guard = guard
        self._lock = lock

    @classmethod
    def start(cls, data_dir: Path, *, port: int | None = None, durable: bool = True) -> Self:
        """Start a server on a directory, created where it is not there, and wait until it answers."""
        place = data_dir.resolve()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls._start(place, port=port, durable=durable)
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{error.filename or place} belongs to another user: start Lintas as that user or as root"
            ) from error

    @classmethod
    def _start(cls, place: Path, *, port: int | None, durable: bool) -> Self:
        lock = take(place)
        try:
            user = server_user(place / "cluster")
            binaries = reachable_binaries(user)
            password = password_in(place)
            lay_out(place, binaries, user, password, durable=durable)
            guard, found = _launch(place, binaries, user, lock, port=port, durable=durable)
        except BaseException:
            os.close(lock)
            raise
        server = cls(place, port=found, password=password, guard=guard, lock=lock)
        try:
            server.create_database(ROLE)
        except BaseException:
            server.stop()
            raise
        return server

    def url(self, database: str = ROLE) -> str:
        """Give the address of a database, password included, for SQLAlchemy and asyncpg."""
        return f"postgresql+asyncpg://{ROLE}:{self._password}@{HOST}:{self.port}/{database}"

    def describe(self) -> str:
        """Say where the data is and how a person on this machine looks into it, without the password."""
        look = ["psql", "-h", HOST, "-p", str(self.port), "-U", ROLE, ROLE]
        return (
            f"embedded PostgreSQL on {HOST}:{self.port}, data in {self.data_dir}\n"
            f"PGPASSFILE={shlex.quote(str(self.data_dir / 'pgpass'))} "
            f"{shlex.join([str(own_binaries() / look[0]), *look[1:]])}"
        )

    def create_database(self, name: str) -> None:
        """Create a database where there is none of that name."""
        command = [str(own_binaries() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}"]
        answer = subprocess.run(  # noqa: S603 - our own program, no shell, and psql quotes the name
            [*command, "-h", HOST, "-p", str(self.port), "-U", ROLE, "postgres"],
            env=ENVIRONMENT | {"PGPASSWORD": self._password},
            input="SELECT format('CREATE DATABASE %I', :'name')"
            " WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise EmbeddedPostgresError(f"the database {name} could not be created: {answer.stderr.strip()}")

    def stop(self) -> None:
        """Stop the server, keeping its data; a second call does nothing."""
        if self._lock < 0:
            return
        _dismiss(self._guard)
        os.close(self._lock)
        self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _launch(
    place: Path, binaries: Path, user: ServerUser, lock: int, *, port: int | None, durable: bool
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the guard and through it the server; a port that was taken meanwhile is exchanged for another."""
    cluster, log = place / "cluster", place / "postgres.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(place / "postgres.log.1")
    settings = SETTINGS | dict.fromkeys(DURABILITY, "on" if durable else "off")
    for _ in range(ATTEMPTS):
        _await_departure(cluster)
        found = port or _free_port()
        command = [str(binaries / "postgres"), "-D", user.path_to(cluster), "-p", str(found)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        order = {"command": command, "cwd": str(cluster), "env": ENVIRONMENT, "identity": user.identity}
        stale = _pid_file(cluster)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | OURS, 0o600), "wb") as output:
            guard = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-I", "-S", embedded_guard.__file__, json.dumps(order | {"parent": os.getpid()})],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for Lintas, which drains before it stops the database
            )
        try:
            if _becomes_ready(guard, cluster, stale):
                return guard, found
        except BaseException:
            _dismiss(guard)
            raise
        _dismiss(guard)
        time.sleep(RETRY_AFTER)
    raise EmbeddedPostgresError(f"PostgreSQL does not start; {log} ends with:\n{_tail(log)}")


def _becomes_ready(guard: subprocess.Popen[bytes], cluster: Path, stale: list[str]) -> bool:
    patience = time.monotonic() + READY_WITHIN
    while guard.poll() is None and time.monotonic() < patience:
        lines = _pid_file(cluster)
        if lines != stale and len(lines) > 7 and lines[7].strip() == "ready":
            return True
        time.sleep(LOOK_EVERY)
    return False


def _dismiss(guard: subprocess.Popen[bytes]) -> None:
    """Have the guard stop the server, and wait for both to be gone."""
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait(STOPPED_WITHIN)


def _await_departure(cluster: Path) -> None:
    """Wait for a server whose Lintas and guard were killed, and clear away what it would trip over."""
    lines = _pid_file(cluster)
    if not lines or sys.platform != "linux":
        return
    process = Path("/proc", lines[0].strip())
    patience = time.monotonic() + GONE_WITHIN
    while _works_in(process, cluster):
        if time.monotonic() > patience:
            raise DataInUseError(
                f"{cluster} is in use by a PostgreSQL that Lintas did not start (process {process.name})"
            )
        time.sleep(LOOK_EVERY)
    if process.exists():
        # After a hard stop the number went to a stranger, as it does in containers, and PostgreSQL would yield to it.
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: Path, directory: Path) -> bool:
    try:
        return (process / "cwd").samefile(directory)
    except OSError:
        return False


def _pid_file(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
