"""First answers: kept with the work they answer, found again by the key that came with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.cases import is_restricted
from app.storage.tables import idempotency_records, referrals

PURPOSE = "idempotency"
KEPT_FOR = timedelta(hours=72)
AT_ONCE = 1000
"""How many answers past their time are deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was answered the first time; the answer itself is sealed, and empty once its case was erased."""

    request_hash: bytes
    status: int
    sealed: bytes
    referral_id: UUID | None = None
    """Which case it tells of."""
    restricted_at: datetime | None = None
    """Since when nobody may see that case."""


def subject_of(agency_code: str, key_hash: bytes) -> str:
    """Say what a first answer is sealed for."""
    return f"{agency_code}|{key_hash.hex()}"


async def hold(session: AsyncSession, key_hash: bytes) -> bool:
    """Hold a key until the transaction ends; False, without waiting, if another transaction holds it."""
    held: bool | None = await session.scalar(
        select(func.pg_try_advisory_xact_lock(int.from_bytes(key_hash[:8], signed=True)))
    )
    return bool(held)


async def find(session: AsyncSession, *, agency_code: str, key_hash: bytes) -> FirstAnswer | None:
    """Find the first answer to a key that is held; one past its time is as absent."""
    row = (
        await session.execute(
            select(
                idempotency_records.c.request_hash,
                idempotency_records.c.status,
                idempotency_records.c.answer,
                idempotency_records.c.referral_id,
                case((is_restricted(), referrals.c.restricted_at)),
            )
            .outerjoin(referrals, referrals.c.id == idempotency_records.c.referral_id)
            .where(
                idempotency_records.c.agency_code == agency_code,
                idempotency_records.c.key_hash == key_hash,
                idempotency_records.c.expires_at > func.now(),
            )
        )
    ).one_or_none()
    return None if row is None else FirstAnswer(*row)


async def keep(session: AsyncSession, first: FirstAnswer, *, agency_code: str, key_hash: bytes) -> None:
    """Keep an answer for 72 hours of real time, in place of one past its time."""
    kept = {
        "request_hash": first.request_hash,
        "status": first.status,
        "answer": first.sealed,
        "referral_id": first.referral_id,
        "expires_at": func.now() + KEPT_FOR,
    }
    await session.execute(
        insert(idempotency_records)
        .values(agency_code=agency_code, key_hash=key_hash, **kept)
        .on_conflict_do_update(index_elements=["agency_code", "key_hash"], set_=kept)
    )


async def forget_expired(session: AsyncSession, *, limit: int = AT_ONCE) -> int:
    """Delete some answers past their time, and say how many."""
    old = (
        select(idempotency_records.c.agency_code, idempotency_records.c.key_hash)
        .where(idempotency_records.c.expires_at <= func.now())
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = await session.execute(
        delete(idempotency_records)
        .where(idempotency_records.c.agency_code == old.c.agency_code, idempotency_records.c.key_hash == old.c.key_hash)
        .returning(idempotency_records.c.key_hash)
    )
    return len(gone.all())
