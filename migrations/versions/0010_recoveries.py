"""Recoveries that run in the background, and attempts by which an endpoint's health is seen.

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RUNNING = sa.text("state = 'running'")


def upgrade() -> None:
    op.create_table(
        "recoveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "what",
            sa.Text(),
            nullable=False,
            comment="failed; all that ended; held, which enabling an endpoint begins",
        ),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Of news that was told from then on; null is all.",
        ),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False, comment="Of news that was told before."),
        sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=True, comment="Null is all."),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False, comment="What there was to send when it was begun."),
        sa.Column("counted_all", sa.Boolean(), nullable=False, comment="Whether there was no more than was counted."),
        sa.Column("queued", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("superseded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "first",
            postgresql.ARRAY(sa.Uuid()),
            nullable=True,
            comment="Open offers, which go first; null is not looked for yet.",
        ),
        sa.Column("first_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False, comment="How far it came: deliveries up to this one are done."),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When a worker looks after it again, in real time.",
        ),
        sa.Column(
            "probes",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="In a row, while it fails.",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("what IN ('failed', 'all', 'held')", name=op.f("ck_recoveries_what")),
        sa.CheckConstraint("state IN ('running', 'finished', 'cancelled')", name=op.f("ck_recoveries_state")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoints.id"], name=op.f("fk_recoveries_endpoint_id_endpoints")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recoveries")),
        comment="News that is sent once more, in the background: its progress is committed with what it queues.",
    )
    op.create_index("ix_recoveries_endpoint_id_id", "recoveries", ["endpoint_id", sa.literal_column("id DESC")])
    op.create_index("ix_recoveries_running", "recoveries", ["next_at"], postgresql_where=RUNNING)
    op.create_index(
        "uq_recoveries_running",
        "recoveries",
        ["endpoint_id", sa.literal_column("(what = 'held')")],
        unique=True,
        postgresql_where=RUNNING,
    )
    op.add_column(
        "attempts",
        sa.Column(
            "endpoint_id",
            sa.Uuid(),
            nullable=True,
            comment="Of its delivery, for the health of it; null where an older version wrote it.",
        ),
    )
    # Health looks a day back. What is older would be written anew for nothing, and there may be very much of it.
    op.execute(
        "UPDATE attempts SET endpoint_id = every.endpoint_id FROM (SELECT id, endpoint_id FROM deliveries"
        " UNION ALL SELECT id, endpoint_id FROM finished_deliveries) AS every"
        " WHERE every.id = attempts.delivery_id AND attempts.started_at > now() - interval '2 days'"
    )
    op.add_column(
        "attempts",
        sa.Column(
            "answer",
            sa.LargeBinary(),
            nullable=True,
            comment="Where the operator opted in: the start of the answer, sealed.",
        ),
    )
    op.create_index(
        "ix_attempts_endpoint_id_id",
        "attempts",
        ["endpoint_id", "id"],
        postgresql_include=["outcome", "duration_ms"],
    )
    op.create_index(
        "ix_attempts_failed", "attempts", ["endpoint_id", "id"], postgresql_where=sa.text("outcome <> 'delivered'")
    )


def downgrade() -> None:
    op.drop_index("ix_attempts_failed", table_name="attempts")
    op.drop_index("ix_attempts_endpoint_id_id", table_name="attempts")
    op.drop_column("attempts", "answer")
    op.drop_column("attempts", "endpoint_id")
    op.drop_table("recoveries")
