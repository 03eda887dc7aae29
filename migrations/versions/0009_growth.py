"""History by months, finished deliveries apart from the queue, and vacuum settings for what turns over.

What was there becomes the partition of the month in which this runs, with all that is older: nothing is copied but the
deliveries that are not finished. Under locks on `events`, `deliveries` and `attempts` it reads those three tables and
builds a key over two of them (docs/benchmarks.md has how long that takes). Code of before goes on
working meanwhile: what it finishes stays in `deliveries` until a worker of now moves it, and it does not see what was
moved.

Why which settings:
- deliveries, clocks, idempotency_records: rows come and go all day and few are there at a time, so a share of the
  table says nothing. They are vacuumed after so many dead rows, without pauses, before an index fills with the dead.
  They keep their pages when they are empty: to give them back takes a lock on all, and a table that looks small is read
  as a whole by plans that are kept when it has grown.
- endpoints, service_pulse, registry_state, feed_state: few rows, changed again and again outside of any index. Room in
  the page keeps each change in its page, which is cleaned in passing.
- referrals, handoffs, service_requests: grow for good, and are changed while they are young. A fifth of a large table
  is too long to wait for, and for fresh statistics.
- partitions of events, finished deliveries and attempts: only added to. They are vacuumed as they grow, so that a month
  that is over is already marked as visible and frozen, and no old month is ever read again for its transaction ids.

Revision: 0009
Follows: 0008
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AHEAD = 3
FINISHED = "'delivered', 'superseded', 'failed'"

TURNS_OVER = (
    "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,"
    " autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, vacuum_truncate = off"
)
CHANGED_IN_PLACE = (
    "fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,"
    " autovacuum_vacuum_cost_delay = 0"
)
GROWS = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
ADDED_TO = (
    "autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05,"
    " autovacuum_analyze_scale_factor = 0.05, autovacuum_freeze_min_age = 1000000"
)
SETTINGS = {
    "deliveries": TURNS_OVER,
    "clocks": TURNS_OVER,
    "idempotency_records": TURNS_OVER,
    "endpoints": CHANGED_IN_PLACE,
    "service_pulse": CHANGED_IN_PLACE,
    "registry_state": CHANGED_IN_PLACE,
    "feed_state": CHANGED_IN_PLACE,
    "referrals": GROWS,
    "handoffs": GROWS,
    "service_requests": GROWS,
}

COMMENTS = {
    "events": "In months of real time, which stands in the id (partitions.py).",
    "deliveries": "The queue: what is due or held. What is finished leaves it.",
    "finished_deliveries": "What left the queue, in the months of its events.",
    "attempts": "In the months of their deliveries.",
}

Bound = tuple[int, int]
"""A year and a month."""


def upgrade() -> None:
    this = _now()
    following = _later(this, 1)
    ends = _first_id(following)
    events, finished, attempts = (f"{name}_{_name(this)}" for name in ("events", "finished_deliveries", "attempts"))
    queue = _definitions("deliveries")
    feed = _definitions("events")

    op.drop_constraint("fk_attempts_delivery_id_deliveries", "attempts")
    op.drop_constraint("fk_deliveries_event_id_events", "deliveries")

    # What was there becomes this month's, under names of its own.
    _set_apart("events", events)
    _set_apart("deliveries", finished)
    _set_apart("attempts", attempts)
    op.execute(f"CREATE TABLE events (LIKE {events} INCLUDING DEFAULTS INCLUDING COMMENTS) PARTITION BY RANGE (id)")
    op.execute("ALTER TABLE events ADD CONSTRAINT pk_events PRIMARY KEY (id)")
    op.create_foreign_key(op.f("fk_events_agency_code_agencies"), "events", "agencies", ["agency_code"], ["code"])
    for definition in feed:
        op.execute(definition)
    # The last number that was given is asked for by every look at readiness.
    op.create_index("ix_events_xact", "events", ["xact"])

    # The queue begins anew with what is not finished.
    op.execute(f"CREATE TABLE deliveries (LIKE {finished} INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING CONSTRAINTS)")
    op.execute(f"INSERT INTO deliveries SELECT * FROM {finished} WHERE state NOT IN ({FINISHED})")  # noqa: S608 - our own names
    op.execute("ALTER TABLE deliveries ADD CONSTRAINT pk_deliveries PRIMARY KEY (id)")
    op.create_unique_constraint(op.f("uq_deliveries_event_id_endpoint_id"), "deliveries", ["event_id", "endpoint_id"])
    for definition in queue:
        op.execute(definition)
    op.create_index("ix_deliveries_finished", "deliveries", ["id"], postgresql_where=sa.text(f"state IN ({FINISHED})"))
    op.create_foreign_key(
        op.f("fk_deliveries_endpoint_id_endpoints"), "deliveries", "endpoints", ["endpoint_id"], ["id"]
    )

    op.execute(f"DELETE FROM {finished} WHERE state NOT IN ({FINISHED})")  # noqa: S608 - our own names
    _drop_indexes(finished, keep=("endpoint_id_id",))
    op.execute(f"ALTER TABLE {finished} DROP CONSTRAINT ck_deliveries_state, DROP COLUMN claim")
    op.execute(
        f"CREATE TABLE finished_deliveries (LIKE {finished} INCLUDING DEFAULTS INCLUDING COMMENTS)"
        " PARTITION BY RANGE (event_id)"
    )
    op.create_check_constraint(op.f("ck_finished_deliveries_state"), "finished_deliveries", f"state IN ({FINISHED})")
    op.execute(f"ALTER TABLE {finished} ADD CONSTRAINT ck_finished_deliveries_state CHECK (state IN ({FINISHED}))")
    op.execute("ALTER TABLE finished_deliveries ADD CONSTRAINT pk_finished_deliveries PRIMARY KEY (id, event_id)")
    op.create_unique_constraint(
        op.f("uq_finished_deliveries_event_id_endpoint_id"), "finished_deliveries", ["event_id", "endpoint_id"]
    )
    op.create_index(
        "ix_finished_deliveries_endpoint_id_id", "finished_deliveries", ["endpoint_id", sa.literal_column("id DESC")]
    )
    op.create_index(
        "ix_finished_deliveries_undelivered",
        "finished_deliveries",
        ["endpoint_id", sa.literal_column("id DESC")],
        postgresql_where=sa.text("state IN ('superseded', 'failed')"),
    )
    op.create_foreign_key(
        op.f("fk_finished_deliveries_endpoint_id_endpoints"),
        "finished_deliveries",
        "endpoints",
        ["endpoint_id"],
        ["id"],
    )

    _drop_indexes(attempts)
    op.execute(
        f"CREATE TABLE attempts (LIKE {attempts} INCLUDING DEFAULTS INCLUDING COMMENTS)"
        " PARTITION BY RANGE (delivery_id)"
    )
    op.execute("ALTER TABLE attempts ADD CONSTRAINT pk_attempts PRIMARY KEY (delivery_id, id)")

    for table, key, kept in (
        ("events", "id", events),
        ("finished_deliveries", "event_id", finished),
        ("attempts", "delivery_id", attempts),
    ):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        # An id that is no UUIDv7 of a time up to now belongs to no month.
        op.execute(
            f"WITH stray AS (DELETE FROM {kept} WHERE {key} >= '{ends}' RETURNING *)"  # noqa: S608 - our own names
            f" INSERT INTO {table}_default SELECT * FROM stray"
        )
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {kept} FOR VALUES FROM (MINVALUE) TO ('{ends}')")
        op.execute(f"ALTER TABLE {kept} SET ({ADDED_TO})")
        for ahead in range(1, AHEAD + 1):
            month = _later(this, ahead)
            op.execute(
                f"CREATE TABLE {table}_{_name(month)} PARTITION OF {table}"
                f" FOR VALUES FROM ('{_first_id(month)}') TO ('{_first_id(_later(month, 1))}') WITH ({ADDED_TO})"
            )
    for name in (_name(this), *(_name(_later(this, ahead)) for ahead in range(1, AHEAD + 1)), "default"):
        # From month to month: as tight as from table to table, and a month can go without a look at the others.
        op.execute(
            f"ALTER TABLE finished_deliveries_{name} ADD CONSTRAINT fk_finished_deliveries_event_id_events"
            f" FOREIGN KEY (event_id) REFERENCES events_{name} (id)"
        )
    op.create_foreign_key(op.f("fk_deliveries_event_id_events"), "deliveries", "events", ["event_id"], ["id"])
    for table, settings in SETTINGS.items():
        op.execute(f"ALTER TABLE {table} SET ({settings})")
    for table, comment in COMMENTS.items():
        op.create_table_comment(table, comment)
        op.execute(f"ANALYZE {table}")


def downgrade() -> None:
    for table, settings in SETTINGS.items():
        names = ", ".join(setting.split("=")[0].strip() for setting in settings.split(","))
        op.execute(f"ALTER TABLE {table} RESET ({names})")
    op.drop_index("ix_events_xact", table_name="events")
    feed = _definitions("events")
    op.drop_table_comment("deliveries")
    op.drop_constraint("fk_deliveries_event_id_events", "deliveries")
    op.drop_index("ix_deliveries_finished", table_name="deliveries")
    kept = ", ".join(column for column in _columns("finished_deliveries"))
    op.execute(f"INSERT INTO deliveries ({kept}) SELECT {kept} FROM finished_deliveries")  # noqa: S608 - our own names
    op.execute("DROP TABLE finished_deliveries")

    op.execute("ALTER TABLE events RENAME TO events_by_month")
    op.execute("CREATE TABLE events (LIKE events_by_month INCLUDING DEFAULTS INCLUDING COMMENTS)")
    op.execute("INSERT INTO events SELECT * FROM events_by_month")
    op.execute("DROP TABLE events_by_month")
    op.execute("ALTER TABLE events ADD CONSTRAINT pk_events PRIMARY KEY (id)")
    op.create_foreign_key(op.f("fk_events_agency_code_agencies"), "events", "agencies", ["agency_code"], ["code"])
    for definition in feed:
        op.execute(definition)
    op.create_foreign_key(op.f("fk_deliveries_event_id_events"), "deliveries", "events", ["event_id"], ["id"])

    op.execute("ALTER TABLE attempts RENAME TO attempts_by_month")
    op.execute("CREATE TABLE attempts (LIKE attempts_by_month INCLUDING DEFAULTS INCLUDING COMMENTS)")
    # An attempt may outlive its delivery here by as much as their months begin apart.
    op.execute(
        "INSERT INTO attempts SELECT * FROM attempts_by_month AS made"
        " WHERE EXISTS (SELECT 1 FROM deliveries WHERE id = made.delivery_id)"
    )
    op.execute("DROP TABLE attempts_by_month")
    op.execute("ALTER TABLE attempts ADD CONSTRAINT pk_attempts PRIMARY KEY (id)")
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"])
    op.create_foreign_key(op.f("fk_attempts_delivery_id_deliveries"), "attempts", "deliveries", ["delivery_id"], ["id"])


def _now() -> Bound:
    moment: datetime = op.get_bind().execute(sa.text("SELECT now()")).scalar_one()
    moment = moment.astimezone(UTC)
    return moment.year, moment.month


def _later(month: Bound, by: int) -> Bound:
    count = month[0] * 12 + month[1] - 1 + by
    return count // 12, count % 12 + 1


def _name(month: Bound) -> str:
    return f"{month[0]:04}_{month[1]:02}"


def _first_id(month: Bound) -> UUID:
    """Give what no UUIDv7 of this month is below."""
    return UUID(int=int(datetime(*month, 1, tzinfo=UTC).timestamp() * 1000) << 80)


def _rows(statement: str, **values: Any) -> list[Any]:
    return list(op.get_bind().execute(sa.text(statement), values))


def _columns(table: str) -> list[str]:
    found = _rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum",
        name=table,
    )
    return [row.attname for row in found]


def _definitions(table: str) -> list[str]:
    """Give the statements that make a table's indexes, but for those that are constraints."""
    found = _rows(
        "SELECT pg_get_indexdef(indexrelid) AS made FROM pg_index WHERE indrelid = CAST(:name AS regclass)"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY indexrelid",
        name=table,
    )
    return [row.made.replace(" ON ONLY ", " ON ") for row in found]


def _set_apart(table: str, name: str) -> None:
    """Rename a table with its indexes: `ix_events_feed` of `events` becomes `events_2026_11_feed`."""
    for row in _rows(
        "SELECT indexrelid::regclass::text AS index FROM pg_index WHERE indrelid = CAST(:name AS regclass)", name=table
    ):
        op.execute(f"ALTER INDEX {row.index} RENAME TO {name}_{row.index.removeprefix(f'ix_{table}_')}")
    op.execute(f"ALTER TABLE {table} RENAME TO {name}")


def _drop_indexes(table: str, *, keep: tuple[str, ...] = ()) -> None:
    """Drop a table's indexes, and the constraints that are indexes, but for unique ones and those to keep."""
    for row in _rows(
        "SELECT indexrelid::regclass::text AS index, conname, contype::text FROM pg_index"
        " LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')"
        " WHERE indrelid = CAST(:name AS regclass)",
        name=table,
    ):
        if row.contype == "p":
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row.conname}")
        elif row.contype is None and not row.index.endswith(keep or ("\0",)):
            op.execute(f"DROP INDEX {row.index}")
