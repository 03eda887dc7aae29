"""The migrations make the tables that the code expects, from nothing, and can be taken back."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import text

from app.storage.database import open_engine
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration, migrate_to_head


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with nothing in it."""
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("migrations"), durable=False) as server:
        server.create_database("empty_test")
        yield server.url("empty_test")


def test_the_migrations_make_what_the_code_expects_and_come_down_and_up_again(empty_url: str) -> None:
    migrate_to_head(empty_url)
    command.check(configuration(empty_url))

    command.downgrade(configuration(empty_url), "base")
    migrate_to_head(empty_url)
    command.check(configuration(empty_url))


async def test_audit_entries_can_be_added_and_neither_changed_nor_removed(empty_url: str) -> None:
    engine = open_engine(empty_url, application_name="lintas tests")
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit (id, action, subject, subject_id) VALUES (gen_random_uuid(), 'a', 'b', 'c')")
        )

    for attempt in ("UPDATE audit SET action = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="only ever added"):
            async with engine.begin() as connection:
                await connection.execute(text(attempt))
    await engine.dispose()
