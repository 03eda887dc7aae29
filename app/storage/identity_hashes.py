"""Keyed hashes by which an agency's referrals of one person are found; what is hashed cannot be read from them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.likeness import Likeness
from app.storage.sealing import KeyRing
from app.storage.tables import identity_hashes


async def keep(
    session: AsyncSession, key_ring: KeyRing, referral_id: UUID, agency_code: str, known: Iterable[Likeness]
) -> None:
    """Keep what an agency knows of the person of a referral, beside what it knew before."""
    rows = [
        {
            "hash": _hash(key_ring, agency_code, likeness),
            "referral_id": referral_id,
            "agency_code": agency_code,
            "kind": likeness.kind.value,
        }
        for likeness in known
    ]
    if rows:
        await session.execute(insert(identity_hashes).values(rows).on_conflict_do_nothing())


async def forget(session: AsyncSession, referral_id: UUID, agency_code: str | None = None) -> None:
    """Forget what an agency knows of the person of a referral, or what every agency does."""
    gone = delete(identity_hashes).where(identity_hashes.c.referral_id == referral_id)
    if agency_code is not None:
        gone = gone.where(identity_hashes.c.agency_code == agency_code)
    await session.execute(gone)


async def alike(session: AsyncSession, referral_id: UUID, agency_code: str, *, limit: int) -> Sequence[UUID]:
    """List the newest other referrals that an agency knows to be alike to one of its own."""
    this, other = identity_hashes.alias("this"), identity_hashes.alias("other")
    wanted = (
        select(other.c.referral_id)
        .distinct()
        .join(this, this.c.hash == other.c.hash)
        .where(
            this.c.referral_id == referral_id,
            this.c.agency_code == agency_code,
            other.c.referral_id != referral_id,
        )
        .order_by(other.c.referral_id.desc())
        .limit(limit)
    )
    return (await session.scalars(wanted)).all()


def _hash(key_ring: KeyRing, agency_code: str, likeness: Likeness) -> bytes:
    # With the agency in it, two agencies' referrals of one person have nothing in common here.
    return key_ring.hash("identity", f"{agency_code}|{likeness.kind.value}|{likeness.value}".encode())
