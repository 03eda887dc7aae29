"""The service was down: nobody could act, so every running clock gets that time back."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage import audit, clocks

log = structlog.get_logger(__name__)


async def credit_outage(session: AsyncSession, *, outage_after: timedelta, real_now: datetime | None = None) -> bool:
    """Note that clocks run now, and first give back what the service was down for; False while the API is down.

    The service was down while its clocks did not run or its API did not answer. `outage_after` is how long a silence
    has to be to count as one. Source: routing.md, "Nothing waits unseen". Time is the database's own, one clock for
    every process; only tests give it.
    """
    seen = await clocks.pulse(session, real_now=real_now)
    if _just_now(seen, outage_after):
        return True
    seen = await clocks.pulse(session, real_now=real_now, lock=True)
    if seen.api_beat_at is None or seen.now - seen.api_beat_at >= outage_after:
        # Offers must not expire while those who could accept them find nobody at home.
        return False
    gap = seen.now - seen.clocks_beat_at if seen.clocks_beat_at is not None else timedelta(0)
    if seen.clocks_beat_at is not None and gap >= outage_after:
        moved = await clocks.give_back(session, down_from=seen.clocks_beat_at, real_now=seen.now)
        emergencies = await clocks.emergencies_waiting(session)
        log.warning("outage_credited", seconds=round(gap.total_seconds()), clocks=moved)
        if emergencies:
            log.error("emergencies_waited_through_outage", referrals=emergencies, seconds=round(gap.total_seconds()))
        await audit.record(
            session, None, "clocks.credit_outage", subject="service", subject_id=round(gap.total_seconds())
        )
    await clocks.beat(session, real_now=seen.now, running_clocks=True)
    return True


def _just_now(seen: clocks.Pulse, outage_after: timedelta) -> bool:
    """Say whether clocks ran a moment ago and the API answers: nothing is to be written then."""
    if seen.api_beat_at is None or seen.clocks_beat_at is None:
        return False
    api, running = seen.now - seen.api_beat_at, seen.now - seen.clocks_beat_at
    past = min(api, running) >= timedelta(0)
    return past and api < outage_after and running < min(outage_after, timedelta(seconds=5))
