"""What the audit has kept for long enough is dropped: whole segments that an anchor vouches for, and nothing else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_anchors import Anchor
from app.domain.audit_chain import drop
from app.domain.audit_findings import FindingKind, Verified
from app.storage import audit, audit_chain
from app.storage.sealing import KeyRing
from app.storage.shared_clock import real_time
from app.workflows.link_audit import SIGNS_FOR
from app.workflows.verify_audit import verify_audit

AT_ONCE = 20_000
"""Entries that are deleted in one transaction: the feed waits for a long one."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped; nothing, where the audit is not as it was."""

    verified: Verified
    up_to: int = 0
    entries: int = 0

    @property
    def is_refused(self) -> bool:
        """Say whether nothing may be dropped, because nobody could tell afterwards what is wrong now."""
        return bool(set(self.verified.counts) - {FindingKind.ENTRIES_LEFT})


async def drop_audit(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    anchors: Iterable[Anchor],
    *,
    before: datetime,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Dropped:
    """Drop the segments all of whose entries are older than a moment, as far as an anchor vouches for them.

    The whole audit is verified first. The segments' own rows stay, and with them the chain. What was broken off is
    taken up again. It needs the role that owns the tables.
    """
    key = key_ring.signing_key(SIGNS_FOR)
    verified = await verify_audit(sessions, key.public_key(), anchors, on_progress=on_progress)
    refused = Dropped(verified)
    if refused.is_refused:
        return refused
    async with sessions.begin() as session:
        last = await audit_chain.last_before(session, before, up_to=verified.anchored_up_to)
        up_to = max(last.number if last else 0, verified.dropped_up_to)
        if up_to > verified.dropped_up_to:
            # Said before anything is gone: entries that are missing without a word are entries that were taken.
            now = await real_time(session)
            await audit_chain.add_drop(session, drop(up_to, dropped_at=now, key=key))
            await audit.record(session, None, "audit.drop", subject="audit", subject_id=up_to)
        end = (await audit_chain.segments_of(session, [up_to])).get(up_to)
    dropped, gone = 0, AT_ONCE
    while end is not None and gone == AT_ONCE:
        async with sessions.begin() as session:
            gone = await audit_chain.drop_entries(session, to=end.last, limit=AT_ONCE)
        dropped += gone
    return Dropped(verified, up_to, dropped)
