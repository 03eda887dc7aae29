"""The database role that the service runs as: it owns nothing, and cannot change what the audit holds."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.database import open_for_migrations
from app.storage.partitions import PARTITIONED
from app.storage.tables import metadata

ONLY_ADDED = frozenset({"agency_history", "audit", "audit_segments", "documents"})
"""Tables to which the service adds rows, and of which it changes and removes none."""
ONLY_READ = frozenset({"alembic_version", "audit_drops"})
CALLED = ("lintas_make_month(text)", "lintas_drop_month(text)")
"""Functions that do as the owner what takes the owner: the months of history come and go by them."""


async def grant_run_role(url: str, role: str) -> None:
    """Give a role what running the service takes, and nothing more; make it, unable to log in, where it is not there.

    The caller's role must own the tables. To log in, it needs a password or a certificate, from the operator.
    """
    engine = open_for_migrations(url)
    try:
        async with engine.begin() as connection:
            await _grant(connection, role)
    finally:
        await engine.dispose()


async def _grant(connection: AsyncConnection, role: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    is_there = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if not is_there:
        await connection.exec_driver_sql(f"CREATE ROLE {quoted} NOLOGIN")
    schema = await connection.scalar(text("SELECT quote_ident(current_schema())"))
    await connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
    await connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quoted}")
    await connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}")
    for table in (*sorted(metadata.tables), "alembic_version"):
        rights = "SELECT" if table in ONLY_READ else "SELECT, INSERT"
        if table not in ONLY_READ | ONLY_ADDED:
            rights += ", UPDATE, DELETE"
        await connection.exec_driver_sql(f'GRANT {rights} ON {schema}."{table}" TO {quoted}')
    for table in PARTITIONED:
        # Read by name, to see what lies in no month; everything else goes by the whole table.
        await connection.exec_driver_sql(f"GRANT SELECT ON {schema}.{table}_default TO {quoted}")
    for function in CALLED:
        await connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {schema}.{function} TO {quoted}")
