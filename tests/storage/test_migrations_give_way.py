"""A migration that needs what the service holds gives way to it, and comes again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app.storage.database import open_engine
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import MigrationBlocked, configuration, migrate_to_head
from tests.delivery.world import until

BEFORE_A_TABLE_IS_CHANGED = "0016"
MOMENT = timedelta(milliseconds=200)


@pytest.fixture
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("giving_way"), durable=False) as server:
        server.create_database("giving_way_test")
        url = server.url("giving_way_test")
        await asyncio.to_thread(command.upgrade, configuration(url), BEFORE_A_TABLE_IS_CHANGED)
        yield url


@pytest.fixture
async def service(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, application_name="lintas tests")
    yield engine
    await engine.dispose()


async def waits_for_a_lock(engine: AsyncEngine) -> bool:
    async with engine.begin() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'lintas migrate' AND wait_event_type = 'Lock'"
        )
        return bool(await connection.scalar(waiting))


async def test_it_gives_way_to_who_reads_meanwhile_and_gets_through_when_the_lock_is_free(
    url: str, service: AsyncEngine
) -> None:
    with capture_logs() as logs:
        async with service.begin() as longest:
            await longest.execute(text("SELECT 1 FROM handoffs"))
            migrating = asyncio.create_task(asyncio.to_thread(migrate_to_head, url, pause=MOMENT))
            await until(lambda: waits_for_a_lock(service), within=60)
            # It stands behind the migration, and is served when that gives way: within its own limits.
            async with service.begin() as reading:
                await reading.execute(text("SELECT 1 FROM handoffs"))
            await until(lambda: any(line["event"] == "migration_waits" for line in logs), within=60)
            assert not migrating.done()

        await asyncio.wait_for(migrating, 60)

    await asyncio.to_thread(command.check, configuration(url))


async def test_where_the_lock_is_never_free_it_says_so_and_has_changed_nothing(url: str, service: AsyncEngine) -> None:
    async with service.begin() as longest:
        await longest.execute(text("SELECT 1 FROM handoffs"))

        with pytest.raises(MigrationBlocked, match="another transaction holds"):
            await asyncio.to_thread(partial(migrate_to_head, url, tries=2, pause=MOMENT))

        assert await longest.scalar(text("SELECT version_num FROM alembic_version")) == BEFORE_A_TABLE_IS_CHANGED
