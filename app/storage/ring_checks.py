"""Whether a key ring is the one that the database was sealed by: its keys are there, and are the same bytes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage import readiness
from app.storage.ring_keys import HASH_KEY, SealBroken
from app.storage.sealed_places import SEALED_PLACES
from app.storage.sealing import KeyRing
from app.storage.tables import attempts, ring_keys


class Flaw(StrEnum):
    """What is wrong with a key of the ring."""

    MISSING = "missing"
    """Something is sealed under a key that the ring does not hold."""
    WRONG = "wrong"
    """The ring holds a key of that id, which is another one."""
    WRONG_HASH_KEY = "wrong_hash_key"
    """The ring's hash key is another one than the database was written with."""


@dataclass(frozen=True, slots=True, order=True)
class RingFlaw:
    """One thing that is wrong with a ring, and the key it is about."""

    flaw: Flaw
    key_id: str


async def is_migrated(session: AsyncSession) -> bool:
    """Say whether the database keeps check values at all."""
    return bool(await session.scalar(text("SELECT to_regclass('ring_keys') IS NOT NULL")))


async def flaws(session: AsyncSession, key_ring: KeyRing) -> list[RingFlaw]:
    """List what is wrong with a ring by what the database knows: quick enough to be asked all the time."""
    used = await readiness.ring_keys_in_use(session)
    missing = [RingFlaw(Flaw.MISSING, key_id) for key_id in used if not key_ring.holds(key_id)]
    return sorted(missing + _differing(key_ring, await _known(session)))


async def flaws_of_unknown(session: AsyncSession, key_ring: KeyRing) -> list[RingFlaw]:
    """List the keys that the database does not know yet and that do not open what is sealed under their ids."""
    known = await _known(session)
    unknown = sorted(key_ring.ids - set(known))
    return [RingFlaw(Flaw.WRONG, key_id) for key_id in unknown if not await _opens(session, key_ring, key_id)]


async def knows_hash_key(session: AsyncSession) -> bool:
    """Say whether the database knows its hash key again."""
    return HASH_KEY in await _known(session)


async def remember(session: AsyncSession, key_ring: KeyRing) -> list[RingFlaw]:
    """Remember the keys that are not known yet, and list those that somebody else meanwhile knows otherwise."""
    values = [{"id": one, "check_value": key_ring.check_value(one)} for one in sorted({HASH_KEY, *key_ring.ids})]
    await session.execute(upsert(ring_keys).on_conflict_do_nothing(), values)
    return _differing(key_ring, await _known(session))


async def forget(session: AsyncSession, key_ids: Collection[str]) -> None:
    """Know these keys no longer."""
    await session.execute(delete(ring_keys).where(ring_keys.c.id.in_(key_ids), ring_keys.c.id != HASH_KEY))


async def _known(session: AsyncSession) -> Mapping[str, bytes]:
    return {row.id: row.check_value for row in await session.execute(select(ring_keys.c.id, ring_keys.c.check_value))}


def _differing(key_ring: KeyRing, known: Mapping[str, bytes]) -> list[RingFlaw]:
    return [
        RingFlaw(Flaw.WRONG_HASH_KEY if one == HASH_KEY else Flaw.WRONG, one)
        for one in sorted({HASH_KEY, *key_ring.ids} & set(known))
        if key_ring.check_value(one) != known[one]
    ]


async def _opens(session: AsyncSession, key_ring: KeyRing, key_id: str) -> bool:
    """Say whether the first thing that is found sealed under a key opens; True where nothing is."""
    for place in SEALED_PLACES:
        # What is kept of answers may be beyond count, and is not worth a key.
        if place.table is attempts:
            continue
        row = (await session.execute(select(place.table).where(place.key_id == key_id).limit(1))).one_or_none()
        if row is not None:
            try:
                place.rewrap(key_ring, row)
            except SealBroken:
                return False
            return True
    return True
