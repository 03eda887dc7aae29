"""The order in which transactions began, by which rows that commit out of order are still read one after the other."""

from sqlalchemy import BigInteger, func, literal_column, select

from app.storage.tables import feed_state

OFFSET = func.coalesce(select(feed_state.c.xact_offset).scalar_subquery(), 0)
"""A cluster counts its transactions from its own beginning: added, rows of an older one stand before its own."""
THIS_TRANSACTION = literal_column("pg_current_xact_id()::text::bigint", BigInteger) + OFFSET
OLDEST_RUNNING = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
NEXT_TO_COME = literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger)
