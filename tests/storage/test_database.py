"""The engine: limits on everything, and errors that are told apart without showing a value."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.database import Pool, is_passing, normalised, open_engine, sessions_of
from app.storage.delivery_hints import listen

Sessions = async_sessionmaker[AsyncSession]


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_session_has_its_limits_with_a_pooler_between_or_not(database_url: str, *, pooled: bool) -> None:
    engine = open_engine(database_url, pool=Pool(statement=timedelta(seconds=7), through_pgbouncer=pooled))

    async with sessions_of(engine).begin() as tx:
        found = (
            await tx.execute(
                text(
                    "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
                    " current_setting('idle_in_transaction_session_timeout'), CAST('{\"a\": [1]}' AS jsonb)"
                )
            )
        ).one()
    await engine.dispose()

    assert found == ("7s", "5s", "30s", {"a": [1]})


async def test_behind_a_pooler_no_statement_outlives_its_transaction(database_url: str) -> None:
    engine = open_engine(database_url, pool=Pool(size=1, overflow=0, through_pgbouncer=True))
    sessions = sessions_of(engine)

    for _ in range(3):
        async with sessions.begin() as tx:
            await tx.execute(text("SELECT :n + 1"), {"n": 1})
    async with sessions.begin() as tx:
        prepared = (await tx.execute(text("SELECT name FROM pg_prepared_statements"))).all()
    await engine.dispose()

    assert len(prepared) <= 1, "but for the one that is just running"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@h:5/db?ssl=require", "postgresql://u:p%40ss@h:5/db?sslmode=require"),
        (
            "postgresql://h/db?sslmode=verify-full&sslrootcert=ca.pem&channel_binding=require",
            "postgresql://h/db?sslmode=verify-full&sslrootcert=ca.pem",
        ),
        ("postgres://h/db", "postgresql://h/db"),
        ("postgresql+psycopg://h/db", "postgresql://h/db"),
    ],
)
def test_any_address_of_a_postgresql_will_do(url: str, expected: str) -> None:
    assert normalised(url) == expected


def test_an_address_of_something_else_will_not() -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        normalised("mysql://u:canary@h/db")


async def too_slow(sessions: Sessions) -> None:
    async with sessions.begin() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
        await tx.execute(text("SELECT pg_sleep(5)"))


async def not_serializable(sessions: Sessions) -> None:
    async with sessions.begin() as tx:
        await tx.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))


async def unreachable(_: Sessions) -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    async with sessions_of(engine).begin() as tx:
        await tx.execute(text("SELECT 1"))


async def too_many(sessions: Sessions) -> None:
    pool = Pool(size=1, overflow=0, wait=timedelta(milliseconds=50))
    engine = open_engine(sessions.kw["bind"].url.render_as_string(hide_password=False), pool=pool)
    try:
        async with engine.connect(), engine.connect():
            pass
    finally:
        await engine.dispose()


async def wrong_sql(sessions: Sessions) -> None:
    async with sessions.begin() as tx:
        await tx.execute(text("SELECT nothing"))


async def wrong_type(sessions: Sessions) -> None:
    async with sessions.begin() as tx:
        await tx.execute(text("SELECT CAST(:n AS integer)"), {"n": "canary"})


@pytest.mark.parametrize(
    ("fail", "passes"),
    [
        (too_slow, True),
        (not_serializable, True),
        (unreachable, True),
        (too_many, True),
        (wrong_sql, False),
        (wrong_type, False),
    ],
)
async def test_what_passes_is_told_from_what_is_wrong(
    sessions: Sessions, fail: Callable[[Sessions], Awaitable[None]], *, passes: bool
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
        await fail(sessions)

    assert is_passing(caught.value) is passes
    assert not is_passing(FileNotFoundError(2, "no such file", "canary.txt"))


async def test_an_error_shows_no_parameter(sessions: Sessions) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with sessions.begin() as tx:
            await tx.execute(text("SELECT nothing, :name"), {"name": "canary"})

    assert "canary" not in str(caught.value)


async def test_a_database_address_that_asks_for_tls_as_every_provider_writes_it_is_understood() -> None:
    engine = open_engine("postgresql://u:p@127.0.0.1:1/db?sslmode=require")

    with pytest.raises(ConnectionRefusedError):  # nobody is there; but the address itself is no mistake
        async with engine.connect():
            pass


async def test_one_address_with_tls_serves_the_engine_and_the_hints_alike(database_url: str) -> None:
    def heard() -> None:
        raise OSError("heard")

    with pytest.raises((asyncpg.PostgresError, OSError)) as refused:
        # The way the engine wants it; prefer works without TLS too.
        await listen(f"{database_url}?ssl=prefer", heard)

    assert str(refused.value) == "heard"
