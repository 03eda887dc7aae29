"""Referrals: a sender hands them in, follows them, amends them and takes them back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.api import examples
from app.api.amendment import ReferralAmendment
from app.api.dependencies import (
    CurrentCaller,
    Sender,
    SenderCoordinatorOrOfficer,
    SenderOrCoordinator,
    Transaction,
)
from app.api.desk import Desk
from app.api.etags import IfMatch, etag
from app.api.examples import shows
from app.api.intake import ReferralSubmission
from app.api.pages import Page, PageAsked
from app.api.referral_views import ReferralView, results_in
from app.api.route import IDEMPOTENT, v1_router
from app.api.validation import Answer, Body
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.handoff import ReferralState
from app.storage import audit, personal_data, worklists
from app.workflows.amend_referral import amend_referral as amend
from app.workflows.end_consent import ConfirmReason
from app.workflows.end_consent import confirm_vital_interest as confirm
from app.workflows.end_consent import withdraw_consent as withdraw
from app.workflows.end_referral import cancel_referral as cancel
from app.workflows.end_referral import void_referral as void
from app.workflows.submit_referral import submit_referral as submit
from app.workflows.warn_of_duplicate import possible_duplicates

router = v1_router("referrals")


class ReferralLineView(Answer):
    """A referral in a list."""

    id: UUID
    sender: str
    holder: str
    mode: str
    urgency: str
    state: str
    received_at: datetime

    @classmethod
    def of(cls, line: worklists.ReferralLine) -> "ReferralLineView":
        """Show a line of the list."""
        return cls(
            id=line.id,
            sender=line.sender_code,
            holder=line.holder_code,
            mode=line.mode,
            urgency=line.urgency,
            state=line.state,
            received_at=line.received_at,
        )


class VitalInterestConfirmation(Body):
    """Why an emergency moves though nobody has consented."""

    model_config = shows(examples.CONFIRMATION)

    because: ConfirmReason


@router.post("/referrals", status_code=201, openapi_extra=IDEMPOTENT)
async def submit_referral(body: ReferralSubmission, caller: Sender, desk: Desk, response: Response) -> ReferralView:
    """Hand in a victim's referral.

    Each service it asks for is decided by the agreements in force and offered to the agency that they name, or shown
    to a coordinator. A 201 says that all of this is kept. Needs an Idempotency-Key; the same sender reference twice is
    a conflict that names the first referral.
    """
    case = await submit(desk, caller, body.submission())
    response.headers["Location"] = f"/v1/referrals/{case.referral.id}"
    response.headers["ETag"] = etag(case.referral.version)
    return await _shown(case, caller, desk, body.sender_reference)


@router.get("/referrals")
async def list_referrals(
    caller: SenderOrCoordinator,
    tx: Transaction,
    paging: PageAsked,
    state: Annotated[ReferralState | None, Query()] = None,
) -> Page[ReferralLineView]:
    """List the referrals that your agency sent or holds, newest first."""
    after = paging.after(UUID)
    found = await worklists.referrals_of(
        tx, caller.agency_code, state=state, before=after and after[0], limit=paging.look_ahead
    )
    return paging.page(found, ReferralLineView.of, lambda line: (line.id,))


@router.get("/referrals/{referral_id}")
async def read_referral(
    referral_id: UUID, caller: SenderCoordinatorOrOfficer, desk: Desk, response: Response
) -> ReferralView:
    """Read a referral that your agency sent, holds or coordinates, with its decisions and handoffs."""
    officer = caller.may(Role.PROTECTION_OFFICER)
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id, reading=True, officer=officer)
    return await _view(case, caller, desk, response)


@router.post("/referrals/{referral_id}/amend")
async def amend_referral(
    referral_id: UUID,
    body: ReferralAmendment,
    caller: SenderOrCoordinator,
    desk: Desk,
    if_match: IfMatch,
    response: Response,
) -> ReferralView:
    """Add facts to a referral or correct them. Needs If-Match with the ETag it was read with.

    Requests without an offer are decided again. A live offer stays, unless its receiver is now denied, refused or in
    conflict.
    """
    case = await amend(desk, caller, referral_id, body.amendment, expected=if_match)
    return await _view(case, caller, desk, response)


@router.post("/referrals/{referral_id}/cancel")
async def cancel_referral(
    referral_id: UUID, caller: SenderOrCoordinator, desk: Desk, response: Response
) -> ReferralView:
    """Take a referral back: offers are withdrawn, and cancellation is asked for where work was taken."""
    return await _view(await cancel(desk, caller, referral_id), caller, desk, response)


@router.post("/referrals/{referral_id}/void")
async def void_referral(referral_id: UUID, caller: SenderOrCoordinator, desk: Desk, response: Response) -> ReferralView:
    """Mark a referral as entered in error; once something was accepted, its coordinator alone may."""
    return await _view(await void(desk, caller, referral_id), caller, desk, response)


@router.post("/referrals/{referral_id}/consent/withdraw")
async def withdraw_consent(referral_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> ReferralView:
    """Take consent back, for the victim: offers are withdrawn, access ends at once, and a person is told."""
    return await _view(await withdraw(desk, caller, referral_id), caller, desk, response)


@router.post("/referrals/{referral_id}/consent/confirm")
async def confirm_vital_interest(
    referral_id: UUID, body: VitalInterestConfirmation, caller: SenderOrCoordinator, desk: Desk, response: Response
) -> ReferralView:
    """Confirm that an emergency has to move without consent, before `consent.confirm_by` or after.

    Who confirms answers for it. What was stopped because nobody confirmed in time moves again.
    """
    return await _view(await confirm(desk, caller, referral_id, because=body.because), caller, desk, response)


async def referral_view(case: Case, caller: Caller, desk: Desk) -> ReferralView:
    """Show a case to who sent, holds or coordinates it, and record the look in the audit."""
    opened: dict[str, object] = {}
    if caller.agency_code == case.referral.sender_code:
        opened = await personal_data.unseal(desk.tx, desk.key_ring, case.referral.id, ["sender_reference"])
    await audit.record(
        desk.tx,
        caller,
        "referral.read",
        subject="referral",
        subject_id=case.referral.id,
        referral_id=case.referral.id,
        fields=opened,
        request_id=desk.request_id,
    )
    return await _shown(case, caller, desk, str(opened["sender_reference"]) if opened else None)


async def _view(case: Case, caller: Caller, desk: Desk, response: Response) -> ReferralView:
    response.headers["ETag"] = etag(case.referral.version)
    return await referral_view(case, caller, desk)


async def _shown(case: Case, caller: Caller, desk: Desk, sender_reference: str | None) -> ReferralView:
    kept = results_in(case)
    others = (one.decision_id for one in case.requests.values() if one.decision_id not in kept)
    results = {**kept, **await worklists.results(desk.tx, others)}
    duplicates = await possible_duplicates(desk, case, caller.agency_code)
    return ReferralView.of(case, results, sender_reference, duplicates)
