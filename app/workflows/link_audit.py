"""The audit is linked: batch after batch is sealed into a chain, whose signed head goes where no database owner is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_chain import BEFORE_ALL, Root, Segment, link
from app.storage import audit_chain
from app.storage.sealing import KeyRing
from app.storage.shared_clock import real_time

log = structlog.get_logger()

SIGNS_FOR = "audit"
A_BATCH = 5000
SAY_AGAIN_AFTER = timedelta(minutes=10)
WAITS_TOO_LONG = timedelta(seconds=30)


@dataclass(slots=True)
class Said:
    """What this process said of the chain last: a head that stands is said again, so that a cut shows by itself."""

    segment: int = 0
    at: datetime | None = None


async def link_audit(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    said: Said,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    batch: int = A_BATCH,
) -> int:
    """Link what can be linked, and say each new head in the log once it is committed; give the number of entries.

    Any number of processes may do this at once: one of them links, and nobody who writes waits for it.
    """
    linked, last = 0, batch
    while last == batch and not is_stopped():
        last = await _link_batch(sessions, key_ring, said, batch)
        linked += last
    async with sessions.begin() as session:
        waited = await audit_chain.waiting_since(session)
    if waited is not None and waited > WAITS_TOO_LONG.total_seconds():
        log.warning("audit_unlinked", seconds=round(waited))
    return linked


async def _link_batch(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, said: Said, batch: int) -> int:
    async with sessions.begin() as session:
        if not await audit_chain.link_alone(session):
            return 0
        end = await audit_chain.last_segment(session)
        entries = await audit_chain.to_be_linked(session, end.last if end else BEFORE_ALL, limit=batch)
        now = await real_time(session)
        if entries:
            root = Root()
            for entry in entries:
                root.add(entry)
            place = entries[-1]["xact"], entries[-1]["id"]
            end = link(end, root, place, linked_at=now, key=key_ring.signing_key(SIGNS_FOR))
            await audit_chain.add_segment(session, end)
    # Committed: what is said is what stands.
    if end is not None and (entries or said.at is None or now - said.at >= SAY_AGAIN_AFTER):
        _say(end, key_ring)
        said.segment, said.at = end.number, now
    return len(entries)


def _say(segment: Segment, key_ring: KeyRing) -> None:
    log.info("audit_head", **segment.signed.to_log(key_ring.signing_key(SIGNS_FOR).public_key()))
