"""Keys know their lineage, last use and warnings; changes can wait for a second person.

Revision: 0014
Follows: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for column in (
        sa.Column("lineage_id", sa.Uuid(), comment="The first of the keys that it was rotated from; null is itself."),
        sa.Column("replaced_by", sa.Uuid(), comment="The key that it was rotated to."),
        sa.Column("last_used_at", moment, comment="To about a minute: written seldom, and never by a request."),
        sa.Column("warned_at", moment, comment="When its agency was last told that it expires."),
    ):
        op.add_column("api_keys", column)
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency_code", sa.Text(), comment="Whose it is; null is the operators'."),
        sa.Column("subject", sa.Text(), nullable=False, comment="The endpoint's id, or document and version."),
        sa.Column("what", postgresql.JSONB(), nullable=False, comment="What is asked for, without anything secret."),
        sa.Column("sealed", sa.LargeBinary(), comment="What is secret of it, until it has ended."),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.Uuid()),
        sa.Column("proposed_agency", sa.Text(), comment="Null is the command line, here and of the key."),
        sa.Column("proposed_key", sa.Uuid()),
        sa.Column("proposed_holder", sa.Uuid(), comment="The lineage of the key: it stays when the key is rotated."),
        sa.Column("proposed_person", sa.Text()),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("decided_agency", sa.Text()),
        sa.Column("decided_key", sa.Uuid()),
        sa.Column("decided_holder", sa.Uuid()),
        sa.Column("decided_person", sa.Text()),
        sa.Column("decided_at", moment),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_proposals_agency_code_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        comment="Changes that a second person confirms. Its times are real time.",
    )
    op.create_index("ix_proposals_agency_code_id", "proposals", ["agency_code", "id"])
    op.create_index(
        "uq_proposals_pending",
        "proposals",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_table("proposals")
    for column in ("warned_at", "last_used_at", "replaced_by", "lineage_id"):
        op.drop_column("api_keys", column)
