"""What the referrals of a list ask for, and where each service stands: codes and states alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.tables import referrals, service_requests


@dataclass(frozen=True, slots=True)
class AskedServiceLine:
    """A service of a referral, and where it stands."""

    service_type: str
    state: str


async def asked_services(session: AsyncSession, referral_ids: Iterable[UUID]) -> Mapping[UUID, list[AskedServiceLine]]:
    """List by referral what was asked for; the caller answers for who may see these referrals."""
    columns = (service_requests.c.referral_id, service_requests.c.service_type, service_requests.c.state)
    wanted = select(*columns).where(service_requests.c.referral_id.in_(list(referral_ids)))
    found: dict[UUID, list[AskedServiceLine]] = defaultdict(list)
    for referral_id, service_type, state in await session.execute(wanted.order_by(service_requests.c.id)):
        found[referral_id].append(AskedServiceLine(service_type, state))
    return found


async def sent_under(session: AsyncSession, sender_code: str, reference_hash: bytes) -> UUID | None:
    """Find the referral that a sender gave a reference; None where it gave that to none."""
    theirs = select(referrals.c.id).where(
        referrals.c.sender_code == sender_code, referrals.c.sender_reference_hash == reference_hash
    )
    found: UUID | None = await session.scalar(theirs)
    return found
