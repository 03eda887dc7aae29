"""After a restore: what the erasure ledger tells of is erased again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.rights import Erasure
from app.storage import cases, erasure_ledger
from app.storage.erasure_ledger import Forged
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.desk import Desk, Terms
from app.workflows.erase_referral import erase


@dataclass(slots=True)
class Applied:
    """What was found in a ledger, and what was done about it."""

    entries: int = 0
    erased: int = 0
    already: int = 0
    """Erased before: in this database, or by an entry before this one."""
    unknown: int = 0
    """Of cases that are not in this database: it was restored to a time before them."""
    unreadable: list[int] = field(default_factory=list)
    """Lines that were cut short: what they tell of was never answered."""
    forged: list[int] = field(default_factory=list)
    """Lines that nobody with this key ring wrote; nothing was erased for them."""


async def apply_ledger(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    terms: Terms,
    lines: Iterable[bytes],
    *,
    now: datetime,
) -> Applied:
    """Erase again all that a ledger tells of, each case in its own transaction; done twice it is done once.

    A hold that the restore brought back stops nothing: it was lifted before the erasure.
    """
    keeper, applied = ReferenceKeeper(), Applied()
    for found in erasure_ledger.read(lines, key_ring):
        if isinstance(found, Erasure):
            applied.entries += 1
            await _apply(sessions, keeper, key_ring, terms, found, now, applied)
        elif isinstance(found, Forged):
            applied.forged.append(found.line)
        else:
            applied.unreadable.append(found.line)
    return applied


async def _apply(
    sessions: async_sessionmaker[AsyncSession],
    keeper: ReferenceKeeper,
    key_ring: KeyRing,
    terms: Terms,
    erasure: Erasure,
    now: datetime,
    applied: Applied,
) -> None:
    async with sessions.begin() as tx:
        desk = Desk(tx, now, await keeper.current(tx), keeper, terms, key_ring)
        case = await cases.lock(tx, erasure.referral_id, public_url=terms.public_url)
        if case is None:
            applied.unknown += 1
        elif case.referral.erased_at is not None:
            applied.already += 1
        else:
            await erase(desk, None, case, erasure, from_ledger=True)
            applied.erased += 1
