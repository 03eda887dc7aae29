"""A client certificate by which an agency calls, and its end; and the end of somebody whom the issuer names."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller, Role, Scope
from app.domain.client_certificate import Presented
from app.domain.errors import NotFound, UnknownAgency
from app.storage import audit, client_certificates, token_subjects


async def register_certificate(
    tx: AsyncSession,
    *,
    agency_code: str,
    presented: Presented,
    roles: Iterable[Role],
    scopes: Iterable[Scope] | None = None,
    label: str = "",
    expires_at: datetime | None = None,
) -> UUID:
    """Register a certificate for an agency, and give its id; UnknownAgency, or AlreadyRegistered for whomever."""
    added = await client_certificates.add(
        tx,
        agency_code=agency_code,
        presented=presented,
        roles=roles,
        scopes=scopes,
        label=label,
        expires_at=expires_at,
    )
    if added is None:
        raise UnknownAgency(agency_code)
    await audit.record(tx, None, "certificate.register", subject="certificate", subject_id=added)
    return added


async def revoke_certificate(tx: AsyncSession, certificate_id: UUID) -> None:
    """Have a certificate count no more, from the very next request on; NotFound if there is none that does."""
    if not await client_certificates.revoke(tx, certificate_id):
        raise NotFound("certificate")
    await audit.record(tx, None, "certificate.revoke", subject="certificate", subject_id=certificate_id)


async def revoke_subject(tx: AsyncSession, subject_id: UUID, *, by: Caller | None = None) -> None:
    """Have no token of a subject count any more; NotFound if there is none that does."""
    if not await token_subjects.revoke(tx, subject_id):
        raise NotFound("token_subject")
    await audit.record(tx, by, "token_subject.revoke", subject="token_subject", subject_id=subject_id)
