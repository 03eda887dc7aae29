"""An index by which open offers are counted, and the trace that news belongs to.

Revision: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_handoffs_offered",
        "handoffs",
        ["urgency", "offered_at"],
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.add_column("events", sa.Column("traceparent", sa.Text(), comment="Of what wrote it, as W3C writes it."))


def downgrade() -> None:
    op.drop_column("events", "traceparent")
    op.drop_index("ix_handoffs_offered", "handoffs")
