"""An agency asks for what its endpoint missed: counted first where it likes, begun once, and cancelled if need be."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller
from app.domain.errors import Fault, InvalidInput, NotFound, RecoveryOfHeld, RecoveryRunning
from app.domain.events import faults_of_types
from app.storage import audit, delivery_history, endpoints, recoverable, recoveries
from app.storage.recoverable import Count
from app.storage.recoveries import Recovery, Wanted

COUNTED_AT_MOST = 100_000
"""A request looks at no more deliveries than this to say how many there are to send."""
RELEASED_AT_ONCE = 1_000
"""What is held beyond this is not released by the request that enables the endpoint, but after it."""


async def count_recovery(session: AsyncSession, caller: Caller, endpoint_id: UUID, wanted: Wanted) -> Count:
    """Say what a recovery would send, and change nothing; InvalidInput lists what is wrong with what is wanted."""
    _check(wanted)
    if await endpoints.get(session, endpoint_id, agency_code=caller.agency_code) is None:
        raise NotFound("endpoint")
    return await recoverable.count(session, endpoint_id, wanted, at_most=COUNTED_AT_MOST)


async def begin_recovery(session: AsyncSession, caller: Caller, endpoint_id: UUID, wanted: Wanted) -> Recovery:
    """Begin to send what an endpoint missed once more, in the background.

    Where the same is being recovered already, that recovery is given; another one of the same endpoint is refused with
    RecoveryRunning. What an endpoint that is not active missed waits until it is enabled.
    """
    # Counted before anybody has to wait for us.
    there_is = await count_recovery(session, caller, endpoint_id, wanted)
    if wanted.event_types is not None:
        wanted = replace(wanted, event_types=tuple(sorted(wanted.event_types)))
    await endpoints.get(session, endpoint_id, lock=True)
    running = await recoveries.running(session, endpoint_id, held=False)
    if running is not None:
        if not _is_same(running, wanted):
            raise RecoveryRunning(running.id)
        return running
    begun = await recoveries.add(
        session,
        endpoint_id,
        wanted,
        counted=there_is.sendable + there_is.superseded,
        counted_all=there_is.complete,
    )
    await audit.record(session, caller, "endpoint.recover", subject="endpoint", subject_id=endpoint_id)
    return begun


async def cancel_recovery(session: AsyncSession, caller: Caller, recovery_id: UUID) -> Recovery:
    """Send no more of what a recovery has left; what it has queued goes out. One that has ended stays as it is.

    What was held would be held for ever: RecoveryOfHeld. Pausing the endpoint stops it, and loses nothing.
    """
    recovery = await recoveries.get(session, recovery_id, agency_code=caller.agency_code, lock=True)
    if recovery is None:
        raise NotFound("recovery")
    if recovery.ended:
        return recovery
    if recovery.what == recoveries.HELD:
        raise RecoveryOfHeld
    await audit.record(session, caller, "recovery.cancel", subject="recovery", subject_id=recovery_id)
    cancelled = replace(recovery, state=recoveries.CANCELLED)
    return await recoveries.put(session, cancelled, again_in=timedelta(0))


async def release_held(session: AsyncSession, endpoint_id: UUID) -> None:
    """Send what is held for a locked endpoint that is active again: at once, or in the background if it is much."""
    await recoveries.hurry(session, endpoint_id)
    if await delivery_history.release(session, endpoint_id, at_most=RELEASED_AT_ONCE):
        return
    if running := await recoveries.running(session, endpoint_id, held=True):
        await recoveries.begin_anew(session, running.id)
        return
    held = Wanted(recoveries.HELD)
    there_is = await recoverable.count(session, endpoint_id, held, at_most=COUNTED_AT_MOST)
    await recoveries.add(
        session,
        endpoint_id,
        held,
        counted=there_is.sendable + there_is.superseded,
        counted_all=there_is.complete,
    )


def _is_same(running: Recovery, wanted: Wanted) -> bool:
    until = running.created_at if wanted.until is None else min(wanted.until, running.created_at)
    asked = (wanted.what, wanted.since, until, wanted.event_types)
    return asked == (running.what, running.since, running.until, running.event_types)


def _check(wanted: Wanted) -> None:
    if faults := tuple(_faults_of(wanted)):
        raise InvalidInput(faults)


def _faults_of(wanted: Wanted) -> Iterator[Fault]:
    if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
        yield Fault("/until", "not_after_since", "this is not after since")
    yield from faults_of_types(wanted.event_types)
