"""Bringing a database to the state this code was written for.

Alembic is read when there is something to migrate: reading it takes as long as a quarter of a start.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

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


def migrate_to_head(url: str) -> None:
    """Run every migration that the database has not had; not for use within an event loop."""
    from alembic import command  # noqa: PLC0415 - see above

    command.upgrade(configuration(url), "head")
