"""The migrations make the tables that the code expects, from nothing, and can be taken back."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Row, text

from app.domain.caller import Role
from app.storage import api_keys
from app.storage.database import open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration, head, migrate_to_head

BEFORE_STATISTICS = "0006-1"
BEFORE_THE_CHAIN = "0011-1"
BEFORE_ROTATION = "0014-1"
BEFORE_SCOPES = "0012-1"


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with nothing in it."""
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("migrations"), durable=False) as server:
        server.create_database("empty_test")
        yield server.url("empty_test")


def test_the_migrations_make_what_the_code_expects_and_come_down_and_up_again(empty_url: str) -> None:
    migrate_to_head(empty_url)
    command.check(configuration(empty_url))

    command.downgrade(configuration(empty_url), "base")
    migrate_to_head(empty_url)
    command.check(configuration(empty_url))


A_HANDOFF_OF_BEFORE = """
INSERT INTO agencies VALUES ('a', '{}', 0);
INSERT INTO documents (id, version, body, sha256, registry_version, published_at) VALUES
    ('d', 1, '{"effective": {"from": "2025-01-01"}, "timezone": "Asia/Makassar"}', '', 0, now()),
    ('d', 2, '{"effective": {"from": "2025-03-01"}, "timezone": "Asia/Makassar"}', '', 0, now()),
    ('d', 3, '{"effective": {"from": "2025-04-01"}, "timezone": "Asia/Makassar"}', '', 0, now());
INSERT INTO referrals (id, sender_code, sender_reference_hash, holder_code, mode, urgency, state, received_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 'a', '', 'a', 'referral', 'urgent', 'open', '2025-03-02T00:00Z');
INSERT INTO facts (referral_id, version, body, recorded_at)
    VALUES ('00000000-0000-0000-0000-000000000001', 1, '{}', now());
INSERT INTO service_requests (id, referral_id, service_type, state)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 's', 'fulfilled');
INSERT INTO decisions (id, service_request_id, referral_id, facts_version, consent, tried, registry_version,
    code_sets_version, engine, cause, outcome, result, decided_at)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002',
    '00000000-0000-0000-0000-000000000001', 1, true, '{}', 0, 1, '1', 'submitted', 'offered', '{}', now());
INSERT INTO handoffs (id, referral_id, service_request_id, decision_id, agency_code, state, urgency, respond,
    respond_by, offered_at, changed_at, duties)
    VALUES ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000003', 'a', 'completed', 'urgent',
    'PT1H', now(), now(), '2025-03-05T00:00Z',
    '[{"document": "d", "clause": "late", "due_at": "2025-03-04T00:00:00+00:00"},
      {"document": "d", "clause": "early", "due_at": "2025-03-06T00:00:00+00:00"}]')
"""


async def test_duties_of_before_the_statistics_learn_their_version_and_whether_their_time_ran_out(
    empty_url: str,
) -> None:
    settings = configuration(empty_url)
    await asyncio.to_thread(command.downgrade, settings, BEFORE_STATISTICS)
    engine = open_engine(empty_url, application_name="lintas tests")
    async with engine.begin() as connection:
        for statement in A_HANDOFF_OF_BEFORE.split(";\n"):
            await connection.exec_driver_sql(statement)
        before = await connection.scalar(text("SELECT duties FROM handoffs"))

    await asyncio.to_thread(migrate_to_head, empty_url)
    async with engine.begin() as connection:
        late, early = await connection.scalar(text("SELECT duties FROM handoffs"))
    await asyncio.to_thread(command.downgrade, settings, BEFORE_STATISTICS)
    async with engine.begin() as connection:
        again = await connection.scalar(text("SELECT duties FROM handoffs"))
        await connection.exec_driver_sql("TRUNCATE agencies, documents CASCADE")
    await asyncio.to_thread(migrate_to_head, empty_url)
    await engine.dispose()

    assert late == before[0] | {"version": 2, "passed_at": "2025-03-04T00:00:00+00:00", "kept_at": None}
    assert early == before[1] | {"version": 2, "passed_at": None, "kept_at": None}
    assert again == before


def test_endpoints_that_were_there_before_count_as_proven_and_keep_their_secrets(empty_url: str) -> None:
    migrate_to_head(empty_url)
    command.downgrade(configuration(empty_url), "0004")
    asyncio.run(
        run(
            empty_url,
            "INSERT INTO agencies (code, body, registry_version) VALUES ('a', '{}', 0)",
            "INSERT INTO endpoints (id, agency_code, url, secret, state, created_at) VALUES"
            " (gen_random_uuid(), 'a', 'https://a.example/', 'sealed'::bytea, 'active', now() - interval '1 day')",
        )
    )

    migrate_to_head(empty_url)
    (kept,) = asyncio.run(
        run(
            empty_url,
            "SELECT e.state, e.verified_at = e.created_at AS proven, s.sealed, s.scheme, s.ends_at"
            " FROM endpoints AS e JOIN endpoint_secrets AS s ON s.endpoint_id = e.id",
        )
    )
    command.downgrade(configuration(empty_url), "0004")
    (before,) = asyncio.run(run(empty_url, "SELECT secret, state FROM endpoints"))
    migrate_to_head(empty_url)
    asyncio.run(run(empty_url, "TRUNCATE agencies CASCADE"))

    assert tuple(kept) == ("active", True, b"sealed", "hmac_sha256", None)
    assert tuple(before) == (b"sealed", "active")


def test_a_key_that_was_narrowed_does_not_widen_when_the_migration_is_taken_back(empty_url: str) -> None:
    migrate_to_head(empty_url)
    key = "INSERT INTO api_keys (id, hash, agency_code, roles, created_at, scopes) VALUES (gen_random_uuid(), "
    asyncio.run(
        run(
            empty_url,
            "INSERT INTO agencies (code, body, registry_version) VALUES ('a', '{}', 0)",
            f"{key} 'narrow', 'a', '{{receiver}}', now(), '{{handoffs:read}}')",
            f"{key} 'whole', 'a', '{{receiver}}', now(), NULL)",
            "INSERT INTO client_certificates (id, agency_code, known_by, value, roles, label, created_at)"
            " VALUES (gen_random_uuid(), 'a', 'subject', 'CN=a', '{receiver}', '', now())",
            "INSERT INTO token_subjects (id, issuer, subject, agency_code, first_seen_at)"
            " VALUES (gen_random_uuid(), 'https://sso.example', 's', 'a', now())",
        )
    )

    command.downgrade(configuration(empty_url), BEFORE_SCOPES)
    migrate_to_head(empty_url)
    kept = asyncio.run(run(empty_url, "SELECT hash, revoked_at IS NULL AS counts, scopes FROM api_keys ORDER BY hash"))
    asyncio.run(run(empty_url, "TRUNCATE agencies CASCADE"))

    assert [tuple(row) for row in kept] == [(b"narrow", False, None), (b"whole", True, None)]


async def run(url: str, *statements: str) -> Sequence[Row[Any]]:
    """Run statements, and give the rows of the last one."""
    engine = open_engine(url, application_name="lintas tests")
    async with engine.begin() as connection:
        for statement in statements:
            result = await connection.execute(text(statement))
        rows = result.all() if result.returns_rows else []
    await engine.dispose()
    return rows


async def test_audit_entries_can_be_added_and_neither_changed_nor_removed(empty_url: str) -> None:
    engine = open_engine(empty_url, application_name="lintas tests")
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit (id, action, subject, subject_id) VALUES (gen_random_uuid(), 'a', 'b', 'c')")
        )

    for attempt in ("UPDATE audit SET action = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="only ever added"):
            async with engine.begin() as connection:
                await connection.execute(text(attempt))
    await engine.dispose()


async def test_what_waits_for_delivery_survives_the_way_up_down_and_up_and_emergencies_go_first(empty_url: str) -> None:
    def go(step: Callable[[Config, str], None], revision: str) -> None:
        step(configuration(empty_url), revision)

    async def ask(statement: str) -> list[tuple[object, ...]]:
        engine = open_engine(empty_url, application_name="lintas tests")
        async with engine.begin() as connection:
            found = await connection.execute(text(statement))
            rows = [tuple(row) for row in found] if found.returns_rows else []
        await engine.dispose()
        return rows

    await asyncio.to_thread(go, command.downgrade, "0004")
    await ask("INSERT INTO agencies (code, body, registry_version) VALUES ('a', '{}', 0)")
    await ask(
        "INSERT INTO endpoints (id, agency_code, url, secret, state, created_at)"
        " VALUES (gen_random_uuid(), 'a', 'https://a.example/', '', 'active', now())"
    )
    await ask(
        "INSERT INTO events (id, agency_code, type, occurred_at, data) VALUES"
        " (gen_random_uuid(), 'a', 'endpoint.ping', now(), '{}'), (gen_random_uuid(), 'a', 'other', now(), '{}')"
    )
    await ask(
        "INSERT INTO deliveries (id, event_id, endpoint_id, state, due_at, created_at)"
        " SELECT gen_random_uuid(), events.id, endpoints.id, 'due', now(), now() FROM events, endpoints"
    )
    await ask(
        "INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome)"
        " SELECT gen_random_uuid(), id, 1, now(), 5, 'tls' FROM deliveries"
    )

    for _ in range(2):
        await asyncio.to_thread(migrate_to_head, empty_url)
        waiting = await ask(
            "SELECT events.type, goes_first FROM deliveries JOIN events ON events.id = event_id ORDER BY 1"
        )
        assert waiting == [("endpoint.ping", True), ("other", False)]
        assert await ask("SELECT breaker_opened_at, max_per_minute FROM endpoints") == [(None, None)]
        assert await ask("SELECT count(*), max(detail) FROM attempts") == [(2, None)]
        await asyncio.to_thread(go, command.downgrade, "0004")
    await asyncio.to_thread(migrate_to_head, empty_url)


async def test_entries_of_before_the_chain_stand_before_all_others_and_survive_the_way_back(empty_url: str) -> None:
    entry = "INSERT INTO audit (id, action, subject, subject_id) VALUES (gen_random_uuid(), '{}', 'b', 'c')"
    settings = configuration(empty_url)
    await asyncio.to_thread(migrate_to_head, empty_url)
    await run(empty_url, "TRUNCATE audit")
    await asyncio.to_thread(command.downgrade, settings, BEFORE_THE_CHAIN)
    await run(empty_url, entry.format("old"))

    await asyncio.to_thread(migrate_to_head, empty_url)
    (old,) = await run(empty_url, "SELECT action, xact, result, roles FROM audit")
    await run(empty_url, entry.format("new"))
    both = await run(empty_url, "SELECT action FROM audit ORDER BY xact, id")
    await asyncio.to_thread(command.downgrade, settings, BEFORE_THE_CHAIN)
    still = await run(empty_url, "SELECT action FROM audit")
    await asyncio.to_thread(migrate_to_head, empty_url)

    assert tuple(old) == ("old", 0, "done", None)
    assert [row.action for row in both] == ["old", "new"]
    assert {row.action for row in still} == {"old", "new"}


async def test_a_clock_of_a_referral_as_a_whole_is_left_behind_on_the_way_down_and_nothing_else_is(
    empty_url: str,
) -> None:
    settings = configuration(empty_url)
    await asyncio.to_thread(migrate_to_head, empty_url)
    await run(
        empty_url,
        "TRUNCATE agencies CASCADE",
        "INSERT INTO agencies VALUES ('a', '{}', 0)",
        "INSERT INTO referrals (id, sender_code, sender_reference_hash, holder_code, mode, urgency, state, received_at)"
        " VALUES ('00000000-0000-0000-0000-000000000001', 'a', '', 'a', 'referral', 'urgent', 'open', now())",
        "INSERT INTO facts (referral_id, version, body, recorded_at, consent)"
        " VALUES ('00000000-0000-0000-0000-000000000001', 1, '{}', now(), '{}')",
        "INSERT INTO clocks (id, referral_id, kind, due_at) VALUES"
        " (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'consent_expires', now())",
    )

    await asyncio.to_thread(command.downgrade, settings, "0016-1")
    (before,) = await run(empty_url, "SELECT (SELECT count(*) FROM clocks), (SELECT count(*) FROM facts)")
    await asyncio.to_thread(migrate_to_head, empty_url)
    (again,) = await run(empty_url, "SELECT consent FROM facts")
    await run(empty_url, "TRUNCATE agencies CASCADE")

    assert tuple(before) == (0, 1)
    assert tuple(again) == (None,)


async def test_keys_of_before_are_the_first_of_their_line_and_work_on_all_the_way(empty_url: str) -> None:
    settings, secret = configuration(empty_url), api_keys.new_secret([Role.SENDER])
    await asyncio.to_thread(command.downgrade, settings, BEFORE_ROTATION)
    await run(empty_url, "INSERT INTO agencies (code, body, registry_version) VALUES ('k', '{}', 0)")
    await run(
        empty_url,
        "INSERT INTO api_keys (id, hash, agency_code, roles, created_at)"  # noqa: S608 - made here
        f" VALUES (gen_random_uuid(), '\\x{hashlib.sha256(secret.encode()).hexdigest()}', 'k', '{{sender}}', now())",
    )

    for _ in range(2):
        await asyncio.to_thread(migrate_to_head, empty_url)
        (kept,) = await run(empty_url, "SELECT lineage_id, last_used_at FROM api_keys WHERE agency_code = 'k'")
        engine = open_engine(empty_url, application_name="lintas tests")
        async with sessions_of(engine).begin() as tx:
            caller = await api_keys.caller_of(tx, secret)
        await engine.dispose()
        assert tuple(kept) == (None, None)
        assert caller is not None
        assert caller.holder_id == caller.key_id
        await asyncio.to_thread(command.downgrade, settings, BEFORE_ROTATION)
    await asyncio.to_thread(migrate_to_head, empty_url)


def test_the_newest_migration_is_known_without_reading_any() -> None:
    assert head() == ScriptDirectory.from_config(configuration()).get_current_head()
