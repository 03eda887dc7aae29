"""Keyed hashes by which an agency's referrals of one person are found; what is hashed cannot be read from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.handoff import ReferralState
from app.domain.likeness import Likeness
from app.storage.cases import is_restricted, owned_by
from app.storage.sealing import KeyRing
from app.storage.tables import identity_hashes, referrals


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


@dataclass(frozen=True, slots=True)
class Alike:
    """Another referral that may be of the same person, and whether the agency sent or holds it itself."""

    referral_id: UUID
    owned: bool


async def alike(session: AsyncSession, referral_id: UUID, agency_code: str, *, limit: int) -> Sequence[Alike]:
    """List the newest other referrals that an agency knows to be alike to one of its own.

    Neither what is restricted nor what was entered in error. However many there are, `limit` of each likeness are
    looked at.
    """
    this, other = identity_hashes.alias("this"), identity_hashes.alias("other")
    newest = (
        select(other.c.referral_id)
        .where(other.c.hash == this.c.hash, other.c.referral_id != referral_id)
        .order_by(other.c.referral_id.desc())
        .limit(limit)
        .lateral("newest")
    )
    wanted = (
        select(newest.c.referral_id, owned_by(agency_code).label("owned"))
        .distinct()
        .select_from(this.join(newest, true()).join(referrals, referrals.c.id == newest.c.referral_id))
        .where(
            this.c.referral_id == referral_id,
            this.c.agency_code == agency_code,
            referrals.c.state != ReferralState.ENTERED_IN_ERROR.value,
            ~is_restricted(),
        )
        .order_by(newest.c.referral_id.desc())
    )
    return [Alike(*row) for row in await session.execute(wanted)]


def _hash(key_ring: KeyRing, agency_code: str, likeness: Likeness) -> bytes:
    # With the agency in it, two agencies' referrals of one person have nothing in common here.
    return key_ring.hash("identity", f"{agency_code}|{likeness.kind.value}|{likeness.value}".encode())
