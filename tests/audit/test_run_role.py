"""The role that the service runs as does all its work, and cannot touch what the audit holds."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from structlog.testing import capture_logs

from app.commands.running import look_at_role
from app.storage import audit_chain
from app.storage.database import open_engine, sessions_of
from app.storage.run_role import grant_run_role
from app.storage.sealing import KeyRing
from app.workflows.link_audit import Said, link_audit
from tests.audit.chain import verify
from tests.workflows.agreements import a_document, publish
from tests.workflows.conftest import RECEIVER, Service, a_referral, of, service

Sessions = async_sessionmaker[AsyncSession]
ROLE = "lintas_run_test"

__all__ = ["service"]


@pytest.fixture
async def as_owner(sessions: Sessions) -> Sessions:
    return sessions


@pytest.fixture
async def run_sessions(database_url: str, as_owner: Sessions) -> AsyncIterator[Sessions]:
    """Transactions of the role that the service runs as."""
    await grant_run_role(database_url, ROLE)
    async with as_owner.begin() as tx:
        await tx.execute(text(f"ALTER ROLE {ROLE} LOGIN PASSWORD 'run'"))
    url = make_url(database_url).set(username=ROLE, password="run")
    engine = open_engine(url.render_as_string(hide_password=False), application_name="lintas run role")
    yield sessions_of(engine)
    await engine.dispose()


REFUSED = [
    *(
        f"{verb} {table}{rest}"
        for table in ("audit", "audit_segments", "audit_drops")
        for verb, rest in (("DELETE FROM", ""), ("TRUNCATE", ""), ("LOCK TABLE", " IN EXCLUSIVE MODE"))
    ),
    "UPDATE audit SET action = 'x'",
    "UPDATE audit_segments SET count = 0",
    "UPDATE documents SET version = 0",
    "DELETE FROM agency_history",
    "INSERT INTO audit_drops VALUES (1, now(), '')",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_never_changes ON audit",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_what_is_only_added_is_out_of_its_reach_by_privilege(run_sessions: Sessions, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with run_sessions.begin() as tx:
            await tx.execute(text(statement))


async def test_the_setting_by_which_the_owner_drops_helps_it_to_nothing(run_sessions: Sessions) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await drop_by_setting(run_sessions)


async def drop_by_setting(sessions: Sessions) -> None:
    async with sessions.begin() as tx:
        await tx.execute(text("SET LOCAL lintas.dropping_audit = 'on'"))
        await tx.execute(text("DELETE FROM audit"))


async def test_a_role_that_reaches_the_audit_is_told_from_one_that_does_not(
    run_sessions: Sessions, as_owner: Sessions
) -> None:
    async with run_sessions.begin() as tx:
        assert not await audit_chain.may_be_changed(tx)
    async with as_owner.begin() as tx:
        assert await audit_chain.may_be_changed(tx)


async def test_a_worker_warns_where_its_role_could_change_the_audit(run_sessions: Sessions, as_owner: Sessions) -> None:
    with capture_logs() as lines:
        await look_at_role(run_sessions)
        assert lines == []
        await look_at_role(as_owner)

    assert [(line["event"], line["log_level"]) for line in lines] == [("audit_within_reach", "warning")]


async def test_rights_are_given_again_without_harm(run_sessions: Sessions, database_url: str) -> None:
    await grant_run_role(database_url, ROLE)

    async with run_sessions.begin() as tx:
        assert not await audit_chain.may_be_changed(tx)


class TestAllItsWork:
    """The service at its work, as that role."""

    @pytest.fixture
    def sessions(self, run_sessions: Sessions) -> Sessions:
        return run_sessions

    async def test_a_case_goes_its_way(self, service: Service, key_ring: KeyRing, run_sessions: Sessions) -> None:
        async with service.sessions() as session:
            assert await session.scalar(text("SELECT current_user")) == ROLE
        referral = await service.submit(a_referral())
        handoff_id = of(referral)["handoff"]["id"]
        await service.read(RECEIVER, f"/handoffs/{handoff_id}")
        for action, more in (("accept", {}), ("start", {}), ("complete", {"outcome": "service_given"})):
            assert (await service.act(RECEIVER, handoff_id, action, **more)).status_code == 200
        await service.submit(a_referral())
        await service.after(timedelta(days=10))

        await publish(service, a_document())

        assert await link_audit(run_sessions, key_ring, Said()) > 0
        assert (await verify(run_sessions, key_ring, None)).is_sound
