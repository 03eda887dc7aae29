# ruff: noqa: S608
"""Parting history into months keeps every row, with data that nobody would expect, up, down and up again."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app.storage.database import open_for_migrations
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration

MONTHS = "0009"
EVERYTHING = {
    "events": "SELECT id, agency_code, type, occurred_at, data, xact FROM events ORDER BY id",
    "deliveries": "SELECT id, event_id, endpoint_id, state, due_at, claim, attempts, created_at, finished_at"
    " FROM deliveries ORDER BY id",
    "attempts": "SELECT id, delivery_id, number, started_at, duration_ms, outcome, status FROM attempts ORDER BY id",
}
FILL = """
    INSERT INTO agencies (code, body, registry_version) VALUES ('a', '{}', 0);
    INSERT INTO endpoints (id, agency_code, url, state, created_at)
        VALUES (gen_random_uuid(), 'a', 'https://a.example', 'active', now());
    INSERT INTO events (id, agency_code, type, occurred_at, data)
        SELECT encode(overlay(uuid_send(gen_random_uuid()) placing
            substring(int8send(floor(extract(epoch from at) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid,
            'a', 'referral.closed', at, '{"n": 1}'
        FROM (VALUES (now()), (now() - interval '1 month'), (now() - interval '40 months')) AS moments (at),
            generate_series(1, 5);
    INSERT INTO events (id, agency_code, type, occurred_at, data)
        SELECT id, 'a', 'referral.closed', now(), '{}' FROM (VALUES ('ff0f93a6-1234-4abc-8def-000000000001'::uuid),
            ('00d50000-1234-4abc-8def-000000000002')) AS strange (id);
    INSERT INTO deliveries (id, event_id, endpoint_id, state, due_at, claim, attempts, created_at, finished_at)
        SELECT told.id, told.id, endpoints.id, told.state, now(),
            CASE WHEN told.state = 'due' THEN gen_random_uuid() END, 1, now(),
            CASE WHEN told.state IN ('due', 'held') THEN NULL ELSE now() END
        FROM (SELECT id, (ARRAY['due', 'held', 'delivered', 'superseded', 'failed'])[row_number() OVER (ORDER BY id) % 5
            + 1] AS state FROM events) AS told, endpoints;
    INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome, status)
        SELECT gen_random_uuid(), id, 1, now(), 5, 'delivered', 204 FROM deliveries;
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database as it was before there were months, with data in it."""
    with EmbeddedPostgres.start(tmp_path_factory.mktemp("months"), durable=False) as server:
        server.create_database("months_test")
        command.upgrade(configuration(server.url("months_test")), before_months())
        for statement in FILL.split(";\n"):
            asked(server.url("months_test"), statement)
        yield server.url("months_test")


def before_months() -> str:
    found = ScriptDirectory.from_config(configuration()).get_revision(MONTHS)
    assert found is not None
    return str(found.down_revision)


def asked(url: str, *statements: str) -> list[list[tuple[Any, ...]]]:
    """Do some statements in one transaction, and give the rows of each."""

    async def within() -> list[list[tuple[Any, ...]]]:
        engine = open_for_migrations(url)
        found = []
        async with engine.begin() as connection:
            for statement in statements:
                if statement.strip():
                    result = await connection.exec_driver_sql(statement)
                    found.append([tuple(row) for row in result] if result.returns_rows else [])
        await engine.dispose()
        return found

    return asyncio.run(within())


def test_every_row_is_kept_where_it_belongs_and_comes_back_as_it_was(url: str) -> None:
    before = asked(url, *EVERYTHING.values())

    command.upgrade(configuration(url), MONTHS)
    queue, finished, events, attempts = asked(
        url,
        EVERYTHING["deliveries"],
        "SELECT id, event_id, endpoint_id, state, due_at, NULL, attempts, created_at, finished_at"
        " FROM finished_deliveries",
        EVERYTHING["events"],
        EVERYTHING["attempts"],
    )
    (outside,) = asked(url, "SELECT id FROM events_default")
    command.downgrade(configuration(url), before_months())
    after = asked(url, *EVERYTHING.values())
    command.upgrade(configuration(url), MONTHS)
    again = asked(url, EVERYTHING["deliveries"], EVERYTHING["events"], EVERYTHING["attempts"])

    assert len(before[1]) == 17, "all that was filled in"
    assert after == before
    assert sorted((*queue, *finished)) == before[1]
    assert {row[3] for row in queue} == {"due", "held"}
    assert {row[3] for row in finished} == {"delivered", "superseded", "failed"}
    assert (events, attempts) == (before[0], before[2])
    assert [str(row[0])[:4] for row in outside] == ["ff0f"], "an id of no time that was belongs to no month"
    assert again == [queue, events, attempts]


def test_code_of_before_finishes_a_delivery_on_the_tables_of_now(url: str) -> None:
    (due,) = asked(url, "SELECT id FROM deliveries WHERE state = 'due' LIMIT 1")
    delivery_id = due[0][0]

    _, _, (swept,) = asked(
        url,
        f"UPDATE deliveries SET state = 'delivered', claim = NULL, finished_at = now() WHERE id = '{delivery_id}'",
        "INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome, status)"
        f" VALUES (gen_random_uuid(), '{delivery_id}', 2, now(), 1, 'delivered', 204)",
        f"SELECT state FROM deliveries WHERE id = '{delivery_id}'",
    )

    assert swept == ("delivered",)


def test_a_finished_delivery_without_its_event_is_refused(url: str) -> None:
    with pytest.raises(Exception, match="violates foreign key constraint"):
        asked(
            url,
            "INSERT INTO finished_deliveries (id, event_id, endpoint_id, state, due_at, attempts, created_at)"
            " SELECT gen_random_uuid(), '01900000-0000-7000-8000-000000000000', id, 'failed', now(), 1, now()"
            " FROM endpoints",
        )


@pytest.mark.parametrize("table", ["deliveries", "clocks", "idempotency_records", "endpoints", "handoffs"])
def test_what_turns_over_is_vacuumed_by_settings_of_its_own(url: str, table: str) -> None:
    (found,) = asked(url, f"SELECT array_to_string(reloptions, ' ') FROM pg_class WHERE oid = '{table}'::regclass")

    assert "autovacuum_vacuum_scale_factor" in found[0][0]
