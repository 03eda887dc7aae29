"""The keys that agencies call with: kept by their hash alone."""

import hashlib
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, bindparam, case, func, insert, literal, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role, Scope
from app.storage.tables import agencies, api_keys, client_certificates

ALPHABET = string.ascii_letters + string.digits
OF_SANDBOX = "lintas_sandbox_"
"""How the keys of a sandbox begin."""
LENGTH = 32
"""Characters of chance in a key: 190 bits, so that a plain hash is enough."""
SOON = timedelta(days=14)
"""How long before a key expires its holder is told with every answer."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as an operator sees it: everything but the key. Its times are real time."""

    id: UUID
    agency_code: str
    roles: tuple[Role, ...]
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    lineage_id: UUID
    """The first of the keys that it was rotated from; its own id where there is none."""
    replaced_by: UUID | None
    """The key that it was rotated to."""
    last_used_at: datetime | None
    """To about a minute."""
    state: str
    """valid, expired or revoked, when it was read."""
    scopes: tuple[Scope, ...] | None
    """What it is narrowed to; None is all that its roles may do."""


_NOT_EXPIRED = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.now())
_VALID = and_(api_keys.c.revoked_at.is_(None), _NOT_EXPIRED)
_STATE = case((api_keys.c.revoked_at.is_not(None), "revoked"), (_NOT_EXPIRED, "valid"), else_="expired")
_LINEAGE = func.coalesce(api_keys.c.lineage_id, api_keys.c.id)
_SHOWN = (
    api_keys.c.id,
    api_keys.c.agency_code,
    api_keys.c.roles,
    api_keys.c.label,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.revoked_at,
    _LINEAGE.label("lineage_id"),
    api_keys.c.replaced_by,
    api_keys.c.last_used_at,
    _STATE.label("state"),
    api_keys.c.scopes,
)
# Every request asks this: built once, it takes half the time.
_CALLER = select(
    api_keys.c.agency_code,
    api_keys.c.roles,
    api_keys.c.id,
    api_keys.c.scopes,
    _LINEAGE.label("lineage_id"),
    case((api_keys.c.expires_at <= func.now() + SOON, api_keys.c.expires_at)).label("soon"),
).where(api_keys.c.hash == bindparam("secret_hash"), _VALID)


def new_secret(roles: Iterable[Role], *, sandbox: bool = False) -> str:
    """Make a key; its beginning says what it is for, and whether that is a sandbox, the rest is chance."""
    only = sorted(roles)
    hint = f"{only[0].value}_" if len(only) == 1 else ""
    begin = OF_SANDBOX if sandbox else "lintas_"
    return f"{begin}{hint}{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"


def is_of_sandbox(secret: str) -> bool:
    """Say whether a key is one of a sandbox, which no real service takes."""
    return secret.startswith(OF_SANDBOX)


async def caller_of(session: AsyncSession, secret: str) -> Caller | None:
    """Give the caller a key stands for; None if it is unknown, revoked or expired by real time.

    Nothing of it is kept in the process: a key that was revoked is refused from the next request on, everywhere.
    """
    row = (await session.execute(_CALLER, {"secret_hash": _hash(secret)})).one_or_none()
    if row is None:
        return None
    return Caller(
        row.agency_code,
        frozenset(map(Role, row.roles)),
        row.id,
        None if row.scopes is None else frozenset(row.scopes),
        lineage_id=row.lineage_id,
        ends_soon_at=row.soon,
    )


async def add(
    session: AsyncSession,
    *,
    secret: str,
    agency_code: str,
    roles: Iterable[Role],
    label: str,
    expires_at: datetime | None,
    scopes: Iterable[Scope] | None = None,
    lineage_id: UUID | None = None,
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
            lineage_id=lineage_id,
        )
    )
    return key_id


async def lock_valid(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    """Lock a key that is valid now; None where there is none. Those who call with it do not wait."""
    wanted = select(*_SHOWN).where(api_keys.c.id == key_id, _VALID).with_for_update(key_share=True)
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _key(row)


async def replace(session: AsyncSession, key_id: UUID, *, by: UUID, after: timedelta) -> datetime:
    """Let a locked key end by then, in real time, in favour of another; give its end."""
    ends_at: datetime | None = await session.scalar(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(replaced_by=by, expires_at=func.least(api_keys.c.expires_at, func.now() + after))
        .returning(api_keys.c.expires_at)
    )
    assert ends_at is not None  # noqa: S101 - it was set just now
    return ends_at


async def revoke(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    """End a key at once; None if there is none that is not revoked yet."""
    ended = await session.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(*_SHOWN)
    )
    row = ended.one_or_none()
    return None if row is None else _key(row)


async def get(session: AsyncSession, key_id: UUID, *, agency_code: str | None = None) -> ApiKey | None:
    """Give a key, of one agency where one is given; None where there is none."""
    wanted = select(*_SHOWN).where(api_keys.c.id == key_id, _of(agency_code))
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _key(row)


async def listed(
    session: AsyncSession, *, agency_code: str | None = None, after: UUID | None = None, limit: int | None = None
) -> list[ApiKey]:
    """List keys, the oldest first, of one agency or of all, after one of them."""
    wanted = select(*_SHOWN).where(_of(agency_code)).order_by(api_keys.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(api_keys.c.id > after)
    return [_key(row) for row in await session.execute(wanted)]


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


def _of(agency_code: str | None) -> ColumnElement[bool]:
    return api_keys.c.agency_code == agency_code if agency_code is not None else api_keys.c.id.is_not(None)


def _key(row: Any) -> ApiKey:
    shown: dict[str, Any] = dict(row._mapping)
    return ApiKey(**shown | {"roles": tuple(map(Role, row.roles)), "scopes": _scopes(row.scopes)})


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _scopes(kept: list[str] | None) -> tuple[Scope, ...] | None:
    return None if kept is None else tuple(kept)
