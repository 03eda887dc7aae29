"""Bringing a database to the state this code was written for."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

SHIPPED = Path(__file__).with_name("migrations")
"""Where an installed package has the migrations; in a checkout they are run where they are written."""
MIGRATIONS = SHIPPED if SHIPPED.is_dir() else Path(__file__).parents[2] / "migrations"


def configuration(url: str = "") -> Config:
    """Give Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if url:
        config.set_main_option("lintas.url", url.replace("%", "%%"))
    return config


def head() -> str | None:
    """Give the newest migration; None while there is none."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def migrate_to_head(url: str) -> None:
    """Run every migration that the database has not had; not for use within an event loop."""
    command.upgrade(configuration(url), "head")
