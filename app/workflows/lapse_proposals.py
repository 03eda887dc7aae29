"""Proposals that nobody decided in time, or whose key was revoked, end."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.storage import endpoints, proposals
from app.workflows.propose_change import endpoint_of, tell

AT_ONCE = 1000


async def lapse_proposals(sessions: async_sessionmaker[AsyncSession], *, now: datetime) -> int:
    """Write down which proposals have lapsed, and tell those whose they were; give their number."""
    async with sessions.begin() as tx:
        found = await proposals.lapsed(tx, AT_ONCE)
    ended = 0
    for known in found:
        async with sessions.begin() as tx:
            if known.agency_code is not None:
                # Before the proposal, as all who end one do.
                await endpoints.lock_with_idle(tx, endpoint_of(known), agency_code=known.agency_code)
            one = await proposals.end_lapsed(tx, known.id)
            if one is not None:
                await tell(tx, None, one, now=now)
                ended += 1
    return ended
