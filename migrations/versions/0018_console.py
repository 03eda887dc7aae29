"""Persons signed in to the console: their sessions, links that open one, and sign-ins at the provider under way.

Revision: 0018
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    codes = sa.ARRAY(sa.Text())
    op.create_table(
        "console_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="Of the token that the browser shows."),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="Who is signed in, as the audit names them."),
        sa.Column("roles", codes, nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="As the person is greeted."),
        sa.Column("signed_in_at", moment, nullable=False),
        sa.Column("last_seen_at", moment, nullable=False, comment="To about a minute."),
        sa.Column("expires_at", moment, nullable=False, comment="However often it is used."),
        sa.ForeignKeyConstraint(
            ["person_id"], ["token_subjects.id"], name=op.f("fk_console_sessions_person_id_token_subjects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_console_sessions_hash")),
        comment="Who is signed in to the console. Signing out deletes the row.",
    )
    op.create_index("ix_console_sessions_person_id", "console_sessions", ["person_id"])
    op.create_index("ix_console_sessions_expires_at", "console_sessions", ["expires_at"])
    op.create_table(
        "console_links",
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="Of what the link holds."),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("roles", codes, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["token_subjects.id"], name=op.f("fk_console_links_person_id_token_subjects")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_console_links")),
        comment="Links of a trial that sign a person in once. Using one deletes the row.",
    )
    op.create_index("ix_console_links_expires_at", "console_links", ["expires_at"])
    op.create_table(
        "console_sign_ins",
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="Of what the browser keeps meanwhile."),
        sa.Column("next", sa.Text(), nullable=False, comment="The page to show afterwards, of the console's own."),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_console_sign_ins")),
        comment="Sign-ins that have gone to the provider and have not come back.",
    )
    op.create_index("ix_console_sign_ins_expires_at", "console_sign_ins", ["expires_at"])


def downgrade() -> None:
    op.drop_table("console_sign_ins")
    op.drop_table("console_links")
    op.drop_table("console_sessions")
