"""Everything is sealed anew under another key while the service runs, and an old key is known to be needed no more."""

import asyncio
import json
import signal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import make_url, select, update
from uuid_utils.compat import uuid7

from app.storage import personal_data, ring_holders
from app.storage.database import open_engine, sessions_of
from app.storage.sealed_places import SEALED_PLACES
from app.storage.sealing import KeyRing
from app.storage.tables import audit, data_keys
from app.workflows.rotate_seal import rotate_seal, seal_status
from chaos.wire import Wire
from tests.audit.test_commands import lintas
from tests.cli.test_stopping import lintas as a_process
from tests.cli.test_stopping import wire
from tests.delivery.world import until
from tests.sealing.filled import add_data_keys, changed, fill, opened
from tests.workflows.conftest import Service, service

__all__ = ["service", "wire"]


@pytest.fixture
def newer(key_ring: KeyRing, tmp_path: Path) -> KeyRing:
    """The tests' ring, with a newer key that is active."""
    return changed(key_ring, tmp_path, add=("newer",), active="newer")


async def test_everything_lies_under_the_active_key_afterwards_and_opens_without_the_old_one(
    service: Service, newer: KeyRing, tmp_path: Path
) -> None:
    await fill(service)
    before = await opened(service.sessions, service.key_ring)
    told: list[tuple[str, int, int]] = []

    rotated = await rotate_seal(service.sessions, newer, on_progress=lambda *one: told.append(one), portion=1)

    alone = changed(newer, tmp_path, active="newer", drop=("test-1",))
    assert await opened(service.sessions, alone) == before
    assert rotated.is_whole
    assert rotated.resealed == sum(dict(rotated.status.counts[place.name])["newer"] for place in SEALED_PLACES)
    assert all(set(of) == {"newer"} for of in rotated.status.counts.values())
    assert rotated.status.may_go("test-1")
    assert not rotated.status.may_go("newer")
    for place in SEALED_PLACES:
        steps = [(done, total) for name, done, total in told if name == place.name]
        assert steps[0][0] == 0
        assert (steps[-1][1], steps[-1][1]) in steps


async def test_a_rotation_leaves_one_entry_in_the_audit_and_one_that_finds_nothing_leaves_none(
    service: Service, newer: KeyRing
) -> None:
    await fill(service)

    await rotate_seal(service.sessions, newer)
    again = await rotate_seal(service.sessions, newer)

    assert (again.resealed, again.is_whole) == (0, True)
    async with service.sessions() as session:
        entries = (await session.execute(select(audit).where(audit.c.action == "seal.rotate"))).all()
    assert [(one.subject, one.subject_id, one.purpose) for one in entries] == [("key_ring", "newer", "administer")]


async def test_two_at_once_seal_each_row_once(service: Service, newer: KeyRing) -> None:
    await fill(service)
    await add_data_keys(service.sessions, service.key_ring, 60)
    number = (await seal_status(service.sessions, newer)).left

    both = await asyncio.gather(*(rotate_seal(service.sessions, newer, portion=7) for _ in range(2)))

    assert all(one.is_whole for one in both)
    assert sum(one.resealed for one in both) == number


async def test_what_a_process_with_the_old_ring_seals_meanwhile_is_found_and_said(
    service: Service, newer: KeyRing, tmp_path: Path
) -> None:
    await fill(service)
    await add_data_keys(service.sessions, service.key_ring, 30)
    # It has the newer key, and goes on sealing under the old one: it was not started anew since that became active.
    old_process = uuid7()
    not_yet_active = changed(newer, tmp_path, active="test-1")
    async with service.sessions.begin() as tx:
        await ring_holders.hold(tx, not_yet_active, old_process, "api somewhere:1")
    running = asyncio.create_task(rotate_seal(service.sessions, newer, portion=20))

    written = 0
    while not running.done():
        await add_data_keys(service.sessions, not_yet_active, 5)
        written += 5
    meanwhile = await running
    async with service.sessions.begin() as tx:
        await ring_holders.leave(tx, old_process)
    after = await rotate_seal(service.sessions, newer)

    assert not meanwhile.is_whole
    assert [one.process for one in meanwhile.status.sealing_otherwise] == ["api somewhere:1"]
    assert not meanwhile.status.may_go("test-1")
    assert written > 5
    assert after.is_whole


async def test_a_case_that_is_worked_on_meanwhile_is_not_lost(service: Service, newer: KeyRing, tmp_path: Path) -> None:
    referral = await service.submit()
    await add_data_keys(service.sessions, service.key_ring, 40)
    running = asyncio.create_task(rotate_seal(service.sessions, newer, portion=1))

    written = 0
    with_both = changed(newer, tmp_path, active="test-1")
    while not running.done():
        async with service.sessions.begin() as tx:
            await personal_data.reseal(tx, with_both, UUID(referral["id"]), {"narrative": f"{written}"})
        written += 1
    assert (await running).is_whole
    async with service.sessions.begin() as tx:
        found = await personal_data.unseal(tx, newer, UUID(referral["id"]), ["narrative", "victim.name"])
    assert found == {"narrative": f"{written - 1}", "victim.name": "Contoh Seorang"}


async def test_a_row_that_somebody_holds_is_waited_for_and_holds_up_no_other(service: Service, newer: KeyRing) -> None:
    await add_data_keys(service.sessions, service.key_ring, 5)

    async with service.sessions.begin() as held:
        await held.execute(select(data_keys).order_by(data_keys.c.referral_id).limit(1).with_for_update())
        running = asyncio.create_task(rotate_seal(service.sessions, newer))

        async def all_but_one() -> bool:
            return (await seal_status(service.sessions, newer)).left == 1

        await until(all_but_one, within=60)
        assert not running.done()

    assert (await running).is_whole


async def test_what_does_not_open_is_left_counted_and_holds_up_no_other(service: Service, newer: KeyRing) -> None:
    await add_data_keys(service.sessions, service.key_ring, 5)
    async with service.sessions.begin() as tx:
        one = select(data_keys.c.referral_id).limit(1).scalar_subquery()
        await tx.execute(update(data_keys).where(data_keys.c.referral_id == one).values(wrapped=b"\x01nonsense"))

    rotated = await rotate_seal(service.sessions, newer, portion=2)

    assert (rotated.resealed, rotated.broken, rotated.status.left, rotated.is_whole) == (4, 1, 1, False)
    assert not rotated.status.may_go("test-1")


async def test_nothing_is_sealed_under_a_key_that_a_running_process_does_not_have(
    service: Service, newer: KeyRing
) -> None:
    await fill(service)
    async with service.sessions.begin() as tx:
        await ring_holders.hold(tx, service.key_ring, uuid7(), "worker somewhere:2")

    rotated = await rotate_seal(service.sessions, newer)

    assert [one.process for one in rotated.refused] == ["worker somewhere:2"]
    assert (rotated.resealed, rotated.is_whole) == (0, False)
    assert set(rotated.status.counts["data_keys.wrapped"]) == {"test-1"}


async def test_a_database_that_is_away_for_a_moment_ends_no_rotation(
    service: Service, database_url: str, newer: KeyRing, wire: Wire
) -> None:
    await add_data_keys(service.sessions, service.key_ring, 60)
    engine = open_engine(make_url(database_url).set(port=wire.port).render_as_string(hide_password=False))

    def cut(place: str, done: int, _: int) -> None:
        if place == "data_keys.wrapped" and done == 30:
            wire.cut()

    rotated = await rotate_seal(sessions_of(engine), newer, portion=5, on_progress=cut)
    await engine.dispose()

    assert rotated.is_whole


@pytest.fixture
def place(tmp_path: Path, newer: KeyRing) -> Path:
    newer.write(tmp_path / "ring.json")
    return tmp_path


async def test_who_is_killed_goes_on_where_they_were(
    service: Service, database_url: str, newer: KeyRing, tmp_path: Path
) -> None:
    await fill(service)
    await add_data_keys(service.sessions, service.key_ring, 800)
    before = await opened(service.sessions, service.key_ring)
    number = (await seal_status(service.sessions, newer)).left

    async with a_process(tmp_path, newer, database_url, "keys", "rotate-seal", "--portion", "1") as first:

        async def has_begun() -> bool:
            return (await seal_status(service.sessions, newer)).left < number

        await until(has_begun, within=60)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    left = (await seal_status(service.sessions, newer)).left
    second = await lintas(database_url, tmp_path, "rotate-seal", group="keys")

    assert 0 < left < number
    assert second.status == 0, second.err
    assert f"sealed anew under newer: {left:,}" in second.out
    assert "nothing is left under another key" in second.out
    assert "data_keys.wrapped: " in second.err
    assert await opened(service.sessions, newer) == before


async def test_an_operator_sees_by_the_status_when_an_old_key_may_go(
    service: Service, database_url: str, place: Path
) -> None:
    await fill(service)
    before = await lintas(database_url, place, "seal-status", group="keys")
    kept = await lintas(database_url, place, "forget-seal", "test-1", group="keys")
    await lintas(database_url, place, "rotate-seal", group="keys")
    after = await lintas(database_url, place, "seal-status", group="keys")
    as_json = json.loads((await lintas(database_url, place, "seal-status", "--json", group="keys")).out)
    forgotten = await lintas(database_url, place, "forget-seal", "test-1", group="keys")

    assert "test-1: masih dipakai / still in use" in before.out
    assert "newer: aktif / active" in before.out
    assert kept.status == 1
    assert "rows are sealed under this key" in kept.err
    assert "test-1: boleh dikeluarkan / may be taken out" in after.out
    assert as_json["keys"]["test-1"] == {"rows": 0, "in_ring": True, "may_be_taken_out": True, "places": {}}
    assert set(as_json["keys"]["newer"]["places"]) == {place.name for place in SEALED_PLACES}
    assert forgotten.status == 0


async def test_a_key_that_was_lost_keeps_nobody_from_saving_the_rest_and_is_named(
    service: Service, database_url: str, newer: KeyRing, tmp_path: Path
) -> None:
    await add_data_keys(service.sessions, changed(newer, tmp_path, add=("lost",), active="lost"), 3)
    await add_data_keys(service.sessions, service.key_ring, 4)
    newer.write(tmp_path / "ring.json")

    said = await lintas(database_url, tmp_path, "rotate-seal", group="keys")
    status = await lintas(database_url, tmp_path, "seal-status", group="keys")

    assert said.status == 1
    assert "sealed anew under newer: 4" in said.out
    assert "do not open, left as they are: 3" in said.out
    assert "still sealed under lost: 3" in said.out
    assert "lost: HILANG / MISSING from the ring" in status.out
