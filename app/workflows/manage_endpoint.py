"""An agency says where it wants its news: registers, changes, pauses, enables and tests its endpoints.

Where that is, is proven before anything is sent there (prove_endpoint.py). An operator sees every endpoint and may stop
one; what an operator stopped, no agency starts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.addresses import Reach, origin_of
from app.domain.caller import Caller, Role
from app.domain.certificates import TlsGiven
from app.domain.channel import Channel, channel_of
from app.domain.errors import Fault, InvalidInput
from app.domain.events import EventType, NewEvent, faults_of_types
from app.domain.proposals import Proposal, ProposalKind, SecondPerson
from app.domain.rate import MOST_PER_MINUTE
from app.domain.versions import Expected
from app.domain.webhook import Scheme, new_secret, public_key_of
from app.storage import delivery_history, endpoints, equipment, events, ways
from app.storage.endpoints import Endpoint
from app.storage.sealing import KeyRing
from app.workflows import equip_endpoint, own_endpoint
from app.workflows.equip_endpoint import Carried, Read
from app.workflows.own_endpoint import BY_AGENCY, BY_OPERATOR
from app.workflows.propose_change import Change, outdate, propose
from app.workflows.prove_endpoint import ask_for_proof
from app.workflows.recover_endpoint import release_held

MOST_IN_FLIGHT = 64
DEFAULT_IN_FLIGHT = 4
ALONE = SecondPerson()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agency asks of an endpoint: its URL, the types of news (None is all), how many posts at once."""

    url: str
    """A webhook's, or mailto: by it an agency chooses its channel."""
    event_types: tuple[str, ...] | None = None
    max_in_flight: int = DEFAULT_IN_FLIGHT
    max_per_minute: int | None = None
    """None is no limit."""

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        types = None if self.event_types is None else list(self.event_types)
        return {
            "url": self.url,
            "event_types": types,
            "max_in_flight": self.max_in_flight,
            "max_per_minute": self.max_per_minute,
        }


async def register_endpoint(
    session: AsyncSession,
    caller: Caller,
    wanted: Wanted,
    *,
    reach: Reach,
    key_ring: KeyRing,
    now: datetime,
    scheme: Scheme = Scheme.HMAC_SHA256,
    carried: Carried | None = None,
    second_person: SecondPerson = ALONE,
) -> tuple[Endpoint | Proposal, str | None]:
    """Register an endpoint and send its challenge, or propose to; InvalidInput lists all faults.

    Beside it is given what its receiver verifies by: the secret, which is shown this once, or the public key; for a
    mail address nothing.
    """
    carried = carried or Carried()
    read, faults = await equip_endpoint.read(session, carried)
    check(wanted, reach, *faults, *_faults_of_mail(wanted, carried))
    secret, endpoint_id = new_secret(scheme), uuid7()
    signs = channel_of(wanted.url) is Channel.WEBHOOK
    verified_by = (public_key_of(secret) or secret) if signs else None
    if second_person.endpoints:
        what = wanted.as_json() | {"scheme": scheme.value, "headers": [one.name for one in carried.headers]}
        hidden = {
            "secret": secret,
            "headers": [[one.name, one.value] for one in carried.headers],
            "tls": equip_endpoint.written(carried.tls),
        }
        change = Change(
            ProposalKind.REGISTER_ENDPOINT,
            caller.agency_code,
            str(endpoint_id),
            what | {"tls": equip_endpoint.shown_of(read.tls)},
            hidden,
        )
        return await propose(session, caller, change, key_ring=key_ring, terms=second_person, now=now), verified_by
    kept = await add_endpoint(
        session,
        caller,
        endpoint_id,
        caller.agency_code,
        wanted,
        signed_by=(scheme, secret),
        carried=read,
        key_ring=key_ring,
        now=now,
    )
    return kept, verified_by


async def add_endpoint(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    agency_code: str,
    wanted: Wanted,
    *,
    signed_by: tuple[Scheme, str],
    carried: Read,
    key_ring: KeyRing,
    now: datetime,
) -> Endpoint:
    """Keep a new endpoint with all that its webhooks carry, and send its challenge."""
    endpoint = Endpoint(
        id=endpoint_id,
        agency_code=agency_code,
        url=wanted.url,
        event_types=wanted.event_types,
        state=endpoints.UNVERIFIED,
        state_reason=None,
        max_in_flight=wanted.max_in_flight,
        max_per_minute=wanted.max_per_minute,
        failing_since=None,
        last_success_at=None,
        version=1,
        created_at=now,
    )
    kept = await endpoints.add(session, endpoint)
    if channel_of(kept.url) is Channel.WEBHOOK:
        await equipment.add_secret(session, key_ring, kept.id, *signed_by)
    await equip_endpoint.keep(session, key_ring, kept.id, carried)
    await own_endpoint.record(session, caller, "register", kept.id)
    return await ask_for_proof(session, kept, now=now)


async def change_endpoint(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    wanted: Wanted,
    *,
    reach: Reach,
    expected: Expected,
    key_ring: KeyRing,
    now: datetime,
    second_person: SecondPerson = ALONE,
) -> Endpoint | Proposal:
    """Change URL, filter and numbers of posts; PreconditionFailed if it is not of the version it was.

    A new URL may take a second person: then all of it is proposed, and the endpoint stays as it is until confirmed.
    """
    offers = await delivery_history.lock_offers(session, caller.agency_code)
    await endpoints.lock_with_idle(session, endpoint_id, agency_code=caller.agency_code)
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
    expected.check(endpoint.version)
    check(wanted, reach, *_faults_of_move(endpoint, wanted))
    if second_person.endpoints and wanted.url != endpoint.url:
        what = wanted.as_json() | {"former_url": endpoint.url}
        change = Change(ProposalKind.CHANGE_ENDPOINT, endpoint.agency_code, str(endpoint_id), what)
        return await propose(session, caller, change, key_ring=key_ring, terms=second_person, now=now)
    await outdate(session, caller, ProposalKind.CHANGE_ENDPOINT, str(endpoint_id), now=now)
    return await put_endpoint(session, caller, endpoint, wanted, offers=offers, key_ring=key_ring, now=now)


async def put_endpoint(
    session: AsyncSession,
    caller: Caller,
    endpoint: Endpoint,
    wanted: Wanted,
    *,
    offers: Sequence[UUID],
    key_ring: KeyRing,
    now: datetime,
) -> Endpoint:
    """Keep what a locked endpoint is to be.

    A new URL has to be proven anew, and until then its news is held. The old one, if it was proven, is told of it.
    """
    changed = replace(
        endpoint,
        url=wanted.url,
        event_types=wanted.event_types,
        max_in_flight=wanted.max_in_flight,
        max_per_minute=wanted.max_per_minute,
    )
    moved = changed.url != endpoint.url
    if moved:
        state = endpoints.UNVERIFIED if endpoint.state == endpoints.ACTIVE else endpoint.state
        changed = replace(changed.forgiven, state=state, verified_at=None)
    kept = await endpoints.put(session, changed)
    if moved:
        await _leave(session, endpoint, kept, key_ring=key_ring, now=now)
    if endpoint.brings_offers and not kept.brings_offers:
        await _doubt(session, kept, offers)
    await own_endpoint.record(session, caller, "change", endpoint.id)
    return await ask_for_proof(session, kept, now=now) if moved else kept


async def _leave(session: AsyncSession, before: Endpoint, after: Endpoint, *, key_ring: KeyRing, now: datetime) -> None:
    """Hold what the old address has not taken, and tell it that it is none any more."""
    await delivery_history.hold(session, before.id)
    if before.verified_at is not None:
        data = {"endpoint_id": str(before.id), "changed": ["url"], "state": after.state}
        news = NewEvent(before.agency_code, EventType.ENDPOINT_CHANGED, data)
        (event_id,) = await events.announce(session, news, now=now)
        await equipment.keep_former_address(session, key_ring, before.id, event_id, before.url)
    if origin_of(before.url) != origin_of(after.url):
        # They may hold what only the old host is to know, and nobody may have them sent elsewhere to read them.
        await equipment.put_headers(session, key_ring, before.id, ())


async def pause_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Send nothing more to an endpoint; its news is held until it is enabled."""
    return await _stop(session, caller, endpoint_id, endpoints.PAUSED, "pause")


async def disable_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """End an endpoint; its news is held, in case it is enabled after all."""
    return await _stop(session, caller, endpoint_id, endpoints.DISABLED, "disable")


async def enable_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID, *, now: datetime) -> Endpoint:
    """Send to an endpoint again, and first what was held for it; one whose address is not proven gets a challenge.

    Enabling one that is active or waits for its proof changes nothing.
    """
    endpoint = await own_endpoint.lock_to_stop_or_start(session, caller, endpoint_id)
    if endpoint.state in {endpoints.ACTIVE, endpoints.UNVERIFIED}:
        return endpoint
    state = endpoints.UNVERIFIED if endpoint.verified_at is None else endpoints.ACTIVE
    kept = await endpoints.put(session, replace(endpoint.forgiven, state=state, state_reason=None))
    await own_endpoint.record(session, caller, "enable", endpoint_id)
    if state == endpoints.UNVERIFIED:
        return await ask_for_proof(session, kept, now=now)
    await release_held(session, endpoint_id)
    return kept


async def ping_endpoint(session: AsyncSession, caller: Caller, endpoint_id: UUID, *, now: datetime) -> None:
    """Send a ping to an endpoint, whatever its filter; one that is not active gets it when it is."""
    await own_endpoint.lock(session, caller, endpoint_id)
    news = NewEvent(caller.agency_code, EventType.ENDPOINT_PING, {"endpoint_id": str(endpoint_id)})
    await events.announce(session, news, now=now)
    await own_endpoint.record(session, caller, "ping", endpoint_id)


async def _stop(session: AsyncSession, caller: Caller, endpoint_id: UUID, state: str, action: str) -> Endpoint:
    # The referrals before the endpoint, as every story has it, so that nobody waits crosswise.
    whose = await endpoints.agency_of(session, endpoint_id) if caller.may(Role.OPERATOR) else None
    offers = await delivery_history.lock_offers(session, whose or caller.agency_code)
    endpoint = await own_endpoint.lock_to_stop_or_start(session, caller, endpoint_id)
    if endpoint.state == state:
        return endpoint
    reason = BY_AGENCY if endpoint.agency_code == caller.agency_code else BY_OPERATOR
    kept = await endpoints.put(session, replace(endpoint, state=state, state_reason=reason))
    await delivery_history.hold(session, endpoint_id)
    if endpoint.brings_offers:
        await _doubt(session, kept, offers)
    await own_endpoint.record(session, caller, action, endpoint_id)
    return kept


async def _doubt(session: AsyncSession, endpoint: Endpoint, offers: Sequence[UUID]) -> None:
    """Have coordinators told of offers that never reached an agency that can no longer be told of them."""
    if not await ways.reachable(session, [endpoint.agency_code]):
        await delivery_history.doubt_offers(session, offers)


def _faults_of_mail(wanted: Wanted, carried: Carried) -> Iterator[Fault]:
    """Find what a mail address cannot have."""
    if channel_of(wanted.url) is Channel.MAIL:
        if carried.headers:
            yield Fault("/headers", "for_webhooks_alone", "a mail carries no headers of your own")
        if carried.tls != TlsGiven():
            yield Fault("/tls", "for_webhooks_alone", "a mail goes through the operator's mail server")


def _faults_of_move(endpoint: Endpoint, wanted: Wanted) -> Iterator[Fault]:
    """Find that a webhook is to become a mail address, or mail a webhook: what goes with one is not the other's."""
    if channel_of(endpoint.url) is not channel_of(wanted.url):
        yield Fault("/url", "channel_changed", "register another endpoint for that, and disable this one")


def check(wanted: Wanted, reach: Reach, *more: Fault) -> None:
    """See that what is wanted can be done; InvalidInput lists all faults, those found elsewhere too."""
    faults = (*reach.faults_of(wanted.url), *faults_of_types(wanted.event_types))
    if not 1 <= wanted.max_in_flight <= MOST_IN_FLIGHT:
        faults += (Fault("/max_in_flight", "out_of_range", f"this is a number from 1 to {MOST_IN_FLIGHT}"),)
    if wanted.max_per_minute is not None and not 1 <= wanted.max_per_minute <= MOST_PER_MINUTE:
        faults += (Fault("/max_per_minute", "out_of_range", f"this is a number from 1 to {MOST_PER_MINUTE}"),)
    if faults or more:
        raise InvalidInput((*faults, *more))
