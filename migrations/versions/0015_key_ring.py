"""The keys of the key ring are known again, and so is which process has which.

Revision: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ring_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="Empty is the hash key."),
        sa.Column(
            "check_value",
            sa.LargeBinary(),
            nullable=False,
            comment="Derived from the key, which does not follow from it.",
        ),
        sa.Column("known_since", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_keys")),
        comment="By what the keys of the key ring are known again: one of the right id and other bytes is noticed.",
    )
    op.create_table(
        "ring_holders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False, comment="What it is and where it runs."),
        sa.Column("active", sa.Text(), nullable=False, comment="The key that it seals under."),
        sa.Column("holds", sa.ARRAY(sa.Text()), nullable=False, comment="The keys that it can open by."),
        sa.Column("seen_at", moment, nullable=False, comment="By the database's clock."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_holders")),
        comment="The processes that run and which keys they have; one that is silent for long is gone.",
    )


def downgrade() -> None:
    op.drop_table("ring_holders")
    op.drop_table("ring_keys")
