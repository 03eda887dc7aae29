"""Who looked and who changed: rows that are only ever added, in the transaction of what they tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.purposes import Purpose, purpose_of
from app.storage.tables import audit
from app.storage.transactions import THIS_TRANSACTION

DONE = "done"
WITHHELD = "withheld"
"""The result of a look that showed nothing personal, because the right to it had ended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One look or change: what was done to what, which fields it disclosed or changed, and by what ground.

    A caller of None is the service itself. Without a purpose it is that of the action.
    """

    caller: Caller | None
    action: str
    subject: str
    subject_id: object
    referral_id: UUID | None = None
    fields: Iterable[str] | None = None
    request_id: str | None = None
    purpose: Purpose | None = None
    basis: str | None = None
    result: str = DONE


async def record(
    session: AsyncSession,
    caller: Caller | None,
    action: str,
    *,
    subject: str,
    subject_id: object,
    referral_id: UUID | None = None,
    fields: Iterable[str] | None = None,
    request_id: str | None = None,
    purpose: Purpose | None = None,
    basis: str | None = None,
    result: str = DONE,
) -> None:
    """Record that somebody read or changed something, or was refused; a caller of None is the service itself.

    Without a purpose it is that of the action.
    """
    entry = Entry(caller, action, subject, subject_id, referral_id, fields, request_id, purpose, basis, result)
    await session.execute(_ADD, _row(entry))


async def record_all(session: AsyncSession, entries: Iterable[Entry]) -> None:
    """Record entries in their order, with one question to the database."""
    await session.execute(_ADD, [_row(entry) for entry in entries])


async def looks_so_far(session: AsyncSession) -> Sequence[Mapping[str, Any]]:
    """Give the entries of looks that this transaction has made, for `keep_looks` once it is undone."""
    mine = [column for column in audit.c if column.name != "xact"]
    found = await session.execute(
        select(*mine).where(audit.c.xact == THIS_TRANSACTION, audit.c.action.endswith(".read")).order_by(audit.c.id)
    )
    return [dict(row) for row in found.mappings()]


async def keep_looks(session: AsyncSession, looks: Sequence[Mapping[str, Any]]) -> None:
    """Record looks whose own transaction was undone, though what they showed was shown."""
    await session.execute(_ADD, looks)


_ADD = insert(audit).values(xact=THIS_TRANSACTION)


def _row(entry: Entry) -> dict[str, Any]:
    caller, meant = entry.caller, entry.purpose or purpose_of(entry.action)
    return {
        "id": uuid7(),
        "agency_code": caller.agency_code if caller else None,
        "key_id": caller.key_id if caller else None,
        "roles": sorted(role.value for role in caller.acting or caller.roles) if caller else None,
        "action": entry.action,
        "subject": entry.subject,
        "subject_id": str(entry.subject_id),
        "referral_id": entry.referral_id,
        "fields": None if entry.fields is None else sorted(entry.fields),
        "purpose": meant.value if meant else None,
        "basis": entry.basis,
        "result": entry.result,
        "request_id": entry.request_id or (caller.request_id if caller else None),
    }
