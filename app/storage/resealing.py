"""What is sealed under which key of the ring, counted, and sealed anew under the active one in small portions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.sealed_places import SealedPlace
from app.storage.sealing import KeyRing, SealBroken

RowKey: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """What became of a few rows."""

    resealed: int = 0
    broken: int = 0
    """How many do not open, and were left as they are."""
    passed_over: int = 0
    """How many somebody else held or changed meanwhile: who looks again finds them, if there is anything to do."""


async def count(session: AsyncSession, place: SealedPlace) -> Mapping[str, int]:
    """Count the rows of a place by the id of the key that they are sealed under."""
    found = await session.execute(
        select(place.key_id.label("key_id"), func.count().label("number"))
        .where(place.key_id.is_not(None))
        .group_by(place.key_id)
    )
    return {row.key_id: row.number for row in found}


async def find(
    session: AsyncSession, place: SealedPlace, *, active: str, after: RowKey | None, limit: int
) -> list[RowKey]:
    """Find rows that are sealed under another key than the active one, by their keys, in order, after one of them."""
    key = _key(place)
    wanted = select(*key).where(place.key_id != active).order_by(*key).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*key) > tuple_(*_values(place, after)))
    return [tuple(row) for row in await session.execute(wanted)]


async def reseal(session: AsyncSession, key_ring: KeyRing, place: SealedPlace, rows: Sequence[RowKey]) -> Portion:
    """Seal rows anew under the active key, but those that somebody holds: who comes late changes nothing."""
    key = _key(place)
    held = (
        await session.execute(
            select(place.table)
            .where(tuple_(*key).in_([tuple_(*_values(place, one)) for one in rows]), place.key_id != key_ring.active)
            .order_by(*key)
            # Nobody who refers to a row waits for this, and this waits for nobody.
            .with_for_update(key_share=True, skip_locked=True)
        )
    ).all()
    changes, broken = [], 0
    for row in held:
        try:
            changed = place.rewrap(key_ring, row)
        except SealBroken:
            broken += 1
        else:
            changes.append({f"key_{one.name}": row._mapping[one.name] for one in key} | dict(changed))
    if changes:
        at = [one == bindparam(f"key_{one.name}", type_=one.type) for one in key]
        names = [name for name in changes[0] if not name.startswith("key_")]
        change = update(place.table).where(*at).values({name: bindparam(name) for name in names})
        await (await session.connection()).execute(change, changes)
    return Portion(len(changes), broken, len(rows) - len(held))


def _key(place: SealedPlace) -> list[ColumnElement[Any]]:
    return list(place.table.primary_key.columns)


def _values(place: SealedPlace, row: RowKey) -> list[ColumnElement[Any]]:
    return [bindparam(None, value, type_=one.type) for one, value in zip(_key(place), row, strict=True)]
