"""Every table of the service, as SQLAlchemy Core."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    null,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

Moment = DateTime(timezone=True)
Codes = ARRAY(Text)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- the registry and the rules ---

registry_state = Table(
    "registry_state",
    metadata,
    Column("only", Boolean, CheckConstraint('"only"', name="one_row"), primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    comment="One row. Its version rises with every change to agencies, documents, regions or code sets.",
)

regions = Table(
    "regions",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("parent", Text, nullable=True),
    Column("retired_at", Moment, comment="Out of the list since then, and still known for what names it."),
)

code_sets = Table(
    "code_sets",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("body", JSONB, nullable=False),
    comment="The vocabulary, one row an edition; the highest version is in force.",
)

agencies = Table(
    "agencies",
    metadata,
    Column("code", Text, primary_key=True),
    Column("body", JSONB, nullable=False),
    Column("registry_version", BigInteger, nullable=False),
    comment="The agency as the registry reads it; the registry version is that of its last change.",
)

agency_history = Table(
    "agency_history",
    metadata,
    Column("code", Text, primary_key=True),
    Column("registry_version", BigInteger, primary_key=True),
    Column("body", JSONB, nullable=False),
    Column("changed_at", Moment, nullable=False),
    comment="Every state an agency ever had, so that a replay sees the registry as it was.",
)

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSONB, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("registry_version", BigInteger, nullable=False),
    Column("published_at", Moment, nullable=False),
    comment="Published agreements and baselines. A row never changes.",
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("revision", Integer, nullable=False, server_default=text("1"), comment="Rises with each change: the ETag."),
    Column("body", JSONB, nullable=False, comment="The document as it was written."),
    Column("author_agency", Text, ForeignKey("agencies.code"), comment="Null is the command line."),
    Column("author_key", Uuid),
    Column("updated_at", Moment, nullable=False),
    comment="Versions of documents that are not published yet. Publishing takes the draft away.",
)

# --- who may call ---

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, index=True),
    Column("roles", Codes, nullable=False),
    Column("label", Text, nullable=False, server_default=text("''")),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("lineage_id", Uuid, comment="The first of the keys that it was rotated from; null is itself."),
    Column("replaced_by", Uuid, comment="The key that it was rotated to."),
    Column("last_used_at", Moment, comment="To about a minute: written seldom, and never by a request."),
    Column("warned_at", Moment, comment="When its agency was last told that it expires."),
    Column("scopes", Codes, comment="Null is all that its roles may do."),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("agency_code", Text, ForeignKey("agencies.code"), comment="Whose it is; null is the operators'."),
    Column("subject", Text, nullable=False, comment="The endpoint's id, or document and version."),
    Column("what", JSONB, nullable=False, comment="What is asked for, without anything secret."),
    Column("sealed", LargeBinary, comment="What is secret of it, until it has ended."),
    Column("state", Text, nullable=False),
    Column("superseded_by", Uuid),
    Column("proposed_agency", Text, comment="Null is the command line, here and of the key."),
    Column("proposed_key", Uuid),
    Column("proposed_holder", Uuid, comment="The lineage of the key: it stays when the key is rotated."),
    Column("proposed_person", Text),
    Column("proposed_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("decided_agency", Text),
    Column("decided_key", Uuid),
    Column("decided_holder", Uuid),
    Column("decided_person", Text),
    Column("decided_at", Moment),
    Index("ix_proposals_agency_code_id", "agency_code", "id"),
    Index("uq_proposals_pending", "kind", "subject", unique=True, postgresql_where=text("state = 'pending'")),
    comment="Changes that a second person confirms. Its times are real time.",
)

client_certificates = Table(
    "client_certificates",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, index=True),
    Column("known_by", Text, nullable=False),
    Column(
        "value",
        Text,
        nullable=False,
        comment="SHA-256 over the DER form in hexadecimal, or the subject as RFC 4514 writes it.",
    ),
    Column("roles", Codes, nullable=False),
    Column("scopes", Codes, comment="Null is all that its roles may do."),
    Column("label", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    CheckConstraint("known_by IN ('fingerprint', 'subject')", name="known_by"),
    Index(
        "uq_client_certificates_valid",
        "known_by",
        "value",
        unique=True,
        postgresql_where=text("revoked_at IS NULL"),
    ),
    comment="Certificates that agencies call with, through a proxy that has verified them.",
)

token_subjects = Table(
    "token_subjects",
    metadata,
    Column("id", Uuid, primary_key=True, comment="What the audit calls it: worked out from the rest."),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, index=True),
    Column("first_seen_at", Moment, nullable=False),
    Column("revoked_at", Moment, comment="From then on no token of it counts."),
    comment="Who has called with an access token of the outside issuer.",
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True, comment="Of the token that the browser shows."),
    Column(
        "person_id",
        Uuid,
        ForeignKey("token_subjects.id"),
        nullable=False,
        index=True,
        comment="Who is signed in, as the audit names them.",
    ),
    Column("roles", Codes, nullable=False),
    Column("name", Text, nullable=False, comment="As the person is greeted."),
    Column("signed_in_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False, comment="To about a minute."),
    Column("expires_at", Moment, nullable=False, index=True, comment="However often it is used."),
    comment="Who is signed in to the console. Signing out deletes the row.",
)

console_links = Table(
    "console_links",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="Of what the link holds."),
    Column("person_id", Uuid, ForeignKey("token_subjects.id"), nullable=False),
    Column("roles", Codes, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    comment="Links of a trial that sign a person in once. Using one deletes the row.",
)

console_sign_ins = Table(
    "console_sign_ins",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="Of what the browser keeps meanwhile."),
    Column("next", Text, nullable=False, comment="The page to show afterwards, of the console's own."),
    Column("expires_at", Moment, nullable=False, index=True),
    comment="Sign-ins that have gone to the provider and have not come back.",
)

idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("agency_code", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False, comment="Headers and body, sealed."),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("referral_id", Uuid, comment="Which case the answer tells of, so that it goes with it."),
    Index(
        "ix_idempotency_records_referral_id",
        "referral_id",
        postgresql_where=text("referral_id IS NOT NULL"),
    ),
    comment="The first answer to a POST, kept for 72 hours of real time, written with the work it answers.",
)

# --- referrals ---

referrals = Table(
    "referrals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sender_code", Text, ForeignKey("agencies.code"), nullable=False),
    Column("sender_reference_hash", LargeBinary, nullable=False),
    Column("holder_code", Text, ForeignKey("agencies.code"), nullable=False),
    Column("mode", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1"), comment="Rises with each change: the ETag."),
    Column("facts_version", Integer, nullable=False, server_default=text("1")),
    Column("consent_withdrawn_at", Moment),
    Column("confirm_by", Moment, comment="Until when somebody must confirm that it moves on the vital interest."),
    Column("confirmed_at", Moment),
    Column("confirmed_by", Text, ForeignKey("agencies.code")),
    Column("confirmed_for", Text, comment="Why it moves though nobody was asked, as a code."),
    Column(
        "sender_barred",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Somebody else named the sender in the case since: it sees nothing of it any more.",
    ),
    Column("received_at", Moment, nullable=False),
    Column("ended_at", Moment, comment="Since when nothing of it runs; null while anything does."),
    Column("kept_as", Text, comment="Class and ending, by which it is kept: child.served. Null while it runs."),
    Column("restricted_at", Moment, comment="Since when nobody may see or move it, but a running emergency."),
    Column("erased_at", Moment, comment="Its data key is destroyed, its facts are coarse."),
    UniqueConstraint("sender_code", "sender_reference_hash"),
    Index("ix_referrals_sender_code_id", "sender_code", text("id DESC")),
    Index("ix_referrals_received_at", "received_at"),
    Index("ix_referrals_holder_code_id", "holder_code", text("id DESC")),
    Index(
        "ix_referrals_kept_as",
        "kept_as",
        "ended_at",
        "id",
        postgresql_where=text("kept_as IS NOT NULL AND erased_at IS NULL AND restricted_at IS NULL"),
    ),
    CheckConstraint("mode IN ('referral', 'transfer')", name="mode"),
    CheckConstraint("state IN ('open', 'closed', 'cancelled', 'entered_in_error')", name="state"),
)

facts = Table(
    "facts",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referrals.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSONB, nullable=False),
    Column("consent_services", Codes, comment="The services consented to; null is all that were asked for."),
    Column("recorded_at", Moment, nullable=False),
    Column("consent", JSONB, comment="Its basis, what it leaves out, its end; null where it was not recorded yet."),
    comment="What routing may know of a case: codes, age in years, sex, flags. An amendment adds a version.",
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referrals.id"), primary_key=True),
    Column("ring_key_id", Text, nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
    comment="The referral's data key, wrapped by the key ring. Destroying it erases the person.",
)

sealed_fields = Table(
    "sealed_fields",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_keys.referral_id"), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    comment="Personal data, AES-256-GCM under the referral's data key with referral and field as associated data.",
)

ring_keys = Table(
    "ring_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="Empty is the hash key."),
    Column("check_value", LargeBinary, nullable=False, comment="Derived from the key, which does not follow from it."),
    Column("known_since", Moment, nullable=False, server_default=func.clock_timestamp()),
    comment="By what the keys of the key ring are known again: one of the right id and other bytes is noticed.",
)

ring_holders = Table(
    "ring_holders",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("process", Text, nullable=False, comment="What it is and where it runs."),
    Column("active", Text, nullable=False, comment="The key that it seals under."),
    Column("holds", Codes, nullable=False, comment="The keys that it can open by."),
    Column("seen_at", Moment, nullable=False, comment="By the database's clock."),
    comment="The processes that run and which keys they have; one that is silent for long is gone.",
)

identity_hashes = Table(
    "identity_hashes",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="Keyed, over agency, kind and what tells a person apart."),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), primary_key=True, index=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, comment="Who may be warned by it."),
    Column("kind", Text, nullable=False),
    CheckConstraint("kind IN ('identity_number', 'name_birth_year_regency')", name="kind"),
    comment="By which an agency is warned that two of its referrals may be of one person. Erasing deletes them.",
)

service_requests = Table(
    "service_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), nullable=False),
    Column("service_type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, comment="Why it waits for its coordinator, or how it ended."),
    Column("tried", Codes, nullable=False, server_default=text("'{}'")),
    Column("decision_id", Uuid, comment="The decision in force."),
    Column("waiting_since", Moment),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text, ForeignKey("agencies.code")),
    UniqueConstraint("referral_id", "service_type"),
    CheckConstraint(
        "state IN ('routing', 'offered', 'needs_coordinator', 'accepted', 'fulfilled', 'unmet', 'cancelled')",
        name="state",
    ),
    Index("ix_service_requests_waiting", "waiting_since", "id", postgresql_where=text("state = 'needs_coordinator'")),
)

coordinations = Table(
    "coordinations",
    metadata,
    Column("service_request_id", Uuid, ForeignKey("service_requests.id"), primary_key=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), primary_key=True),
    Column("position", SmallInteger, nullable=False, comment="0 is the narrowest; each wider one follows."),
    Column("told_at", Moment, comment="Null: it may look, but nothing waits for it."),
    Index("ix_coordinations_agency_code", "agency_code", "service_request_id"),
    comment="Who coordinates a service request: the narrowest coordinator, and each wider one told since.",
)

uncoordinated = Table(
    "uncoordinated",
    metadata,
    Column("service_request_id", Uuid, ForeignKey("service_requests.id"), primary_key=True),
    comment="The service requests that nobody coordinates, which every operator sees: few among very many.",
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service_request_id", Uuid, ForeignKey("service_requests.id"), nullable=False, index=True),
    Column("referral_id", Uuid, nullable=False),
    Column("facts_version", Integer, nullable=False),
    Column("consent", Boolean, nullable=False),
    Column("tried", Codes, nullable=False),
    Column("registry_version", BigInteger, nullable=False),
    Column("code_sets_version", Integer, nullable=False),
    Column("engine", Text, nullable=False),
    Column("cause", Text, nullable=False, comment="submitted, declined, expired, handed_back, amended, placed, ..."),
    Column("outcome", Text, nullable=False),
    Column("result", JSONB, nullable=False),
    Column("placed_by", Text, comment="The coordinator who placed the request by hand."),
    Column("decided_at", Moment, nullable=False),
    Column("ground", JSONB, comment="On what it moved: consent, the vital interest, nothing; and why."),
    Index("ix_decisions_decided_at", "decided_at", "id"),
    ForeignKeyConstraint(["referral_id", "facts_version"], ["facts.referral_id", "facts.version"]),
    comment="Why a request went where it went: the inputs, and the result that they gave.",
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), nullable=False),
    Column("service_request_id", Uuid, ForeignKey("service_requests.id"), nullable=False, index=True),
    Column("decision_id", Uuid, ForeignKey("decisions.id"), nullable=False),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False),
    Column("state", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("sequence", Integer, nullable=False, server_default=text("0"), comment="Counts the events of this handoff."),
    Column("respond", Text, nullable=False),
    Column("joint_leave_counts", Boolean, nullable=False, server_default=text("true")),
    Column("access_after_completion", Text, comment="By the agreement it was offered by; null: the operator's terms."),
    Column("respond_by", Moment, nullable=False),
    Column("start_by", Moment),
    Column("review_on", Moment),
    Column("cancel_by", Moment),
    Column("duties", JSONB, nullable=False, server_default=text("'[]'")),
    Column("reason", Text, comment="The code given with a decline, hand-back, withdrawal, cancellation or failure."),
    Column("outcome", Text, comment="The code given on completion."),
    Column("barred", Boolean, nullable=False, server_default=text("false"), comment="In conflict or refused since."),
    Column("offered_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("changed_at", Moment, nullable=False),
    Index("ix_handoffs_agency_code_id", "agency_code", text("id DESC")),
    Index("ix_handoffs_referral_id", "referral_id"),
    Index(
        "ix_handoffs_agency_code_id_live",
        "agency_code",
        text("id DESC"),
        postgresql_where=text("state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')"),
    ),
    Index("ix_handoffs_offered", "urgency", "offered_at", postgresql_where=text("state = 'offered'")),
    # A request makes one handoff at a time.
    Index(
        "uq_handoffs_service_request_id_live",
        "service_request_id",
        unique=True,
        postgresql_where=text("state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')"),
    ),
)

clocks = Table(
    "clocks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), nullable=False),
    Column("service_request_id", Uuid, ForeignKey("service_requests.id"), comment="Null: of the referral as a whole."),
    Column("handoff_id", Uuid, ForeignKey("handoffs.id")),
    Column("kind", Text, nullable=False),
    Column("detail", Text, comment="What of the subject it is about: a duty, by document and clause."),
    Column("due_at", Moment, nullable=False, index=True),
    Column("started_at", Moment, nullable=False, server_default=func.clock_timestamp(), comment="Real time."),
    Index("ix_clocks_service_request_id", "service_request_id"),
    Index("ix_clocks_handoff_id", "handoff_id"),
    Index("ix_clocks_of_referral", "referral_id", postgresql_where=text("service_request_id IS NULL")),
    comment="What must happen if nobody acts first. A row lives only while its clock runs.",
)

service_pulse = Table(
    "service_pulse",
    metadata,
    Column("only", Boolean, CheckConstraint('"only"', name="one_row"), primary_key=True, server_default=text("true")),
    Column("api_beat_at", Moment),
    Column("clocks_beat_at", Moment),
    comment="When API and clocks last ran, in real time: what the service was down for is added to every clock.",
)

statistics = Table(
    "statistics",
    metadata,
    Column("month", Date, primary_key=True, comment="Its first day."),
    Column("of", Text, primary_key=True),
    Column("body", JSONB, nullable=False, comment="The table as it may be shown: small cells are not in it."),
    Column("drawn_at", Moment, nullable=False),
    comment="What is counted of a month, drawn once: two drawings of one month would tell who came between them.",
)

# --- what a person may ask for ---

rights_requests = Table(
    "rights_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), nullable=False, index=True),
    Column("right", Text, nullable=False),
    Column("asked_at", Moment, nullable=False, comment="When the person asked: 3 x 24 hours count from here."),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", Text, ForeignKey("agencies.code"), comment="Null is the command line."),
    Column("reason", Text, comment="Of a restriction."),
    Column("answered_at", Moment),
    Column("answered_by", Text, ForeignKey("agencies.code")),
    Column("outcome", Text),
    Column("refused_because", Text),
    Column("lifted_at", Moment, comment="Of a restriction: when it ended."),
    Column(
        "warned", SmallInteger, nullable=False, server_default=text("0"), comment="1: of its time; 2: that it passed."
    ),
    CheckConstraint("\"right\" IN ('access', 'correction', 'restriction', 'erasure')", name="right"),
    CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    CheckConstraint("(answered_at IS NULL) = (outcome IS NULL)", name="answered"),
    Index("ix_rights_requests_open", "asked_at", "id", postgresql_where=text("answered_at IS NULL")),
    comment="What persons asked of those who hold data on them, and when.",
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referrals.id"), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("set_at", Moment, nullable=False),
    Column("set_by", Text, ForeignKey("agencies.code"), comment="Null is the command line."),
    Column("lifted_at", Moment),
    Column("lifted_by", Text, ForeignKey("agencies.code")),
    Column("lifted_because", Text),
    comment="As long as one is not lifted, nothing of its referral is erased.",
)

# --- events and their delivery ---

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, comment="Who is told."),
    Column("type", Text, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("data", JSONB, nullable=False, comment="The thin body: nothing personal, no place below a regency."),
    Column("referral_id", Uuid),
    Column("handoff_id", Uuid),
    # A feed by id alone would lose what commits out of order; a reader stops below the oldest running transaction.
    Column("xact", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    Column("traceparent", Text, comment="Of what wrote it, as W3C writes it."),
    Index("ix_events_feed", "agency_code", "xact", "id"),
    Index("ix_events_handoff_id", "handoff_id"),
    Index("ix_events_xact", "xact"),
    postgresql_partition_by="RANGE (id)",
    comment="In months of real time, which stands in the id (partitions.py).",
)

feed_state = Table(
    "feed_state",
    metadata,
    Column("only", Boolean, CheckConstraint('"only"', name="one_row"), primary_key=True, server_default=text("true")),
    Column("xact_offset", BigInteger, nullable=False),
    comment="What a dump's events were ahead of the cluster that it was restored into; without a row, nothing.",
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("agency_code", Text, ForeignKey("agencies.code"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("event_types", Codes, comment="Null is all."),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("max_in_flight", SmallInteger, nullable=False, server_default=text("4")),
    Column("max_per_minute", Integer, comment="Null is no limit."),
    Column("failing_since", Moment),
    Column("last_success_at", Moment),
    Column("last_failure_at", Moment, comment="By it the failing ones take turns."),
    Column("breaker_opened_at", Moment, comment="Null is closed."),
    Column("breaker_next_probe_at", Moment),
    Column("breaker_failed_probes", Integer, nullable=False, server_default=text("0")),
    Column("breaker_window_since", Moment, comment="Attempts are counted since then; null is not at all."),
    Column("breaker_window_taken", Integer, nullable=False, server_default=text("0")),
    Column("breaker_window_failed", Integer, nullable=False, server_default=text("0")),
    Column("breaker_quiet_until", Moment, comment="Its answer asked to be left alone until then."),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", Moment, nullable=False),
    Column("verified_at", Moment, comment="Since when the URL is known to be the agency's. Real time."),
    Column("challenge_id", Uuid, comment="The event that carries the latest challenge."),
    Column("challenged_at", Moment, comment="When the latest challenge was due. Real time."),
    CheckConstraint("state IN ('unverified', 'active', 'paused', 'disabled')", name="state"),
)

endpoint_secrets = Table(
    "endpoint_secrets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False, index=True),
    Column("scheme", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="Sealed by the key ring."),
    Column("public_key", Text, comment="Of ed25519, as whpk_ and base64."),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, comment="Until when it signs, in real time; null is the newest."),
    CheckConstraint("scheme IN ('hmac_sha256', 'ed25519')", name="scheme"),
    Index(
        "uq_endpoint_secrets_endpoint_id_newest",
        "endpoint_id",
        unique=True,
        postgresql_where=text("ends_at IS NULL"),
    ),
    comment="What an endpoint's webhooks are signed with: the newest, and older ones until their end.",
)

endpoint_equipment = Table(
    "endpoint_equipment",
    metadata,
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), primary_key=True),
    Column("headers", LargeBinary, comment="Names and values, sealed by the key ring."),
    Column("header_names", Codes, nullable=False, server_default=text("'{}'")),
    Column("tls", LargeBinary, comment="Certificates and key, sealed by the key ring."),
    Column("client_certificate", JSONB, comment="What may be shown."),
    Column("authorities", JSONB, nullable=False, server_default=text("'[]'")),
    comment="What goes with an endpoint's webhooks beside the signature: own headers, client certificate, own CA.",
)

former_addresses = Table(
    "former_addresses",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="URL and own headers, sealed by the key ring."),
    comment="Where the news goes that an endpoint's address was changed: to the address that it was.",
)

console_looks = Table(
    "console_looks",
    metadata,
    Column("agency_code", Text, ForeignKey("agencies.code"), primary_key=True),
    Column("signed_in_at", Moment, nullable=False, comment="When somebody last did. Real time."),
    Column(
        "reaches_until",
        Moment,
        nullable=False,
        comment="How long that counts as a working way to be told. Real time.",
    ),
    comment="The agencies whose people look into the console.",
)

reached_agencies = Table(
    "reached_agencies",
    metadata,
    Column("agency_code", Text, ForeignKey("agencies.code"), primary_key=True),
    Column("lost_at", Moment, comment="Since when none works, which its coordinator was told; null while one does."),
    comment="The agencies that have, or had, a working way to be told.",
)

endpoint_rates = Table(
    "endpoint_rates",
    metadata,
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id", ondelete="CASCADE"), primary_key=True),
    Column("full_at", Moment, nullable=False, comment="When it has its whole room again, by the database's clock."),
    comment="How much of their posts a minute the endpoints that have a limit have used.",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, ForeignKey("events.id"), nullable=False),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False),
    Column("state", Text, nullable=False, comment="due, delivered, held, superseded, failed"),
    Column("due_at", Moment, nullable=False, comment="Schedule and lease at once, in real time."),
    Column("claim", Uuid, comment="The fence: who comes late finds another's claim and changes nothing."),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column(
        "goes_first",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="An emergency's, a ping or a challenge.",
    ),
    UniqueConstraint("event_id", "endpoint_id"),
    CheckConstraint("state IN ('due', 'delivered', 'held', 'superseded', 'failed')", name="state"),
    Index("ix_deliveries_due", "endpoint_id", "due_at", postgresql_where=text("state = 'due'")),
    Index(
        "ix_deliveries_claimed",
        "endpoint_id",
        "due_at",
        postgresql_where=text("state = 'due' AND claim IS NOT NULL"),
    ),
    Index("ix_deliveries_first", "endpoint_id", "due_at", postgresql_where=text("state = 'due' AND goes_first")),
    Index("ix_deliveries_stopped", "endpoint_id", "id", postgresql_where=text("state IN ('held', 'failed')")),
    Index("ix_deliveries_endpoint_id_id", "endpoint_id", text("id DESC")),
    Index("ix_deliveries_finished", "id", postgresql_where=text("state IN ('delivered', 'superseded', 'failed')")),
    comment="The queue: what is due or held. What is finished leaves it.",
)

finished_deliveries = Table(
    "finished_deliveries",
    metadata,
    *(
        Column(kept.name, kept.type, nullable=kept.nullable, server_default=kept.server_default, comment=kept.comment)
        for kept in deliveries.c
        if kept.name != "claim"
    ),
    PrimaryKeyConstraint("id", "event_id"),
    # That the event is there too, each month's partition refers to the same month's of the events.
    ForeignKeyConstraint(["endpoint_id"], ["endpoints.id"]),
    UniqueConstraint("event_id", "endpoint_id"),
    CheckConstraint("state IN ('delivered', 'superseded', 'failed')", name="state"),
    Index("ix_finished_deliveries_endpoint_id_id", "endpoint_id", text("id DESC")),
    Index(
        "ix_finished_deliveries_undelivered",
        "endpoint_id",
        text("id DESC"),
        postgresql_where=text("state IN ('superseded', 'failed')"),
    ),
    postgresql_partition_by="RANGE (event_id)",
    comment="What left the queue, in the months of its events.",
)

every_delivery = union_all(
    select(deliveries),
    select(*(finished_deliveries.c.get(one.name, null().cast(one.type).label(one.name)) for one in deliveries.c)),
).subquery("every_delivery")
"""Deliveries wherever they lie, each once, with the columns of the queue; to be read alone."""

attempts = Table(
    "attempts",
    metadata,
    # Of a delivery that lies in one of two tables: who records an attempt holds it locked.
    Column("delivery_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("outcome", Text, nullable=False, comment="delivered, or the phase that failed"),
    Column("status", SmallInteger),
    Column("detail", Text, comment="What exactly failed, as a code: certificate_expired, refused."),
    Column("endpoint_id", Uuid, comment="Of its delivery, for the health of it; null where an older version wrote it."),
    Column("answer", LargeBinary, comment="Where the operator opted in: the start of the answer, sealed."),
    # Ids follow time: by them the latest attempts are found, and judged, without a look at the table or at others'.
    Index("ix_attempts_endpoint_id_id", "endpoint_id", "id", postgresql_include=["outcome", "duration_ms"]),
    Index("ix_attempts_failed", "endpoint_id", "id", postgresql_where=text("outcome <> 'delivered'")),
    Index("ix_attempts_answered", "delivery_id", postgresql_where=text("answer IS NOT NULL")),
    postgresql_partition_by="RANGE (delivery_id)",
    comment="In the months of their deliveries.",
)

recoveries = Table(
    "recoveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, ForeignKey("endpoints.id"), nullable=False),
    Column("what", Text, nullable=False, comment="failed; all that ended; held, which enabling an endpoint begins"),
    Column("since", Moment, comment="Of news that was told from then on; null is all."),
    Column("until", Moment, nullable=False, comment="Of news that was told before."),
    Column("event_types", Codes, comment="Null is all."),
    Column("state", Text, nullable=False),
    Column("counted", Integer, nullable=False, comment="What there was to send when it was begun."),
    Column("counted_all", Boolean, nullable=False, comment="Whether there was no more than was counted."),
    Column("queued", Integer, nullable=False, server_default=text("0")),
    Column("superseded", Integer, nullable=False, server_default=text("0")),
    Column("first", ARRAY(Uuid), comment="Open offers, which go first; null is not looked for yet."),
    Column("first_done", Integer, nullable=False, server_default=text("0")),
    Column("last_id", Uuid, nullable=False, comment="How far it came: deliveries up to this one are done."),
    Column("next_at", Moment, nullable=False, comment="When a worker looks after it again, in real time."),
    Column("probes", SmallInteger, nullable=False, server_default=text("0"), comment="In a row, while it fails."),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    CheckConstraint("what IN ('failed', 'all', 'held')", name="what"),
    CheckConstraint("state IN ('running', 'finished', 'cancelled')", name="state"),
    Index("ix_recoveries_endpoint_id_id", "endpoint_id", text("id DESC")),
    Index("ix_recoveries_running", "next_at", postgresql_where=text("state = 'running'")),
    # Two at once would send the same twice: what an agency asked for, and what an enabled endpoint is owed.
    Index(
        "uq_recoveries_running",
        "endpoint_id",
        text("(what = 'held')"),
        unique=True,
        postgresql_where=text("state = 'running'"),
    ),
    comment="News that is sent once more, in the background: its progress is committed with what it queues.",
)

# --- who looked ---

audit = Table(
    "audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Moment, nullable=False, server_default=func.clock_timestamp(), comment="Real time."),
    Column("agency_code", Text, comment="Who; null is the service itself."),
    Column("key_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("referral_id", Uuid, index=True),
    Column("fields", Codes, comment="The personal fields that were disclosed or changed."),
    Column("request_id", Text),
    Column("roles", Codes, comment="What the key was used as; null is the service itself."),
    Column("purpose", Text, comment="What for; null in entries older than the column."),
    Column("basis", Text, comment="On what ground personal data was disclosed: consent, or vital_interest."),
    Column("result", Text, nullable=False, server_default=text("'done'"), comment="done, withheld, or why refused."),
    # Entries are linked in this order, each once every transaction that began before its own has ended.
    Column("xact", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    Index("ix_audit_xact_id", "xact", "id"),
    Index("ix_audit_refused", "subject_id", postgresql_where=text("result NOT IN ('done', 'withheld')")),
    comment="Every read of personal data and every change. Rows are only ever added.",
)

audit_segments = Table(
    "audit_segments",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("entries", BigInteger, nullable=False, comment="How many entries the chain holds up to here."),
    Column("last_xact", BigInteger, nullable=False),
    Column("last_id", Uuid, nullable=False, comment="The segment reaches from after the one before it to here."),
    Column("newest_at", Moment, nullable=False, comment="The time of its newest entry."),
    Column("root", LargeBinary, nullable=False, comment="SHA-256 over its entries, in order."),
    Column("head", LargeBinary, nullable=False, comment="SHA-256 over the head before, and all of this row."),
    Column("linked_at", Moment, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, by a key that is not in the database."),
    comment="The chain over the audit: each row seals a batch of entries and all that came before it.",
)

audit_drops = Table(
    "audit_drops",
    metadata,
    Column("up_to", BigInteger, primary_key=True, autoincrement=False),
    Column("dropped_at", Moment, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="Ed25519, as that of a segment."),
    comment="Up to which segment entries were dropped when their time was over.",
)
