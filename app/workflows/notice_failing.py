"""An endpoint that does nothing but fail is noticed when its time is over, not only when it is next posted to."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.events import EventType
from app.domain.retry import is_failing
from app.observability import told_of
from app.storage import delivery_history, endpoints, ways
from app.storage.database import is_gone, is_passing, wait_for_locks
from app.workflows.tell_of_endpoint import tell_of_endpoint

log = structlog.get_logger(__name__)

Sessions: TypeAlias = async_sessionmaker[AsyncSession]

LOCK_WAIT = timedelta(milliseconds=200)
"""Whoever is locked out comes again at the next look."""


async def notice_failing(sessions: Sessions, *, now: datetime) -> None:
    """Tell of every endpoint that has done nothing but fail for five minutes, once; `now` is real time.

    Coordinators are told of offers that never reached an agency which has no other way to be told. Any number of
    processes may do this at once, and one endpoint that cannot be noticed holds up no other.
    """
    async with sessions.begin() as session:
        found = await endpoints.failing_untold(session, now=now, limit=100)
    for endpoint_id in found:
        try:
            async with sessions.begin() as session:
                await wait_for_locks(session, LOCK_WAIT)
                await _notice(session, endpoint_id, now)
        except Exception as error:
            if is_gone(error):
                raise
            if is_passing(error):
                log.warning("failing_waits", endpoint_id=str(endpoint_id), error=type(error).__name__)
            else:
                # Not with the exception itself: its message may hold anything.
                log.error("failing_not_told", endpoint_id=str(endpoint_id), **told_of(error))  # noqa: TRY400


async def _notice(session: AsyncSession, endpoint_id: UUID, now: datetime) -> None:
    # The referrals before the endpoint, so that no two wait for each other.
    offers = await delivery_history.lock_offers(session, await endpoints.agency_of(session, endpoint_id) or "")
    endpoint = await endpoints.get(session, endpoint_id, lock=True)
    told = endpoint is None or endpoint.state != endpoints.ACTIVE or endpoint.state_reason == endpoints.FAILING
    if endpoint is None or told or not is_failing(endpoint.failing_since, now=now):
        return
    await endpoints.note_failing(session, endpoint_id)
    await tell_of_endpoint(session, replace(endpoint, state_reason=endpoints.FAILING), EventType.ENDPOINT_FAILING, now)
    if endpoint.brings_offers and not await ways.reachable(session, [endpoint.agency_code]):
        await delivery_history.doubt_offers(session, offers)
