"""Breakers and rates of endpoints, news that goes first, and what exactly failed.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ZERO = sa.text("0")


def _of_endpoints() -> tuple[sa.Column, ...]:
    return (
        sa.Column("max_per_minute", sa.Integer(), nullable=True, comment="Null is no limit."),
        sa.Column("breaker_opened_at", MOMENT, nullable=True, comment="Null is closed."),
        sa.Column("breaker_next_probe_at", MOMENT, nullable=True),
        sa.Column("breaker_failed_probes", sa.Integer(), nullable=False, server_default=ZERO),
        sa.Column(
            "breaker_window_since",
            MOMENT,
            nullable=True,
            comment="Attempts are counted since then; null is not at all.",
        ),
        sa.Column("breaker_window_taken", sa.Integer(), nullable=False, server_default=ZERO),
        sa.Column("breaker_window_failed", sa.Integer(), nullable=False, server_default=ZERO),
        sa.Column(
            "breaker_quiet_until", MOMENT, nullable=True, comment="Its answer asked to be left alone until then."
        ),
    )


GOES_FIRST = """
UPDATE deliveries SET goes_first = true
FROM events
LEFT JOIN handoffs ON handoffs.id = events.handoff_id
LEFT JOIN referrals ON referrals.id = events.referral_id
WHERE events.id = deliveries.event_id AND deliveries.state IN ('due', 'held')
AND (
    events.type IN ('endpoint.ping', 'endpoint.verification')
    OR coalesce(handoffs.urgency, referrals.urgency) = 'emergency'
)
"""


def upgrade() -> None:
    for column in _of_endpoints():
        op.add_column("endpoints", column)
    op.create_table(
        "endpoint_rates",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "full_at", MOMENT, nullable=False, comment="When it has its whole room again, by the database's clock."
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoints.id"],
            name=op.f("fk_endpoint_rates_endpoint_id_endpoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoint_rates")),
        comment="How much of their posts a minute the endpoints that have a limit have used.",
    )
    op.add_column(
        "deliveries",
        sa.Column(
            "goes_first",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="An emergency's, a ping or a challenge.",
        ),
    )
    op.execute(GOES_FIRST)
    op.create_index(
        "ix_deliveries_first",
        "deliveries",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("state = 'due' AND goes_first"),
    )
    op.add_column(
        "attempts",
        sa.Column(
            "detail",
            sa.Text(),
            nullable=True,
            comment="What exactly failed, as a code: certificate_expired, refused.",
        ),
    )


def downgrade() -> None:
    op.drop_column("attempts", "detail")
    op.drop_index("ix_deliveries_first", table_name="deliveries")
    op.drop_column("deliveries", "goes_first")
    op.drop_table("endpoint_rates")
    for column in reversed(_of_endpoints()):
        op.drop_column("endpoints", column.name)
