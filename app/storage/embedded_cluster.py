"""The directory of the embedded PostgreSQL: its lock, its password and its cluster of data."""

import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from app.storage.embedded_install import ENVIRONMENT, EmbeddedPostgresError, ServerUser

HOST = "127.0.0.1"
ROLE = "lintas"
GONE_WITHIN = 20.0
LOOK_EVERY = 0.02
OURS = os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC

LAYOUT = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--auth=scram-sha-256",
    f"--username={ROLE}",
    "--pwfile=/dev/stdin",
    # 256 random bits need no stretching, and 4096 rounds would hold up the event loop at each new connection.
    "--set=scram_iterations=1",
    "--no-instructions",
)


class DataInUseError(EmbeddedPostgresError):
    """Another process has a server running on the same data."""


def take(place: Path) -> int:
    """Take the directory for this process; the guard inherits the lock and keeps it until its server has gone."""
    lock = os.open(place / "lock", os.O_RDWR | OURS, 0o600)
    patience = time.monotonic() + GONE_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode().strip()
            # The server of a process that was killed goes by itself in a moment.
            if (holder and _is_alive(int(holder))) or time.monotonic() > patience:
                os.close(lock)
                raise DataInUseError(f"{place} is in use by another Lintas (process {holder or 'unknown'})") from None
            time.sleep(LOOK_EVERY)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock


def password_in(place: Path) -> str:
    """Read the password, or make one before the data that will ask for it."""
    file = place / "pgpass"
    if not file.exists():
        if (place / "cluster").exists():
            raise EmbeddedPostgresError(f"{file} is missing, and without it {place / 'cluster'} cannot be opened")
        draft = place / "pgpass.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_EXCL | OURS, 0o600), "w") as output:
            output.write(f"{HOST}:*:*:{ROLE}:{secrets.token_urlsafe(32)}\n")
        draft.rename(file)
    return file.read_text().strip().rpartition(":")[2]


def is_laid_out(place: Path) -> bool:
    """Say whether a cluster with data lies in this place."""
    return (place / "cluster").exists()


def lay_out(place: Path, binaries: Path, user: ServerUser, password: str, *, durable: bool) -> None:
    """Lay out an empty cluster, under its final name only once it is whole."""
    cluster, draft = place / "cluster", place / "cluster.new"
    version = cluster / "PG_VERSION"
    if version.exists():
        own = subprocess.check_output([binaries / "postgres", "--version"], env=ENVIRONMENT, text=True)  # noqa: S603
        if f" {version.read_text().strip()}." not in own:
            raise EmbeddedPostgresError(
                f"{cluster} was made by PostgreSQL {version.read_text().strip()}, and this is {own.strip()}: "
                "dump it with the older version, or move it away"
            )
        return
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    with tempfile.TemporaryFile() as secret:
        secret.write(password.encode())
        secret.seek(0)
        if user.is_other:
            if user.path_to(place) == str(place):
                place.chmod(0o711)  # to walk through, not to list
            os.chown(draft, user.uid, user.gid)
            os.fchown(secret.fileno(), user.uid, user.gid)
        answer = subprocess.run(  # noqa: S603 - our own program, no shell
            [binaries / "initdb", "-D", user.path_to(draft), *LAYOUT, *([] if durable else ["--no-sync"])],
            cwd=draft,
            env=ENVIRONMENT,
            stdin=secret,
            capture_output=True,
            text=True,
            check=False,
            **user.identity,
        )
    if answer.returncode != 0:
        raise EmbeddedPostgresError(f"no database could be laid out in {draft}: {answer.stderr.strip()}")
    draft.rename(cluster)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
