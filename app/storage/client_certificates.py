"""The client certificates that agencies call with: known by their fingerprint, or by their subject."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role, Scope
from app.domain.client_certificate import KnownBy, Presented
from app.storage.tables import agencies, client_certificates


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate as an operator sees it."""

    id: UUID
    agency_code: str
    known_by: KnownBy
    value: str
    roles: tuple[Role, ...]
    scopes: tuple[Scope, ...] | None
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class AlreadyRegistered(Exception):
    """A certificate that is known by this is registered, and not revoked."""


async def caller_of(session: AsyncSession, presented: Presented) -> Caller | None:
    """Give the caller a certificate stands for; None if it is unknown, revoked or expired by real time."""
    table = client_certificates.c
    row = (
        await session.execute(
            select(table.agency_code, table.roles, table.id, table.scopes).where(
                table.known_by == presented.known_by.value,
                table.value == presented.value,
                table.revoked_at.is_(None),
                or_(table.expires_at.is_(None), table.expires_at > func.now()),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    scopes = None if row.scopes is None else frozenset(row.scopes)
    return Caller(row.agency_code, frozenset(map(Role, row.roles)), row.id, scopes)


async def add(
    session: AsyncSession,
    *,
    agency_code: str,
    presented: Presented,
    roles: Iterable[Role],
    scopes: Iterable[Scope] | None,
    label: str,
    expires_at: datetime | None,
) -> UUID | None:
    """Register a certificate, and give its id; None if there is no such agency, AlreadyRegistered if it is."""
    found = await session.scalar(select(agencies.c.code).where(agencies.c.code == agency_code))
    if found is None:
        return None
    added: UUID | None = await session.scalar(
        insert(client_certificates)
        .values(
            id=uuid7(),
            agency_code=agency_code,
            known_by=presented.known_by.value,
            value=presented.value,
            roles=sorted(role.value for role in roles),
            scopes=None if scopes is None else sorted(scopes),
            label=label,
            created_at=func.now(),
            expires_at=expires_at,
        )
        .on_conflict_do_nothing()
        .returning(client_certificates.c.id)
    )
    if added is None:
        raise AlreadyRegistered
    return added


async def revoke(session: AsyncSession, certificate_id: UUID) -> bool:
    """End a registration at once; False if there is none that is still valid."""
    ended = await session.scalar(
        update(client_certificates)
        .where(client_certificates.c.id == certificate_id, client_certificates.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(client_certificates.c.id)
    )
    return ended is not None


async def listed(session: AsyncSession, *, agency_code: str | None = None) -> list[ClientCertificate]:
    """List certificates, the oldest first, of one agency or of all."""
    wanted = select(client_certificates).order_by(client_certificates.c.id)
    if agency_code is not None:
        wanted = wanted.where(client_certificates.c.agency_code == agency_code)
    return [
        ClientCertificate(
            row.id,
            row.agency_code,
            KnownBy(row.known_by),
            row.value,
            tuple(map(Role, row.roles)),
            None if row.scopes is None else tuple(row.scopes),
            row.label,
            row.created_at,
            row.expires_at,
            row.revoked_at,
        )
        for row in await session.execute(wanted)
    ]
