"""Endpoints that prove that they are their agency's, with several secrets, own headers and own TLS.

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = "state IN ('active', 'paused', 'disabled')"
SINCE = "state IN ('unverified', 'active', 'paused', 'disabled')"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "endpoints",
        sa.Column(
            "verified_at", moment, nullable=True, comment="Since when the URL is known to be the agency's. Real time."
        ),
    )
    op.add_column(
        "endpoints",
        sa.Column("challenge_id", sa.Uuid(), nullable=True, comment="The event that carries the latest challenge."),
    )
    op.add_column(
        "endpoints",
        sa.Column("challenged_at", moment, nullable=True, comment="When the latest challenge was due. Real time."),
    )
    # What receives its news already is known to be where its agency wants it.
    op.execute("UPDATE endpoints SET verified_at = created_at")
    op.drop_constraint(op.f("ck_endpoints_state"), "endpoints", type_="check")
    op.create_check_constraint(op.f("ck_endpoints_state"), "endpoints", SINCE)
    op.create_table(
        "endpoint_secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Sealed by the key ring."),
        sa.Column("public_key", sa.Text(), nullable=True, comment="Of ed25519, as whpk_ and base64."),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=True, comment="Until when it signs, in real time; null is the newest."),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_endpoint_secrets_endpoint_id_endpoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_secrets")),
        sa.CheckConstraint("scheme IN ('hmac_sha256', 'ed25519')", name=op.f("ck_endpoint_secrets_scheme")),
        comment="What an endpoint's webhooks are signed with: the newest, and older ones until their end.",
    )
    op.create_index("ix_endpoint_secrets_endpoint_id", "endpoint_secrets", ["endpoint_id"])
    op.create_index(
        "uq_endpoint_secrets_endpoint_id_newest",
        "endpoint_secrets",
        ["endpoint_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL"),
    )
    op.execute(
        "INSERT INTO endpoint_secrets (id, endpoint_id, scheme, sealed, created_at)"
        " SELECT gen_random_uuid(), id, 'hmac_sha256', secret, created_at FROM endpoints"
    )
    op.drop_column("endpoints", "secret")
    op.create_table(
        "endpoint_equipment",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=True, comment="Names and values, sealed by the key ring."),
        sa.Column("header_names", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("tls", sa.LargeBinary(), nullable=True, comment="Certificates and key, sealed by the key ring."),
        sa.Column(
            "client_certificate", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="What may be shown."
        ),
        sa.Column(
            "authorities", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_endpoint_equipment_endpoint_id_endpoints")
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_endpoint_equipment")),
        comment="What goes with an endpoint's webhooks beside the signature: own headers, client certificate, own CA.",
    )
    op.create_table(
        "former_addresses",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="URL and own headers, sealed by the key ring."),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_former_addresses_endpoint_id_endpoints")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_former_addresses")),
        comment="Where the news goes that an endpoint's address was changed: to the address that it was.",
    )


def downgrade() -> None:
    op.drop_table("former_addresses")
    op.drop_table("endpoint_equipment")
    op.add_column("endpoints", sa.Column("secret", sa.LargeBinary(), nullable=True, comment="Sealed by the key ring."))
    # Before there was verification, what was not verified was not sent to either.
    op.execute("UPDATE endpoints SET state = 'paused' WHERE state = 'unverified'")
    op.execute(
        "UPDATE endpoints SET secret = newest.sealed FROM endpoint_secrets AS newest"
        " WHERE newest.endpoint_id = endpoints.id AND newest.ends_at IS NULL"
    )
    op.alter_column("endpoints", "secret", nullable=False)
    op.drop_table("endpoint_secrets")
    op.drop_constraint(op.f("ck_endpoints_state"), "endpoints", type_="check")
    op.create_check_constraint(op.f("ck_endpoints_state"), "endpoints", BEFORE)
    for column in ("challenged_at", "challenge_id", "verified_at"):
        op.drop_column("endpoints", column)
