"""Health says whether the process can serve, quickly, and tells nothing else."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.api.application import build
from app.api.readying import Process, Readying
from app.domain.clock import SettableClock
from app.storage import readiness
from app.storage.database import Pool, open_engine, sessions_of
from app.storage.reference import REGISTRY_LOCK, ReferenceKeeper
from app.storage.sealing import KeyRing
from app.storage.tables import agencies, data_keys, referrals
from app.workflows.desk import Terms
from app.workflows.seed import seed
from tests.conftest import NoReference

Sessions = async_sessionmaker[AsyncSession]


class BrokenReference:
    version: int | None = None

    async def current(self, _: AsyncSession, /, *, to_change: bool = False) -> object:  # noqa: ARG002
        raise LookupError("nothing was seeded")


def a_service(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock, *, broken: bool = False, revision: str | None = None
) -> httpx.AsyncClient:
    api = build(
        (),
        sessions=sessions,
        key_ring=key_ring,
        reference=BrokenReference() if broken else NoReference(),
        clock=clock,
        terms=Terms(),
        revision=revision,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test")


def statuses(answer: httpx.Response) -> dict[str, str]:
    return {name: found[0]["status"] for name, found in answer.json()["checks"].items()}


async def test_a_service_that_has_all_it_needs_is_ready(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    async with a_service(sessions, key_ring, clock) as client:
        ready = await client.get("/health/ready")
        startup = await client.get("/health/startup")
        live = await client.get("/health/live")

    assert (ready.status_code, startup.status_code, live.status_code) == (200, 200, 200)
    assert statuses(ready) == {
        "database:responseTime": "pass",
        "database:migration": "pass",
        "keyRing:keys": "pass",
        "feed:continuity": "pass",
        "registry:version": "pass",
    }
    assert ready.json()["status"] == "pass"
    assert ready.json()["checks"]["database:responseTime"][0]["observedUnit"] == "ms"
    assert live.json() == {"status": "pass"}
    assert {answer.headers["Content-Type"] for answer in (ready, startup, live)} == {"application/health+json"}


async def test_a_database_of_another_version_is_not_ready(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    async with a_service(sessions, key_ring, clock, revision="9999") as client:
        answer = await client.get("/health/ready")
        startup = await client.get("/health/startup")

    assert answer.status_code == 503
    assert statuses(answer) == {"database:responseTime": "pass", "database:migration": "fail"}
    assert startup.status_code == 503


async def test_a_service_stays_ready_while_a_newer_version_has_migrated_its_database(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    async with a_service(sessions, key_ring, clock, revision="0001") as client:
        ready = await client.get("/health/ready")

    assert statuses(ready)["database:migration"] == "pass"


async def test_a_missing_registry_is_not_ready(sessions: Sessions, key_ring: KeyRing, clock: SettableClock) -> None:
    async with a_service(sessions, key_ring, clock, broken=True) as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == 503
    assert statuses(answer)["registry:version"] == "fail"
    assert "seeded" not in answer.text


async def test_a_key_ring_without_a_key_in_use_is_not_ready(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    ids = [uuid7() for _ in range(6)]
    async with sessions.begin() as tx:
        await tx.execute(agencies.insert().values(code="a", body={}, registry_version=0))
        for place, referral_id in enumerate(ids):
            row = {
                "id": referral_id,
                "sender_code": "a",
                "sender_reference_hash": referral_id.bytes,
                "holder_code": "a",
                "mode": "referral",
                "urgency": "urgent",
                "state": "open",
                "received_at": clock.now(),
            }
            await tx.execute(referrals.insert().values(row))
            key = {"referral_id": referral_id, "ring_key_id": ("test-1", "old", "other")[place % 3], "wrapped": b""}
            await tx.execute(data_keys.insert().values(key))
        assert await readiness.ring_keys_in_use(tx) == {"test-1", "old", "other"}

    async with a_service(sessions, key_ring, clock) as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == 503
    assert statuses(answer)["keyRing:keys"] == "fail"


async def test_no_request_hangs_when_the_database_does(key_ring: KeyRing, clock: SettableClock) -> None:
    held: list[asyncio.StreamWriter] = []

    async def never_answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(never_answers, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = open_engine(f"postgresql://nobody@127.0.0.1:{port}/nothing", pool=Pool())
    async with a_service(sessions_of(engine), key_ring, clock) as client:
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(client.get("/health/ready") for _ in range(20)))
        assert (await client.get("/health/live")).status_code == 200
        again = await client.get("/health/ready")
    for writer in held:
        writer.close()
    server.close()
    await engine.dispose()

    assert {answer.status_code for answer in (*answers, again)} == {503}
    assert (answers[0].json()["status"], statuses(answers[0])) == ("fail", {"database:responseTime": "fail"})


async def test_a_process_whose_connections_are_all_in_use_is_ready(
    database_url: str, sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    busy = open_engine(database_url, pool=Pool(size=1, overflow=0, wait=timedelta(seconds=5)))
    checked = asyncio.Event()
    checked.set()
    api = build(
        (),
        sessions=sessions_of(busy),
        readying=Readying(Process(sessions, key_ring, checked, NoReference(), None)),
        key_ring=key_ring,
        reference=NoReference(),
        clock=clock,
        terms=Terms(),
    )
    async with (
        sessions_of(busy).begin() as tx,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test") as client,
    ):
        await tx.execute(text("SELECT 1"))
        answer = await client.get("/health/ready")
    await busy.dispose()

    assert answer.status_code == 200, answer.text


async def test_a_process_stays_ready_while_somebody_publishes(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    async with sessions.begin() as tx:
        await seed(tx, clock())
    api = build((), sessions=sessions, key_ring=key_ring, reference=ReferenceKeeper(), clock=clock, terms=Terms())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://lintas.test") as client:
        # The first look reads the whole registry, and may well take longer than the deadline.
        while (await client.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - it says so to who asks
            await asyncio.sleep(0.1)
        async with sessions.begin() as tx:
            await tx.execute(select(func.pg_advisory_xact_lock(REGISTRY_LOCK)))
            answer = await client.get("/health/ready")

    assert answer.status_code == 200, answer.text


async def test_a_database_that_is_gone_is_told_of_at_once(key_ring: KeyRing, clock: SettableClock) -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    async with a_service(sessions_of(engine), key_ring, clock) as client:
        answer = await client.get("/health/ready")
    await engine.dispose()

    assert answer.status_code == 503


async def test_what_was_ready_once_has_started_for_good(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock
) -> None:
    async with a_service(sessions, key_ring, clock) as client:
        assert (await client.get("/health/ready")).status_code == 200
        async with sessions.begin() as tx:
            await tx.execute(text("ALTER TABLE data_keys RENAME TO mislaid"))
        try:
            assert (await client.get("/health/ready")).status_code == 503
            assert (await client.get("/health/startup")).status_code == 200
        finally:
            async with sessions.begin() as tx:
                await tx.execute(text("ALTER TABLE mislaid RENAME TO data_keys"))


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/startup"])
async def test_health_needs_no_key_and_may_not_be_stored(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock, path: str
) -> None:
    async with a_service(sessions, key_ring, clock) as client:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
