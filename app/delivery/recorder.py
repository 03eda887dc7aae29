"""Recording: what is known by the time a transaction begins is recorded in it, so that many posts share one commit."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.retry import Verdict, verdict
from app.storage.claims import Claimed
from app.storage.database import is_passing
from app.workflows.record_delivery import Posted, record_deliveries, record_delivery, supersede_delivery

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Posted | Claimed
"""A post that was made, or a claimed delivery that was not sent because its offer is no longer open."""

MOST_AT_ONCE = 200
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0


class Recorder:
    """Takes outcomes from any number of tasks and records them; a task waits until its own is committed."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._chance = chance
        self._waiting: asyncio.Queue[tuple[Outcome, asyncio.Future[None]]] = asyncio.Queue()

    async def record(self, outcome: Outcome) -> None:
        """Have an outcome recorded; it is dropped when its lease ends first, for then the delivery falls due again."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((outcome, done))
        await done

    async def run(self) -> None:
        """Record what comes, for ever."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            taken = [entry for entry in batch if _was_taken(entry[0])]
            await self._commit(taken)
            for entry in batch:
                if not _was_taken(entry[0]):
                    await self._commit([entry])

    async def _commit(self, batch: list[tuple[Outcome, "asyncio.Future[None]"]]) -> None:
        """Commit some outcomes together, and where the database refuses, each alone until its lease ends."""
        backoff = FIRST_BACKOFF
        while batch:
            try:
                await self._write([outcome for outcome, _ in batch])
            except Exception as error:
                if is_passing(error):
                    log.warning("deliveries_not_recorded", error=type(error).__name__, count=len(batch))
                else:
                    log.exception("deliveries_not_recorded", count=len(batch))
            else:
                break
            if len(batch) > 1:
                for entry in batch:
                    await self._commit([entry])
                return
            if self._clock() + timedelta(seconds=backoff) > _claimed(batch[0][0]).leased_until:
                log.error("delivery_record_dropped", delivery_id=str(_claimed(batch[0][0]).id))
                break
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def _write(self, outcomes: list[Outcome]) -> None:
        async with self._sessions.begin() as session:
            now = self._clock()
            posted = [outcome for outcome in outcomes if isinstance(outcome, Posted)]
            if len(posted) > 1:
                await record_deliveries(session, posted, now=now)
                return
            for outcome in outcomes:
                if isinstance(outcome, Posted):
                    await record_delivery(session, outcome, now=now, chance=self._chance)
                else:
                    await supersede_delivery(session, outcome, now=now)


def _was_taken(outcome: Outcome) -> bool:
    return isinstance(outcome, Posted) and verdict(outcome.answer) is Verdict.DELIVERED


def _claimed(outcome: Outcome) -> Claimed:
    return outcome.claimed if isinstance(outcome, Posted) else outcome
