"""What every test that needs the database or the service starts from."""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import make_url, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.api.application import build
from app.api.validation import ReferenceSource
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.storage import api_keys
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.embedded import EmbeddedPostgres
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.storage.tables import agencies, metadata
from app.workflows.desk import Terms
from tests.deadline import in_time
from tests.told import Told

collect_ignore = [] if "LINTAS_TEST_BROWSER" in os.environ else ["browser"]
"""What opens a browser is tried by `make test-browser`, which says what it needs."""
EVERY_TABLE = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set an end to the time of every test that waits for something."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = in_time(item.obj, partial(_engine_of, item))


def _engine_of(item: pytest.Function) -> object:
    return item.funcargs.get("engine")


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL for these tests alone, or the one of LINTAS_TEST_DATABASE_URL."""
    given = os.environ.get("LINTAS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with EmbeddedPostgres.start(Path(tmp_path_factory.mktemp("postgres")), durable=False) as server:
        server.create_database("lintas_tests")
        yield server.url("lintas_tests")


@pytest.fixture(scope="session")
async def database_url(server_url: str) -> str:
    """The address of a database that holds every table and nothing else."""
    assert "test" in (make_url(server_url).database or ""), "the tests empty their database: its name must hold 'test'"
    engine = open_engine(server_url, application_name="lintas tests")
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    # It runs an event loop of its own.
    await asyncio.to_thread(migrate_to_head, server_url)
    return server_url


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """One engine for the whole session."""
    engine = open_engine(database_url, application_name="lintas tests", pool=Pool(size=20, overflow=20))
    yield engine
    await engine.dispose()


@pytest.fixture
async def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Transactions on tables that are empty when the test begins."""
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {EVERY_TABLE} RESTART IDENTITY CASCADE"))
    return sessions_of(engine)


@pytest.fixture(scope="session")
def key_ring() -> KeyRing:
    """A key ring of the tests' own."""
    return KeyRing.generate("test-1")


@pytest.fixture
def clock() -> SettableClock:
    """A business clock that stands at a Tuesday morning in Kalimantan until it is set."""
    return SettableClock(datetime(2025, 3, 4, 1, 0, tzinfo=UTC))


@pytest.fixture
def terms() -> Terms:
    """What the operator has settled: as shipped, unless a test says otherwise."""
    return Terms()


class NoReference:
    """Stands for the reference data in tests of the frame, which never look into it."""

    version: int | None = None

    async def current(self, _: AsyncSession, /, *, to_change: bool = False) -> object:  # noqa: ARG002
        """Give nothing in particular."""
        return self


class ClientFactory(Protocol):
    """Makes clients of a service with the given routers."""

    async def __call__(
        self,
        *routers: APIRouter,
        key: str | None = None,
        reference: ReferenceSource | None = None,
        terms: Terms | None = None,
        requests_per_key: int = 0,
        failures_per_address: int = 0,
        address: str = "127.0.0.1",
        **more: Any,
    ) -> httpx.AsyncClient: ...


class KeyFactory(Protocol):
    """Issues keys, and enters the agency if the registry does not have it yet."""

    async def __call__(self, agency_code: str, *roles: Role, scopes: frozenset[str] | None = None) -> str: ...


@pytest.fixture
def a_key(sessions: async_sessionmaker[AsyncSession]) -> KeyFactory:
    """A function that issues a key: `await a_key("dp3a-kukar", Role.SENDER)`."""

    async def issue(agency_code: str, *roles: Role, scopes: frozenset[str] | None = None) -> str:
        secret = api_keys.new_secret(roles)
        async with sessions.begin() as tx:
            agency = {"code": agency_code, "body": {"code": agency_code}, "registry_version": 0}
            await tx.execute(insert(agencies).values(agency).on_conflict_do_nothing())
            await api_keys.add(
                tx, secret=secret, agency_code=agency_code, roles=roles, label="", expires_at=None, scopes=scopes
            )
        return secret

    return issue


@pytest.fixture
async def a_client(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock
) -> AsyncIterator[ClientFactory]:
    """A function that makes a client: `await a_client(router, key=...)` serves that router, and health and docs."""
    untold: set[tuple[str, int, str | None]] = set()
    async with AsyncExitStack() as stack:

        async def make(
            *routers: APIRouter,
            key: str | None = None,
            reference: ReferenceSource | None = None,
            terms: Terms | None = None,
            requests_per_key: int = 0,
            failures_per_address: int = 0,
            address: str = "127.0.0.1",
            **more: Any,
        ) -> httpx.AsyncClient:
            api = build(
                routers,
                sessions=sessions,
                key_ring=key_ring,
                clock=clock,
                reference=reference or NoReference(),
                terms=terms or Terms(public_url="http://lintas.test"),
                requests_per_key=requests_per_key,
                failures_per_address=failures_per_address,
                **more,
            )
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            transport = httpx.ASGITransport(app=Told(api, untold), raise_app_exceptions=False, client=(address, 1))
            client = httpx.AsyncClient(transport=transport, base_url="http://lintas.test", headers=headers)
            return await stack.enter_async_context(client)

        yield make
    assert not untold, "the description of the API does not tell of these answers"
