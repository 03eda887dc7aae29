"""An agency proves that an address is its own: it gives back what was posted there, and was told to nobody else."""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller
from app.domain.errors import Fault, InvalidInput, TooManyUnverified
from app.domain.events import EventType, NewEvent
from app.storage import challenges, endpoints, events
from app.storage.endpoints import Endpoint
from app.storage.sealing import KeyRing
from app.storage.shared_clock import real_time
from app.workflows import own_endpoint
from app.workflows.recover_endpoint import release_held

MOST_UNVERIFIED = 10
"""Endpoints of one agency that wait for their proof: nobody may have us post to many that are not theirs."""
COUNTED_ON = timedelta(hours=1)
"""How long one that was stopped without its proof counts, from its latest challenge on: else there is no bound."""


async def ask_for_proof(session: AsyncSession, endpoint: Endpoint, *, now: datetime) -> Endpoint:
    """Post a challenge to a locked endpoint that is not verified, in place of an earlier one; others stay as they are.

    TooManyUnverified if more of the agency's endpoints wait for their proof than may.
    """
    if endpoint.state != endpoints.UNVERIFIED:
        return endpoint
    moment = await real_time(session)
    waiting = await endpoints.count_unverified(session, endpoint.agency_code, challenged_since=moment - COUNTED_ON)
    if waiting > MOST_UNVERIFIED:
        raise TooManyUnverified
    due_at = challenges.next_due(endpoint.challenged_at, now=moment)
    if endpoint.challenge_id is not None:
        await challenges.withdraw(session, endpoint.challenge_id, now=moment)
    news = NewEvent(endpoint.agency_code, EventType.ENDPOINT_VERIFICATION, {"endpoint_id": str(endpoint.id)})
    (event_id,) = await events.announce(session, news, now=now)
    if due_at > moment:
        await challenges.put_off(session, event_id, due_at=due_at)
    await endpoints.note_challenge(session, endpoint.id, event_id=event_id, due_at=due_at)
    return replace(endpoint, challenge_id=event_id, challenged_at=due_at)


async def challenge_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID, *, now: datetime) -> Endpoint:
    """Post a new challenge, after which the one before it proves nothing."""
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
    endpoint = await ask_for_proof(session, endpoint, now=now)
    await own_endpoint.record(session, caller, "challenge", endpoint_id)
    return endpoint


async def verify_endpoint(
    session: AsyncSession, caller: Caller, endpoint_id: UUID, challenge: str, *, key_ring: KeyRing
) -> Endpoint:
    """Take a challenge back, and send what was held for the endpoint; InvalidInput if it is not the latest one.

    An endpoint that is paused or disabled stays so, and needs no other proof when it is enabled.
    """
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
    moment = await real_time(session)
    if not _proves(endpoint, challenge, key_ring, moment):
        raise InvalidInput((Fault("/challenge", "challenge_wrong", "this is not the latest challenge"),))
    if endpoint.verified_at is not None:
        return endpoint
    waited = endpoint.state == endpoints.UNVERIFIED
    proven = replace(endpoint.forgiven, verified_at=moment)
    kept = await endpoints.put(session, replace(proven, state=endpoints.ACTIVE) if waited else proven)
    if endpoint.challenge_id is not None:
        await challenges.withdraw(session, endpoint.challenge_id, now=moment)
    if waited:
        await release_held(session, endpoint_id)
    await own_endpoint.record(session, caller, "verify", endpoint_id)
    return kept


def _proves(endpoint: Endpoint, challenge: str, key_ring: KeyRing, moment: datetime) -> bool:
    if endpoint.challenge_id is None or endpoint.challenged_at is None:
        return False
    right = challenges.challenge_of(key_ring, endpoint_id=endpoint.id, event_id=endpoint.challenge_id, url=endpoint.url)
    in_time = moment <= endpoint.challenged_at + challenges.VALID_FOR
    return hmac.compare_digest(right.encode(), challenge.encode()) and in_time
