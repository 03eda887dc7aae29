"""What the sandbox itself remembers, beside the service's own tables and in a schema of its own."""

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateIndex, CreateTable

from app.storage.tables import Moment

SCHEMA = "sandbox"
metadata = MetaData(schema=SCHEMA)

players = Table(
    "players",
    metadata,
    Column("agency_code", Text, primary_key=True),
    Column("key", Text, nullable=False, comment="Nothing here is real, the key no more than the rest."),
    Column("behaviour", JSONB, nullable=False),
    Column("posts", Integer, nullable=False, server_default="0", comment="Since its behaviour was set."),
)
printed_keys = Table(
    "printed_keys",
    metadata,
    Column("role", Text, primary_key=True),
    Column("agency_code", Text, nullable=False),
    Column("secret", Text, nullable=False),
)
plans = Table(
    "plans",
    metadata,
    Column("subject_id", Uuid, primary_key=True, comment="A handoff, or an endpoint that is to be proven."),
    Column("agency_code", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("behaviour", JSONB, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
    Column("outcome", Text, comment="Null while it is still to be done."),
)
posts = Table(
    "posts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("sent_at", Moment, nullable=False, comment="By the sandbox's clock."),
    Column("headers", JSONB, nullable=False),
    Column("body", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", SmallInteger),
    Column("detail", Text),
    Column("milliseconds", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)

LAYOUT = tuple(CreateTable(table, if_not_exists=True) for table in metadata.sorted_tables) + tuple(
    CreateIndex(index, if_not_exists=True) for table in metadata.sorted_tables for index in table.indexes
)
"""What lays these tables out where they are not."""
