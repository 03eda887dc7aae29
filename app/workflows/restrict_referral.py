"""A case is restricted: nobody sees it or works on it, its clocks stand still, until that is lifted."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.events import EventType
from app.domain.rights import NotRestricted, ReferralErased, RequestOutcome, RestrictionReason, Right
from app.storage import clocks, rights
from app.workflows.answer_rights import new_request, record
from app.workflows.desk import Desk


async def restrict_referral(
    desk: Desk,
    caller: Caller | None,
    referral_id: UUID,
    reason: RestrictionReason,
    *,
    asked_at: datetime | None = None,
) -> Case:
    """Restrict a case, as its protection officer; an emergency that runs goes on until it ends.

    It answers the requests for it that wait; without one it is kept as one that was answered at once.
    """
    case = await desk.lock_for_rights(caller, referral_id)
    if case.referral.erased_at is not None:
        raise ReferralErased
    waiting = [
        one
        for one in await rights.requests_of(desk.tx, referral_id)
        if one.right is Right.RESTRICTION and one.answered_at is None
    ]
    if case.referral.restricted_at is not None and not waiting:
        return case
    if not waiting:
        made = new_request(desk, caller, referral_id, Right.RESTRICTION, asked_at=asked_at or desk.now)
        await rights.add_request(desk.tx, made)
        waiting = [made]
    for request in waiting:
        done = replace(
            request,
            reason=reason.value,
            answered_at=desk.now,
            answered_by=caller.agency_code if caller else None,
            outcome=RequestOutcome.DONE,
        )
        await rights.put_request(desk.tx, done)
    if case.referral.restricted_at is None:
        case.put_referral(restricted_at=desk.now)
        case.tell_of_rights(EventType.REFERRAL_RESTRICTED, case.know_of_it())
    await record(desk, caller, case, "rights.restrict")
    return await desk.save(case)


async def lift_restriction(desk: Desk, caller: Caller | None, referral_id: UUID) -> Case:
    """Lift a restriction, as the protection officer of the case: clocks go on where they stood."""
    case = await desk.lock_for_rights(caller, referral_id)
    since = case.referral.restricted_at
    if since is None:
        raise NotRestricted
    if case.referral.is_restricted:
        await clocks.give_back_to(desk.tx, referral_id, desk.now - since)
        # The deadlines were moved in their rows: what is kept now must be what stands there.
        case = await desk.lock_for_rights(caller, referral_id)
    for request in await rights.requests_of(desk.tx, referral_id):
        if request.right is Right.RESTRICTION and request.outcome is RequestOutcome.DONE and request.lifted_at is None:
            await rights.put_request(desk.tx, replace(request, lifted_at=desk.now))
    case.put_referral(restricted_at=None)
    case.tell_of_rights(EventType.REFERRAL_UNRESTRICTED, case.know_of_it())
    await record(desk, caller, case, "rights.lift_restriction")
    return await desk.save(case)
