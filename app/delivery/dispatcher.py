"""The dispatcher: claims what is due, sends it, records what came of it, each in a short transaction of its own."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from time import monotonic
from traceback import extract_tb

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import metrics, tracing
from app.delivery.mail import Mail
from app.delivery.post import Post
from app.delivery.preparing import Preparer
from app.delivery.recorder import Recorder
from app.domain.breaker import BreakerRule
from app.domain.channel import Channel, channel_of
from app.domain.letter import Letter
from app.domain.progress import CLAIMS, Progress
from app.domain.retry import DELIVERED, Answer, Detail, Phase, exhausted
from app.storage import delivery_history
from app.storage.claims import Claimed, claim_due
from app.storage.database import is_passing
from app.storage.delivery_hints import listen
from app.storage.sealing import KeyRing
from app.workflows.record_delivery import Posted

log = structlog.get_logger(__name__)

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How the dispatcher works; the lease is longer than twice the longest post, so that none is posted twice."""

    lease: timedelta = timedelta(seconds=40)
    poll: timedelta = timedelta(seconds=1)
    longest_post: timedelta = timedelta(seconds=15)
    concurrency: int = 256
    """How many posts are under way at once."""
    slow: int = 512
    """How many more, of those that take longer than `slow_after`: who hangs holds no place that others could have."""
    slow_after: timedelta = timedelta(seconds=1)
    failing_share: float = 0.25
    """How much of that the endpoints get between them whose last answer was a failure."""
    breaker: BreakerRule = field(default_factory=BreakerRule)
    """When an endpoint is left alone, and how long."""
    recorders: int = 2
    drain: timedelta = timedelta(seconds=20)
    """How long posts under way are waited for when the dispatcher is stopped."""

    def __post_init__(self) -> None:
        if self.lease <= 2 * self.longest_post:
            raise ValueError("the lease must be longer than twice the longest post")


class Dispatcher:
    """One worker of any number: it holds no state that is not also in the database, as a lease that ends."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        key_ring: KeyRing,
        post: Post,
        *,
        mail: Mail | None = None,
        public_url: str = "",
        clock: Callable[[], datetime],
        signing_clock: Callable[[], datetime] | None = None,
        pace: Pace | None = None,
        listen_url: str | None = None,
        chance: Callable[[], float] = random.random,
        progress: Progress | None = None,
    ) -> None:
        """Take what it works with; `clock` tells real time, `listen_url` is the database's address for LISTEN.

        Without `mail` nothing is mailed, and what should be fails; mails lead to `public_url`. `signing_clock` tells
        receivers' time where `clock` runs ahead of it, as in a sandbox.
        """
        self._sessions = sessions
        self._key_ring = key_ring
        self._preparer = Preparer(sessions, key_ring, public_url=public_url)
        self._post = post
        self._mail = mail
        self._clock = clock
        self._signing_clock = signing_clock or clock
        self._pace = pace or Pace()
        self._listen_url = listen_url
        self._recorder = Recorder(sessions, clock=clock, chance=chance, rule=self._pace.breaker)
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._progress = progress or Progress(monotonic)
        self._hint = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; `run` ends when what is under way has ended, or its time for that is over."""
        self._stopping = True
        self._hint.set()

    async def run(self) -> None:
        """Deliver until stopped. No error of database or receiver ends it; where a part of it dies, all of it does."""
        try:
            async with asyncio.TaskGroup() as parts:
                beside = [parts.create_task(self._recorder.run()) for _ in range(self._pace.recorders)]
                if self._listen_url is not None:
                    beside.append(parts.create_task(self._listen(self._listen_url)))
                await self._claim_on_and_on()
                await self._drain()
                for task in beside:
                    task.cancel()
        finally:
            under_way = list(self._running)
            for delivery in under_way:
                delivery.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _claim_on_and_on(self) -> None:
        backoff = FIRST_BACKOFF
        while not self._stopping:
            self._hint.clear()
            try:
                claimed = await self._claim()
            except Exception as error:
                metrics.CLAIM_LOOKS.labels("failed").inc()
                if is_passing(error):
                    log.warning("deliveries_not_claimed", error=type(error).__name__, again_in=backoff)
                else:
                    log.exception("deliveries_not_claimed", again_in=backoff)
                await self._pause(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF)
                continue
            backoff = FIRST_BACKOFF
            for delivery in claimed:
                task = asyncio.create_task(self._deliver(delivery))
                self._running[task] = delivery
                task.add_done_callback(self._ended)
            self._wake_for_room(claimed)
            if not claimed:
                await self._pause(self._pace.poll.total_seconds())

    async def _claim(self) -> list[Claimed]:
        now = self._clock()
        free = self._places(now)
        if free <= 0:
            return []
        failing = sum(delivery.failing for delivery in self._running.values())
        for_failing = max(1, int(self._pace.concurrency * self._pace.failing_share)) - failing
        async with self._sessions.begin() as session:
            claimed = await claim_due(
                session, now=now, lease=self._pace.lease, limit=free, failing_limit=max(0, for_failing)
            )
        metrics.CLAIM_LOOKS.labels("done").inc()
        metrics.CLAIMED.inc(len(claimed))
        self._progress.note(CLAIMS)
        return claimed

    def _places(self, now: datetime) -> int:
        """Count the posts that may begin: those that have taken long already have places of their own."""
        pace = self._pace
        before = now - pace.slow_after + pace.lease
        # The oldest come first.
        slow = sum(1 for _ in takewhile(lambda delivery: delivery.leased_until < before, self._running.values()))
        return pace.concurrency - len(self._running) + min(slow, pace.slow)

    def _wake_for_room(self, claimed: list[Claimed]) -> None:
        """Look again as soon as endpoints that get so many posts a minute may get more."""
        for room_in in {delivery.next_room_in for delivery in claimed}:
            if room_in is not None and room_in < self._pace.poll:
                asyncio.get_running_loop().call_later(room_in.total_seconds(), self._hint.set)

    async def _pause(self, seconds: float) -> None:
        """Wait for a hint, or for so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._hint.wait()
        except TimeoutError:
            pass

    def _ended(self, task: "asyncio.Task[None]") -> None:
        # There is room for another now.
        delivery = self._running.pop(task)
        self._hint.set()
        # With every place taken nothing is claimed, and all is well as long as posts end.
        self._progress.note(CLAIMS)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_broke_off", delivery_id=str(delivery.id), exc_info=error)

    async def _deliver(self, claimed: Claimed) -> None:
        if claimed.superseded:
            await self._recorder.record(claimed)
            return
        started_at, began = self._clock(), monotonic()
        if started_at + self._pace.longest_post > claimed.leased_until:
            # This process slept through its lease: another may have the delivery by now.
            log.warning("lease_too_short_to_post", delivery_id=str(claimed.id))
            return
        channel = channel_of(claimed.url)
        with tracing.span(
            f"deliver {channel}",
            "client",
            parent=claimed.traceparent,
            lintas__delivery_id=claimed.id,
            lintas__event_id=claimed.event_id,
            lintas__event_type=claimed.type,
            lintas__endpoint_id=claimed.endpoint_id,
            lintas__attempt=claimed.attempt,
            lintas__referral_id=_referral_of(claimed),
        ) as span:
            answer = await self._answer_to(claimed, started_at, span.traceparent or claimed.traceparent)
            by_http = channel is Channel.WEBHOOK
            span.say(lintas__outcome=answer.outcome, http__response__status_code=answer.status if by_http else None)
            if answer.outcome != DELIVERED:
                span.fail()
        duration = timedelta(seconds=monotonic() - began)
        delivered = answer.outcome == DELIVERED
        # Asked first: to put together what is not written costs as much as to sign the post.
        if not delivered or logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            log.log(
                logging.DEBUG if delivered else logging.INFO,
                "posted",
                delivery_id=str(claimed.id),
                endpoint_id=str(claimed.endpoint_id),
                event_id=str(claimed.event_id),
                referral_id=_referral_of(claimed),
                attempt=claimed.attempt,
                outcome=answer.outcome,
                status=answer.status,
                detail=answer.detail,
                milliseconds=round(duration / timedelta(milliseconds=1)),
            )
        sealed = delivery_history.seal_answer(self._key_ring, claimed.id, claimed.attempt, answer.start)
        await self._recorder.record(Posted(claimed, answer, started_at, duration, sealed))
        _count_post(claimed, answer.outcome, duration, started_at + duration)

    async def _answer_to(self, claimed: Claimed, started_at: datetime, traceparent: str | None) -> Answer:
        if exhausted(claimed.attempt, emergency=claimed.emergency, open_offer=claimed.offer):
            # Every attempt was counted and none recorded: whoever made one died of it.
            return Answer(failed=Phase.INTERNAL)
        try:
            prepared = await self._preparer.prepare(claimed, now=started_at, signed_at=self._signing_clock())
            if isinstance(prepared, Answer):
                return prepared
            if isinstance(prepared, Letter):
                return await self._mailed(prepared)
            own_tls = () if prepared.tls is None else (prepared.tls,)
            headers = prepared.headers
            if traceparent is not None:
                # Of one trace there is one parent, whatever the agency wants to be sent beside it.
                own = {name: value for name, value in headers.items() if name.lower() != "traceparent"}
                headers = {**own, "traceparent": traceparent}
            return await self._post(prepared.url, prepared.body, headers, *own_tls)
        except Exception as error:  # noqa: BLE001 - one delivery must not end the others
            # Where, but not what: the error may hold the URL or the secret.
            place = extract_tb(error.__traceback__)[-1]
            log.error(  # noqa: TRY400
                "delivery_broke",
                delivery_id=str(claimed.id),
                endpoint_id=str(claimed.endpoint_id),
                error=type(error).__name__,
                place=f"{place.filename}:{place.lineno}",
            )
            return Answer(failed=Phase.INTERNAL)

    async def _mailed(self, letter: Letter) -> Answer:
        if self._mail is None:
            # For who waits for it the address is none that works, and the coordinator is to hear of that.
            return Answer(failed=Phase.CONNECT, detail=Detail.NO_MAIL_SERVER)
        return await self._mail(letter)

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(list(self._running), timeout=self._pace.drain.total_seconds())

    async def _listen(self, url: str) -> None:
        while True:
            try:
                await listen(url, self._hint.set)
            except Exception as error:  # noqa: BLE001 - the poll goes on without it
                log.warning("hints_interrupted", error=type(error).__name__)
            await asyncio.sleep(self._pace.poll.total_seconds())


def _referral_of(claimed: Claimed) -> str | None:
    found = claimed.data.get("referral_id")
    return found if isinstance(found, str) else None


def _count_post(claimed: Claimed, outcome: str, duration: timedelta, ended_at: datetime) -> None:
    metrics.POSTS.labels(outcome).observe(duration.total_seconds())
    if outcome == DELIVERED:
        # Its id holds the millisecond in which the news was written.
        written = (claimed.event_id.int >> 80) / 1000
        first = "yes" if claimed.attempt == 1 else "no"
        metrics.NEWS_AGE.labels(first).observe(max(0.0, ended_at.timestamp() - written))
