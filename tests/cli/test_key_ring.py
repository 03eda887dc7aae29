"""No process starts with a key ring that is not the one its database was sealed by."""

import asyncio
import base64
import json
import os
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.clock import SettableClock
from app.storage import ring_checks
from app.storage.ring_checks import Flaw, RingFlaw
from app.storage.ring_keys import HASH_KEY
from app.storage.sealing import KeyRing
from app.storage.tables import ring_holders, ring_keys
from app.workflows.check_key_ring import check_key_ring
from app.workflows.link_audit import Said, link_audit
from chaos.units import free_port
from chaos.wire import Fate, Wire
from tests.api.test_health import a_service
from tests.cli.test_stopping import ended, lintas, says, through, wire
from tests.delivery.world import until
from tests.workflows.conftest import Service, a_referral, service

__all__ = ["service", "wire"]

Sessions = async_sessionmaker[AsyncSession]


def a_ring(key_ring: KeyRing, place: Path, **changes: object) -> KeyRing:
    """The same ring with parts of it replaced; a key of None is left out."""
    file = place / "changed.json"
    file.unlink(missing_ok=True)
    key_ring.write(file)
    body = json.loads(file.read_text())
    keys = {name: key for name, key in (body["keys"] | changes.pop("keys", {})).items() if key is not None}
    return KeyRing.parse(json.dumps(body | {"keys": keys} | changes))


def fresh() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.mark.parametrize(
    ("command", "flaw"),
    [
        *((("serve", "--port", "0"), flaw) for flaw in Flaw),
        (("work",), Flaw.WRONG),
        (("all", "--port", "0"), Flaw.WRONG),
    ],
)
async def test_a_process_whose_key_ring_is_not_the_right_one_ends_with_a_clear_word(
    service: Service, database_url: str, tmp_path: Path, command: tuple[str, ...], flaw: Flaw
) -> None:
    await service.submit()
    assert await check_key_ring(service.sessions, service.key_ring) == []
    wrong, words = {
        Flaw.MISSING: (KeyRing.generate("other"), "does not hold: test-1"),
        Flaw.WRONG: (a_ring(service.key_ring, tmp_path, keys={"test-1": fresh()}), "other bytes: test-1"),
        Flaw.WRONG_HASH_KEY: (a_ring(service.key_ring, tmp_path, hash_key=fresh()), "hash_key is not the one"),
    }[flaw]

    async with lintas(tmp_path, wrong, database_url, *command) as process:
        code = await asyncio.wait_for(process.wait(), 60)

    assert code == 1
    assert says(tmp_path, words), (tmp_path / "log").read_text()
    assert not says(tmp_path, "Traceback")


async def test_a_wrong_key_is_noticed_by_what_it_does_not_open_where_no_check_value_is_known_yet(
    service: Service, tmp_path: Path
) -> None:
    await service.submit()
    wrong = a_ring(service.key_ring, tmp_path, keys={"test-1": fresh()})

    assert await check_key_ring(service.sessions, wrong) == [RingFlaw(Flaw.WRONG, "test-1")]
    async with service.sessions() as session:
        assert (await session.execute(select(ring_keys))).all() == []


async def test_a_wrong_hash_key_is_noticed_by_the_audit_where_no_check_value_is_known_yet(
    service: Service, tmp_path: Path
) -> None:
    await service.submit()
    await link_audit(service.sessions, service.key_ring, Said())
    wrong = a_ring(service.key_ring, tmp_path, hash_key=fresh())

    assert await check_key_ring(service.sessions, wrong) == [RingFlaw(Flaw.WRONG_HASH_KEY, HASH_KEY)]
    assert await check_key_ring(service.sessions, service.key_ring) == []


async def test_a_key_that_was_added_with_other_bytes_elsewhere_is_noticed_before_anything_is_sealed_under_it(
    sessions: Sessions, key_ring: KeyRing, tmp_path: Path
) -> None:
    one = a_ring(key_ring, tmp_path, keys={"next": fresh()})
    another = a_ring(key_ring, tmp_path, keys={"next": fresh()})

    assert await check_key_ring(sessions, one) == []
    assert await check_key_ring(sessions, another) == [RingFlaw(Flaw.WRONG, "next")]
    async with sessions.begin() as session:
        await ring_checks.forget(session, ["next"])
    assert await check_key_ring(sessions, another) == []


async def test_two_that_start_first_at_once_with_different_keys_do_not_both_start(
    sessions: Sessions, key_ring: KeyRing, tmp_path: Path
) -> None:
    rings = [a_ring(key_ring, tmp_path, keys={"next": fresh()}) for _ in range(4)]

    found = await asyncio.gather(*(check_key_ring(sessions, ring) for ring in rings))

    assert sorted(map(len, filter(None, found))) == [1, 1, 1]


async def test_a_check_value_says_nothing_of_its_key(sessions: Sessions, key_ring: KeyRing, tmp_path: Path) -> None:
    await check_key_ring(sessions, key_ring)
    key_ring.write(tmp_path / "ring.json")
    body = json.loads((tmp_path / "ring.json").read_text())

    async with sessions() as session:
        kept = {row.id: row.check_value for row in await session.execute(select(ring_keys))}

    secrets = [base64.b64decode(one) for one in (*body["keys"].values(), body["hash_key"])]
    assert set(kept) == {HASH_KEY, "test-1"}
    assert not any(secret in kept.values() for secret in secrets)


@pytest.mark.parametrize("key_id", ["test-1", HASH_KEY])
async def test_a_key_ring_of_other_bytes_is_not_ready(
    sessions: Sessions, key_ring: KeyRing, clock: SettableClock, key_id: str
) -> None:
    await check_key_ring(sessions, key_ring)
    async with sessions.begin() as session:
        await session.execute(update(ring_keys).where(ring_keys.c.id == key_id).values(check_value=b"another"))

    async with a_service(sessions, key_ring, clock) as client:
        failed = await client.get("/health/ready")
        async with sessions.begin() as session:
            await session.execute(delete(ring_keys))
        mended = await client.get("/health/ready")

    assert (failed.status_code, failed.json()["checks"]["keyRing:keys"][0]["status"]) == (503, "fail")
    assert mended.status_code == 200


async def test_an_api_whose_database_comes_late_takes_nothing_before_it_has_looked_at_its_key_ring(
    service: Service, database_url: str, tmp_path: Path, wire: Wire
) -> None:
    await service.submit()
    await check_key_ring(service.sessions, service.key_ring)
    wrong = a_ring(service.key_ring, tmp_path, keys={"test-1": fresh()})
    wire.lose(Fate.SILENT)
    port = free_port()
    async with (
        lintas(tmp_path, wrong, through(wire, database_url), "serve", "--port", str(port)) as api,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):

        async def is_live() -> bool:
            try:
                return (await client.get("/health/live")).status_code == 200
            except httpx.HTTPError:
                return False

        await until(is_live, within=60)
        refused = await client.post("/v1/referrals", json=a_referral(), headers={"Authorization": "Bearer x"})
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        wire.heal()

        assert await asyncio.wait_for(api.wait(), 60) == 1
    assert says(tmp_path, "other bytes: test-1")


async def test_a_process_says_which_keys_it_has_for_as_long_as_it_runs(
    service: Service, database_url: str, tmp_path: Path
) -> None:
    async def holders() -> list[tuple[str, str, list[str]]]:
        async with service.sessions() as session:
            found = await session.execute(select(ring_holders.c.process, ring_holders.c.active, ring_holders.c.holds))
            return [(row.process.split()[0], row.active, row.holds) for row in found]

    async with lintas(tmp_path, service.key_ring, database_url, "work") as worker:

        async def is_there() -> bool:
            return await holders() == [("worker", "test-1", ["test-1"])]

        await until(is_there, within=60)
        assert await ended(worker) == 0

    assert await holders() == []
