"""Drafts of documents, and decisions by the time they were made.

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "revision",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Rises with each change: the ETag.",
        ),
        sa.Column(
            "body",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The document as it was written.",
        ),
        sa.Column("author_agency", sa.Text(), nullable=True, comment="Null is the command line."),
        sa.Column("author_key", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_agency"], ["agencies.code"], name=op.f("fk_drafts_author_agency_agencies")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_drafts")),
        comment="Versions of documents that are not published yet. Publishing takes the draft away.",
    )
    op.create_index("ix_decisions_decided_at", "decisions", ["decided_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_decisions_decided_at", table_name="decisions")
    op.drop_table("drafts")
