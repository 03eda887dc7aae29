"""A process sees that its key ring is the one that the database was sealed by, before it seals or opens anything."""

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage import audit_chain, ring_checks
from app.storage.ring_checks import Flaw, RingFlaw
from app.storage.ring_keys import HASH_KEY
from app.storage.sealing import KeyRing
from app.workflows.link_audit import SIGNS_FOR


async def check_key_ring(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> list[RingFlaw] | None:
    """List what is wrong with a ring, and where nothing is, remember its keys; None if there is nothing to ask yet.

    A key that the database does not know yet must open what is sealed under its id, and the hash key must be the one
    that the audit is signed by.
    """
    async with sessions.begin() as session:
        if not await ring_checks.is_migrated(session):
            return None
        found = await ring_checks.flaws(session, key_ring) or await _flaws_of_unknown(session, key_ring)
        return found or await ring_checks.remember(session, key_ring)


async def _flaws_of_unknown(session: AsyncSession, key_ring: KeyRing) -> list[RingFlaw]:
    found = await ring_checks.flaws_of_unknown(session, key_ring)
    if not await ring_checks.knows_hash_key(session):
        end = await audit_chain.last_segment(session)
        if end is not None and not end.signed.is_signed_by(key_ring.signing_key(SIGNS_FOR).public_key()):
            found.append(RingFlaw(Flaw.WRONG_HASH_KEY, HASH_KEY))
    return found
