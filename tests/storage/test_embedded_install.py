import json
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.embedded import EmbeddedPostgres
from app.storage.embedded_install import ServerUser, _copy, _runs, own_binaries, server_user

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the user")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/cwd is Linux's")

LINTAS = """
import json, sys
from pathlib import Path
from app.storage.embedded import EmbeddedPostgres

with EmbeddedPostgres.start(Path(sys.argv[1])) as server:
    print(json.dumps({"owner": (server.data_dir / "cluster").stat().st_uid}))
"""


def ask(server: EmbeddedPostgres, sql: str) -> str:
    """Ask as a person does, with the line that describe() prints."""
    look = f"{server.describe().splitlines()[1]} -Atc {shlex.quote(sql)}"
    answer = subprocess.run(look, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    return answer.stdout.strip() or answer.stderr.strip()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@as_root
@on_linux
def test_root_may_keep_the_data_where_no_other_user_gets(open_place: Path) -> None:
    home = open_place / "home"
    home.mkdir(mode=0o700)

    with EmbeddedPostgres.start(home / "clone" / ".lintas" / "pg", durable=False) as server:
        answer = ask(server, "SELECT 42")
        owner = (server.data_dir / "cluster").stat().st_uid

    assert answer == "42"
    assert owner != 0


def test_an_ordinary_user_runs_it_too(open_place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests run as an ordinary user already")
    nobody = pwd.getpwnam("nobody")
    user = ServerUser(nobody.pw_uid, nobody.pw_gid)
    python = reachable_python(user)
    if python is None or not _runs(own_binaries(), user):
        pytest.skip("an ordinary user reaches neither a Python of 3.11 or newer nor this environment")
    data = open_place / "theirs"
    data.mkdir()
    os.chown(data, user.uid, user.gid)

    answer = subprocess.run(  # noqa: S603 - our own script
        [python, "-c", LINTAS, str(data / "pg")],
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), str(own_binaries().parents[2])])},
        capture_output=True,
        text=True,
        check=True,
        **user.identity,
    )

    assert json.loads(answer.stdout) == {"owner": user.uid}


def reachable_python(user: ServerUser) -> str | None:
    system = [shutil.which(name, path="/usr/bin:/usr/local/bin") for name in ("python3", "python3.12", "python3.11")]
    for python in [sys.executable, *filter(None, system)]:
        try:
            answer = subprocess.run(  # noqa: S603 - a Python of this machine
                [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
                cwd="/",
                check=False,
                **user.identity,
            )
        except PermissionError:
            continue
        if answer.returncode == 0:
            return python
    return None


@as_root
def test_binaries_are_copied_once_to_where_the_server_reaches_them(open_place: Path) -> None:
    user = server_user(open_place / "none")

    copy = _copy(own_binaries(), open_place / "cache")
    made = copy.stat().st_ino
    again = _copy(own_binaries(), open_place / "cache")

    assert _runs(copy, user)
    assert again == copy
    assert again.stat().st_ino == made
    assert [path.name for path in (open_place / "cache").iterdir()] == [copy.parents[2].name]


@as_root
def test_binaries_that_another_user_may_have_put_there_are_not_run(open_place: Path) -> None:
    (open_place / "cache").mkdir()
    (open_place / "cache").chmod(0o777)

    with pytest.raises(PermissionError, match="is not ours alone"):
        _copy(own_binaries(), open_place / "cache")


def test_no_other_user_can_read_any_of_it(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        open_to_others = [
            path for path in [server.data_dir, *server.data_dir.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077
        ]

    assert open_to_others == []


def test_the_log_repeats_nothing_of_what_was_sent(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        ask(server, "CREATE TABLE people (name text PRIMARY KEY)")
        ask(server, "INSERT INTO people VALUES ('Canary Bird'), ('Canary Bird')")
        said = ask(server, "SELECT 'Canary Bird'::int")

    assert "Canary Bird" in said
    assert "Canary Bird" not in (tmp_path / "pg" / "postgres.log").read_text()


def test_the_description_does_not_give_the_password_away(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path / "pg", durable=False) as server:
        described = server.describe()
        password = server.url().partition("lintas:")[2].partition("@")[0]

    assert len(password) > 30
    assert password not in described
