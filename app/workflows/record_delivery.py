"""What follows from a post: the delivery ends or waits for its next attempt, and a dead endpoint is given up."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from logging import ERROR, INFO
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.breaker import BreakerRule, after_failure
from app.domain.events import EventType
from app.domain.retry import Answer, Phase, Verdict, exhausted, is_failing, is_hopeless, next_attempt, pause_of, verdict
from app.storage import attempts, audit, breakers, deliveries, delivery_history, endpoints, ways
from app.storage.breakers import Taken
from app.storage.claims import Claimed
from app.storage.endpoints import Endpoint
from app.workflows.tell_of_endpoint import tell_of_endpoint

log = structlog.get_logger(__name__)

GONE, HOPELESS = "gone", "nothing_but_failure"
"""Why an endpoint is disabled: it answered 410, or 120 hours passed without a success."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A claimed delivery and what came of posting it; the times are real time."""

    claimed: Claimed
    answer: Answer
    started_at: datetime
    duration: timedelta
    sealed_answer: bytes | None = None


async def record_deliveries(
    session: AsyncSession, taken: Sequence[Posted], *, now: datetime, rule: BreakerRule
) -> Collection[Taken]:
    """Record posts that were all taken, in one statement; who lost its claim meanwhile changes nothing.

    Give the successes that are still to be noted, because somebody holds the endpoints locked.
    """
    left = await note_taken(session, _counted(taken), now=now, rule=rule)
    made = [_attempt(posted, deliveries.DELIVERED, now) for posted in taken]
    won = await attempts.record(session, made, now=now)
    for posted in taken:
        if posted.claimed.id not in won:
            log.warning("delivery_recorded_late", delivery_id=str(posted.claimed.id))
    return left


async def note_taken(
    session: AsyncSession, taken: Collection[Taken], *, now: datetime, rule: BreakerRule
) -> Collection[Taken]:
    """Note that endpoints took their news, which may close their breakers; give those that somebody holds locked."""
    noted = await breakers.note_success(session, taken, rule=rule, now=now)
    for endpoint_id in noted.closed:
        log.info("breaker_closed", endpoint_id=str(endpoint_id))
    return noted.left


async def record_failure(
    session: AsyncSession, posted: Posted, *, now: datetime, chance: Callable[[], float], rule: BreakerRule
) -> None:
    """Record one post that was not taken, with what follows for its delivery, its endpoint and its agency.

    `chance` gives random numbers from 0 to 1, for the jitter.
    """
    claimed = posted.claimed
    again = _next_attempt(posted, now, chance())
    # The referrals before the endpoint, and the endpoint before its deliveries, so that no two wait for each other.
    seen = await _endpoint_of(session, claimed)
    expected = _doubt(seen, _judged(seen, posted, now, rule))
    lost = claimed.handoff_id if again is None else None
    offers = await _lock_offers(session, seen, expected, failed=lost)
    endpoint = await _endpoint_of(session, claimed, lock=True)
    judged = _judged(endpoint, posted, now, rule)
    unverified = judged.state == endpoints.UNVERIFIED and claimed.of_its_address
    active = judged.state == endpoints.ACTIVE or unverified
    failed = again is None and active
    doubt = _doubt(endpoint, judged)
    if doubt > expected:
        # It changed in between. Where another is at work on one of them now, all this is done again.
        offers = await _lock_offers(session, endpoint, doubt, failed=lost, wait=False)
    state = deliveries.FAILED if failed else deliveries.DUE if active else deliveries.HELD
    won = await attempts.record(session, [_attempt(posted, state, again or now)], now=now)
    if not won:
        log.warning("delivery_recorded_late", delivery_id=str(claimed.id))
        return
    if _says_something(posted):
        await breakers.note_failure(session, judged)
        _tell_of_breaker(endpoint, judged)
    if failed:
        _tell_of_end(claimed)
        await delivery_history.doubt_offers(session, [one for one in offers if one == claimed.handoff_id])
    if judged.state != endpoint.state:
        await _give_up(session, judged, now)
    elif judged.state_reason != endpoint.state_reason:
        await tell_of_endpoint(session, judged, EventType.ENDPOINT_FAILING, now)
    if doubt is not Doubt.NONE and not await ways.reachable(session, [endpoint.agency_code]):
        await delivery_history.doubt_offers(session, offers)


async def supersede_delivery(session: AsyncSession, claimed: Claimed, *, now: datetime) -> None:
    """Record that nothing was sent, because the offer that it was about is no longer open."""
    if not await attempts.supersede(session, claimed.id, claimed.claim, now=now):
        log.warning("delivery_recorded_late", delivery_id=str(claimed.id))


async def _endpoint_of(session: AsyncSession, claimed: Claimed, *, lock: bool = False) -> Endpoint:
    endpoint = await endpoints.get(session, claimed.endpoint_id, lock=lock)
    if endpoint is None:
        raise AssertionError("a delivery belongs to an endpoint")
    return endpoint


class Doubt(IntEnum):
    """Of which open offers it has become doubtful that they reach their agency, which is for coordinators to hear."""

    NONE = 0
    EMERGENCIES = 1
    ALL = 2


def _doubt(before: Endpoint, after: Endpoint) -> Doubt:
    """Say which offers are in doubt: all, where a way to tell of them is lost; emergencies as soon as none are sent."""
    if before.brings_offers and not after.brings_offers:
        return Doubt.ALL
    opened = before.breaker.opened_at is None and after.breaker.opened_at is not None
    return Doubt.EMERGENCIES if opened and before.brings_offers else Doubt.NONE


async def _lock_offers(
    session: AsyncSession, endpoint: Endpoint, doubt: Doubt, *, failed: UUID | None, wait: bool = True
) -> Sequence[UUID]:
    """Lock what coordinators may have to be told of: offers to who lost a way, and one that `failed` for good."""
    if doubt is Doubt.NONE and failed is None:
        return ()
    if doubt is Doubt.ALL:
        return await delivery_history.lock_offers(session, endpoint.agency_code, wait=wait)
    emergencies = doubt is Doubt.EMERGENCIES
    return await delivery_history.lock_offers(
        session, endpoint.agency_code, handoff_id=failed, emergencies=emergencies, wait=wait
    )


def _judged(endpoint: Endpoint, posted: Posted, now: datetime, rule: BreakerRule) -> Endpoint:
    """Say what the endpoint is after this failure."""
    if not _says_something(posted):
        return endpoint
    claimed = posted.claimed
    quiet_until = pause_of(posted.answer, now=now, emergency=claimed.emergency)
    breaker = after_failure(endpoint.breaker, rule, now=now, probe=claimed.probe, quiet_until=quiet_until)
    judged = replace(endpoint, failing_since=endpoint.failing_since or now, breaker=breaker)
    if endpoint.state not in {endpoints.ACTIVE, endpoints.UNVERIFIED}:
        return judged
    if verdict(posted.answer) is Verdict.GONE:
        return replace(judged, state=endpoints.DISABLED, state_reason=GONE)
    if endpoint.state == endpoints.UNVERIFIED:
        return judged
    if is_hopeless(judged.failing_since, now=now):
        return replace(judged, state=endpoints.DISABLED, state_reason=HOPELESS)
    return replace(judged, state_reason=endpoints.FAILING) if is_failing(judged.failing_since, now=now) else judged


def _says_something(posted: Posted) -> bool:
    """Say whether the answer came from the endpoint, and not from us or from the address that it had before."""
    return posted.answer.failed is not Phase.INTERNAL and not posted.claimed.to_former_address


def _tell_of_end(claimed: Claimed) -> None:
    # Nobody has to be woken because there is no one at an address that was given up, or never proven.
    name, level = ("address_not_told", INFO) if claimed.of_its_address else ("delivery_failed", ERROR)
    log.log(level, name, delivery_id=str(claimed.id), endpoint_id=str(claimed.endpoint_id), attempts=claimed.attempt)


def _tell_of_breaker(before: Endpoint, after: Endpoint) -> None:
    if after.breaker.next_probe_at not in {None, before.breaker.next_probe_at}:
        log.warning(
            "breaker_open",
            endpoint_id=str(after.id),
            agency=after.agency_code,
            failed=after.breaker.window_failed,
            taken=after.breaker.window_taken,
            failed_probes=after.breaker.failed_probes,
            next_probe_at=after.breaker.next_probe_at and after.breaker.next_probe_at.isoformat(),
        )


def _counted(taken: Sequence[Posted]) -> list[Taken]:
    """Count how many posts each endpoint took; what its former address took says nothing of it."""
    of_endpoint = [posted.claimed for posted in taken if not posted.claimed.to_former_address]
    counts = Counter(claimed.endpoint_id for claimed in of_endpoint)
    probed = {claimed.endpoint_id for claimed in of_endpoint if claimed.probe}
    return [Taken(endpoint_id, count, endpoint_id in probed) for endpoint_id, count in counts.items()]


def _next_attempt(posted: Posted, now: datetime, chance: float) -> datetime | None:
    claimed = posted.claimed
    if claimed.to_former_address and verdict(posted.answer) is Verdict.GONE:
        # Nobody is there any more to be told: that is no news of the endpoint, and no reason to come again.
        return None
    if exhausted(claimed.attempt, emergency=claimed.emergency, open_offer=claimed.offer):
        return None
    return next_attempt(
        claimed.attempt,
        failed_at=now,
        chance=chance,
        emergency=claimed.emergency,
        open_offer=claimed.offer,
        retry_after=posted.answer.retry_after,
    )


def _attempt(posted: Posted, state: str, due_at: datetime) -> attempts.Attempt:
    return attempts.Attempt(
        delivery_id=posted.claimed.id,
        claim=posted.claimed.claim,
        number=posted.claimed.attempt,
        started_at=posted.started_at,
        duration=posted.duration,
        outcome=posted.answer.outcome,
        status=posted.answer.status,
        state=state,
        due_at=due_at,
        detail=posted.answer.detail,
        answer=posted.sealed_answer,
    )


async def _give_up(session: AsyncSession, endpoint: Endpoint, now: datetime) -> None:
    """Hold what a disabled endpoint misses, and tell its agency and the operators."""
    log.error("endpoint_disabled", endpoint_id=str(endpoint.id), agency=endpoint.agency_code, why=endpoint.state_reason)
    await delivery_history.hold(session, endpoint.id)
    await audit.record(session, None, "endpoint.disable", subject="endpoint", subject_id=endpoint.id)
    await tell_of_endpoint(session, endpoint, EventType.ENDPOINT_DISABLED, now)
