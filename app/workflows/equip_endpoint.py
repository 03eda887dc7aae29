"""An agency says what goes with its webhooks: a new secret, own headers, a client certificate and an own CA."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain import certificates, own_headers
from app.domain.caller import Caller
from app.domain.certificates import TlsGiven, TlsIdentity
from app.domain.errors import Fault, InvalidInput, TooManySecrets
from app.domain.own_headers import OwnHeader
from app.domain.proposals import Proposal, ProposalKind, SecondPerson
from app.domain.versions import Expected
from app.domain.webhook import Scheme, new_secret, public_key_of
from app.storage import endpoints, equipment
from app.storage.endpoints import Endpoint
from app.storage.equipment import ShownSecret
from app.storage.sealing import KeyRing
from app.storage.shared_clock import real_time
from app.workflows import own_endpoint
from app.workflows.propose_change import Change, outdate, propose

MOST_SECRETS = 3
"""Secrets of one endpoint that sign at the same time."""
ALONE = SecondPerson()
OLD_VALID_FOR = timedelta(hours=24)
LONGEST_OLD_VALID_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Carried:
    """What an agency wants its webhooks to carry beside the signature."""

    headers: tuple[OwnHeader, ...] = ()
    tls: TlsGiven = field(default_factory=TlsGiven)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of it."""

    headers: tuple[OwnHeader, ...]
    tls: TlsIdentity


async def read(session: AsyncSession, carried: Carried) -> tuple[Read, tuple[Fault, ...]]:
    """Read what webhooks are to carry, and list all that is wrong with it."""
    identity, faults = certificates.read_tls(carried.tls, now=await real_time(session))
    return Read(carried.headers, identity), (*own_headers.faults_of(carried.headers), *faults)


async def keep(session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, what: Read) -> None:
    """Keep what the webhooks of a new endpoint carry."""
    if what.headers:
        await equipment.put_headers(session, key_ring, endpoint_id, what.headers)
    if not what.tls.is_empty:
        await equipment.put_tls(session, key_ring, endpoint_id, what.tls)


async def rotate_secret(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    *,
    key_ring: KeyRing,
    now: datetime,
    scheme: Scheme | None = None,
    old_valid_for: timedelta = OLD_VALID_FOR,
    second_person: SecondPerson = ALONE,
) -> tuple[Endpoint | Proposal, str]:
    """Sign with a new secret from now on, or propose to, and with the older ones until their end; give it to verify by.

    No older one is valid for longer than `old_valid_for`, which is none to seven days. Without a scheme it is that of
    the newest secret. TooManySecrets while three would still sign.
    """
    if not timedelta(0) <= old_valid_for <= LONGEST_OLD_VALID_FOR:
        raise InvalidInput((Fault("/old_valid_for", "secret_life", "from PT0S to P7D"),))
    await endpoints.lock_with_idle(session, endpoint_id, agency_code=caller.agency_code)
    endpoint = await own_endpoint.lock_webhook(session, caller, endpoint_id)
    newest, *_ = signing = await _signing(session, endpoint_id)
    if len(signing) >= MOST_SECRETS and old_valid_for > timedelta(0):
        raise TooManySecrets
    chosen = scheme or Scheme(newest.scheme)
    secret = new_secret(chosen)
    verified_by = public_key_of(secret) or secret
    if second_person.endpoints:
        what = {"scheme": chosen.value, "old_valid_for_seconds": int(old_valid_for.total_seconds())}
        change = Change(ProposalKind.ROTATE_SECRET, endpoint.agency_code, str(endpoint_id), what, {"secret": secret})
        return await propose(session, caller, change, key_ring=key_ring, terms=second_person, now=now), verified_by
    await outdate(session, caller, ProposalKind.ROTATE_SECRET, str(endpoint_id), now=now)
    kept = await sign_with(session, caller, endpoint, (chosen, secret), key_ring=key_ring, old_valid_for=old_valid_for)
    return kept, verified_by


async def sign_with(
    session: AsyncSession,
    caller: Caller,
    endpoint: Endpoint,
    new: tuple[Scheme, str],
    *,
    key_ring: KeyRing,
    old_valid_for: timedelta,
) -> Endpoint:
    """Sign the webhooks of a locked endpoint with a new secret from now on; TooManySecrets while three would sign."""
    await equipment.end_secrets(session, endpoint.id, after=old_valid_for)
    if len(await _signing(session, endpoint.id)) >= MOST_SECRETS:
        raise TooManySecrets
    await equipment.add_secret(session, key_ring, endpoint.id, *new)
    kept = await endpoints.put(session, endpoint)
    await own_endpoint.record(session, caller, "rotate_secret", endpoint.id)
    return kept


async def put_headers(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    headers: tuple[OwnHeader, ...],
    *,
    key_ring: KeyRing,
    expected: Expected,
) -> Endpoint:
    """Send these own headers from now on, in place of those before; InvalidInput lists all faults."""
    endpoint = await own_endpoint.lock_webhook(session, caller, endpoint_id)
    expected.check(endpoint.version)
    faults = tuple(own_headers.faults_of(headers))
    if faults:
        raise InvalidInput(faults)
    await equipment.put_headers(session, key_ring, endpoint_id, headers)
    await own_endpoint.record(session, caller, "put_headers", endpoint_id)
    return await endpoints.put(session, endpoint)


async def put_tls(
    session: AsyncSession,
    caller: Caller,
    endpoint_id: UUID,
    given: TlsGiven,
    *,
    key_ring: KeyRing,
    expected: Expected,
    now: datetime,
    second_person: SecondPerson = ALONE,
) -> Endpoint | Proposal:
    """Show this client certificate and trust this CA alone from now on, or propose to; InvalidInput lists faults."""
    await endpoints.lock_with_idle(session, endpoint_id, agency_code=caller.agency_code)
    endpoint = await own_endpoint.lock_webhook(session, caller, endpoint_id)
    expected.check(endpoint.version)
    identity, faults = await read_tls(session, given)
    if faults:
        # Here the body is what stands under /tls where an endpoint is registered.
        raise InvalidInput(tuple(Fault(one.pointer.removeprefix("/tls"), one.code, one.message) for one in faults))
    if second_person.endpoints:
        change = Change(
            ProposalKind.PUT_TLS, endpoint.agency_code, str(endpoint_id), shown_of(identity), {"tls": written(given)}
        )
        return await propose(session, caller, change, key_ring=key_ring, terms=second_person, now=now)
    await outdate(session, caller, ProposalKind.PUT_TLS, str(endpoint_id), now=now)
    return await show_identity(session, caller, endpoint, identity, key_ring=key_ring)


async def read_tls(session: AsyncSession, given: TlsGiven) -> tuple[TlsIdentity, tuple[Fault, ...]]:
    """Read and judge what an agency gives for TLS, as it is now."""
    return certificates.read_tls(given, now=await real_time(session))


async def show_identity(
    session: AsyncSession, caller: Caller, endpoint: Endpoint, identity: TlsIdentity, *, key_ring: KeyRing
) -> Endpoint:
    """Have the webhooks of a locked endpoint show this identity from now on."""
    await equipment.put_tls(session, key_ring, endpoint.id, identity)
    await own_endpoint.record(session, caller, "put_tls", endpoint.id)
    return await endpoints.put(session, endpoint)


def shown_of(identity: TlsIdentity) -> dict[str, Any]:
    """Give what may be shown of a TLS identity, as JSON has it."""
    client = identity.client_certificate
    return {
        "client_certificate": client and client.as_json(),
        "ca": [one.as_json() for one in identity.authorities],
    }


def written(given: TlsGiven) -> list[str | None]:
    """Write down what an agency gives for TLS."""
    return [given.client_certificate, given.client_key, given.ca]


async def _signing(session: AsyncSession, endpoint_id: UUID) -> list[ShownSecret]:
    return (await equipment.signing_secrets(session, [endpoint_id])).get(endpoint_id, [])
