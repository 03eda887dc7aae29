"""Who may be warned of a second referral, how long a completed handoff shows its case, and senders that are named.

Revision: 0017
Follows: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "handoffs",
        sa.Column(
            "access_after_completion",
            sa.Text(),
            comment="By the agreement it was offered by; null: the operator's terms.",
        ),
    )
    op.add_column(
        "referrals",
        sa.Column(
            "sender_barred",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="Somebody else named the sender in the case since: it sees nothing of it any more.",
        ),
    )
    op.create_table(
        "identity_hashes",
        sa.Column(
            "hash",
            sa.LargeBinary(),
            nullable=False,
            comment="Keyed, over agency, kind and what tells a person apart.",
        ),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False, comment="Who may be warned by it."),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('identity_number', 'name_birth_year_regency')", name=op.f("ck_identity_hashes_kind")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("fk_identity_hashes_referral_id_referrals")
        ),
        sa.ForeignKeyConstraint(
            ["agency_code"], ["agencies.code"], name=op.f("fk_identity_hashes_agency_code_agencies")
        ),
        sa.PrimaryKeyConstraint("hash", "referral_id", name=op.f("pk_identity_hashes")),
        comment="By which an agency is warned that two of its referrals may be of one person. Erasing deletes them.",
    )
    op.create_index("ix_identity_hashes_referral_id", "identity_hashes", ["referral_id"])


def downgrade() -> None:
    op.drop_table("identity_hashes")
    op.drop_column("referrals", "sender_barred")
    op.drop_column("handoffs", "access_after_completion")
