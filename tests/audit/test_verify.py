"""Whatever an owner of the database does to the audit, somebody who kept the log finds out."""

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_chain import BEFORE_ALL, GENESIS, Root, Segment, link
from app.domain.audit_findings import FindingKind
from app.storage import audit_chain
from app.storage.sealing import KeyRing
from app.storage.tables import audit_segments
from app.workflows.link_audit import SIGNS_FOR
from tests.audit.chain import a_chain, found, logged, tamper, verify, write
from tests.audit.chain import link as link_now

Sessions = async_sessionmaker[AsyncSession]
CASE_4 = "WHERE subject_id = 'case-4'"
RENAMED = "UPDATE audit SET agency_code = 'somebody-else' WHERE subject_id = 'case-4'"


async def test_an_audit_that_nobody_touched_is_whole(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    verified = await verify(sessions, key_ring, log)

    assert verified.is_sound
    assert (verified.entries, verified.segments, verified.anchors, verified.anchored_up_to) == (9, 3, 3, 3)


@pytest.mark.parametrize(
    "change",
    [
        "action = 'referral.submit'",
        "agency_code = 'dp3a-kukar'",
        "key_id = gen_random_uuid()",
        "at = at + interval '1 microsecond'",
        "fields = '{}'",
        "fields = NULL",
        "roles = '{operator}'",
        "purpose = 'serve'",
        "basis = 'consent'",
        "result = 'withheld'",
        "referral_id = gen_random_uuid()",
        "subject_id = 'case-x'",
        "subject = 'handoff'",
        "request_id = 'other'",
    ],
)
async def test_an_entry_that_was_changed_is_found_with_its_segment(
    sessions: Sessions, key_ring: KeyRing, change: str
) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(sessions, f"UPDATE audit SET {change} {CASE_4}")  # noqa: S608 - our own words
    verified = await verify(sessions, key_ring, log)

    assert [(one.kind, one.segment) for one in verified.findings] == [(FindingKind.ENTRIES_CHANGED, 2)]


async def test_an_entry_that_was_removed_is_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(sessions, f"DELETE FROM audit {CASE_4}")  # noqa: S608 - our own words
    (finding,) = (await verify(sessions, key_ring, log)).findings

    assert (finding.kind, finding.segment, finding.expected, finding.found) == (FindingKind.ENTRIES_REMOVED, 2, 3, 2)


async def test_an_entry_that_was_put_into_the_past_is_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(
        sessions,
        "INSERT INTO audit (id, action, subject, subject_id, xact)"
        " SELECT gen_random_uuid(), 'referral.read', 'referral', 'case-x', xact FROM audit WHERE subject_id = 'case-4'",
    )
    verified = await verify(sessions, key_ring, log)

    assert FindingKind.ENTRIES_ADDED in verified.counts


async def test_entries_that_changed_places_are_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(
        sessions,
        "UPDATE audit AS one SET xact = other.xact FROM audit AS other WHERE (one.subject_id, other.subject_id)"
        " IN (('case-3', 'case-4'), ('case-4', 'case-3'))",
    )

    assert await found(sessions, key_ring, log) == {FindingKind.ENTRIES_CHANGED}


async def test_segments_that_changed_places_are_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(
        sessions,
        "UPDATE audit_segments SET number = -number",
        "UPDATE audit_segments SET number = CASE number WHEN -1 THEN 2 WHEN -2 THEN 1 ELSE -number END",
    )

    assert FindingKind.SEGMENT_CHANGED in await found(sessions, key_ring, log)


async def test_a_segment_that_was_taken_out_with_its_entries_is_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(
        sessions,
        "DELETE FROM audit WHERE subject_id IN ('case-3', 'case-4', 'case-5')",
        "DELETE FROM audit_segments WHERE number = 2",
    )

    assert FindingKind.SEGMENT_MISSING in await found(sessions, key_ring, log)
    assert FindingKind.SEGMENT_MISSING in await found(sessions, key_ring, None)


async def test_a_tail_that_was_cut_is_found_by_an_anchor_and_by_nothing_else(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(
        sessions,
        "DELETE FROM audit WHERE subject_id IN ('case-6', 'case-7', 'case-8')",
        "DELETE FROM audit_segments WHERE number = 3",
    )

    assert await found(sessions, key_ring, log) == {FindingKind.TAIL_CUT}
    assert await found(sessions, key_ring, None) == set()


async def test_a_tail_that_was_cut_and_grew_again_is_found(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)
    await tamper(
        sessions,
        "DELETE FROM audit WHERE subject_id IN ('case-6', 'case-7', 'case-8')",
        "DELETE FROM audit_segments WHERE number = 3",
    )

    await write(sessions, "later-1", "later-2", "later-3")
    more = logged(await link_now(sessions, key_ring))

    assert await found(sessions, key_ring, log + more) == {FindingKind.CHAIN_RECOMPUTED}


async def test_a_chain_recomputed_without_the_key_ring_shows_even_without_anchors(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(sessions, RENAMED)
    await recompute(sessions, KeyRing.generate("of-the-owner"))

    assert await found(sessions, key_ring, None) == {FindingKind.SIGNATURE_WRONG}
    assert await found(sessions, key_ring, log) == {FindingKind.SIGNATURE_WRONG, FindingKind.CHAIN_RECOMPUTED}


async def test_a_chain_recomputed_with_the_key_ring_is_found_by_an_anchor(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(sessions, RENAMED)
    await recompute(sessions, key_ring)

    assert await found(sessions, key_ring, None) == set()
    assert await found(sessions, key_ring, log) == {FindingKind.CHAIN_RECOMPUTED}


@pytest.mark.parametrize("change", ["count = 4", "entries = 7", "newest_at = now()", "root = head"])
async def test_a_segment_that_was_changed_is_found(sessions: Sessions, key_ring: KeyRing, change: str) -> None:
    log = await a_chain(sessions, key_ring)

    await tamper(sessions, f"UPDATE audit_segments SET {change} WHERE number = 2")  # noqa: S608 - our own words

    assert FindingKind.SEGMENT_CHANGED in await found(sessions, key_ring, log)


async def test_an_anchor_that_was_made_up_proves_nothing(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    forged = [line.replace(b'"segment": 3', b'"segment": 4') for line in log[2:]]
    torn = [b'{"event": "audit_head", "segment": 3']

    assert await found(sessions, key_ring, [*log, *forged]) == {FindingKind.ANCHOR_FORGED}
    assert await found(sessions, key_ring, [*log, *torn]) == {FindingKind.ANCHOR_UNREADABLE}


async def test_anchors_are_found_in_any_order_among_other_lines_and_in_a_collectors_wrapping(
    sessions: Sessions, key_ring: KeyRing
) -> None:
    one, two, three = await a_chain(sessions, key_ring)
    wrapped = b'{"log": ' + quoted(two) + b', "stream": "stdout"}'

    verified = await verify(
        sessions, key_ring, [b"starting", three, b'{"event": "request"}', b"2025-03-04 lintas: " + one, wrapped, one]
    )

    assert verified.is_sound
    assert (verified.anchors, verified.anchored_up_to) == (4, 3)


async def test_what_is_not_linked_yet_is_counted_and_no_fault(sessions: Sessions, key_ring: KeyRing) -> None:
    log = await a_chain(sessions, key_ring)

    await write(sessions, "new-1", "new-2")
    verified = await verify(sessions, key_ring, log)

    assert verified.is_sound
    assert verified.unlinked == 2


async def test_entries_are_read_page_by_page(sessions: Sessions, key_ring: KeyRing) -> None:
    async with sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO audit (id, action, subject, subject_id)"
                " SELECT gen_random_uuid(), 'referral.read', 'referral', n::text FROM generate_series(1, 25000) AS n"
            )
        )
    log = logged(await link_now(sessions, key_ring, batch=4000))

    verified = await verify(sessions, key_ring, log)

    assert verified.is_sound
    assert (verified.entries, verified.segments) == (25000, 7)


async def recompute(sessions: Sessions, key_ring: KeyRing) -> None:
    """Write the whole chain anew over what the entries are now."""
    async with sessions() as session:
        segments = list((await session.scalars(select(audit_segments.c.number))).all())
        old = await audit_chain.segments_of(session, segments)
    before: Segment | None = None
    place, made = BEFORE_ALL, []
    for number in sorted(old):
        root = Root()
        async for page in audit_chain.entries_between(sessions, place, old[number].last):
            for entry in page:
                root.add(entry)
        place = old[number].last
        before = link(before, root, place, linked_at=old[number].linked_at, key=key_ring.signing_key(SIGNS_FOR))
        made.append(before)
    assert made[0].follows(GENESIS)
    await tamper(sessions, "DELETE FROM audit_segments")
    async with sessions.begin() as tx:
        for segment in made:
            await audit_chain.add_segment(tx, segment)


def quoted(line: bytes) -> bytes:
    return json.dumps(line.decode() + "\n").encode()
