"""Entries are linked in an order that stands, by one process at a time, and nobody who writes waits for it."""

import asyncio
import json

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from structlog.testing import capture_logs

from app.domain.audit_anchors import read_anchors
from app.storage import audit, audit_chain
from app.storage.sealing import KeyRing
from app.storage.tables import audit as entries
from app.storage.tables import audit_segments
from app.workflows.link_audit import SIGNS_FOR, Said, link_audit
from tests.audit.chain import a_chain, link, real_log, verify, write

Sessions = async_sessionmaker[AsyncSession]


async def test_an_entry_that_commits_late_is_waited_for_and_never_passed_over(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    async with sessions() as slow:
        await audit.record(slow, None, "referral.read", subject="referral", subject_id="began first")
        await write(sessions, "committed first")

        assert await link_audit(sessions, key_ring, Said()) == 0

        await slow.commit()
    assert await link_audit(sessions, key_ring, Said()) == 2
    assert (await verify(sessions, key_ring, None)).is_sound


async def test_whoever_writes_does_not_wait_for_who_links(sessions: Sessions, key_ring: KeyRing) -> None:
    async with sessions.begin() as linker:
        assert await audit_chain.link_alone(linker)

        await asyncio.wait_for(write(sessions, "one", "two"), 10)

        assert await link_audit(sessions, key_ring, Said()) == 0
    assert await link_audit(sessions, key_ring, Said()) == 2


async def test_many_who_write_and_several_who_link_make_one_chain_of_all(sessions: Sessions, key_ring: KeyRing) -> None:
    done = asyncio.Event()

    async def write_many(who: int) -> None:
        await write(sessions, *(f"{who}-{number}" for number in range(40)))

    async def link_on() -> None:
        while not done.is_set():
            await link_audit(sessions, key_ring, Said(), batch=7)
            await asyncio.sleep(0)

    linkers = [asyncio.create_task(link_on()) for _ in range(3)]
    await asyncio.gather(*(write_many(who) for who in range(6)))
    done.set()
    await asyncio.gather(*linkers)
    await link(sessions, key_ring)
    verified = await verify(sessions, key_ring, None)

    assert verified.is_sound
    assert (verified.entries, verified.unlinked) == (240, 0)


async def test_a_head_is_said_once_it_is_linked_and_once_more_by_whoever_starts(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    said = Said()
    await write(sessions, "one")

    with capture_logs() as lines:
        await link_audit(sessions, key_ring, said)
        await link_audit(sessions, key_ring, said)
        await link_audit(sessions, key_ring, Said())

    assert [(line["event"], line["segment"]) for line in lines] == [("audit_head", 1), ("audit_head", 1)]


async def test_the_log_as_it_is_written_holds_anchors_that_can_be_read(sessions: Sessions, key_ring: KeyRing) -> None:
    with real_log() as out:
        await write(sessions, "one", "two")
        await link_audit(sessions, key_ring, Said())
    lines = out.getvalue().encode().splitlines()

    verified = await verify(sessions, key_ring, lines)

    assert verified.is_sound
    assert verified.anchors == 1
    assert "withheld" not in json.loads(lines[0])
    (anchor,) = read_anchors(lines)
    assert anchor.said is not None
    assert anchor.said.is_signed_by(key_ring.signing_key(SIGNS_FOR).public_key())


async def test_entries_that_wait_for_long_are_told_of(sessions: Sessions, key_ring: KeyRing) -> None:
    async with sessions() as hangs:
        await hangs.execute(select(func.pg_current_xact_id()))
        async with sessions.begin() as tx:
            await tx.execute(
                text(
                    "INSERT INTO audit (id, at, action, subject, subject_id)"
                    " VALUES (gen_random_uuid(), clock_timestamp() - interval '2 minutes', 'a', 'b', 'c')"
                )
            )

        with capture_logs() as lines:
            await link_audit(sessions, key_ring, Said())

    (line,) = lines
    assert (line["event"], line["log_level"]) == ("audit_unlinked", "warning")
    assert line["seconds"] >= 120


async def test_linking_changes_no_entry(sessions: Sessions, key_ring: KeyRing) -> None:
    await write(sessions, "one")
    async with sessions() as session:
        before = (await session.execute(select(entries, text("ctid::text")))).all()

    await a_chain(sessions, key_ring, entries=0)

    async with sessions() as session:
        assert (await session.execute(select(entries, text("ctid::text")))).all() == before
        assert await session.scalar(select(func.count()).select_from(audit_segments)) == 1
