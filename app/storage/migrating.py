"""Bringing a database to the state this code was written for.

Alembic is read when there is something to migrate: reading it takes as long as a quarter of a start.
"""

from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).with_name("migrations")
"""Where an installed package has the migrations; in a checkout they are run where they are written."""
MIGRATIONS = SHIPPED if SHIPPED.is_dir() else Path(__file__).parents[2] / "migrations"


def configuration(url: str = "") -> "Config":
    """Give Alembic's configuration for a database."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if url:
        config.set_main_option("lintas.url", url.replace("%", "%%"))
    return config


def head() -> str:
    """Give the newest migration, by the numbers that their files' names begin with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


TRIES, PAUSE = 30, timedelta(seconds=2)
"""How often a migration asks for a lock that somebody holds, and how long it lets others work in between."""


class MigrationBlocked(Exception):
    """Somebody held what a migration has to lock, each time that it asked; said in Indonesian and English."""


def migrate_to_head(url: str, *, tries: int = TRIES, pause: timedelta = PAUSE) -> None:
    """Run every migration that the database has not had; not for use within an event loop.

    One that does not get a lock soon gives way to the service, which would wait behind it, and tries again;
    MigrationBlocked where it never got it. What was done before it stays done.
    """
    from alembic import command  # noqa: PLC0415 - see above

    for left in reversed(range(tries)):
        try:
            command.upgrade(configuration(url), "head")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _GIVEN_WAY:
                raise
            if not left:
                raise MigrationBlocked(_BLOCKED) from None
            log.warning("migration_waits", count=left)
            sleep(pause.total_seconds())
        else:
            return


_GIVEN_WAY = {"55P03", "40P01"}
_BLOCKED = (
    "migrasi menunggu tabel yang dipegang transaksi lain: akhiri transaksi itu, atau jalankan `lintas migrate` lagi\n"
    "the migration waits for a table that another transaction holds: end that one, or run `lintas migrate` again"
)
