"""Recoveries go on, step by step: each step is one short transaction, so that whoever dies in it has done nothing."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.observability import told_of
from app.storage import endpoints, recoverable, recoveries
from app.storage.database import is_gone, is_passing, wait_for_locks
from app.storage.recoverable import Found, Receiver
from app.storage.recoveries import Recovery

log = structlog.get_logger(__name__)

Sessions: TypeAlias = async_sessionmaker[AsyncSession]

TURNS_AHEAD = 2
"""What is queued of a recovery, in posts for each that the endpoint takes at once: fresh news waits for no more."""
MOST_FIRST = 500
"""How many open offers go before everything else."""
LOOKED_AT = (200, 1_000)
"""How many deliveries one step looks at, least and most."""
FULL = timedelta(milliseconds=50)
"""When an endpoint that has enough to do is looked at again."""
STOPPED = timedelta(seconds=30)
"""When one that is not active is looked at again; enabling it does so at once."""
PROBE, LONGEST_PROBE = timedelta(milliseconds=200), timedelta(minutes=5)
"""How long to wait after one more delivery for an endpoint that fails: twice as long each time."""
AGAIN_AFTER = timedelta(minutes=1)
"""When a recovery that could not go on is tried again."""
LOCK_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What became of a recovery in one step, when the next is, and whether that is soon."""

    recovery: Recovery
    again_in: timedelta
    moving: bool


async def run_due_recoveries(sessions: Sessions) -> bool:
    """Take every recovery that is due one step further; say whether one moves, so that a look soon is worth while.

    Any number of processes may do this at once. A recovery that cannot go on is an alert, and holds up no other: only
    a database that is gone ends the look.
    """
    async with sessions.begin() as session:
        due = await recoveries.due(session, limit=100)
    moving = False
    for recovery_id in due:
        try:
            async with sessions.begin() as session:
                await wait_for_locks(session, LOCK_WAIT)
                moving |= await _take_further(session, recovery_id)
        except Exception as error:
            if is_gone(error):
                raise
            if is_passing(error):
                log.warning("recovery_waits", recovery_id=str(recovery_id), error=type(error).__name__)
            else:
                # Not with the exception itself: its message may hold anything.
                log.error("recovery_stuck", recovery_id=str(recovery_id), **told_of(error))  # noqa: TRY400
            async with sessions.begin() as session:
                await recoveries.put_off(session, recovery_id, again_in=FULL if is_passing(error) else AGAIN_AFTER)
    return moving


async def _take_further(session: AsyncSession, recovery_id: UUID) -> bool:
    recovery = await recoveries.take(session, recovery_id)
    if recovery is None:
        return False
    receiver = await recoverable.lock_receiver(session, recovery.endpoint_id)
    if receiver is None:
        turn = _Turn(recovery, FULL, moving=True)
    elif receiver.state != endpoints.ACTIVE:
        turn = _Turn(recovery, STOPPED, moving=False)
    elif receiver.failing:
        turn = await _probe(session, recovery, receiver)
    else:
        turn = await _fill(session, recovery, receiver)
    kept = await recoveries.put(session, turn.recovery, again_in=turn.again_in)
    if kept.ended:
        log.info("recovery_ended", recovery_id=str(kept.id), endpoint_id=str(kept.endpoint_id), count=kept.queued)
    return turn.moving and not kept.ended


async def _probe(session: AsyncSession, recovery: Recovery, receiver: Receiver) -> _Turn:
    """Give one that fails a single delivery to try, and only where it has none to try now."""
    wait = min(PROBE * (1 << min(recovery.probes, 12)), LONGEST_PROBE)
    moving = wait < timedelta(seconds=1)
    if await recoverable.ready(session, recovery.endpoint_id, at_most=1):
        return _Turn(recovery, wait, moving)
    further = await _queue_some(session, recovery, receiver, room=1)
    probes = min(recovery.probes + 1, 1_000) if further.queued > recovery.queued else recovery.probes
    return _Turn(replace(further, probes=probes), wait, moving)


async def _fill(session: AsyncSession, recovery: Recovery, receiver: Receiver) -> _Turn:
    """Queue as many as the endpoint takes in a few turns, less what it is to be sent anyway."""
    most = TURNS_AHEAD * receiver.max_in_flight
    room = most - await recoverable.ready(session, recovery.endpoint_id, at_most=most)
    if room <= 0:
        return _Turn(replace(recovery, probes=0), FULL, moving=True)
    further = await _queue_some(session, recovery, receiver, room=room)
    return _Turn(replace(further, probes=0), timedelta(0), moving=True)


async def _queue_some(session: AsyncSession, recovery: Recovery, receiver: Receiver, *, room: int) -> Recovery:
    """Queue the next of a recovery: open offers, and then everything in the order in which it was told."""
    if recovery.first is None:
        first = await recoverable.open_offers(session, recovery, receiver.agency_code, limit=MOST_FIRST)
        recovery = replace(recovery, first=first)
    first = recovery.first or ()
    if recovery.first_done < len(first):
        part = first[recovery.first_done : recovery.first_done + room]
        found = await recoverable.among(session, recovery, part)
        moved = await _moved(session, recovery, found)
        return replace(moved, first_done=recovery.first_done + len(part))
    least, most = LOOKED_AT
    limit = max(least, min(4 * room, most))
    looked_at = await recoverable.following(session, recovery, limit=limit)
    passed = _as_far_as(looked_at, room, set(first))
    moved = await _moved(session, recovery, [one for one in passed if one.id not in first])
    if passed:
        moved = replace(moved, last_id=passed[-1].id)
    at_its_end = len(passed) == len(looked_at) < limit
    return replace(moved, state=recoveries.FINISHED) if at_its_end else moved


def _as_far_as(looked_at: list[Found], room: int, done: set[UUID]) -> list[Found]:
    """Give the deliveries up to where the room ends."""
    passed = []
    for one in looked_at:
        if one.wanted and not one.closed and one.id not in done:
            if room == 0:
                break
            room -= 1
        passed.append(one)
    return passed


async def _moved(session: AsyncSession, recovery: Recovery, found: list[Found]) -> Recovery:
    closed = [one.id for one in found if one.wanted and one.closed]
    await recoverable.supersede(session, closed)
    queued = await recoverable.queue(session, recovery, [one.id for one in found if one.wanted and not one.closed])
    return replace(recovery, queued=recovery.queued + queued, superseded=recovery.superseded + len(closed))
