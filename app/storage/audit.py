"""Who looked and who changed: rows that are only ever added, in the transaction of what they tell."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.purposes import Purpose, purpose_of
from app.storage.tables import audit
from app.storage.transactions import THIS_TRANSACTION

DONE = "done"
WITHHELD = "withheld"
"""The result of a look that showed nothing personal, because the right to it had ended."""


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
    meant = purpose or purpose_of(action)
    await session.execute(
        insert(audit).values(
            id=uuid7(),
            agency_code=caller.agency_code if caller else None,
            key_id=caller.key_id if caller else None,
            roles=sorted(role.value for role in caller.acting or caller.roles) if caller else None,
            action=action,
            subject=subject,
            subject_id=str(subject_id),
            referral_id=referral_id,
            fields=None if fields is None else sorted(fields),
            purpose=meant.value if meant else None,
            basis=basis,
            result=result,
            request_id=request_id or (caller.request_id if caller else None),
            xact=THIS_TRANSACTION,
        )
    )
