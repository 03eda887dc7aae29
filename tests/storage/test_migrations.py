"""The migrations make the tables that the code expects, from nothing, and can be taken back."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.storage.database import open_engine
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import configuration, migrate_to_head


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
