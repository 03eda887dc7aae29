"""Behind a real PgBouncer in transaction mode everything works, with and without an address of the database itself."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage.database import Pool, open_engine, sessions_of
from app.storage.sealing import KeyRing
from chaos.units import free_port
from tests.delivery.receivers import a_receiver
from tests.delivery.world import until
from tests.deploy.processes import Town, connected, lintas

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="needs PgBouncer: on Debian and Ubuntu the package pgbouncer (make test-pgbouncer)"
)
SERVERS = 3
"""Connections that all processes share: fewer than they hold, so that no two transactions find the same."""
CONFIGURATION = """
[databases]
{name} = host=127.0.0.1 port={to} dbname={name} user={user} password={password} pool_size={servers}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
server_reset_query_always = 0
"""


async def is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def pooled_url(tmp_path: Path, database_url: str) -> AsyncIterator[str]:
    """The address of the tests' database through a PgBouncer."""
    of, port = make_url(database_url), free_port()
    written = tmp_path / "pgbouncer.ini"
    written.write_text(
        CONFIGURATION.format(
            name=of.database, to=of.port, user=of.username, password=of.password or "''", port=port, servers=SERVERS
        )
    )
    # It does not run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        written.chmod(0o644)
        shutil.copy(written, elsewhere := Path("/tmp") / f"lintas-pgbouncer-{port}.ini")  # noqa: S108
    else:
        elsewhere = written
    process = await asyncio.create_subprocess_exec(
        str(PGBOUNCER),
        "-q",
        str(elsewhere),
        user=user,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: is_listening(port), within=30)
        yield of.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    finally:
        process.terminate()
        await process.wait()
        if elsewhere != written:
            elsewhere.unlink()


@pytest.fixture
async def town(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> Town:
    return Town(sessions, key_ring)


@pytest.mark.parametrize("direct", [True, False], ids=["listening at the database itself", "polling"])
async def test_a_whole_exchange_goes_through_it(
    tmp_path: Path, town: Town, key_ring: KeyRing, pooled_url: str, database_url: str, direct: bool
) -> None:
    settings = {"LINTAS_DATABASE__THROUGH_PGBOUNCER": "true"}
    if direct:
        settings["LINTAS_DATABASE__LISTEN_URL"] = database_url
    async with (
        a_receiver() as receiver,
        town.settled(receiver),
        lintas(tmp_path, key_ring, pooled_url, "serve", settings) as api,
        lintas(tmp_path, key_ring, pooled_url, "work", settings) as worker,
    ):
        if direct:
            await until(lambda: connected(town.sessions, "lintas", asked="LISTEN"), within=60)
        await town.exchange(receiver, sent_to=api.port, answered_at=api.port)

        if not direct:
            assert not await connected(town.sessions, "lintas", asked="LISTEN")
        assert (await worker.end(), await api.end()) == (0, 0)


async def test_many_at_once_share_few_connections_and_what_is_prepared_in_one_is_not_looked_for_in_another(
    tmp_path: Path, town: Town, key_ring: KeyRing, pooled_url: str
) -> None:
    settings = {"LINTAS_DATABASE__THROUGH_PGBOUNCER": "true"}
    async with (
        a_receiver() as receiver,
        town.settled(receiver),
        lintas(tmp_path, key_ring, pooled_url, "serve", settings) as api,
        lintas(tmp_path, key_ring, pooled_url, "work", settings),
    ):
        await asyncio.gather(
            *(town.exchange(receiver, sent_to=api.port, answered_at=api.port) for _ in range(4 * SERVERS))
        )


async def test_limits_hold_in_each_transaction_and_in_none_after_it(pooled_url: str) -> None:
    ours = open_engine(pooled_url, pool=Pool(size=1, overflow=0, through_pgbouncer=True))
    for _ in range(2 * SERVERS):
        async with sessions_of(ours).begin() as tx:
            assert await tx.scalar(text("SHOW statement_timeout")) == "15s"
            assert await tx.scalar(text("SHOW lock_timeout")) == "5s"
    await ours.dispose()

    other = open_engine(pooled_url, pool=Pool(size=1, overflow=0, through_pgbouncer=True))
    async with other.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        left = [await raw.fetchval("SHOW statement_timeout") for _ in range(2 * SERVERS)]
        prepared = await raw.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'lintas_%'")
    await other.dispose()

    assert set(left) == {"0"}
    # The one that asks.
    assert prepared <= 1
