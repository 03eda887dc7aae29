"""Credentials that are narrowed to scopes, client certificates, and who calls by tokens of an outside issuer.

Revision: 0012
Follows: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    codes = sa.ARRAY(sa.Text())
    op.add_column("api_keys", sa.Column("scopes", codes, comment="Null is all that its roles may do."))
    op.create_table(
        "client_certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column(
            "value",
            sa.Text(),
            nullable=False,
            comment="SHA-256 over the DER form in hexadecimal, or the subject as RFC 4514 writes it.",
        ),
        sa.Column("roles", codes, nullable=False),
        sa.Column("scopes", codes, comment="Null is all that its roles may do."),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
        sa.CheckConstraint("known_by IN ('fingerprint', 'subject')", name=op.f("ck_client_certificates_known_by")),
        sa.ForeignKeyConstraint(
            ["agency_code"], ["agencies.code"], name=op.f("fk_client_certificates_agency_code_agencies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_certificates")),
        comment="Certificates that agencies call with, through a proxy that has verified them.",
    )
    op.create_index("ix_client_certificates_agency_code", "client_certificates", ["agency_code"])
    op.create_index(
        "uq_client_certificates_valid",
        "client_certificates",
        ["known_by", "value"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "token_subjects",
        sa.Column("id", sa.Uuid(), nullable=False, comment="What the audit calls it: worked out from the rest."),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("first_seen_at", moment, nullable=False),
        sa.Column("revoked_at", moment, comment="From then on no token of it counts."),
        sa.ForeignKeyConstraint(
            ["agency_code"], ["agencies.code"], name=op.f("fk_token_subjects_agency_code_agencies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_subjects")),
        comment="Who has called with an access token of the outside issuer.",
    )
    op.create_index("ix_token_subjects_agency_code", "token_subjects", ["agency_code"])


def downgrade() -> None:
    op.drop_table("token_subjects")
    op.drop_table("client_certificates")
    # A narrowed key would widen to all that its roles may do.
    op.execute("UPDATE api_keys SET revoked_at = now() WHERE scopes IS NOT NULL AND revoked_at IS NULL")
    op.drop_column("api_keys", "scopes")
