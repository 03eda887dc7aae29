"""A person asks for what is theirs: the request is kept with its time, answered, and watched until it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import Fault, InvalidInput, NotFound
from app.domain.rights import AlreadyAnswered, RefusedBecause, RequestOutcome, Right, RightsRequest
from app.storage import audit, rights
from app.workflows.desk import Desk

log = structlog.get_logger(__name__)


async def record_request(
    desk: Desk, caller: Caller | None, referral_id: UUID, right: Right, *, asked_at: datetime
) -> tuple[Case, RightsRequest]:
    """Keep what a person asked for, whoever of those concerned was asked; its time runs from when they asked."""
    case = await concerned(desk, caller, referral_id)
    request = new_request(desk, caller, referral_id, right, asked_at=asked_at)
    await rights.add_request(desk.tx, request)
    await record(desk, caller, case, "rights.request", subject="rights_request", subject_id=request.id)
    return case, request


async def answer_request(
    desk: Desk,
    caller: Caller | None,
    request_id: UUID,
    outcome: RequestOutcome,
    refused_because: RefusedBecause | None = None,
) -> tuple[Case, RightsRequest]:
    """Say how a person's request was answered, as a protection officer; AlreadyAnswered where it was before.

    A request to be erased or restricted is answered as done by doing it, and by nothing else.
    """
    case = await desk.lock_for_rights(caller, rights.case_of_request(request_id), named="rights request")
    request = await rights.request_of(desk.tx, request_id)
    if request is None:
        raise NotFound("rights request")
    if request.answered_at is not None:
        raise AlreadyAnswered
    if outcome is RequestOutcome.DONE and request.right in {Right.ERASURE, Right.RESTRICTION}:
        raise InvalidInput((Fault("/outcome", "done_by_doing", "erase or restrict the referral, which answers it"),))
    answered = replace(
        request,
        answered_at=desk.now,
        answered_by=caller.agency_code if caller else None,
        outcome=outcome,
        refused_because=refused_because.value if refused_because else None,
    )
    await rights.put_request(desk.tx, answered)
    await record(desk, caller, case, "rights.answer", subject="rights_request", subject_id=request_id)
    return case, answered


def new_request(
    desk: Desk, caller: Caller | None, referral_id: UUID, right: Right, *, asked_at: datetime
) -> RightsRequest:
    """Give a request that waits for its answer."""
    return RightsRequest(
        id=uuid7(),
        referral_id=referral_id,
        right=right,
        asked_at=asked_at,
        recorded_at=desk.now,
        recorded_by=caller.agency_code if caller else None,
        reason=None,
        answered_at=None,
        answered_by=None,
        outcome=None,
        refused_because=None,
        lifted_at=None,
    )


async def concerned(desk: Desk, caller: Caller | None, referral_id: UUID, *, reading: bool = False) -> Case:
    """Lock a case for whoever sent, holds or coordinates it, or answers for the rights of its person."""
    if caller is None or caller.may(Role.PROTECTION_OFFICER):
        try:
            return await desk.lock_for_rights(caller, referral_id, reading=reading)
        except NotFound:
            if caller is None or not caller.may(Role.SENDER, Role.COORDINATOR):
                raise
    return await desk.lock_concerned(caller.agency_code, referral_id, reading=reading)


async def record(
    desk: Desk, caller: Caller | None, case: Case, action: str, *, subject: str = "referral", subject_id: object = None
) -> None:
    """Record what was done for a person's rights."""
    await audit.record(
        desk.tx,
        caller,
        action,
        subject=subject,
        subject_id=subject_id or case.referral.id,
        referral_id=case.referral.id,
        request_id=desk.request_id,
    )


async def watch_requests(sessions: async_sessionmaker[AsyncSession], now: Callable[[], datetime]) -> int:
    """Say in the log which requests are due within a day or were not answered in time, once each; give their number."""
    async with sessions.begin() as tx:
        found = await rights.to_be_said(tx, now=now())
    for request, is_late in found:
        which = {"referral_id": str(request.referral_id), "kind": request.right.value}
        due_at = request.due_at.isoformat()
        if is_late:
            log.error("rights_request_overdue", due_at=due_at, **which)
        else:
            log.warning("rights_request_due", due_at=due_at, **which)
    return len(found)
