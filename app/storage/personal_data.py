"""Personal fields at rest: sealed under their referral's own key, opened by name."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.sealing import DataKey, KeyRing
from app.storage.tables import data_keys, sealed_fields


async def seal_new(session: AsyncSession, key_ring: KeyRing, referral_id: UUID, fields: Mapping[str, Any]) -> None:
    """Make a referral's data key and seal its first fields."""
    key = key_ring.new_data_key(referral_id)
    wrapped = {"ring_key_id": key.ring_key_id, "wrapped": key.wrapped}
    await session.execute(_KEEP_NEW, wrapped | _sealed(key, fields))


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
    sealed = _sealed(key, fields)
    if sealed["fields"]:
        await session.execute(_KEEP, sealed)


def _sealed(key: DataKey, fields: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(name for name, value in fields.items() if value is not None)
    return {
        "referral_id": key.referral_id,
        "fields": names,
        "sealed": [key.seal(name, fields[name]) for name in names],
    }


_REFERRAL = bindparam("referral_id", type_=Uuid())
_ROWS = select(
    _REFERRAL,
    func.unnest(bindparam("fields", type_=ARRAY(Text()))),
    func.unnest(bindparam("sealed", type_=ARRAY(LargeBinary()))),
)
"""All fields of a referral by one question: each by itself costs the database many times as much."""
_INTO = upsert(sealed_fields).from_select(["referral_id", "field", "sealed"], _ROWS)
_KEEP = _INTO.on_conflict_do_update(index_elements=["referral_id", "field"], set_={"sealed": _INTO.excluded.sealed})
_DATA_KEY = insert(data_keys).values(
    referral_id=_REFERRAL, ring_key_id=bindparam("ring_key_id"), wrapped=bindparam("wrapped")
)
_KEEP_NEW = _INTO.add_cte(_DATA_KEY.cte("data_key"))
