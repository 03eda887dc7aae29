"""Revisions of drafts that never come again, so that what was seen of a withdrawn one matches no later one.

Revision: 0005
Follows: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE draft_revisions AS integer")
    op.execute("SELECT setval('draft_revisions', (SELECT coalesce(max(revision), 0) + 1 FROM drafts), false)")


def downgrade() -> None:
    op.execute("DROP SEQUENCE draft_revisions")
