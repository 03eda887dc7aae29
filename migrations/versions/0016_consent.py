"""On what ground a case moves: whose consent, until when, and who confirmed an emergency without one.

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OF_REFERRAL = "service_request_id IS NULL"


def upgrade() -> None:
    moment, json = sa.DateTime(timezone=True), postgresql.JSONB(astext_type=sa.Text())
    for column in (
        sa.Column(
            "confirm_by", moment, comment="Until when somebody must confirm that it moves on the vital interest."
        ),
        sa.Column("confirmed_at", moment),
        sa.Column("confirmed_by", sa.Text()),
        sa.Column("confirmed_for", sa.Text(), comment="Why it moves though nobody was asked, as a code."),
    ):
        op.add_column("referrals", column)
    op.create_foreign_key(
        op.f("fk_referrals_confirmed_by_agencies"), "referrals", "agencies", ["confirmed_by"], ["code"]
    )
    said = sa.Column(
        "consent", json, comment="Its basis, what it leaves out, its end; null where it was not recorded yet."
    )
    op.add_column("facts", said)
    op.add_column(
        "decisions",
        sa.Column("ground", json, comment="On what it moved: consent, the vital interest, nothing; and why."),
    )
    op.alter_column(
        "clocks",
        "service_request_id",
        existing_type=sa.Uuid(),
        nullable=True,
        comment="Null: of the referral as a whole.",
    )
    op.create_index("ix_clocks_of_referral", "clocks", ["referral_id"], postgresql_where=sa.text(OF_REFERRAL))


def downgrade() -> None:
    # What a version of before knows nothing of cannot run there; what it would have ended stays as it is.
    op.execute(f"DELETE FROM clocks WHERE {OF_REFERRAL}")  # noqa: S608
    op.drop_index("ix_clocks_of_referral", table_name="clocks")
    op.alter_column(
        "clocks",
        "service_request_id",
        existing_type=sa.Uuid(),
        nullable=False,
        comment=None,
        existing_comment="Null: of the referral as a whole.",
    )
    op.drop_column("decisions", "ground")
    op.drop_column("facts", "consent")
    op.drop_constraint(op.f("fk_referrals_confirmed_by_agencies"), "referrals", type_="foreignkey")
    for column in ("confirmed_for", "confirmed_by", "confirmed_at", "confirm_by"):
        op.drop_column("referrals", column)
