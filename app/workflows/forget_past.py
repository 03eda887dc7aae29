"""What has ended long ago is forgotten, portion by portion, so that nobody waits for it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.months import months_later
from app.storage import idempotency, past
from app.storage.recoveries import first_id_of

log = structlog.get_logger(__name__)

ADDRESSES_KEPT_FOR = timedelta(days=30)
"""Longer than any webhook is tried for; until then whoever asks sees where the news of a change went."""

Portion = Callable[[AsyncSession], Awaitable[int]]


async def forget_past(
    sessions: async_sessionmaker[AsyncSession],
    *,
    now: datetime,
    kept: int,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Delete what is needed no more, and say how much of each; any number of processes may do this at once.

    Former addresses go 30 days after they were told; recoveries and proposals that have ended with the history, after
    `kept` months (as `keep_history.drop_months` has it); 0 keeps them. `now` is real time.
    """
    each: dict[str, Portion] = {
        "former_addresses": partial(past.forget_former_addresses, told_before=first_id_of(now - ADDRESSES_KEPT_FOR))
    }
    if kept:
        before = months_later(now, -kept - 1)
        each["recoveries"] = partial(past.forget_recoveries, finished_before=before)
        each["proposals"] = partial(past.forget_proposals, ended_before=before)
    gone = {name: await _all(sessions, portion, past.AT_ONCE, is_stopped) for name, portion in each.items()}
    for table, count in gone.items():
        if count:
            log.info("past_forgotten", table=table, count=count)
    return gone


async def forget_answers(sessions: async_sessionmaker[AsyncSession], *, is_stopped: Callable[[], bool]) -> int:
    """Delete first answers that are past their time; any number of processes may do this at once."""
    return await _all(sessions, idempotency.forget_expired, idempotency.AT_ONCE, is_stopped)


async def _all(
    sessions: async_sessionmaker[AsyncSession], portion: Portion, at_once: int, is_stopped: Callable[[], bool]
) -> int:
    gone, of_portion = 0, at_once
    while of_portion == at_once and not is_stopped():
        async with sessions.begin() as tx:
            of_portion = await portion(tx)
        gone += of_portion
    return gone
