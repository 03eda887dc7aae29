"""What follows from a post: the delivery ends or waits for its next attempt, and a dead endpoint is given up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType, NewEvent
from app.domain.retry import Answer, Phase, Verdict, exhausted, is_failing, is_hopeless, next_attempt, verdict
from app.storage import audit, deliveries, delivery_history, endpoints, events
from app.storage.claims import Claimed
from app.storage.endpoints import Endpoint

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


async def record_deliveries(session: AsyncSession, taken: Sequence[Posted], *, now: datetime) -> set[UUID]:
    """Record posts that were all taken, in one statement; who lost its claim meanwhile changes nothing.

    Give the endpoints whose success is still to be noted, because somebody holds them locked.
    """
    succeeded = {posted.claimed.endpoint_id for posted in taken if not posted.claimed.to_former_address}
    unnoted = await endpoints.note_success(session, succeeded, now=now) if succeeded else set()
    made = [_attempt(posted, deliveries.DELIVERED, now) for posted in taken]
    won = await deliveries.record(session, made, now=now)
    for posted in taken:
        if posted.claimed.id not in won:
            log.warning("delivery_recorded_late", delivery_id=str(posted.claimed.id))
    return unnoted


async def record_failure(session: AsyncSession, posted: Posted, *, now: datetime, chance: Callable[[], float]) -> None:
    """Record one post that was not taken, with what follows for its delivery, its endpoint and its agency.

    `chance` gives random numbers from 0 to 1, for the jitter.
    """
    claimed = posted.claimed
    again = _next_attempt(posted, now, chance())
    # The referrals before the endpoint, and the endpoint before its deliveries, so that no two wait for each other.
    seen = await _endpoint_of(session, claimed)
    lost = seen.brings_offers and not _judged(seen, posted, now).brings_offers
    offers = await _offers_in_doubt(session, claimed, seen, lost=lost, failed=again is None)
    endpoint = await _endpoint_of(session, claimed, lock=True)
    judged = _judged(endpoint, posted, now)
    unverified = judged.state == endpoints.UNVERIFIED and claimed.of_its_address
    active = judged.state == endpoints.ACTIVE or unverified
    failed = again is None and active
    if endpoint.brings_offers and not judged.brings_offers and not lost:
        # It changed in between. Where another is at work on one of them now, all this is done again.
        lost = True
        offers = await delivery_history.lock_offers(session, endpoint.agency_code, wait=False)
    state = deliveries.FAILED if failed else deliveries.DUE if active else deliveries.HELD
    won = await deliveries.record(session, [_attempt(posted, state, again or now)], now=now)
    if not won:
        log.warning("delivery_recorded_late", delivery_id=str(claimed.id))
        return
    if _says_something(posted):
        await endpoints.note_failure(session, judged)
    if failed:
        log.error(
            "delivery_failed", delivery_id=str(claimed.id), endpoint_id=str(endpoint.id), attempts=claimed.attempt
        )
        await delivery_history.doubt_offers(session, [one for one in offers if one == claimed.handoff_id])
    if judged.state != endpoint.state:
        await _give_up(session, judged, now)
    elif judged.state_reason != endpoint.state_reason:
        await _tell(session, judged, EventType.ENDPOINT_FAILING, now)
    if lost and not judged.brings_offers and not await endpoints.reachable(session, [endpoint.agency_code]):
        await delivery_history.doubt_offers(session, offers)


async def supersede_delivery(session: AsyncSession, claimed: Claimed, *, now: datetime) -> None:
    """Record that nothing was sent, because the offer that it was about is no longer open."""
    if not await deliveries.supersede(session, claimed.id, claimed.claim, now=now):
        log.warning("delivery_recorded_late", delivery_id=str(claimed.id))


async def _endpoint_of(session: AsyncSession, claimed: Claimed, *, lock: bool = False) -> Endpoint:
    endpoint = await endpoints.get(session, claimed.endpoint_id, lock=lock)
    if endpoint is None:
        raise AssertionError("a delivery belongs to an endpoint")
    return endpoint


async def _offers_in_doubt(
    session: AsyncSession, claimed: Claimed, endpoint: Endpoint, *, lost: bool, failed: bool
) -> Sequence[UUID]:
    """Lock what coordinators may have to be told of: all offers to who lost a way, or the one undelivered."""
    if lost:
        return await delivery_history.lock_offers(session, endpoint.agency_code)
    if failed and claimed.handoff_id is not None:
        return await delivery_history.lock_offers(session, endpoint.agency_code, handoff_id=claimed.handoff_id)
    return ()


def _judged(endpoint: Endpoint, posted: Posted, now: datetime) -> Endpoint:
    """Say what the endpoint is after this failure."""
    if not _says_something(posted):
        return endpoint
    judged = replace(endpoint, failing_since=endpoint.failing_since or now)
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


def _attempt(posted: Posted, state: str, due_at: datetime) -> deliveries.Attempt:
    return deliveries.Attempt(
        delivery_id=posted.claimed.id,
        claim=posted.claimed.claim,
        number=posted.claimed.attempt,
        started_at=posted.started_at,
        duration=posted.duration,
        outcome=posted.answer.outcome,
        status=posted.answer.status,
        state=state,
        due_at=due_at,
    )


async def _give_up(session: AsyncSession, endpoint: Endpoint, now: datetime) -> None:
    """Hold what a disabled endpoint misses, and tell its agency."""
    log.error("endpoint_disabled", endpoint_id=str(endpoint.id), agency=endpoint.agency_code, why=endpoint.state_reason)
    await delivery_history.hold(session, endpoint.id)
    await audit.record(session, None, "endpoint.disable", subject="endpoint", subject_id=endpoint.id)
    await _tell(session, endpoint, EventType.ENDPOINT_DISABLED, now)


async def _tell(session: AsyncSession, endpoint: Endpoint, type_: EventType, now: datetime) -> None:
    data = {
        "endpoint_id": str(endpoint.id),
        "state": endpoint.state,
        "reason": endpoint.state_reason,
        "failing_since": endpoint.failing_since.isoformat() if endpoint.failing_since else None,
    }
    await events.announce(session, NewEvent(endpoint.agency_code, type_, data), now=now)
