"""Where whoever took the database or a machine away would look."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.embedded_install import own_binaries

EVERYTHING_LOGGED = {
    "log_statement": "all",
    "log_duration": "on",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_error_verbosity": "verbose",
    "log_min_messages": "info",
    "log_min_error_statement": "info",
    "log_lock_waits": "on",
    "log_temp_files": "0",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_parameter_max_length": "-1",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_triggers": "on",
    "auto_explain.log_analyze": "on",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_utility": "on",
}
"""How an operator might have set a server who looks for a fault."""


LOOKED_INTO_BY = "pg_stat_statements, auto_explain"
"""What such an operator has the server load when it starts."""


def dumped(url: str, *options: str) -> str:
    """Dump a database as an operator would."""
    at = make_url(url)
    who = ("-h", at.host or "", "-p", str(at.port), "-U", at.username or "", at.database or "")
    answer = subprocess.run(  # noqa: S603 - our own program, no shell
        [str(own_binaries() / "pg_dump"), *options, *who],
        env={**os.environ, "PGPASSWORD": at.password or ""},
        capture_output=True,
        check=True,
    )
    return answer.stdout.decode()


async def planners_statistics(sessions: async_sessionmaker[AsyncSession]) -> str:
    """Give what the planner keeps of the values of all columns."""
    async with sessions.begin() as tx:
        await tx.execute(text("ANALYZE"))
        wide = await tx.scalars(text("SELECT row_to_json(s)::text FROM pg_stats s WHERE schemaname = 'public'"))
        return "\n".join(wide.all())


async def views_of_the_server(sessions: async_sessionmaker[AsyncSession]) -> str:
    """Give what the server shows of statements: those that run and ran, those that are prepared, and counts of them."""
    found: list[str] = []
    async with sessions.begin() as tx:
        for view in ("pg_stat_activity", "pg_stat_statements", "pg_prepared_statements", "pg_cursors", "pg_locks"):
            found += (await tx.scalars(text(f"SELECT row_to_json(s)::text FROM {view} s"))).all()  # noqa: S608
    return "\n".join(found)


def files_below(place: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file: of a cluster tables, indexes, write-ahead log, and what is deleted and not yet vacuumed."""
    for file in place.rglob("*"):
        with suppress(OSError):
            if file.is_file():
                yield file, file.read_bytes()
