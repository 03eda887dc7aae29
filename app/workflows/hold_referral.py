"""A legal hold keeps a case from being erased, by request or by time, until it is lifted."""

from dataclasses import replace
from uuid import UUID

from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.rights import HoldLifted, HoldReason, LegalHold, ReferralErased
from app.storage import rights
from app.workflows.answer_rights import record
from app.workflows.desk import Desk


async def hold_referral(
    desk: Desk, caller: Caller | None, referral_id: UUID, reason: HoldReason
) -> tuple[Case, LegalHold]:
    """Set a legal hold on a case, as its protection officer; there may be several, each lifted by itself."""
    case = await desk.lock_for_rights(caller, referral_id)
    if case.referral.erased_at is not None:
        raise ReferralErased
    hold = LegalHold(
        id=uuid7(),
        referral_id=referral_id,
        reason=reason,
        set_at=desk.now,
        set_by=caller.agency_code if caller else None,
        lifted_at=None,
        lifted_by=None,
        lifted_because=None,
    )
    await rights.add_hold(desk.tx, hold)
    await record(desk, caller, case, "rights.hold", subject="legal_hold", subject_id=hold.id)
    return case, hold


async def lift_hold(desk: Desk, caller: Caller | None, hold_id: UUID, because: str) -> tuple[Case, LegalHold]:
    """Lift a legal hold; HoldLifted where it was before."""
    case = await desk.lock_for_rights(caller, rights.case_of_hold(hold_id), named="legal hold")
    hold = await rights.hold_of(desk.tx, hold_id)
    if hold is None:
        raise NotFound("legal hold")
    if hold.lifted_at is not None:
        raise HoldLifted
    by = caller.agency_code if caller else None
    lifted = replace(hold, lifted_at=desk.now, lifted_by=by, lifted_because=because)
    await rights.put_hold(desk.tx, lifted)
    await record(desk, caller, case, "rights.lift_hold", subject="legal_hold", subject_id=hold_id)
    return case, lifted
