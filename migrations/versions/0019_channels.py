"""By which ways agencies are told: when their people last signed in to the console, and who has lost every way.

Revision: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "console_looks",
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column(
            "signed_in_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="When somebody last did. Real time."
        ),
        sa.Column(
            "reaches_until",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="How long that counts as a working way to be told. Real time.",
        ),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_console_looks_agency_code_agencies")),
        sa.PrimaryKeyConstraint("agency_code", name=op.f("pk_console_looks")),
        comment="The agencies whose people look into the console.",
    )
    op.create_table(
        "reached_agencies",
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column(
            "lost_at",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="Since when none works, which its coordinator was told; null while one does.",
        ),
        sa.ForeignKeyConstraint(
            ["agency_code"], ["agencies.code"], name=op.f("fk_reached_agencies_agency_code_agencies")
        ),
        sa.PrimaryKeyConstraint("agency_code", name=op.f("pk_reached_agencies")),
        comment="The agencies that have, or had, a working way to be told.",
    )


def downgrade() -> None:
    op.drop_table("reached_agencies")
    op.drop_table("console_looks")
