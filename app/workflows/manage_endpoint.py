"""An agency says where it wants its news: registers, changes, pauses, enables and tests its endpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.addresses import Reach
from app.domain.caller import Caller
from app.domain.errors import Fault, InvalidInput, NotFound
from app.domain.events import EventType, NewEvent
from app.domain.versions import Expected
from app.domain.webhook import new_secret
from app.storage import audit, delivery_history, endpoints, events
from app.storage.endpoints import Endpoint
from app.storage.sealing import KeyRing
from app.workflows.recover_endpoint import release_held

MOST_IN_FLIGHT = 64
DEFAULT_IN_FLIGHT = 4
BY_AGENCY = "by_agency"
"""The reason of a state that the agency chose itself."""
_KNOWN = frozenset(type_.value for type_ in EventType)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agency asks of an endpoint: its URL, the types of news (None is all), how many posts at once."""

    url: str
    event_types: tuple[str, ...] | None = None
    max_in_flight: int = DEFAULT_IN_FLIGHT


async def register_endpoint(
    session: AsyncSession, caller: Caller, wanted: Wanted, *, reach: Reach, key_ring: KeyRing, now: datetime
) -> tuple[Endpoint, str]:
    """Register an endpoint, and give its signing secret, which is shown this once; InvalidInput lists all faults."""
    _check(wanted, reach)
    secret = new_secret()
    endpoint = Endpoint(
        id=uuid7(),
        agency_code=caller.agency_code,
        url=wanted.url,
        event_types=wanted.event_types,
        state=endpoints.ACTIVE,
        state_reason=None,
        max_in_flight=wanted.max_in_flight,
        failing_since=None,
        last_success_at=None,
        version=1,
        created_at=now,
    )
    sealed = endpoints.seal_secret(key_ring, endpoint.id, secret)
    kept = await endpoints.add(session, endpoint, sealed_secret=sealed)
    await _audit(session, caller, "register", kept.id)
    return kept, secret


async def change_endpoint(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    wanted: Wanted,
    *,
    reach: Reach,
    expected: Expected,
) -> Endpoint:
    """Change URL, filter and number of posts at once; PreconditionFailed if it is not of the version it was."""
    offers = await delivery_history.lock_offers(session, caller.agency_code)
    endpoint = await _lock(session, caller, endpoint_id)
    expected.check(endpoint.version)
    _check(wanted, reach)
    changed = replace(endpoint, url=wanted.url, event_types=wanted.event_types, max_in_flight=wanted.max_in_flight)
    if changed.url != endpoint.url:
        changed = _forgiven(changed)
    kept = await endpoints.put(session, changed)
    if endpoint.brings_offers and not kept.brings_offers:
        await _doubt(session, kept, offers)
    await _audit(session, caller, "change", endpoint_id)
    return kept


async def pause_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Send nothing more to an endpoint; its news is held until it is enabled."""
    return await _stop(session, caller, endpoint_id, endpoints.PAUSED, "pause")


async def disable_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """End an endpoint; its news is held, in case it is enabled after all."""
    return await _stop(session, caller, endpoint_id, endpoints.DISABLED, "disable")


async def enable_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Send to an endpoint again, and first what was held for it; enabling one that is active changes nothing."""
    endpoint = await _lock(session, caller, endpoint_id)
    if endpoint.state == endpoints.ACTIVE:
        return endpoint
    kept = await endpoints.put(session, replace(_forgiven(endpoint), state=endpoints.ACTIVE, state_reason=None))
    await release_held(session, endpoint_id)
    await _audit(session, caller, "enable", endpoint_id)
    return kept


async def ping_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID, *, now: datetime) -> None:
    """Send a ping to an endpoint, whatever its filter; one that is not active gets it when it is enabled."""
    await _lock(session, caller, endpoint_id)
    news = NewEvent(caller.agency_code, EventType.ENDPOINT_PING, {"endpoint_id": str(endpoint_id)})
    await events.announce(session, news, now=now)
    await _audit(session, caller, "ping", endpoint_id)


async def _stop(session: AsyncSession, caller: Caller, endpoint_id: UUID, state: str, action: str) -> Endpoint:
    # The referrals before the endpoint, as every story has it, so that nobody waits crosswise.
    offers = await delivery_history.lock_offers(session, caller.agency_code)
    endpoint = await _lock(session, caller, endpoint_id)
    if endpoint.state == state:
        return endpoint
    kept = await endpoints.put(session, replace(endpoint, state=state, state_reason=BY_AGENCY))
    await delivery_history.hold(session, endpoint_id)
    if endpoint.brings_offers:
        await _doubt(session, kept, offers)
    await _audit(session, caller, action, endpoint_id)
    return kept


async def _doubt(session: AsyncSession, endpoint: Endpoint, offers: Sequence[UUID]) -> None:
    """Have coordinators told of offers that never reached an agency that can no longer be told of them."""
    if not await endpoints.reachable(session, [endpoint.agency_code]):
        await delivery_history.doubt_offers(session, offers)


async def _lock(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    endpoint = await endpoints.get(session, endpoint_id, agency_code=caller.agency_code, lock=True)
    if endpoint is None:
        raise NotFound("endpoint")
    return endpoint


def _forgiven(endpoint: Endpoint) -> Endpoint:
    """Give the endpoint as one that has not failed yet."""
    reason = None if endpoint.state_reason == endpoints.FAILING else endpoint.state_reason
    return replace(endpoint, failing_since=None, state_reason=reason)


def _check(wanted: Wanted, reach: Reach) -> None:
    faults = (*reach.faults_of(wanted.url), *_faults_of_types(wanted.event_types))
    if not 1 <= wanted.max_in_flight <= MOST_IN_FLIGHT:
        faults += (Fault("/max_in_flight", "out_of_range", f"this is a number from 1 to {MOST_IN_FLIGHT}"),)
    if faults:
        raise InvalidInput(faults)


def _faults_of_types(event_types: Sequence[str] | None) -> Iterable[Fault]:
    if event_types is None:
        return
    if not event_types:
        yield Fault("/event_types", "empty", "name at least one type of news, or leave this out for all")
    for place, type_ in enumerate(event_types):
        if type_ not in _KNOWN:
            yield Fault(f"/event_types/{place}", "unknown_code", "there is no news of this type")


async def _audit(session: AsyncSession, caller: Caller, action: str, endpoint_id: UUID) -> None:
    await audit.record(session, caller, f"endpoint.{action}", subject="endpoint", subject_id=endpoint_id)
