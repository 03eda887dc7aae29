"""A referral is taken back: cancelled, void because it was entered in error, or without the consent it had."""

from dataclasses import replace
from uuid import UUID

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import NotFound, ReferralNotOpen
from app.domain.handoff import (
    ENDED_REQUESTS,
    LIVE,
    Actor,
    HandoffEvent,
    HandoffState,
    ReferralState,
    RequestState,
    WithdrawReason,
)
from app.storage import audit
from app.workflows.amend_referral import may_amend
from app.workflows.answer_handoff import Answer, end, move
from app.workflows.desk import Desk
from app.workflows.route_requests import wait_for_coordinator


async def cancel_referral(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Take a referral back: offers are withdrawn, cancellation is asked for where work was taken, the rest ends."""
    case = await _open_case(desk, caller, referral_id)
    await _take_back(desk, case, caller, WithdrawReason.NO_LONGER_NEEDED)
    for request in list(case.requests.values()):
        if request.state is RequestState.NEEDS_COORDINATOR:
            end(case, request.id, RequestState.CANCELLED, WithdrawReason.NO_LONGER_NEEDED.value)
    return await _record(desk, caller, case, "referral.cancel")


async def void_referral(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Mark a referral as entered in error: its sender until something was accepted, then its coordinator alone."""
    case = await _open_case(desk, caller, referral_id)
    for handoff in list(case.handoffs.values()):
        if handoff.state in LIVE:
            actors = case.actors(caller.agency_code, caller.roles, handoff)
            await move(desk, case, handoff, HandoffEvent.VOID, actors, Answer(reason="entered_in_error"))
    for request in list(case.requests.values()):
        if request.state not in ENDED_REQUESTS:
            end(case, request.id, RequestState.CANCELLED, "entered_in_error")
    case.put_referral(state=ReferralState.ENTERED_IN_ERROR)
    return await _record(desk, caller, case, "referral.void")


async def withdraw_consent(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Take consent back: offers are withdrawn, cancellation is asked for, access ends, and a person is told."""
    case = await _open_case(desk, caller, referral_id, sender_too=True)
    case.facts, case.facts_changed = replace(case.facts, consent=False), True
    case.put_referral(consent_withdrawn_at=desk.now)
    await _take_back(desk, case, caller, WithdrawReason.CONSENT_WITHDRAWN)
    for request in list(case.requests.values()):
        if request.state is RequestState.NEEDS_COORDINATOR and request.reason != "no_consent":
            wait_for_coordinator(desk, case, request.id, "no_consent")
    return await _record(desk, caller, case, "consent.withdraw")


async def _open_case(desk: Desk, caller: Caller, referral_id: UUID, *, sender_too: bool = False) -> Case:
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    # Whoever the victim tells of her change of mind must be heard, also who gave the case away.
    if not may_amend(case, caller) and not (sender_too and caller.agency_code == case.referral.sender_code):
        raise NotFound("referral")
    if case.referral.state is not ReferralState.OPEN:
        raise ReferralNotOpen(case.referral.state)
    return case


async def _take_back(desk: Desk, case: Case, caller: Caller, reason: WithdrawReason) -> None:
    consent = reason is WithdrawReason.CONSENT_WITHDRAWN
    for handoff in list(case.handoffs.values()):
        if handoff.state not in LIVE or handoff.state is HandoffState.CANCEL_REQUESTED:
            continue
        offered = handoff.state is HandoffState.OFFERED
        actors = frozenset({Actor.CONSENT}) if consent else case.actors(caller.agency_code, caller.roles, handoff)
        event = HandoffEvent.WITHDRAW if offered else HandoffEvent.REQUEST_CANCEL
        await move(desk, case, handoff, event, actors, Answer(reason=reason.value))


async def _record(desk: Desk, caller: Caller, case: Case, action: str) -> Case:
    await audit.record(
        desk.tx,
        caller,
        action,
        subject="referral",
        subject_id=case.referral.id,
        referral_id=case.referral.id,
        request_id=desk.request_id,
    )
    return await desk.save(case)
