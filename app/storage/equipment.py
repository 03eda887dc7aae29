"""What goes with an endpoint's webhooks: signing secrets, own headers, client certificate and own CA, all sealed."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.certificates import Certificate, TlsIdentity
from app.domain.own_headers import OwnHeader
from app.domain.webhook import Scheme, public_key_of
from app.storage.sealing import KeyRing
from app.storage.tables import endpoint_equipment, endpoint_secrets, endpoints, former_addresses

SECRET, HEADERS, TLS, FORMER = "endpoint-secret", "endpoint-headers", "endpoint-tls", "endpoint-former-address"
"""What is sealed, each under a purpose of its own and for its endpoint alone."""

Subject: TypeAlias = tuple[str, str | None]
"""What a value is sealed for, and what versions before sealed the same for."""


def of_secret(endpoint_id: UUID, secret_id: UUID) -> Subject:
    """Say what a signing secret is sealed for: one of several, each for its own row."""
    return f"{endpoint_id}|{secret_id}", str(endpoint_id)


def of_former(endpoint_id: UUID, event_id: UUID) -> str:
    """Say what a former address is sealed for."""
    return f"{endpoint_id}|{event_id}"


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """What may be shown of a signing secret. Its times are real time."""

    id: UUID
    scheme: str
    public_key: str | None
    created_at: datetime
    ends_at: datetime | None
    """Until when it signs; None for the newest, which has no end yet."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown of what goes with an endpoint's webhooks."""

    secrets: tuple[ShownSecret, ...] = ()
    """Those that sign, the newest first."""
    header_names: tuple[str, ...] = ()
    client_certificate: Certificate | None = None
    authorities: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything that posting to an endpoint takes, opened: never shown, never logged."""

    version: int
    """Of the endpoint, when this was read."""
    url: str = field(repr=False)
    secrets: tuple[tuple[str, datetime | None], ...] = field(repr=False)
    """Each secret with its end, the newest first."""
    headers: dict[str, str] = field(repr=False)
    tls: TlsIdentity = field(repr=False)

    def signing(self, now: datetime) -> list[str]:
        """Give the secrets that sign at a moment of real time, the newest first."""
        return [secret for secret, ends_at in self.secrets if ends_at is None or ends_at > now]


async def add_secret(session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, scheme: Scheme, secret: str) -> None:
    """Keep the newest secret of an endpoint; the one before it must have an end by then."""
    secret_id = uuid7()
    subject, _ = of_secret(endpoint_id, secret_id)
    await session.execute(
        insert(endpoint_secrets).values(
            id=secret_id,
            endpoint_id=endpoint_id,
            scheme=scheme.value,
            sealed=key_ring.seal(SECRET, subject, secret.encode()),
            public_key=public_key_of(secret),
            # A transaction that waited for the endpoint began before the one that it waited for.
            created_at=func.statement_timestamp(),
        )
    )


async def end_secrets(session: AsyncSession, endpoint_id: UUID, *, after: timedelta) -> None:
    """Let every secret of a locked endpoint end by then, in real time, and forget those that have ended."""
    end = func.statement_timestamp() + after
    await session.execute(
        update(endpoint_secrets)
        .where(endpoint_secrets.c.endpoint_id == endpoint_id)
        .values(ends_at=func.least(endpoint_secrets.c.ends_at, end))
    )
    await session.execute(
        delete(endpoint_secrets).where(
            endpoint_secrets.c.endpoint_id == endpoint_id, endpoint_secrets.c.ends_at <= func.statement_timestamp()
        )
    )


async def signing_secrets(session: AsyncSession, endpoint_ids: Collection[UUID]) -> dict[UUID, list[ShownSecret]]:
    """Show the secrets that sign for each endpoint, the newest first."""
    columns = (endpoint_secrets.c[name] for name in ("id", "scheme", "public_key", "created_at", "ends_at"))
    found = await session.execute(
        select(endpoint_secrets.c.endpoint_id, *columns)
        .where(
            endpoint_secrets.c.endpoint_id.in_(endpoint_ids),
            or_(endpoint_secrets.c.ends_at.is_(None), endpoint_secrets.c.ends_at > func.statement_timestamp()),
        )
        .order_by(endpoint_secrets.c.ends_at.desc().nulls_first(), endpoint_secrets.c.created_at.desc())
    )
    shown: dict[UUID, list[ShownSecret]] = {}
    for endpoint_id, *values in found:
        shown.setdefault(endpoint_id, []).append(ShownSecret(*values))
    return shown


async def shown(session: AsyncSession, endpoint_ids: Collection[UUID]) -> dict[UUID, Shown]:
    """Show what goes with the webhooks of each endpoint."""
    secrets = await signing_secrets(session, endpoint_ids)
    kept: dict[UUID, Any] = {
        row.endpoint_id: row
        for row in await session.execute(
            select(
                endpoint_equipment.c.endpoint_id,
                endpoint_equipment.c.header_names,
                endpoint_equipment.c.client_certificate,
                endpoint_equipment.c.authorities,
            ).where(endpoint_equipment.c.endpoint_id.in_(endpoint_ids))
        )
    }
    return {one: _shown(secrets.get(one, []), kept.get(one)) for one in endpoint_ids}


async def put_headers(
    session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, headers: Sequence[OwnHeader]
) -> None:
    """Keep an endpoint's own headers in place of those it had."""
    plain = json.dumps({header.name: header.value for header in headers}).encode()
    await _put(
        session,
        endpoint_id,
        headers=key_ring.seal(HEADERS, str(endpoint_id), plain) if headers else None,
        header_names=[header.name for header in headers],
    )


async def put_tls(session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, identity: TlsIdentity) -> None:
    """Keep an endpoint's client certificate and own CA in place of those it had."""
    plain = json.dumps([identity.chain_pem, identity.key_pem, identity.ca_pem]).encode()
    certificate = identity.client_certificate
    await _put(
        session,
        endpoint_id,
        tls=None if identity.is_empty else key_ring.seal(TLS, str(endpoint_id), plain),
        client_certificate=certificate.as_json() if certificate else None,
        authorities=[one.as_json() for one in identity.authorities],
    )


async def opened(session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID) -> Equipment:
    """Open all that goes with an endpoint's webhooks; SealBroken where one does not open."""
    kept = (
        await session.execute(
            select(endpoints.c.version, endpoints.c.url, endpoint_equipment)
            .outerjoin(endpoint_equipment, endpoint_equipment.c.endpoint_id == endpoints.c.id)
            .where(endpoints.c.id == endpoint_id)
        )
    ).one()
    sealed = await session.execute(
        select(endpoint_secrets.c.id, endpoint_secrets.c.sealed, endpoint_secrets.c.ends_at)
        .where(endpoint_secrets.c.endpoint_id == endpoint_id)
        .order_by(endpoint_secrets.c.ends_at.desc().nulls_first(), endpoint_secrets.c.created_at.desc())
    )
    subject = str(endpoint_id)
    return Equipment(
        version=kept.version,
        url=kept.url,
        secrets=tuple((_secret(key_ring, endpoint_id, secret_id, one), ends_at) for secret_id, one, ends_at in sealed),
        headers=json.loads(key_ring.open(HEADERS, subject, kept.headers)) if kept.headers else {},
        tls=_identity(key_ring, subject, kept),
    )


async def keep_former_address(
    session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, event_id: UUID, url: str
) -> None:
    """Keep the address that an endpoint had, with the own headers that go there, for the event that tells of it."""
    headers = await session.scalar(
        select(endpoint_equipment.c.headers).where(endpoint_equipment.c.endpoint_id == endpoint_id)
    )
    opened_headers = json.loads(key_ring.open(HEADERS, str(endpoint_id), headers)) if headers else {}
    sealed = key_ring.seal(FORMER, of_former(endpoint_id, event_id), json.dumps([url, opened_headers]).encode())
    await session.execute(insert(former_addresses).values(event_id=event_id, endpoint_id=endpoint_id, sealed=sealed))


async def former_address(
    session: AsyncSession, key_ring: KeyRing, endpoint_id: UUID, event_id: UUID
) -> tuple[str, dict[str, str]] | None:
    """Give URL and own headers that an event goes to in place of its endpoint's; None where it goes to the endpoint."""
    sealed = await session.scalar(
        select(former_addresses.c.sealed).where(
            former_addresses.c.event_id == event_id, former_addresses.c.endpoint_id == endpoint_id
        )
    )
    if sealed is None:
        return None
    url, headers = json.loads(key_ring.open(FORMER, of_former(endpoint_id, event_id), sealed))
    return url, headers


async def _put(session: AsyncSession, endpoint_id: UUID, **values: object) -> None:
    row = upsert(endpoint_equipment).values(endpoint_id=endpoint_id, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["endpoint_id"], set_=values))


def _secret(key_ring: KeyRing, endpoint_id: UUID, secret_id: UUID, sealed: bytes) -> str:
    subject, before = of_secret(endpoint_id, secret_id)
    return key_ring.open(SECRET, subject, sealed, formerly=before).decode()


def _identity(key_ring: KeyRing, subject: str, kept: Any) -> TlsIdentity:
    if kept.tls is None:
        return TlsIdentity()
    chain, key, ca = json.loads(key_ring.open(TLS, subject, kept.tls))
    return TlsIdentity(chain, key, ca, *_certificates(kept))


def _certificates(kept: Any) -> tuple[Certificate | None, tuple[Certificate, ...]]:
    client = kept.client_certificate
    return (
        Certificate.of_json(client) if client else None,
        tuple(Certificate.of_json(one) for one in kept.authorities or ()),
    )


def _shown(secrets: Sequence[ShownSecret], kept: Any) -> Shown:
    if kept is None:
        return Shown(tuple(secrets))
    return Shown(tuple(secrets), tuple(kept.header_names), *_certificates(kept))
