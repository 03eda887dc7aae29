"""Statistics that are drawn once, and what became of each duty.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The version by which a duty is owed is the one in force when the referral was received: at every instant one is. What
# passed while its handoff was live was reported then; of what passed in an outage nothing is known any more.
DUTIES_SINCE_NOW = """
UPDATE handoffs AS handoff SET duties = (
    SELECT jsonb_agg(
        duty || jsonb_build_object(
            'version', (
                SELECT document.version FROM documents AS document
                WHERE document.id = duty ->> 'document'
                    AND ((document.body #>> '{effective,from}') || ' 00:00')::timestamp
                        AT TIME ZONE (document.body ->> 'timezone') <= referral.received_at
                ORDER BY document.version DESC LIMIT 1
            ),
            'passed_at', CASE WHEN (duty ->> 'due_at')::timestamptz < (
                CASE WHEN handoff.state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')
                THEN now() ELSE handoff.changed_at END
            ) THEN duty ->> 'due_at' END,
            'kept_at', NULL
        ) ORDER BY place
    )
    FROM jsonb_array_elements(handoff.duties) WITH ORDINALITY AS one (duty, place)
)
FROM referrals AS referral
WHERE referral.id = handoff.referral_id AND handoff.duties <> '[]'
"""
DUTIES_AS_BEFORE = """
UPDATE handoffs SET duties = (
    SELECT jsonb_agg(duty - 'version' - 'passed_at' - 'kept_at' ORDER BY place)
    FROM jsonb_array_elements(duties) WITH ORDINALITY AS one (duty, place)
)
WHERE duties <> '[]'
"""


def upgrade() -> None:
    op.create_table(
        "statistics",
        sa.Column("month", sa.Date(), nullable=False, comment="Its first day."),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column(
            "body",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The table as it may be shown: small cells are not in it.",
        ),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", "of", name=op.f("pk_statistics")),
        comment="What is counted of a month, drawn once: two drawings of one month would tell who came between them.",
    )
    op.create_index("ix_referrals_received_at", "referrals", ["received_at"])
    op.execute(DUTIES_SINCE_NOW)


def downgrade() -> None:
    op.execute(DUTIES_AS_BEFORE)
    op.drop_index("ix_referrals_received_at", table_name="referrals")
    op.drop_table("statistics")
