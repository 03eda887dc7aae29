"""A key for an agency: shown once, kept by its hash."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller, Role, Scope
from app.domain.errors import UnknownAgency
from app.storage import api_keys, audit


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key; this is the only time it is seen."""

    id: UUID
    agency_code: str
    roles: frozenset[Role]
    secret: str = field(repr=False)


async def issue_key(
    tx: AsyncSession,
    *,
    agency_code: str,
    roles: Iterable[Role],
    label: str = "",
    expires_at: datetime | None = None,
    scopes: Iterable[Scope] | None = None,
    by: Caller | None = None,
    sandbox: bool = False,
) -> IssuedKey:
    """Issue a key with these roles to an agency, else UnknownAgency; it expires by real time, if at all.

    With `scopes` it may do only those of all that its roles may. Of a `sandbox` it begins as no other does.
    """
    granted = frozenset(roles)
    secret = api_keys.new_secret(granted, sandbox=sandbox)
    key_id = await api_keys.add(
        tx, secret=secret, agency_code=agency_code, roles=granted, label=label, expires_at=expires_at, scopes=scopes
    )
    if key_id is None:
        raise UnknownAgency(agency_code)
    await audit.record(tx, by, "key.issue", subject="key", subject_id=key_id)
    return IssuedKey(key_id, agency_code, granted, secret)
