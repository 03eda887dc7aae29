"""Personal fields at rest: sealed under their referral's own key, opened by name."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.sealing import DataKey, KeyRing
from app.storage.tables import data_keys, sealed_fields


async def seal_new(session: AsyncSession, key_ring: KeyRing, referral_id: UUID, fields: Mapping[str, Any]) -> None:
    """Make a referral's data key and seal its first fields."""
    key = key_ring.new_data_key(referral_id)
    await session.execute(
        insert(data_keys).values(referral_id=referral_id, ring_key_id=key.ring_key_id, wrapped=key.wrapped)
    )
    await _write(session, key, fields)


async def reseal(session: AsyncSession, key_ring: KeyRing, referral_id: UUID, fields: Mapping[str, Any]) -> None:
    """Add or correct fields of a referral; a value of None removes the field."""
    if not fields:
        return
    gone = [name for name, value in fields.items() if value is None]
    if gone:
        await session.execute(
            delete(sealed_fields).where(sealed_fields.c.referral_id == referral_id, sealed_fields.c.field.in_(gone))
        )
    key = await _data_key(session, key_ring, referral_id)
    if key is not None:
        await _write(session, key, fields)


async def unseal(session: AsyncSession, key_ring: KeyRing, referral_id: UUID, names: Iterable[str]) -> dict[str, Any]:
    """Open the named fields of a referral, as far as it has them; none once the referral was erased."""
    wanted = list(names)
    key = await _data_key(session, key_ring, referral_id) if wanted else None
    if key is None:
        return {}
    found = await session.execute(
        select(sealed_fields.c.field, sealed_fields.c.sealed)
        .where(sealed_fields.c.referral_id == referral_id, sealed_fields.c.field.in_(wanted))
        .order_by(sealed_fields.c.field)
    )
    return {row.field: key.open(row.field, row.sealed) for row in found}


async def unseal_all(session: AsyncSession, key_ring: KeyRing, referral_id: UUID) -> dict[str, Any]:
    """Open every field of a referral, for the person it is about; none once the referral was erased."""
    key = await _data_key(session, key_ring, referral_id)
    if key is None:
        return {}
    found = await session.execute(
        select(sealed_fields.c.field, sealed_fields.c.sealed)
        .where(sealed_fields.c.referral_id == referral_id)
        .order_by(sealed_fields.c.field)
    )
    return {row.field: key.open(row.field, row.sealed) for row in found}


async def names_below(session: AsyncSession, referral_id: UUID, beginning: str) -> list[str]:
    """List the fields of a referral whose names begin so, without opening one."""
    fields = sealed_fields.c.field
    wanted = select(fields).where(
        sealed_fields.c.referral_id == referral_id, fields.startswith(beginning, autoescape=True)
    )
    return list(await session.scalars(wanted.order_by(fields)))


async def _data_key(session: AsyncSession, key_ring: KeyRing, referral_id: UUID) -> DataKey | None:
    row = (await session.execute(select(data_keys).where(data_keys.c.referral_id == referral_id))).one_or_none()
    return None if row is None else key_ring.unwrap(referral_id, row.ring_key_id, row.wrapped)


async def _write(session: AsyncSession, key: DataKey, fields: Mapping[str, Any]) -> None:
    rows = [
        {"referral_id": key.referral_id, "field": name, "sealed": key.seal(name, value)}
        for name, value in sorted(fields.items())
        if value is not None
    ]
    if rows:
        line = upsert(sealed_fields)
        await session.execute(
            line.on_conflict_do_update(index_elements=["referral_id", "field"], set_={"sealed": line.excluded.sealed}),
            rows,
        )
