"""The sandbox's databases: the world as it goes, and the world as it was at first, which a reset goes back to."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import ExecutableDDLElement

from app.sandbox import clock, records
from app.storage.database import open_for_migrations
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import head, migrate_to_head

WORLD, PRISTINE = "world", "pristine"


class Databases:
    """Makes, keeps and exchanges the databases of one embedded server; nobody may be connected to what it exchanges."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server

    @property
    def world(self) -> str:
        """The address of the world, for whoever lives by its clock."""
        return clock.by_sandbox_time(self._server.url(WORLD))

    async def begin(self) -> bool:
        """Have a world of this version's; True where it is a new one, whose beginning is still to be kept."""
        if not await self._is_there(PRISTINE):
            # A first start that was broken off left half a world.
            await self._run(f"DROP DATABASE IF EXISTS {WORLD} WITH (FORCE)", f"CREATE DATABASE {WORLD}")
            await self._lay_out(WORLD)
            return True
        if not await self._is_there(WORLD):
            await self.go_back()
        for name in (PRISTINE, WORLD):
            await self._lay_out(name)
        return False

    async def keep_beginning(self) -> None:
        """Keep the world as it is now as the one that every reset goes back to."""
        draft = f"{PRISTINE}_draft"
        await self._run(
            f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)",
            f"CREATE DATABASE {draft} TEMPLATE {WORLD}",
            f"ALTER DATABASE {draft} RENAME TO {PRISTINE}",
        )

    async def go_back(self) -> None:
        """Make the world what it was at first."""
        await self._run(f"DROP DATABASE IF EXISTS {WORLD} WITH (FORCE)", f"CREATE DATABASE {WORLD} TEMPLATE {PRISTINE}")

    async def _is_there(self, name: str) -> bool:
        wanted = text("SELECT 1 FROM pg_database WHERE datname = :name")
        engine = open_for_migrations(self._server.url("postgres"))
        try:
            async with engine.connect() as connection:
                return await connection.scalar(wanted, {"name": name}) is not None
        finally:
            await engine.dispose()

    async def _lay_out(self, name: str) -> None:
        url = self._server.url(name)
        engine = open_for_migrations(url)
        try:
            async with engine.begin() as connection:
                if await _revision(connection) == head():
                    return
            # It runs an event loop of its own.
            await asyncio.to_thread(migrate_to_head, url)
            layout: tuple[str | ExecutableDDLElement, ...] = (*clock.LAYOUT, *records.LAYOUT)
            async with engine.begin() as connection:
                for statement in layout:
                    await connection.execute(text(statement) if isinstance(statement, str) else statement)
        finally:
            await engine.dispose()

    async def _run(self, *statements: str) -> None:
        engine = open_for_migrations(self._server.url("postgres"))
        try:
            async with engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                for statement in statements:
                    await alone.execute(text(statement))
        finally:
            await engine.dispose()


async def _revision(connection: AsyncConnection) -> str | None:
    laid_out = text("SELECT to_regclass('sandbox.posts') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL")
    if not await connection.scalar(laid_out):
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
