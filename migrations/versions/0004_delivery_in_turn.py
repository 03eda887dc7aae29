"""Deliveries in turn, a feed that outlives its cluster, and lists that stay quick in large tables.

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CLAIMED = sa.text("state = 'due' AND claim IS NOT NULL")

LIVE = sa.text("state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')")


def upgrade() -> None:
    op.add_column(
        "endpoints",
        sa.Column(
            "last_failure_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="By it the failing ones take turns.",
        ),
    )
    op.create_table(
        "feed_state",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("xact_offset", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only"', name=op.f("ck_feed_state_one_row")),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_feed_state")),
        comment="What a dump's events were ahead of the cluster that it was restored into; without a row, nothing.",
    )
    op.create_table(
        "uncoordinated",
        sa.Column("service_request_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_request_id"],
            ["service_requests.id"],
            name=op.f("fk_uncoordinated_service_request_id_service_requests"),
        ),
        sa.PrimaryKeyConstraint("service_request_id", name=op.f("pk_uncoordinated")),
        comment="The service requests that nobody coordinates, which every operator sees: few among very many.",
    )
    op.execute(
        "INSERT INTO uncoordinated SELECT id FROM service_requests AS request WHERE NOT EXISTS"
        " (SELECT 1 FROM coordinations WHERE service_request_id = request.id)"
    )
    op.create_index(
        "ix_handoffs_agency_code_id_live",
        "handoffs",
        ["agency_code", sa.literal_column("id DESC")],
        postgresql_where=LIVE,
    )
    op.create_index("ix_deliveries_claimed", "deliveries", ["endpoint_id", "due_at"], postgresql_where=CLAIMED)


def downgrade() -> None:
    op.drop_index("ix_deliveries_claimed", table_name="deliveries")
    op.drop_index("ix_handoffs_agency_code_id_live", table_name="handoffs")
    op.drop_table("uncoordinated")
    op.drop_table("feed_state")
    op.drop_column("endpoints", "last_failure_at")
