"""The keys that agencies call with: kept by their hash alone."""

import hashlib
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, func, insert, literal, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role, Scope
from app.storage.tables import agencies, api_keys, client_certificates

ALPHABET = string.ascii_letters + string.digits
LENGTH = 32
"""Characters of chance in a key: 190 bits, so that a plain hash is enough."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as an operator sees it: everything but the key."""

    id: UUID
    agency_code: str
    roles: tuple[Role, ...]
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[Scope, ...] | None = None


def new_secret(roles: Iterable[Role]) -> str:
    """Make a key; its beginning says what it is for, the rest is chance."""
    only = sorted(roles)
    hint = f"{only[0].value}_" if len(only) == 1 else ""
    return f"lintas_{hint}{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"


async def caller_of(session: AsyncSession, secret: str) -> Caller | None:
    """Give the caller a key stands for; None if it is unknown, revoked or expired by real time."""
    row = (
        await session.execute(
            select(api_keys.c.agency_code, api_keys.c.roles, api_keys.c.id, api_keys.c.scopes).where(
                api_keys.c.hash == _hash(secret),
                api_keys.c.revoked_at.is_(None),
                or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now()),
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
    secret: str,
    agency_code: str,
    roles: Iterable[Role],
    label: str,
    expires_at: datetime | None,
    scopes: Iterable[Scope] | None = None,
) -> UUID | None:
    """Keep a key's hash, and give the key's id; None if there is no such agency."""
    found = await session.scalar(select(agencies.c.code).where(agencies.c.code == agency_code))
    if found is None:
        return None
    key_id = uuid7()
    await session.execute(
        insert(api_keys).values(
            id=key_id,
            hash=_hash(secret),
            agency_code=agency_code,
            roles=sorted(role.value for role in roles),
            scopes=None if scopes is None else sorted(scopes),
            label=label,
            created_at=func.now(),
            expires_at=expires_at,
        )
    )
    return key_id


async def revoke(session: AsyncSession, key_id: UUID) -> bool:
    """End a key at once; False if there is none that is still valid."""
    ended = await session.scalar(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(api_keys.c.id)
    )
    return ended is not None


async def listed(session: AsyncSession, *, agency_code: str | None = None) -> list[ApiKey]:
    """List keys, the oldest first, of one agency or of all."""
    columns = (
        api_keys.c.id,
        api_keys.c.agency_code,
        api_keys.c.roles,
        api_keys.c.label,
        api_keys.c.created_at,
        api_keys.c.expires_at,
        api_keys.c.revoked_at,
        api_keys.c.scopes,
    )
    wanted = select(*columns).order_by(api_keys.c.id)
    if agency_code is not None:
        wanted = wanted.where(api_keys.c.agency_code == agency_code)
    return [
        ApiKey(row.id, row.agency_code, tuple(map(Role, row.roles)), *row[3:-1], scopes=_scopes(row.scopes))
        for row in await session.execute(wanted)
    ]


async def operators(session: AsyncSession) -> set[str]:
    """Give the agencies that operate this service: those with an operator's key or certificate that is valid now."""
    valid = (
        select(table.c.agency_code).where(
            literal(Role.OPERATOR.value, Text()) == func.any(table.c.roles),
            table.c.revoked_at.is_(None),
            or_(table.c.expires_at.is_(None), table.c.expires_at > func.now()),
        )
        for table in (api_keys, client_certificates)
    )
    return set(await session.scalars(union(*valid)))


async def any_exist(session: AsyncSession) -> bool:
    """Say whether any key was ever issued."""
    return await session.scalar(select(api_keys.c.id).limit(1)) is not None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _scopes(kept: list[str] | None) -> tuple[Scope, ...] | None:
    return None if kept is None else tuple(kept)
