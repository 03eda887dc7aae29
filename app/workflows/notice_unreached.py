"""An agency that loses its last working way to be told is its coordinator's concern, before it is offered anything."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.events import EventType, NewEvent
from app.storage import delivery_history, events, ways

log = structlog.get_logger(__name__)


async def notice_unreached(sessions: async_sessionmaker[AsyncSession], *, now: datetime, public_url: str) -> int:
    """Tell coordinators of each agency that has lost its last working way, once; give how many were told of.

    `now` is real time. Any number of processes may do this at once. Who never had a way is nobody's news: that is read
    beforehand, and told with the offer.
    """
    told = 0
    async with sessions.begin() as tx:
        every = await ways.note_lost(tx)
        for lost in every:
            if lost.console_lapsed:
                # No endpoint changed, so nobody has asked yet what was offered meanwhile and never looked at. All
                # referrals before any endpoint, as every story has it, so that nobody waits crosswise.
                await delivery_history.doubt_offers(tx, await delivery_history.lock_offers(tx, lost.agency_code))
        for lost in every:
            coordinator = await ways.coordinator_of(tx, lost.agency_code)
            if coordinator is None:
                log.warning("agency_unreached", agency=lost.agency_code)
                continue
            data = {
                "agency": lost.agency_code,
                "lost_at": lost.at.isoformat(),
                "url": f"{public_url}/v1/agencies/{lost.agency_code}",
            }
            await events.announce(tx, [NewEvent(coordinator, EventType.AGENCY_UNREACHED, data)], now=now)
            told += 1
    return told
