"""Code of before goes on working on the schema of now, beside code of now, until it is replaced."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.migrating import head
from app.storage.sealing import KeyRing
from tests.delivery.receivers import a_receiver
from tests.deploy.processes import ROOT, Town, lintas


def git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)  # noqa: S603, S607 - our own words
    return done.stdout if done.returncode == 0 else b""


def commit_before(migration: str | None) -> str:
    """Find the commit in which the newest migration was not there yet; nothing where the history does not reach it."""
    added = git("log", "-1", "--diff-filter=A", "--format=%H", "--", f"migrations/versions/{migration}_*.py")
    of_before = f"{added.decode().strip()}^" if added else "HEAD"
    return git("rev-parse", "--verify", "--quiet", of_before).decode().strip()


@pytest.fixture
def code_of_before(tmp_path: Path) -> Path:
    commit = commit_before(head())
    if not commit:
        pytest.skip("needs the history of this checkout, back to before the newest migration")
    place = tmp_path / "before"
    archive = git("archive", commit, "app", "migrations", "docs", "openapi")
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(place, filter="data")
    return place


@pytest.fixture
async def town(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> Town:
    return Town(sessions, key_ring)


async def test_during_an_upgrade_old_and_new_processes_serve_and_deliver_on_the_new_schema(
    tmp_path: Path, town: Town, key_ring: KeyRing, database_url: str, code_of_before: Path
) -> None:
    async with (
        a_receiver() as receiver,
        town.settled(receiver),
        lintas(tmp_path, key_ring, database_url, "serve", code=code_of_before) as old_api,
        lintas(tmp_path, key_ring, database_url, "work", code=code_of_before) as old_worker,
    ):
        await town.exchange(receiver, sent_to=old_api.port, answered_at=old_api.port)

        async with (
            lintas(tmp_path, key_ring, database_url, "serve") as api,
            lintas(tmp_path, key_ring, database_url, "work"),
        ):
            await town.exchange(receiver, sent_to=old_api.port, answered_at=api.port)
            await town.exchange(receiver, sent_to=api.port, answered_at=old_api.port)
            # One after the other, as a rollout has it.
            assert await old_worker.end() == 0
            assert await old_api.end() == 0

            await town.exchange(receiver, sent_to=api.port, answered_at=api.port)

    assert len(receiver.ids) == len(set(receiver.ids))
