"""When an endpoint is left alone: its circuit breaker, and the pause that it asked for. Source: the design, "Delivery".

It is judged by finished attempts alone: what waits says nothing of who should take it, and dilutes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class BreakerState(StrEnum):
    """Closed: posts go out. Open: none does. Half open: the time for one probe has come, or it is under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When a breaker opens, and how long until the next probe."""

    window: timedelta = timedelta(minutes=3)
    """How long attempts are counted, from a failure on: an endpoint that does not fail is not counted at all."""
    at_least: int = 10
    """How many attempts must have finished in the window. One that hangs for 15 s each time finishes so many in it."""
    share: float = 0.5
    """The share of failures among them that opens it."""
    first_wait: timedelta = timedelta(seconds=30)
    """How long until the first probe; each probe that fails doubles it."""
    longest_wait: timedelta = timedelta(minutes=5)
    """No longer than this, for it is also the longest that anything waits for an endpoint that is well again."""

    def wait(self, failed_probes: int) -> timedelta:
        """Say how long until the next probe, after so many that failed."""
        # More doublings than this are longer than any wait, and larger than a duration can be.
        return min(self.first_wait * (1 << min(failed_probes, 16)), self.longest_wait)


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one endpoint, in real time; a new one is closed and has counted nothing."""

    opened_at: datetime | None = None
    next_probe_at: datetime | None = None
    failed_probes: int = 0
    window_since: datetime | None = None
    window_taken: int = 0
    window_failed: int = 0
    quiet_until: datetime | None = None
    """Its answer asked for a pause until then, by Retry-After."""

    def state(self, *, now: datetime) -> BreakerState:
        """Say whether posts go out now."""
        if self.opened_at is None or self.next_probe_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.next_probe_at else BreakerState.HALF_OPEN

    def counts(self, rule: BreakerRule, *, now: datetime) -> bool:
        """Say whether a window runs, so that a success is counted too."""
        running = self.window_since is not None and now < self.window_since + rule.window
        return running and self.opened_at is None


def after_failure(
    breaker: Breaker, rule: BreakerRule, *, now: datetime, probe: bool, quiet_until: datetime | None = None
) -> Breaker:
    """Count a failed attempt: it opens the breaker, or puts the next probe off, where that was a `probe`.

    What was under way when the breaker opened changes nothing, nor does a probe ahead of its time: the first attempt of
    an emergency's news, which waits for no breaker. `quiet_until` is how long the answer asked to be left alone.
    """
    if breaker.opened_at is not None and breaker.next_probe_at is not None:
        if probe and now >= breaker.next_probe_at:
            failed = breaker.failed_probes + 1
            breaker = replace(breaker, next_probe_at=now + rule.wait(failed), failed_probes=failed)
    elif breaker.counts(rule, now=now):
        breaker = replace(breaker, window_failed=breaker.window_failed + 1)
    else:
        breaker = replace(breaker, window_since=now, window_taken=0, window_failed=1)
    finished = breaker.window_taken + breaker.window_failed
    if breaker.opened_at is None and finished >= rule.at_least and breaker.window_failed >= rule.share * finished:
        breaker = replace(breaker, opened_at=now, next_probe_at=now + rule.wait(0), failed_probes=0)
    quiet = max((moment for moment in (breaker.quiet_until, quiet_until) if moment is not None), default=None)
    return replace(breaker, quiet_until=quiet)


def after_success(breaker: Breaker, rule: BreakerRule, *, now: datetime, probe: bool, taken: int = 1) -> Breaker:
    """Count attempts that were taken; the success of a `probe` closes the breaker, any other leaves it open."""
    if breaker.opened_at is not None:
        return Breaker() if probe else breaker
    return replace(breaker, window_taken=breaker.window_taken + taken) if breaker.counts(rule, now=now) else breaker
