"""Whatever the key ring seals itself is sealed anew under its active key, while the service runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage import audit, resealing, ring_holders
from app.storage.database import is_passing
from app.storage.resealing import Portion
from app.storage.ring_holders import Holder
from app.storage.sealed_places import SEALED_PLACES, SealedPlace
from app.storage.sealing import KeyRing

T = TypeVar("T")

A_PORTION = 200
"""Rows that are sealed anew in one transaction: a few milliseconds, in which their writers wait."""
MOST_PASSES = 20
MOST_IN_A_LATER_PASS = 1000
"""Rows of one place that a pass after the first takes: they were held, or written meanwhile."""
BETWEEN_PASSES = 0.5
AGAIN_AFTER = 1.0
MOST_FAILURES = 60
"""In a row, of a database that is away: a minute."""

Counts = Mapping[str, Mapping[str, int]]
"""How many rows lie under which key, by place and key id."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is sealed under which key, and which keys the processes that run have."""

    active: str
    counts: Counts
    holders: Sequence[Holder]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """List the keys that anything is sealed under or that a process seals under."""
        used = {key_id for place in self.counts.values() for key_id in place}
        return tuple(sorted(used | {one.active for one in self.holders}))

    def under(self, key_id: str) -> int:
        """Count what is sealed under a key."""
        return sum(place.get(key_id, 0) for place in self.counts.values())

    @property
    def left(self) -> int:
        """Count what is sealed under another key than the active one."""
        return sum(self.under(key_id) for key_id in self.key_ids if key_id != self.active)

    @property
    def sealing_otherwise(self) -> tuple[Holder, ...]:
        """List the processes that go on sealing under another key."""
        return tuple(one for one in self.holders if one.active != self.active)

    @property
    def without_active(self) -> tuple[Holder, ...]:
        """List the processes that cannot open what is sealed under the active key."""
        return tuple(one for one in self.holders if self.active not in one.holds)

    def may_go(self, key_id: str) -> bool:
        """Say whether a key may be taken out of the ring: nothing lies under it and nobody seals under it."""
        return key_id != self.active and not self.under(key_id) and all(one.active != key_id for one in self.holders)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What came of a rotation."""

    resealed: int
    broken: int
    """Rows that do not open, and were left as they are."""
    status: Status
    refused: tuple[Holder, ...] = field(default=())
    """Processes that could not open what is sealed under the active key: nothing was done."""

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is left under another key and nobody goes on sealing under one."""
        return not (self.refused or self.status.left or self.status.sealing_otherwise)


async def seal_status(sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing) -> Status:
    """Count everything that the ring seals itself, by place and key; it takes as long as reading it all does."""
    counts = {}
    for place in SEALED_PLACES:
        async with sessions.begin() as session:
            counts[place.name] = await resealing.count(session, place)
    async with sessions.begin() as session:
        return Status(key_ring.active, counts, await ring_holders.running(session))


async def rotate_seal(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    *,
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
    portion: int = A_PORTION,
) -> Rotated:
    """Seal everything anew that lies under another key than the active one, and say what is left.

    Each portion is committed by itself, and what is done shows by its key: whoever is killed goes on where they were,
    and any number may do this at once. Between portions the service has the database for as long as the last one took.
    It goes over everything until a pass finds nothing, for rows that were held or written meanwhile, but not for ever.
    `on_progress` is told the place, how many rows of it were done, and how many there were at the beginning.
    """
    before = await seal_status(sessions, key_ring)
    if before.without_active:
        return Rotated(0, 0, before, refused=before.without_active)
    if before.left:
        async with sessions.begin() as session:
            await audit.record(session, None, "seal.rotate", subject="key_ring", subject_id=key_ring.active)
    resealed = broken = 0
    done = dict.fromkeys(before.counts, 0)
    for turn in range(MOST_PASSES):
        if turn:
            await asyncio.sleep(BETWEEN_PASSES)
        again, broken = False, 0
        for place in SEALED_PLACES:
            total = sum(number for key_id, number in before.counts[place.name].items() if key_id != key_ring.active)
            on_progress(place.name, done[place.name], total)
            after: resealing.RowKey | None = None
            most = total if turn == 0 else MOST_IN_A_LATER_PASS
            # Who goes on sealing under another key writes ahead of this: a pass ends all the same.
            while most > 0 and (rows := await _find(sessions, place, ring=key_ring, after=after, limit=portion)):
                began = monotonic()
                most -= len(rows)
                made = await _reseal(sessions, key_ring, place, rows)
                after = rows[-1]
                resealed, broken = resealed + made.resealed, broken + made.broken
                again = again or bool(made.resealed or made.passed_over)
                done[place.name] += made.resealed
                on_progress(place.name, done[place.name], max(total, done[place.name]))
                await asyncio.sleep(monotonic() - began)
        if not again:
            break
    return Rotated(resealed, broken, await seal_status(sessions, key_ring))


async def _find(
    sessions: async_sessionmaker[AsyncSession],
    place: SealedPlace,
    *,
    ring: KeyRing,
    after: resealing.RowKey | None,
    limit: int,
) -> list[resealing.RowKey]:
    async def find() -> list[resealing.RowKey]:
        async with sessions.begin() as session:
            return await resealing.find(session, place, active=ring.active, after=after, limit=limit)

    return await _persisting(find)


async def _reseal(
    sessions: async_sessionmaker[AsyncSession],
    key_ring: KeyRing,
    place: SealedPlace,
    rows: Sequence[resealing.RowKey],
) -> Portion:
    async def reseal() -> Portion:
        async with sessions.begin() as session:
            return await resealing.reseal(session, key_ring, place, rows)

    return await _persisting(reseal)


async def _persisting(what: Callable[[], Awaitable[T]]) -> T:
    """Do it again while the database is away; sealing the same rows twice does no harm."""
    for _ in range(MOST_FAILURES):
        try:
            return await what()
        except Exception as error:
            if not is_passing(error):
                raise
        await asyncio.sleep(AGAIN_AFTER)
    return await what()
