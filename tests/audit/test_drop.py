"""Whole segments that an anchor vouches for are dropped; what is left is verified as before."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_anchors import read_anchors
from app.domain.audit_findings import FindingKind
from app.storage.sealing import KeyRing
from app.storage.tables import audit as entries
from app.storage.tables import audit_segments
from app.workflows.drop_audit import Dropped, drop_audit
from tests.audit.chain import a_chain, found, link, logged, tamper, verify, write

Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def cut(sessions: Sessions, key_ring: KeyRing) -> tuple[list[bytes], datetime]:
    """A chain of three segments with its anchors, and the moment between the second and the third."""
    log = await a_chain(sessions, key_ring, entries=6)
    async with sessions() as session:
        moment = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    await write(sessions, "new-1", "new-2", "new-3")
    return log + logged(await link(sessions, key_ring)), moment


async def drop(sessions: Sessions, key_ring: KeyRing, log: list[bytes], before: datetime) -> Dropped:
    return await drop_audit(sessions, key_ring, read_anchors(log), before=before)


async def test_old_segments_are_dropped_and_the_chain_is_verified_from_the_first_that_is_kept(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, moment = cut

    dropped = await drop(sessions, key_ring, log, moment)
    log += logged(await link(sessions, key_ring))
    verified = await verify(sessions, key_ring, log)

    assert (dropped.up_to, dropped.entries) == (2, 6)
    assert verified.is_sound
    assert (verified.dropped_up_to, verified.entries, verified.segments) == (2, 4, 4)
    async with sessions() as session:
        kept = set((await session.scalars(select(entries.c.subject_id))).all())
        assert kept == {"new-1", "new-2", "new-3", "2"}
        assert await session.scalar(select(func.count()).select_from(audit_segments)) == 4


async def test_dropping_is_itself_an_entry(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, moment = cut

    await drop(sessions, key_ring, log, moment)

    async with sessions() as session:
        assert await session.scalar(select(entries.c.subject_id).where(entries.c.action == "audit.drop")) == "2"


async def test_a_segment_with_one_entry_that_is_too_young_stays_whole(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, _ = cut
    async with sessions() as session:
        second_last = await session.scalar(select(entries.c.at).where(entries.c.subject_id == "case-4"))
    assert second_last is not None

    dropped = await drop(sessions, key_ring, log, second_last)

    assert (dropped.up_to, dropped.entries) == (1, 3)


async def test_what_no_anchor_vouches_for_is_not_dropped(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, _ = cut
    later = datetime.now(UTC) + timedelta(days=1)  # noqa: TID251 - after all that was written

    assert (await drop(sessions, key_ring, [], later)).up_to == 0
    assert (await drop(sessions, key_ring, log[:1], later)).up_to == 1


async def test_nothing_is_dropped_from_an_audit_that_is_not_whole(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, moment = cut
    await tamper(sessions, "UPDATE audit SET action = 'x' WHERE subject_id = 'new-2'")

    dropped = await drop(sessions, key_ring, log, moment)

    assert dropped.is_refused
    assert dropped.entries == 0
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(entries)) == 9


async def test_a_drop_that_was_broken_off_is_found_and_taken_up_again(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, moment = cut
    async with sessions() as session:
        left = (await session.execute(select(entries).where(entries.c.subject_id == "case-4"))).mappings().one()
    await drop(sessions, key_ring, log, moment)
    async with sessions.begin() as tx:
        await tx.execute(entries.insert().values(**left))

    assert await found(sessions, key_ring, log) == {FindingKind.ENTRIES_LEFT}
    again = await drop(sessions, key_ring, log, moment)

    assert (again.up_to, again.entries) == (2, 1)
    assert (await verify(sessions, key_ring, log)).is_sound


async def test_a_drop_that_the_key_ring_did_not_sign_hides_nothing(
    sessions: Sessions, key_ring: KeyRing, cut: tuple[list[bytes], datetime]
) -> None:
    log, _ = cut

    await tamper(
        sessions,
        "DELETE FROM audit WHERE subject_id IN ('case-0', 'case-1', 'case-2')",
        "INSERT INTO audit_drops VALUES (1, now(), decode(repeat('00', 64), 'hex'))",
    )

    assert await found(sessions, key_ring, log) == {FindingKind.DROP_UNSIGNED, FindingKind.ENTRIES_REMOVED}
