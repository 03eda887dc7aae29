"""A month has settled: what is counted of it is drawn once, as it may be shown, and never again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.months import Month
from app.domain.statistics import DutyCarried, DutyCounts, ReferralCounts, carried_by
from app.storage import audit, statistics
from app.storage.reference import Reference, ReferenceKeeper

log = structlog.get_logger(__name__)

A_WHILE = 200
"""After so many rows others on the same event loop have their turn."""


@dataclass(slots=True)
class Turn:
    """Counts what was done, so that others have their turn in between."""

    done: int = 0

    async def taken(self) -> None:
        """Note one thing done."""
        self.done += 1
        if self.done % A_WHILE == 0:
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """What was counted of a month."""

    referrals: ReferralCounts
    duties: DutyCounts

    def tables(self) -> dict[str, Any]:
        """Give the month's tables as they may be shown, by what they are of."""
        return {**self.referrals.tables(), "duties": {"tables": self.duties.tables(self.referrals.everybody)}}


async def draw_settled_months(
    sessions: async_sessionmaker[AsyncSession], keeper: ReferenceKeeper, now: Callable[[], datetime]
) -> list[Month]:
    """Draw every month that has settled and was not drawn yet, each in its own transaction; list those drawn.

    Any number of processes may do this at once: one of them draws.
    """
    made = []
    async with sessions.begin() as session:
        waiting = await _waiting(session, now())
    for month in waiting:
        counted = await _count(sessions, keeper, month)
        if counted is None:
            break
        # Outside of any transaction: nobody waits for what takes only thought.
        tables = await asyncio.to_thread(counted.tables)
        async with sessions.begin() as session:
            kept = await statistics.draw_alone(session) and await statistics.keep(session, month, tables, now=now())
            if kept:
                await audit.record(session, None, "statistics.draw", subject="month", subject_id=month)
        if kept:
            made.append(month)
            log.info("statistics_drawn", month=str(month))
    return made


async def _waiting(session: AsyncSession, now: datetime) -> list[Month]:
    first = await statistics.first_month(session)
    if first is None:
        return []
    known = await statistics.drawn_months(session)
    return [month for month in first.until(Month.last_settled(now)) if month not in known]


async def _count(
    sessions: async_sessionmaker[AsyncSession], keeper: ReferenceKeeper, month: Month
) -> MonthCounts | None:
    """Count a month, in memory bounded by regencies and categories; None while another process draws."""
    async with sessions.begin() as session:
        # In a transaction of its own, which ends: who changes the registry does not wait for a month to be counted.
        reference = await keeper.current(session)
    async with sessions.begin() as session:
        if not await statistics.draw_alone(session):
            return None
        counts = ReferralCounts(tuple(reference.vocabulary.case_types))
        turn = Turn()
        async for one in statistics.referrals_of(session, month):
            counts.add(one)
            await turn.taken()
        return MonthCounts(counts, await _count_duties(session, reference, month, turn))


async def _count_duties(session: AsyncSession, reference: Reference, month: Month, turn: Turn) -> DutyCounts:
    counts = DutyCounts()
    together: list[DutyCarried] = []
    of: UUID | None = None
    async for one in statistics.duties_of(session, month):
        if one.referral_id != of:
            counts.add(together)
            together, of = [], one.referral_id
        agency = reference.registry.agencies.get(one.agency_code)
        together += carried_by(one.duties, region=agency.region if agency else "unknown", live=one.live)
        await turn.taken()
    counts.add(together)
    return counts
