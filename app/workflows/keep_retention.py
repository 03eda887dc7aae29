"""What was kept for long enough is erased: in portions, and never what runs, is restricted or under legal hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.months import months_later
from app.domain.retention import written
from app.domain.rights import Erasure, ErasureCause
from app.observability import told_of
from app.storage import cases, erasing, rights
from app.storage.database import is_gone, is_passing
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.desk import Desk, Terms
from app.workflows.erase_referral import erase

log = structlog.get_logger(__name__)

A_PORTION = 100


@dataclass(frozen=True, slots=True)
class Worker:
    """What the erasing of what is due works with."""

    sessions: async_sessionmaker[AsyncSession]
    keeper: ReferenceKeeper
    key_ring: KeyRing
    terms: Terms
    now: Callable[[], datetime]
    is_stopped: Callable[[], bool] = lambda: False


async def keep_retention(worker: Worker, *, portion: int = A_PORTION) -> int:
    """Erase every case whose time is over, each in its own transaction; give their number.

    Any number of processes may do this at once. One that cannot be erased is an alert and keeps no other from it.
    """
    erased = 0
    for (kind, ended), months in worker.terms.retention.months.items():
        if months is not None and not worker.is_stopped():
            erased += await _erase_class(worker, written(kind, ended), months_later(worker.now(), -months), portion)
    if erased:
        log.info("retention_kept", count=erased)
    return erased


async def _erase_class(worker: Worker, kept_as: str, before: datetime, portion: int) -> int:
    erased, after = 0, None
    while not worker.is_stopped():
        async with worker.sessions.begin() as tx:
            due = await erasing.due(tx, kept_as, ended_before=before, after=after, limit=portion)
        for _, referral_id in due:
            if worker.is_stopped():
                return erased
            try:
                erased += await _erase_one(worker, referral_id, before)
            except Exception as error:
                if is_gone(error):
                    raise
                if is_passing(error):
                    log.warning("retention_waits", referral_id=str(referral_id), error=type(error).__name__)
                else:
                    log.error("retention_failed", referral_id=str(referral_id), **told_of(error))  # noqa: TRY400
        if len(due) < portion:
            return erased
        after = due[-1]
    return erased


async def _erase_one(worker: Worker, referral_id: UUID, before: datetime) -> bool:
    async with worker.sessions.begin() as tx:
        reference = await worker.keeper.current(tx)
        if not await erasing.lock_free(tx, referral_id):
            return False
        desk = Desk(tx, worker.now(), reference, worker.keeper, worker.terms, worker.key_ring)
        case = await cases.lock(tx, referral_id, public_url=worker.terms.public_url)
        if case is None:
            return False
        is_due = case.referral.ended_at is not None and case.referral.ended_at <= before
        settled = case.referral.erased_at is not None or case.referral.restricted_at is not None
        if not is_due or settled:
            return False
        # What was set between the look and the lock counts too.
        if any(hold.lifted_at is None for hold in await rights.holds_of(tx, referral_id)):
            return False
        await erase(desk, None, case, Erasure(uuid7(), referral_id, desk.now, ErasureCause.RETENTION))
    return True
