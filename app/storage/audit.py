"""Who looked and who changed: rows that are only ever added, in the transaction of what they tell."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.storage.tables import audit


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
) -> None:
    """Record that somebody read or changed something; a caller of None is the service itself."""
    await session.execute(
        insert(audit).values(
            id=uuid7(),
            agency_code=caller.agency_code if caller else None,
            key_id=caller.key_id if caller else None,
            action=action,
            subject=subject,
            subject_id=str(subject_id),
            referral_id=referral_id,
            fields=None if fields is None else sorted(fields),
            request_id=request_id,
        )
    )
