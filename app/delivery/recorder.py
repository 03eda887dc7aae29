"""Recording: what is known by the time a transaction begins is recorded in it, so that many posts share one commit."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.breaker import BreakerRule
from app.domain.retry import Verdict, verdict
from app.storage.breakers import Taken, merged
from app.storage.claims import Claimed
from app.storage.database import is_passing, wait_for_locks
from app.workflows.record_delivery import Posted, note_taken, record_deliveries, record_failure, supersede_delivery

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Posted | Claimed
"""A post that was made, or a claimed delivery that was not sent because its offer is no longer open."""

MOST_AT_ONCE = 200
ALONE_AT_ONCE = 4
"""How many transactions record one outcome each at the same time."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0
LOCK_WAIT = timedelta(milliseconds=200)
"""Whoever is locked out comes again, and keeps no connection waiting that others can use."""
NOTING_WITHIN = timedelta(minutes=1)

_Entry: TypeAlias = tuple[Outcome, "asyncio.Future[None]"]


class Recorder:
    """Takes outcomes from any number of tasks and records them; a task waits until its own is committed.

    Posts that were taken are recorded together, once. All else is recorded alone, in a task of its own, and again until
    its lease ends: nothing that is locked or refused keeps anything else from being recorded.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        rule: BreakerRule,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._chance = chance
        self._rule = rule
        self._unnoted: list[Taken] = []
        self._noting: asyncio.Task[None] | None = None
        self._waiting: asyncio.Queue[_Entry] = asyncio.Queue()
        self._few = asyncio.Semaphore(ALONE_AT_ONCE)

    async def record(self, outcome: Outcome) -> None:
        """Have an outcome recorded; it is dropped when its lease ends first, for then the delivery falls due again."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((outcome, done))
        await done

    async def run(self) -> None:
        """Record what comes, for ever; an error that nobody foresaw ends it, and is raised."""
        async with asyncio.TaskGroup() as alone:
            while True:
                batch = [await self._waiting.get()]
                while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                    batch.append(self._waiting.get_nowait())
                taken = [(outcome, done) for outcome, done in batch if _was_taken(outcome)]
                if not await self._recorded_together(alone, taken):
                    for entry in taken:
                        alone.create_task(self._record_alone(alone, entry))
                for entry in batch:
                    if not _was_taken(entry[0]):
                        alone.create_task(self._record_alone(alone, entry))

    async def _recorded_together(self, alone: asyncio.TaskGroup, taken: list[_Entry]) -> bool:
        posted = [outcome for outcome, _ in taken if isinstance(outcome, Posted)]
        if not posted:
            return True
        try:
            left = await self._write_taken(posted)
        except Exception as error:  # noqa: BLE001 - each is recorded alone then
            _tell_of(error, len(posted))
            return False
        self._note_later(alone, left)
        _end(*taken)
        return True

    async def _record_alone(self, alone: asyncio.TaskGroup, entry: _Entry) -> None:
        """Record one outcome, and where the database refuses, again until its lease ends."""
        outcome, backoff = entry[0], FIRST_BACKOFF
        while True:
            try:
                async with self._few:
                    self._note_later(alone, await self._write(outcome))
                break
            except Exception as error:  # noqa: BLE001 - it is tried again
                _tell_of(error, 1)
            if self._clock() + timedelta(seconds=backoff) > _claimed(outcome).leased_until:
                log.error("delivery_record_dropped", delivery_id=str(_claimed(outcome).id))
                break
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
        _end(entry)

    async def _write(self, outcome: Outcome) -> Collection[Taken]:
        if isinstance(outcome, Posted) and _was_taken(outcome):
            return await self._write_taken([outcome])
        async with self._sessions.begin() as session:
            await wait_for_locks(session, LOCK_WAIT)
            if isinstance(outcome, Posted):
                await record_failure(session, outcome, now=self._clock(), chance=self._chance, rule=self._rule)
            else:
                await supersede_delivery(session, outcome, now=self._clock())
        return ()

    async def _write_taken(self, posted: Sequence[Posted]) -> Collection[Taken]:
        async with self._sessions.begin() as session:
            await wait_for_locks(session, LOCK_WAIT)
            return await record_deliveries(session, posted, now=self._clock(), rule=self._rule)

    def _note_later(self, alone: asyncio.TaskGroup, left: Collection[Taken]) -> None:
        self._unnoted = merged([*self._unnoted, *left])
        if self._unnoted and (self._noting is None or self._noting.done()):
            self._noting = alone.create_task(self._note())

    async def _note(self) -> None:
        """Note the success of endpoints that were locked, as soon as they are not."""
        backoff, until = FIRST_BACKOFF, self._clock() + NOTING_WITHIN
        while self._unnoted and self._clock() < until:
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
            taken, self._unnoted = self._unnoted, []
            try:
                async with self._few, self._sessions.begin() as session:
                    left = await note_taken(session, taken, now=self._clock(), rule=self._rule)
            except Exception as error:  # noqa: BLE001 - it is tried again
                _tell_of(error, len(taken))
                left = taken
            self._unnoted = merged([*self._unnoted, *left])
        self._unnoted = []


def _tell_of(error: Exception, count: int) -> None:
    if is_passing(error):
        log.warning("deliveries_not_recorded", error=type(error).__name__, count=count)
    else:
        log.error("deliveries_not_recorded", count=count, exc_info=error)


def _end(*entries: _Entry) -> None:
    for _, done in entries:
        if not done.done():
            done.set_result(None)


def _was_taken(outcome: Outcome) -> bool:
    return isinstance(outcome, Posted) and verdict(outcome.answer) is Verdict.DELIVERED


def _claimed(outcome: Outcome) -> Claimed:
    return outcome.claimed if isinstance(outcome, Posted) else outcome
