"""PostgreSQL as an operator runs it: a cluster with its archive of WAL, backups of it, standbys."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.storage.embedded_install import ENVIRONMENT, reachable_binaries, server_user
from chaos.units import free_port

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
max_connections = 100
shared_buffers = '64MB'
archive_mode = on
archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'
"""


class Place:
    """Where clusters lie, owned by whom they run as, and the programs."""

    def __init__(self, directory: Path) -> None:
        self.user = server_user(directory / "none")
        self.programs = reachable_binaries(self.user)
        self.directory = directory
        self.archive = directory / "archive"
        if self.user.is_other:
            os.chown(directory, self.user.uid, self.user.gid)
        self.run("mkdir", str(self.archive))

    def run(self, program: str, *words: str) -> None:
        """Run a program to its end, as whom the clusters run as."""
        own = self.programs / program
        done = subprocess.run(  # noqa: S603 - our own programs
            [str(own) if own.exists() else program, *words],
            cwd=self.directory,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            # Into nothing rather than a pipe, which a server that is started would hold open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
            **self.user.identity,
        )
        assert done.returncode == 0, (program, words)


class Cluster:
    """One cluster, on a port of its own."""

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name, self.data, self.port = place, name, place.directory / name, free_port()

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://lintas@127.0.0.1:{self.port}/lintas"

    def lay_out(self) -> None:
        self.place.run("initdb", "-D", str(self.data), "--auth=trust", "--username=lintas", "--encoding=UTF8")
        self.set(SETTINGS.format(archive=self.place.archive))

    def set(self, settings: str) -> None:
        """Add settings, the last one of a name counts."""
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write(f"{settings}\nport = {self.port}\n")

    def start(self) -> None:
        log = str(self.place.directory / f"{self.name}.log")
        self.place.run("pg_ctl", "start", "-D", str(self.data), "-w", "-t", "60", "-l", log)

    def lose(self) -> None:
        """Let it end as by a loss of power."""
        self.place.run("pg_ctl", "stop", "-D", str(self.data), "-m", "immediate")

    def promote(self) -> None:
        self.place.run("pg_ctl", "promote", "-D", str(self.data), "-w", "-t", "60")

    def back_up(self, name: str, *options: str) -> "Cluster":
        """Take a backup while it runs, look through it, and give it as a cluster that can be started."""
        copy = Cluster(self.place, name)
        address = f"postgresql://lintas@127.0.0.1:{self.port}/postgres"
        self.place.run("pg_basebackup", "-d", address, "-D", str(copy.data), "-c", "fast", "-X", "stream", *options)
        if "-R" not in options:
            self.place.run("pg_verifybackup", str(copy.data))
        return copy

    def restore_to(self, moment: str) -> None:
        """Have it go on from its backup by the archive, to a moment and no further."""
        self.set(
            f"restore_command = 'cp {self.place.archive}/%f %p'\n"
            f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'"
        )
        self.place.run("touch", str(self.data / "recovery.signal"))


@contextmanager
def a_place() -> Iterator[tuple[Place, list[Cluster]]]:
    """Give a place for clusters, and end at last whatever was noted as running there."""
    running: list[Cluster] = []
    with tempfile.TemporaryDirectory(prefix="lintas-clusters-", ignore_cleanup_errors=True) as made:
        directory = Path(made)
        place = Place(directory)
        try:
            yield place, running
        finally:
            for cluster in running:
                if (cluster.data / "postmaster.pid").exists():
                    cluster.lose()
