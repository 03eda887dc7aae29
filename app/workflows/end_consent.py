"""Consent comes to its end, or what moves without one is confirmed, or nobody confirms it in time."""

from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.consent import Ended, GroundKind, is_vital
from app.domain.errors import ConsentRequired, NotFound, NothingToConfirm, ReferralNotOpen
from app.domain.events import EventType
from app.domain.handoff import LIVE, Actor, HandoffState, ReferralState, RequestState, WithdrawReason
from app.domain.referral import Clock, ClockKind
from app.domain.vocabulary import Reason
from app.workflows.amend_referral import may_amend, take_back
from app.workflows.call_coordinator import call_for_acknowledgement, wait_for_coordinator
from app.workflows.desk import Desk
from app.workflows.route_requests import route_requests
from app.workflows.watch_consent import watch_consent

SYSTEM = frozenset({Actor.CONSENT})


class ConfirmReason(StrEnum):
    """Why an emergency moves though nobody has consented."""

    VICTIM_UNABLE = "victim_unable"
    GUARDIAN_UNREACHABLE = "guardian_unreachable"
    GUARDIAN_EXCLUDED = "guardian_excluded"
    ASKING_ENDANGERS = "asking_endangers"
    OTHER = "other"


async def withdraw_consent(desk: Desk, caller: Caller, referral_id: UUID) -> Case:
    """Take consent back, also after the work is done: offers and access end, and a person is told."""
    # A change of mind is heard whatever else holds.
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id, restricted_too=True)
    # Whoever the victim tells of her change of mind must be heard, also who gave the case away.
    sent = caller.agency_code == case.referral.sender_code and not case.referral.sender_barred
    if not may_amend(case, caller) and not sent:
        raise NotFound("referral")
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    case.say_consent(replace(case.consent, ended=Ended.WITHDRAWN))
    case.put_referral(consent_withdrawn_at=case.referral.consent_withdrawn_at or desk.now)
    await take_back_all(desk, case, WithdrawReason.CONSENT_WITHDRAWN)
    return await desk.conclude(caller, case, "consent.withdraw")


async def confirm_vital_interest(desk: Desk, caller: Caller, referral_id: UUID, *, because: ConfirmReason) -> Case:
    """Confirm that an emergency moves without consent; what stopped for want of it moves again.

    ConsentRequired where consent was taken back or has ended, NothingToConfirm where nothing moves on that ground.
    """
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    if not may_amend(case, caller):
        raise NotFound("referral")
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    if case.consent.ended is not None:
        raise ConsentRequired("a consent that was taken back or has ended is not replaced by a vital interest")
    stopped = [
        request
        for request in case.requests.values()
        if request.state is RequestState.NEEDS_COORDINATOR and is_vital(case.consent, case.facts, request.service_type)
    ]
    if not case.on_vital_interest() and not (stopped and case.consent.unconfirmed):
        raise NothingToConfirm("nothing of this referral moves on the vital interest")
    if case.referral.confirmed_at is None or case.consent.unconfirmed:
        case.put_referral(confirmed_at=desk.now, confirmed_by=caller.agency_code, confirmed_for=because.value)
    if case.consent.unconfirmed:
        case.say_consent(replace(case.consent, unconfirmed=False))
        again = [request for request in stopped if request.reason == Reason.NO_CONSENT.value]
        await route_requests(desk, case, again, "confirmed")
    watch_consent(desk, case)
    return await desk.conclude(caller, case, "consent.confirm")


async def run_consent_clock(desk: Desk, case: Case, clock: Clock) -> None:
    """Do what a clock of the referral itself stands for."""
    match clock.kind:
        case ClockKind.CONSENT_REMINDER:
            _remind(desk, case)
        case ClockKind.CONSENT_EXPIRES:
            await _expire(desk, case)
        case ClockKind.CONFIRM_REMINDER:
            _remind_of_confirmation(case)
        case _:
            await _confirm_overdue(desk, case)


async def take_back_all(desk: Desk, case: Case, reason: WithdrawReason) -> None:
    """Take back every live handoff that nothing carries any more, and leave what waits to a person."""
    for handoff in list(case.handoffs.values()):
        if handoff.state in LIVE and case.shows(handoff) is GroundKind.NONE:
            await take_back(desk, case, handoff, SYSTEM, reason)
    for request in list(case.requests.values()):
        if request.state is RequestState.NEEDS_COORDINATOR and not case.may_move(request.service_type):
            wait_for_coordinator(desk, case, request.id, Reason.NO_CONSENT.value)
    watch_consent(desk, case)


def _remind(desk: Desk, case: Case) -> None:
    expires_at = case.consent.expires_at
    if expires_at is not None and case.facts.consent and case.referral.state is ReferralState.OPEN:
        at = expires_at.astimezone(desk.now.tzinfo).isoformat()
        case.tell_of_referral(EventType.REFERRAL_CONSENT_EXPIRING, case.owners(), expires_at=at)


async def _expire(desk: Desk, case: Case) -> None:
    if case.consent.ended is not Ended.EXPIRED:
        return
    await take_back_all(desk, case, WithdrawReason.CONSENT_EXPIRED)
    case.tell_of_referral(EventType.REFERRAL_CONSENT_EXPIRED, case.owners())


def _remind_of_confirmation(case: Case) -> None:
    vital = case.on_vital_interest()
    if case.referral.confirm_by is None or not vital:
        return
    told = {line.agency_code for handoff in vital for line in case.coordinators(handoff.service_request_id)}
    due = case.referral.confirm_by.isoformat()
    case.tell_of_referral(EventType.REFERRAL_CONFIRMATION_DUE, case.owners() | told, confirm_by=due)


async def _confirm_overdue(desk: Desk, case: Case) -> None:
    """Stop what was not taken yet and ask a person about what was: nobody is left untreated by a clock."""
    vital = case.on_vital_interest()
    if case.referral.confirmed_at is not None or not vital:
        return
    case.say_consent(replace(case.consent, unconfirmed=True))
    for handoff in vital:
        if handoff.state is HandoffState.OFFERED:
            await take_back(desk, case, handoff, SYSTEM, WithdrawReason.NO_GROUND)
        else:
            call_for_acknowledgement(desk, case, handoff.service_request_id, "vital_interest_unconfirmed")
    case.tell_of_referral(EventType.REFERRAL_UNCONFIRMED, case.owners())
    watch_consent(desk, case)
