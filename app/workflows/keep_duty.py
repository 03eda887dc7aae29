"""Whoever has taken a handoff says that it has done what a duty of it asks."""

from uuid import UUID

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import DutyNotOwed, Fault, InvalidInput
from app.domain.handoff import TAKEN, Actor
from app.storage import audit
from app.workflows.desk import Desk
from app.workflows.watch_duties import mark_duty, mark_what_passed


async def keep_duty(desk: Desk, caller: Caller, handoff_id: UUID, *, document: str, clause: str) -> Case:
    """Note that a duty was kept, late or not; DutyNotOwed unless the caller has taken the handoff and still has it.

    InvalidInput where the handoff carries no such duty. Said again, the first time stays.
    """
    case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id)
    handoff = case.handoffs[handoff_id]
    if Actor.RECEIVER not in case.actors(caller.agency_code, caller.roles, handoff) or handoff.state not in TAKEN:
        raise DutyNotOwed
    if not any((duty["document"], duty["clause"]) == (document, clause) for duty in handoff.duties):
        raise InvalidInput((Fault("/clause", "unknown_duty", "the handoff carries no duty of this clause"),))
    handoff = await mark_what_passed(desk, case, handoff)
    mark_duty(case, handoff, f"{document}/{clause}", kept_at=desk.now)
    await audit.record(
        desk.tx,
        caller,
        "handoff.keep_duty",
        subject="handoff",
        subject_id=handoff_id,
        referral_id=case.referral.id,
        request_id=desk.request_id,
    )
    return await desk.save(case)
