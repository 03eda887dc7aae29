"""The sandbox's clock: the database's own, run ahead of real time, so that all who ask it agree.

Leases, claims, expiry and schedules are counted by PostgreSQL's functions. In a sandbox a schema that is looked into
before `pg_catalog` has functions of the same names, which add how far the clock was moved.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.deliveries import DUE
from app.storage.shared_clock import real_time
from app.storage.tables import deliveries, service_pulse

_FUNCTION = """
CREATE OR REPLACE FUNCTION sandbox_time.{name}() RETURNS timestamptz LANGUAGE sql {kind}
AS 'SELECT pg_catalog.{name}() + ahead FROM sandbox.clock'
"""
_TABLE = """
CREATE TABLE IF NOT EXISTS sandbox.clock (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), ahead interval NOT NULL DEFAULT '0'
)
"""
_OWN_DEFAULTS = r"""
DO $$
DECLARE found record;
BEGIN
  FOR found IN
    SELECT pg_class.oid::regclass AS place, attname AS name, pg_get_expr(adbin, adrelid) AS said
    FROM pg_attrdef JOIN pg_class ON pg_class.oid = adrelid
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE relnamespace = 'public'::regnamespace AND pg_get_expr(adbin, adrelid) ~ '^(now|clock_timestamp)[(][)]$'
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT sandbox_time.%s', found.place, found.name, found.said);
  END LOOP;
END $$
"""
LAYOUT = (
    "CREATE SCHEMA IF NOT EXISTS sandbox_time",
    "CREATE SCHEMA IF NOT EXISTS sandbox",
    _TABLE,
    "INSERT INTO sandbox.clock DEFAULT VALUES ON CONFLICT DO NOTHING",
    *(
        _FUNCTION.format(name=name, kind="VOLATILE" if name == "clock_timestamp" else "STABLE")
        for name in ("now", "transaction_timestamp", "statement_timestamp", "clock_timestamp")
    ),
    _OWN_DEFAULTS,
)
"""What lays the clock out in a database that has been migrated."""
_AHEAD = text("SELECT ahead FROM sandbox.clock")
_MOVE = text("UPDATE sandbox.clock SET ahead = ahead + :by")


def by_sandbox_time(url: str) -> str:
    """Give the address of a database so that whoever connects by it lives by the sandbox's clock."""
    return f"{url}?search_path=public,sandbox_time,pg_catalog"


async def ahead(tx: AsyncSession) -> timedelta:
    """Say how far the clock was moved."""
    found: timedelta = (await tx.execute(_AHEAD)).scalar_one()
    return found


async def move_to(tx: AsyncSession, moment: datetime) -> timedelta:
    """Move the clock forward to a moment, and give by how much; to one that is past it is not moved.

    What goes by real time goes on unhurried: posts under way keep what is left of their leases, and the service was
    not down for what was leapt over.
    """
    by = moment - await real_time(tx)
    if by <= timedelta(0):
        return timedelta(0)
    leased = (deliveries.c.state == DUE, deliveries.c.claim.is_not(None), deliveries.c.due_at > func.clock_timestamp())
    under_way = select(deliveries.c.id).where(*leased).with_for_update().cte("under_way")
    await tx.execute(
        update(deliveries).where(deliveries.c.id.in_(select(under_way.c.id))).values(due_at=deliveries.c.due_at + by)
    )
    beats = {column.name: column + by for column in (service_pulse.c.api_beat_at, service_pulse.c.clocks_beat_at)}
    await tx.execute(update(service_pulse).values(beats))
    await tx.execute(_MOVE, {"by": by})
    return by
