"""Clocks of duties, and regions that are no longer listed.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "clocks",
        sa.Column(
            "detail",
            sa.Text(),
            nullable=True,
            comment="What of the subject it is about: a duty, by document and clause.",
        ),
    )
    op.add_column(
        "regions",
        sa.Column(
            "retired_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Out of the list since then, and still known for what names it.",
        ),
    )


def downgrade() -> None:
    op.drop_column("regions", "retired_at")
    # A clock of a duty means nothing to the code before.
    op.execute("DELETE FROM clocks WHERE kind IN ('duty_reminder', 'duty_overdue')")
    op.drop_column("clocks", "detail")
