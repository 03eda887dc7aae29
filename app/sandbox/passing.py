"""Letting time pass: from one thing that is due to the next, each done before the clock goes on.

So a reminder is sent when it is due and not when somebody came to look, an agency that answers after half an hour does
so before its offer expires, and every retry is made at its own time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select

from app.sandbox import clock
from app.sandbox.players import Players
from app.service import Service
from app.storage.address_news import is_of_address
from app.storage.cases import is_restricted
from app.storage.deliveries import DUE_LITERAL, hint
from app.storage.endpoints import ACTIVE, UNVERIFIED
from app.storage.tables import clocks, deliveries, endpoints, events, referrals
from app.workers import Job
from app.workflows import keep_history

LOOK_EVERY = 0.02
EACH_STEP = ("clocks", "failing_endpoints", "recoveries", "proposals", "rights", "keys")
"""What the workers look at when the clock has moved; all the rest at the end."""
AFTERWARDS = ("forget_answers", "retention", "statistics", "make_months")


@dataclass(frozen=True, slots=True)
class Passed:
    """How far the clock came."""

    now: datetime
    reached: bool
    """False where the time that this may take in earnest was over before."""


class Passage:
    """Moves a world's clock."""

    def __init__(
        self, service: Service, players: Players, jobs: tuple[Job, ...], look: Callable[[], Awaitable[None]]
    ) -> None:
        """Take a world's parts; `look` has its process look at the database's clock."""
        self._service = service
        self._players = players
        self._jobs = {name: job for name, job, _ in jobs}
        self._look = look

    async def to(self, until: datetime, *, within: float) -> Passed:
        """Let time pass until a moment, but for no more than so many seconds of real time."""
        try:
            async with asyncio.timeout(within) as limit:
                await self._settle()
                while self._service.clock() < until:
                    await self._move(min(await self._next_due() or until, until))
                    await self._work(EACH_STEP)
                    await self._settle()
                await self._work((*EACH_STEP, *AFTERWARDS))
                await self._settle()
        except TimeoutError:
            if not limit.expired():
                raise
            return Passed(self._service.clock(), reached=self._service.clock() >= until)
        return Passed(self._service.clock(), reached=True)

    async def _move(self, moment: datetime) -> None:
        kept = self._service.settings.history_months
        await keep_history.make_months(self._service.sessions, now=moment, kept=kept)
        # Whoever gives up waiting leaves no half of a step: process and database tell one time.
        await asyncio.shield(self._moved(moment))

    async def _moved(self, moment: datetime) -> None:
        async with self._service.sessions.begin() as tx:
            await clock.move_to(tx, moment)
        await self._look()

    async def _work(self, names: tuple[str, ...]) -> None:
        for name in names:
            await self._jobs[name]()

    async def _settle(self) -> None:
        """Wait until all that is due by now is done, and nothing is under way."""
        while True:
            await self._jobs["clocks"]()
            await self._players.act()
            async with self._service.sessions.begin() as tx:
                moment = self._service.clock()
                planned = await self._players.next_due(tx)
                busy = [await tx.scalar(found) for found in (_under_way(), _due_posts(moment), _due_clocks(moment))]
                if not (any(busy) or (planned is not None and planned <= moment)):
                    return
                await hint(tx)
            await asyncio.sleep(LOOK_EVERY)

    async def _next_due(self) -> datetime | None:
        async with self._service.sessions.begin() as tx:
            moment = self._service.clock()
            ahead = [await tx.scalar(found) for found in (_next_post(moment), _next_clock(moment))]
            ahead.append(await self._players.next_due(tx))
        return min((one for one in ahead if one is not None and one > moment), default=None)


_WAITING = and_(
    deliveries.c.state == DUE_LITERAL,
    or_(endpoints.c.state == ACTIVE, and_(endpoints.c.state == UNVERIFIED, is_of_address(endpoints.c.id))),
)
_LEFT_ALONE_UNTIL = func.greatest(endpoints.c.breaker_next_probe_at, endpoints.c.breaker_quiet_until)
_falls_due = func.greatest(deliveries.c.due_at, _LEFT_ALONE_UNTIL)
_JOINED = deliveries.join(endpoints, endpoints.c.id == deliveries.c.endpoint_id).join(
    events, events.c.id == deliveries.c.event_id
)


def _under_way() -> Select[bool]:
    leased = and_(
        deliveries.c.state == DUE_LITERAL,
        deliveries.c.claim.is_not(None),
        deliveries.c.due_at > func.clock_timestamp(),
    )
    return select(select(1).where(leased).exists())


def _due_posts(moment: datetime) -> Select[bool]:
    return select(select(1).select_from(_JOINED).where(_WAITING, _falls_due <= moment).exists())


def _next_post(moment: datetime) -> Select[datetime]:
    return select(func.min(_falls_due)).select_from(_JOINED).where(_WAITING, _falls_due > moment)


def _unrestricted() -> Select[datetime]:
    return (
        select(func.min(clocks.c.due_at))
        .join_from(clocks, referrals, referrals.c.id == clocks.c.referral_id)
        .where(~is_restricted())
    )


def _due_clocks(moment: datetime) -> Select[bool]:
    return select(_unrestricted().where(clocks.c.due_at <= moment).scalar_subquery().is_not(None))


def _next_clock(moment: datetime) -> Select[datetime]:
    return _unrestricted().where(clocks.c.due_at > moment)
