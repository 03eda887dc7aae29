"""The migrations make the tables that the code expects, from nothing, and can be taken back."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Row, text

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
