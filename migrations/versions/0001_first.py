"""The tables of the main job.

Revision: 0001
Follows:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


NEVER_CHANGED = ("audit", "documents", "agency_history")


def upgrade() -> None:
    op.create_table(
        "agencies",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("registry_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agencies")),
        comment="The agency as the registry reads it; the registry version is that of its last change.",
    )
    op.create_table(
        "agency_history",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("registry_version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "registry_version", name=op.f("pk_agency_history")),
        comment="Every state an agency ever had, so that a replay sees the registry as it was.",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="Real time.",
        ),
        sa.Column("agency_code", sa.Text(), nullable=True, comment="Who; null is the service itself."),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=True, comment="The personal fields that were disclosed."),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        comment="Every read of personal data and every change. Rows are only ever added.",
    )
    op.create_index(op.f("ix_audit_referral_id"), "audit", ["referral_id"], unique=False)
    op.create_table(
        "code_sets",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_code_sets")),
        comment="The vocabulary, one row an edition; the highest version is in force.",
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("registry_version", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_documents")),
        comment="Published agreements and baselines. A row never changes.",
    )
    op.create_table(
        "idempotency_records",
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False, comment="Headers and body, sealed."),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency_code", "key_hash", name=op.f("pk_idempotency_records")),
        comment="The first answer to a POST, kept for 72 hours of real time, written with the work it answers.",
    )
    op.create_index(op.f("ix_idempotency_records_expires_at"), "idempotency_records", ["expires_at"], unique=False)
    op.create_table(
        "regions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_regions")),
    )
    op.create_table(
        "registry_state",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_registry_state")),
        comment="One row. Its version rises with every change to agencies, documents, regions or code sets.",
    )
    op.create_table(
        "service_pulse",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("api_beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clocks_beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_service_pulse")),
        comment="When API and clocks last ran, in real time: what the service was down for is added to every clock.",
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_api_keys_agency_code_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_index(op.f("ix_api_keys_agency_code"), "api_keys", ["agency_code"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="Sealed by the key ring."),
        sa.Column("event_types", sa.ARRAY(sa.Text()), nullable=True, comment="Null is all."),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("max_in_flight", sa.SmallInteger(), server_default=sa.text("4"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'disabled')", name=op.f("ck_endpoints_state")),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_endpoints_agency_code_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
    )
    op.create_index(op.f("ix_endpoints_agency_code"), "endpoints", ["agency_code"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False, comment="Who is told."),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The thin body: nothing personal, no place below a regency.",
        ),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("handoff_id", sa.Uuid(), nullable=True),
        sa.Column(
            "xact", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False
        ),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_events_agency_code_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_feed", "events", ["agency_code", "xact", "id"], unique=False)
    op.create_index("ix_events_handoff_id", "events", ["handoff_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sender_code", sa.Text(), nullable=False),
        sa.Column("sender_reference_hash", sa.LargeBinary(), nullable=False),
        sa.Column("holder_code", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Rises with each change: the ETag.",
        ),
        sa.Column("facts_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("consent_withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('referral', 'transfer')", name=op.f("ck_referrals_mode")),
        sa.CheckConstraint(
            "state IN ('open', 'closed', 'cancelled', 'entered_in_error')", name=op.f("ck_referrals_state")
        ),
        sa.ForeignKeyConstraint(["holder_code"], ["agencies.code"], name=op.f("fk_referrals_holder_code_agencies")),
        sa.ForeignKeyConstraint(["sender_code"], ["agencies.code"], name=op.f("fk_referrals_sender_code_agencies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint(
            "sender_code", "sender_reference_hash", name=op.f("uq_referrals_sender_code_sender_reference_hash")
        ),
    )
    op.create_index(
        "ix_referrals_holder_code_id", "referrals", ["holder_code", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_referrals_sender_code_id", "referrals", ["sender_code", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "data_keys",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("ring_key_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_data_keys_referral_id_referrals")),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("pk_data_keys")),
        comment="The referral's data key, wrapped by the key ring. Destroying it erases the person.",
    )
    op.create_index(op.f("ix_data_keys_ring_key_id"), "data_keys", ["ring_key_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="due, delivered, held, superseded, failed"),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="Schedule and lease at once, in real time."
        ),
        sa.Column(
            "claim",
            sa.Uuid(),
            nullable=True,
            comment="The fence: who comes late finds another's claim and changes nothing.",
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('due', 'delivered', 'held', 'superseded', 'failed')", name=op.f("ck_deliveries_state")
        ),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoints.id"], name=op.f("fk_deliveries_endpoint_id_endpoints")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_deliveries_event_id_events")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("event_id", "endpoint_id", name=op.f("uq_deliveries_event_id_endpoint_id")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["endpoint_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_deliveries_endpoint_id_id", "deliveries", ["endpoint_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_deliveries_stopped",
        "deliveries",
        ["endpoint_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('held', 'failed')"),
    )
    op.create_table(
        "facts",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "consent_services",
            sa.ARRAY(sa.Text()),
            nullable=True,
            comment="The services consented to; null is all that were asked for.",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_facts_referral_id_referrals")),
        sa.PrimaryKeyConstraint("referral_id", "version", name=op.f("pk_facts")),
        comment="What routing may know of a case: codes, age in years, sex, flags. An amendment adds a version.",
    )
    op.create_table(
        "service_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("service_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it waits for its coordinator, or how it ended."),
        sa.Column("tried", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True, comment="The decision in force."),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('routing', 'offered', 'needs_coordinator', 'accepted', 'fulfilled', 'unmet', 'cancelled')",
            name=op.f("ck_service_requests_state"),
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["agencies.code"], name=op.f("fk_service_requests_acknowledged_by_agencies")
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referrals.id"], name=op.f("fk_service_requests_referral_id_referrals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_requests")),
        sa.UniqueConstraint("referral_id", "service_type", name=op.f("uq_service_requests_referral_id_service_type")),
    )
    op.create_index(
        "ix_service_requests_waiting",
        "service_requests",
        ["waiting_since", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'needs_coordinator'"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="delivered, or the phase that failed"),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id_deliveries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"], unique=False)
    op.create_table(
        "coordinations",
        sa.Column("service_request_id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="0 is the narrowest; each wider one follows."),
        sa.Column(
            "told_at", sa.DateTime(timezone=True), nullable=True, comment="Null: it may look, but nothing waits for it."
        ),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_coordinations_agency_code_agencies")),
        sa.ForeignKeyConstraint(
            ["service_request_id"],
            ["service_requests.id"],
            name=op.f("fk_coordinations_service_request_id_service_requests"),
        ),
        sa.PrimaryKeyConstraint("service_request_id", "agency_code", name=op.f("pk_coordinations")),
        comment="Who coordinates a service request: the narrowest coordinator, and each wider one told since.",
    )
    op.create_index(
        "ix_coordinations_agency_code", "coordinations", ["agency_code", "service_request_id"], unique=False
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_request_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("facts_version", sa.Integer(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("tried", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("registry_version", sa.BigInteger(), nullable=False),
        sa.Column("code_sets_version", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column(
            "cause",
            sa.Text(),
            nullable=False,
            comment="submitted, declined, expired, handed_back, amended, placed, ...",
        ),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=True, comment="The coordinator who placed the request by hand."),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id", "facts_version"],
            ["facts.referral_id", "facts.version"],
            name=op.f("fk_decisions_referral_id_facts_version_facts"),
        ),
        sa.ForeignKeyConstraint(
            ["service_request_id"],
            ["service_requests.id"],
            name=op.f("fk_decisions_service_request_id_service_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        comment="Why a request went where it went: the inputs, and the result that they gave.",
    )
    op.create_index(op.f("ix_decisions_service_request_id"), "decisions", ["service_request_id"], unique=False)
    op.create_table(
        "sealed_fields",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["data_keys.referral_id"], name=op.f("fk_sealed_fields_referral_id_data_keys")
        ),
        sa.PrimaryKeyConstraint("referral_id", "field", name=op.f("pk_sealed_fields")),
        comment="Personal data, AES-256-GCM under the referral's data key with referral and field as associated data.",
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("service_request_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("agency_code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column(
            "sequence",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Counts the events of this handoff.",
        ),
        sa.Column("respond", sa.Text(), nullable=False),
        sa.Column("joint_leave_counts", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_on", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "reason",
            sa.Text(),
            nullable=True,
            comment="The code given with a decline, hand-back, withdrawal, cancellation or failure.",
        ),
        sa.Column("outcome", sa.Text(), nullable=True, comment="The code given on completion."),
        sa.Column(
            "barred",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="In conflict or refused since.",
        ),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_code"], ["agencies.code"], name=op.f("fk_handoffs_agency_code_agencies")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_handoffs_decision_id_decisions")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_handoffs_referral_id_referrals")),
        sa.ForeignKeyConstraint(
            ["service_request_id"],
            ["service_requests.id"],
            name=op.f("fk_handoffs_service_request_id_service_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index(
        "ix_handoffs_agency_code_id", "handoffs", ["agency_code", sa.literal_column("id DESC")], unique=False
    )
    op.create_index("ix_handoffs_referral_id", "handoffs", ["referral_id"], unique=False)
    op.create_index(op.f("ix_handoffs_service_request_id"), "handoffs", ["service_request_id"], unique=False)
    op.create_index(
        "uq_handoffs_service_request_id_live",
        "handoffs",
        ["service_request_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')"),
    )
    op.create_table(
        "clocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("service_request_id", sa.Uuid(), nullable=False),
        sa.Column("handoff_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="Real time.",
        ),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoffs.id"], name=op.f("fk_clocks_handoff_id_handoffs")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_clocks_referral_id_referrals")),
        sa.ForeignKeyConstraint(
            ["service_request_id"], ["service_requests.id"], name=op.f("fk_clocks_service_request_id_service_requests")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clocks")),
        comment="What must happen if nobody acts first. A row lives only while its clock runs.",
    )
    op.create_index(op.f("ix_clocks_due_at"), "clocks", ["due_at"], unique=False)
    op.create_index("ix_clocks_handoff_id", "clocks", ["handoff_id"], unique=False)
    op.create_index("ix_clocks_service_request_id", "clocks", ["service_request_id"], unique=False)

    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for table in NEVER_CHANGED:
        op.execute(
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in NEVER_CHANGED:
        op.execute(f"DROP TRIGGER {table}_never_changes ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_index("ix_clocks_service_request_id", table_name="clocks")
    op.drop_index("ix_clocks_handoff_id", table_name="clocks")
    op.drop_index(op.f("ix_clocks_due_at"), table_name="clocks")
    op.drop_table("clocks")
    op.drop_index(
        "uq_handoffs_service_request_id_live",
        table_name="handoffs",
        postgresql_where=sa.text("state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')"),
    )
    op.drop_index(op.f("ix_handoffs_service_request_id"), table_name="handoffs")
    op.drop_index("ix_handoffs_referral_id", table_name="handoffs")
    op.drop_index("ix_handoffs_agency_code_id", table_name="handoffs")
    op.drop_table("handoffs")
    op.drop_table("sealed_fields")
    op.drop_index(op.f("ix_decisions_service_request_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("ix_coordinations_agency_code", table_name="coordinations")
    op.drop_table("coordinations")
    op.drop_index(op.f("ix_attempts_delivery_id"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_index(
        "ix_service_requests_waiting",
        table_name="service_requests",
        postgresql_where=sa.text("state = 'needs_coordinator'"),
    )
    op.drop_table("service_requests")
    op.drop_table("facts")
    op.drop_index(
        "ix_deliveries_stopped", table_name="deliveries", postgresql_where=sa.text("state IN ('held', 'failed')")
    )
    op.drop_index("ix_deliveries_endpoint_id_id", table_name="deliveries")
    op.drop_index("ix_deliveries_due", table_name="deliveries", postgresql_where=sa.text("state = 'due'"))
    op.drop_table("deliveries")
    op.drop_index(op.f("ix_data_keys_ring_key_id"), table_name="data_keys")
    op.drop_table("data_keys")
    op.drop_index("ix_referrals_sender_code_id", table_name="referrals")
    op.drop_index("ix_referrals_holder_code_id", table_name="referrals")
    op.drop_table("referrals")
    op.drop_index("ix_events_handoff_id", table_name="events")
    op.drop_index("ix_events_feed", table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_endpoints_agency_code"), table_name="endpoints")
    op.drop_table("endpoints")
    op.drop_index(op.f("ix_api_keys_agency_code"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("service_pulse")
    op.drop_table("registry_state")
    op.drop_table("regions")
    op.drop_index(op.f("ix_idempotency_records_expires_at"), table_name="idempotency_records")
    op.drop_table("idempotency_records")
    op.drop_table("documents")
    op.drop_table("code_sets")
    op.drop_index(op.f("ix_audit_referral_id"), table_name="audit")
    op.drop_table("audit")
    op.drop_table("agency_history")
    op.drop_table("agencies")
