"""What a person may ask for: restriction, erasure, legal holds, and how long a case is kept.

Revision: 0013
Follows: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for column in (
        sa.Column("ended_at", moment, comment="Since when nothing of it runs; null while anything does."),
        sa.Column(
            "kept_as", sa.Text(), comment="Class and ending, by which it is kept: child.served. Null while it runs."
        ),
        sa.Column("restricted_at", moment, comment="Since when nobody may see or move it, but a running emergency."),
        sa.Column("erased_at", moment, comment="Its data key is destroyed, its facts are coarse."),
    ):
        op.add_column("referrals", column)
    op.execute(
        """
        UPDATE referrals SET
            ended_at = coalesce(
                (SELECT max(changed_at) FROM handoffs WHERE handoffs.referral_id = referrals.id), received_at
            ),
            kept_as = (
                SELECT CASE
                    WHEN coalesce((body -> 'victim' ->> 'age')::int, 0) < 18 THEN 'child'
                    WHEN body -> 'case_types' ? 'trafficking' THEN 'trafficking'
                    ELSE 'adult'
                END
                FROM facts WHERE facts.referral_id = referrals.id AND facts.version = referrals.facts_version
            ) || '.' || CASE
                WHEN state = 'entered_in_error' THEN 'entered_in_error'
                WHEN EXISTS (
                    SELECT 1 FROM service_requests
                    WHERE service_requests.referral_id = referrals.id AND service_requests.state = 'fulfilled'
                ) THEN 'served'
                WHEN state = 'cancelled' THEN 'cancelled'
                ELSE 'unserved'
            END
        WHERE state <> 'open'
        """
    )
    op.create_index(
        "ix_referrals_kept_as",
        "referrals",
        ["kept_as", "ended_at", "id"],
        postgresql_where=sa.text("kept_as IS NOT NULL AND erased_at IS NULL AND restricted_at IS NULL"),
    )
    op.add_column(
        "idempotency_records",
        sa.Column("referral_id", sa.Uuid(), comment="Which case the answer tells of, so that it goes with it."),
    )
    op.create_index(
        "ix_idempotency_records_referral_id",
        "idempotency_records",
        ["referral_id"],
        postgresql_where=sa.text("referral_id IS NOT NULL"),
    )
    op.create_index("ix_attempts_answered", "attempts", ["delivery_id"], postgresql_where=sa.text("answer IS NOT NULL"))
    op.create_table(
        "rights_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("asked_at", moment, nullable=False, comment="When the person asked: 3 x 24 hours count from here."),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("recorded_by", sa.Text(), comment="Null is the command line."),
        sa.Column("reason", sa.Text(), comment="Of a restriction."),
        sa.Column("answered_at", moment),
        sa.Column("answered_by", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("refused_because", sa.Text()),
        sa.Column("lifted_at", moment, comment="Of a restriction: when it ended."),
        sa.Column(
            "warned",
            sa.SmallInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="1: of its time; 2: that it passed.",
        ),
        sa.CheckConstraint(
            "\"right\" IN ('access', 'correction', 'restriction', 'erasure')", name=op.f("ck_rights_requests_right")
        ),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_rights_requests_outcome")),
        sa.CheckConstraint("(answered_at IS NULL) = (outcome IS NULL)", name=op.f("ck_rights_requests_answered")),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("fk_rights_requests_referral_id_referrals")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["agencies.code"], name=op.f("fk_rights_requests_recorded_by_agencies")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["agencies.code"], name=op.f("fk_rights_requests_answered_by_agencies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_requests")),
        comment="What persons asked of those who hold data on them, and when.",
    )
    op.create_index(op.f("ix_rights_requests_referral_id"), "rights_requests", ["referral_id"])
    op.create_index(
        "ix_rights_requests_open",
        "rights_requests",
        ["asked_at", "id"],
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", moment, nullable=False),
        sa.Column("set_by", sa.Text(), comment="Null is the command line."),
        sa.Column("lifted_at", moment),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_because", sa.Text()),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_legal_holds_referral_id_referrals")),
        sa.ForeignKeyConstraint(["set_by"], ["agencies.code"], name=op.f("fk_legal_holds_set_by_agencies")),
        sa.ForeignKeyConstraint(["lifted_by"], ["agencies.code"], name=op.f("fk_legal_holds_lifted_by_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
        comment="As long as one is not lifted, nothing of its referral is erased.",
    )
    op.create_index(op.f("ix_legal_holds_referral_id"), "legal_holds", ["referral_id"])


def downgrade() -> None:
    # A referral that is restricted or under a hold would be open to everybody again: what was erased stays erased.
    # An answer that went with its case has nothing in it that a version of before could read.
    op.execute("DELETE FROM idempotency_records WHERE answer = ''")
    op.drop_table("legal_holds")
    op.drop_table("rights_requests")
    op.drop_index("ix_attempts_answered", table_name="attempts")
    op.drop_index("ix_idempotency_records_referral_id", table_name="idempotency_records")
    op.drop_column("idempotency_records", "referral_id")
    op.drop_index("ix_referrals_kept_as", table_name="referrals")
    for column in ("erased_at", "restricted_at", "kept_as", "ended_at"):
        op.drop_column("referrals", column)
