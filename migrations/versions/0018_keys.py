"""Keys know their lineage, when they were last used, and whether their agency was told that they expire.

Revision: 0018
Follows: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for column in (
        sa.Column("lineage_id", sa.Uuid(), comment="The first of the keys that it was rotated from; else itself."),
        sa.Column("replaced_by", sa.Uuid(), comment="The key that it was rotated to."),
        sa.Column("last_used_at", moment, comment="To about a minute: written seldom, and never by a request."),
        sa.Column("warned_at", moment, comment="When its agency was last told that it expires."),
    ):
        op.add_column("api_keys", column)
    op.execute("UPDATE api_keys SET lineage_id = id")
    op.alter_column("api_keys", "lineage_id", nullable=False)


def downgrade() -> None:
    for column in ("warned_at", "last_used_at", "replaced_by", "lineage_id"):
        op.drop_column("api_keys", column)
