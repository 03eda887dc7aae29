"""Runs the migrations on the connection or the address that the caller gives."""

import asyncio
import re

from alembic import context
from sqlalchemy import Connection, ForeignKeyConstraint, text
from sqlalchemy.schema import SchemaItem

from app.storage.database import open_for_migrations
from app.storage.tables import metadata

PARTITION = re.compile(r"(events|finished_deliveries|attempts)_(\d{4}_\d{2}|default)")
"""Tables that come and go with the months."""


def is_ours(item: SchemaItem, name: str | None, kind: str, *_: object) -> bool:
    if isinstance(item, ForeignKeyConstraint):
        # To what refers to a table in partitions, PostgreSQL adds a reference to each.
        return not any(PARTITION.match(element.target_fullname) for element in item.elements)
    return kind != "table" or not PARTITION.fullmatch(name or "")


def migrate(connection: Connection) -> None:
    # One at a time; and a migration that cannot have a table's lock soon gives way to the service, which would wait
    # behind it for longer than a statement of it may, and is run again. None hangs for ever.
    connection.execute(text("SELECT pg_advisory_lock(hashtext('lintas migrations'))"))
    connection.execute(text("SET lock_timeout = '2s'"))
    connection.execute(text("SET statement_timeout = '2h'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        include_object=is_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate(url: str) -> None:
    engine = open_for_migrations(url)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(connect_and_migrate(context.config.get_main_option("lintas.url") or ""))
