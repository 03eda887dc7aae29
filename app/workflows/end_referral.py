"""A referral is taken back: cancelled, void because it was entered in error, or without the consent it had."""

from dataclasses import replace
from uuid import UUID

from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import HolderRequired, NotFound, ReferralNotOpen
from app.domain.handoff import (
    ENDED_REQUESTS,
    LIVE,
    Actor,
    HandoffEvent,
    IllegalTransition,
    ReferralState,
    RequestState,
    WithdrawReason,
    available_actions,
)
from app.storage import audit
from app.workflows.amend_referral import coordinates, may_amend, take_back
from app.workflows.answer_handoff import Answer, end, move
from app.workflows.call_coordinator import wait_for_coordinator
from app.workflows.desk import Desk


async def cancel_referral(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Take a referral back, as its holder: offers are withdrawn, cancellation is asked for, what waits ends."""
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    if case.referral.holder_code != caller.agency_code or Role.SENDER not in caller.roles:
        raise HolderRequired
    _must_be_open(case)
    holder = frozenset({Actor.SENDER})
    for handoff in list(case.handoffs.values()):
        if handoff.state in LIVE:
            await take_back(desk, case, handoff, holder, WithdrawReason.NO_LONGER_NEEDED)
    for request in list(case.requests.values()):
        if request.state is RequestState.NEEDS_COORDINATOR:
            end(case, request.id, RequestState.CANCELLED, WithdrawReason.NO_LONGER_NEEDED.value)
    return await _record(desk, caller, case, "referral.cancel")


async def void_referral(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Mark a referral as entered in error: its sender until something was accepted, then its coordinator alone."""
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    if not may_amend(case, caller):
        raise HolderRequired
    _must_be_open(case)
    for handoff in list(case.handoffs.values()):
        actors = case.actors(caller.agency_code, caller.roles, handoff)
        if handoff.start_by is not None and not coordinates(case, caller):
            raise IllegalTransition(handoff.state, HandoffEvent.VOID, available_actions(handoff.state, actors))
        if handoff.state in LIVE:
            await move(desk, case, handoff, HandoffEvent.VOID, actors, Answer(reason="entered_in_error"))
    for request in list(case.requests.values()):
        if request.state not in ENDED_REQUESTS:
            end(case, request.id, RequestState.CANCELLED, "entered_in_error")
    case.put_referral(state=ReferralState.ENTERED_IN_ERROR)
    return await _record(desk, caller, case, "referral.void")


async def withdraw_consent(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Take consent back, also after the work is done: offers and access end, and a person is told."""
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    # Whoever the victim tells of her change of mind must be heard, also who gave the case away.
    sent = caller.agency_code == case.referral.sender_code and not case.referral.sender_barred
    if not may_amend(case, caller) and not sent:
        raise NotFound("referral")
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    case.facts, case.facts_changed = replace(case.facts, consent=False), True
    case.put_referral(consent_withdrawn_at=case.referral.consent_withdrawn_at or desk.now)
    system = frozenset({Actor.CONSENT})
    for handoff in list(case.handoffs.values()):
        if handoff.state in LIVE:
            await take_back(desk, case, handoff, system, WithdrawReason.CONSENT_WITHDRAWN)
    for request in list(case.requests.values()):
        if request.state is RequestState.NEEDS_COORDINATOR:
            wait_for_coordinator(desk, case, request.id, "no_consent")
    return await _record(desk, caller, case, "consent.withdraw")


def _must_be_open(case: Case) -> None:
    if case.referral.state is not ReferralState.OPEN:
        raise ReferralNotOpen(case.referral.state)


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
