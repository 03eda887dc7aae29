"""The audit says what for and with what result, and is linked into a signed chain.

Revision: 0011
Follows: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.alter_column(
        "audit",
        "fields",
        comment="The personal fields that were disclosed or changed.",
        existing_comment="The personal fields that were disclosed.",
        existing_type=sa.ARRAY(sa.Text()),
    )
    for column in (
        sa.Column("roles", sa.ARRAY(sa.Text()), comment="What the key was used as; null is the service itself."),
        sa.Column("purpose", sa.Text(), comment="What for; null in entries older than the column."),
        sa.Column(
            "basis", sa.Text(), comment="On what ground personal data was disclosed: consent, or vital_interest."
        ),
        sa.Column(
            "result",
            sa.Text(),
            nullable=False,
            server_default=sa.text("'done'"),
            comment="done, withheld, or why refused.",
        ),
        # What was written before stands before all that is written from now on, in the order of its ids.
        sa.Column("xact", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("audit", column)
    op.alter_column("audit", "xact", server_default=sa.text("pg_current_xact_id()::text::bigint"))
    op.create_index("ix_audit_xact_id", "audit", ["xact", "id"])
    op.create_index(
        "ix_audit_refused",
        "audit",
        ["subject_id"],
        postgresql_where=sa.text("result NOT IN ('done', 'withheld')"),
    )
    op.create_table(
        "audit_segments",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False, comment="How many entries the chain holds up to here."),
        sa.Column("last_xact", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_id", sa.Uuid(), nullable=False, comment="The segment reaches from after the one before it to here."
        ),
        sa.Column("newest_at", moment, nullable=False, comment="The time of its newest entry."),
        sa.Column("root", sa.LargeBinary(), nullable=False, comment="SHA-256 over its entries, in order."),
        sa.Column(
            "head", sa.LargeBinary(), nullable=False, comment="SHA-256 over the head before, and all of this row."
        ),
        sa.Column("linked_at", moment, nullable=False),
        sa.Column(
            "signature", sa.LargeBinary(), nullable=False, comment="Ed25519, by a key that is not in the database."
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_segments")),
        comment="The chain over the audit: each row seals a batch of entries and all that came before it.",
    )
    op.create_table(
        "audit_drops",
        sa.Column("up_to", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dropped_at", moment, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False, comment="Ed25519, as that of a segment."),
        sa.PrimaryKeyConstraint("up_to", name=op.f("pk_audit_drops")),
        comment="Up to which segment entries were dropped when their time was over.",
    )
    # Who may delete at all is said by privileges; this keeps the owner from doing it by mistake.
    op.execute(
        """
        CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('lintas.dropping_audit', true) = 'on' THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute("DROP TRIGGER audit_never_changes ON audit")
    op.execute(
        "CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit()"
    )
    for table in ("audit_segments", "audit_drops"):
        op.execute(
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("audit_drops")
    op.drop_table("audit_segments")
    op.execute("DROP TRIGGER audit_never_changes ON audit")
    op.execute(
        "CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("DROP FUNCTION refuse_change_of_audit()")
    op.drop_index("ix_audit_refused", table_name="audit")
    op.drop_index("ix_audit_xact_id", table_name="audit")
    for column in ("xact", "result", "basis", "purpose", "roles"):
        op.drop_column("audit", column)
    op.alter_column(
        "audit",
        "fields",
        comment="The personal fields that were disclosed.",
        existing_comment="The personal fields that were disclosed or changed.",
        existing_type=sa.ARRAY(sa.Text()),
    )
