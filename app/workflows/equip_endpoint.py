"""An agency says what goes with its webhooks: a new secret, own headers, a client certificate and an own CA."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain import certificates, own_headers
from app.domain.caller import Caller
from app.domain.certificates import TlsGiven, TlsIdentity
from app.domain.errors import Fault, InvalidInput, TooManySecrets
from app.domain.own_headers import OwnHeader
from app.domain.versions import Expected
from app.domain.webhook import Scheme, new_secret, public_key_of
from app.storage import endpoints, equipment
from app.storage.endpoints import Endpoint
from app.storage.equipment import ShownSecret
from app.storage.sealing import KeyRing
from app.storage.shared_clock import real_time
from app.workflows import own_endpoint

MOST_SECRETS = 3
"""Secrets of one endpoint that sign at the same time."""
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
    scheme: Scheme | None = None,
    old_valid_for: timedelta = OLD_VALID_FOR,
) -> tuple[Endpoint, str]:
    """Sign with a new secret from now on, and with the older ones too until their end; give what to verify by.

    No older one is valid for longer than `old_valid_for`, which is none to seven days. Without a scheme it is that of
    the newest secret. TooManySecrets while three would still sign.
    """
    if not timedelta(0) <= old_valid_for <= LONGEST_OLD_VALID_FOR:
        raise InvalidInput((Fault("/old_valid_for", "secret_life", "from PT0S to P7D"),))
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
    newest, *_ = await _signing(session, endpoint_id)
    await equipment.end_secrets(session, endpoint_id, after=old_valid_for)
    if len(await _signing(session, endpoint_id)) >= MOST_SECRETS:
        raise TooManySecrets
    chosen = scheme or Scheme(newest.scheme)
    secret = new_secret(chosen)
    await equipment.add_secret(session, key_ring, endpoint_id, chosen, secret)
    kept = await endpoints.put(session, endpoint)
    await own_endpoint.record(session, caller, "rotate_secret", endpoint_id)
    return kept, public_key_of(secret) or secret


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
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
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
) -> Endpoint:
    """Show this client certificate and trust this CA alone from now on; InvalidInput lists all faults."""
    endpoint = await own_endpoint.lock(session, caller, endpoint_id)
    expected.check(endpoint.version)
    identity, faults = certificates.read_tls(given, now=await real_time(session))
    if faults:
        # Here the body is what stands under /tls where an endpoint is registered.
        raise InvalidInput(tuple(Fault(one.pointer.removeprefix("/tls"), one.code, one.message) for one in faults))
    await equipment.put_tls(session, key_ring, endpoint_id, identity)
    await own_endpoint.record(session, caller, "put_tls", endpoint_id)
    return await endpoints.put(session, endpoint)


async def _signing(session: AsyncSession, endpoint_id: UUID) -> list[ShownSecret]:
    return (await equipment.signing_secrets(session, [endpoint_id])).get(endpoint_id, [])
