"""A person is erased: what runs ends, the data key and all that finds the person are destroyed, the ledger says so."""

import asyncio
from dataclasses import replace
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.events import EventType
from app.domain.handoff import LIVE, Actor, HandoffEvent, HandoffState, ReferralState, RequestState, WithdrawReason
from app.domain.rights import (
    EmergencyRunning,
    Erasure,
    ErasureCause,
    LedgerUnavailable,
    RequestOutcome,
    Right,
    UnderLegalHold,
)
from app.domain.vocabulary import Urgency
from app.storage import audit, erasing, erasure_ledger, rights
from app.workflows.amend_referral import take_back
from app.workflows.answer_handoff import Answer, end, move
from app.workflows.desk import Desk

log = structlog.get_logger(__name__)


async def erase_referral(desk: Desk, caller: Caller | None, referral_id: UUID) -> Case:
    """Erase the person of a case, as its protection officer or the command line; done twice it is done once.

    UnderLegalHold while a hold is set, EmergencyRunning while it is an emergency that has not ended. What else runs
    ends: offers are withdrawn, work that was taken is cancelled. LedgerUnavailable where the ledger cannot be written:
    nothing is erased then.
    """
    case = await desk.lock_for_rights(caller, referral_id)
    if case.referral.erased_at is not None:
        return case
    if any(hold.lifted_at is None for hold in await rights.holds_of(desk.tx, referral_id)):
        raise UnderLegalHold
    if case.referral.urgency is Urgency.EMERGENCY and case.referral.state is ReferralState.OPEN:
        raise EmergencyRunning
    await erase(desk, caller, case, Erasure(uuid7(), referral_id, desk.now, ErasureCause.REQUEST))
    return case


async def erase(desk: Desk, caller: Caller | None, case: Case, erasure: Erasure, *, from_ledger: bool = False) -> None:
    """Erase the person of a locked case, whatever state it is in, and keep that in the ledger before it commits."""
    concerned = case.know_of_it()
    await _end(desk, case)
    case.put_referral(erased_at=erasure.at, restricted_at=None)
    case.settle()
    case.tell_of_rights(EventType.REFERRAL_ERASED, concerned)
    await desk.save(case)
    await erasing.destroy(desk.tx, case.referral.id)
    await _answer_requests(desk, caller, case)
    await audit.record(
        desk.tx,
        caller,
        "rights.erase",
        subject="referral",
        subject_id=case.referral.id,
        referral_id=case.referral.id,
        request_id=desk.request_id,
        basis="ledger" if from_ledger else erasure.cause.value,
    )
    if not from_ledger:
        await _keep(desk, erasure)


async def _end(desk: Desk, case: Case) -> None:
    for handoff in list(case.handoffs.values()):
        if handoff.state not in LIVE:
            continue
        await take_back(desk, case, handoff, frozenset({Actor.CONSENT}), WithdrawReason.NO_LONGER_NEEDED)
        taken_back = case.handoffs[handoff.id]
        if taken_back.state is HandoffState.CANCEL_REQUESTED:
            # There is nothing left to work with: nobody is waited for.
            clock = frozenset({Actor.CLOCK})
            await move(desk, case, taken_back, HandoffEvent.CONFIRM_CANCEL, clock, Answer())
    case.stop_clocks(case.referral.id)
    for request in list(case.requests.values()):
        if request.state in {RequestState.NEEDS_COORDINATOR, RequestState.ROUTING}:
            end(case, request.id, RequestState.CANCELLED, WithdrawReason.NO_LONGER_NEEDED.value)


async def _answer_requests(desk: Desk, caller: Caller | None, case: Case) -> None:
    agency_code = caller.agency_code if caller else None
    for request in await rights.requests_of(desk.tx, case.referral.id):
        if request.right is Right.RESTRICTION and request.outcome is RequestOutcome.DONE and request.lifted_at is None:
            await rights.put_request(desk.tx, replace(request, lifted_at=desk.now))
        if request.answered_at is None and request.right in {Right.ERASURE, Right.RESTRICTION}:
            answered = replace(request, answered_at=desk.now, answered_by=agency_code, outcome=RequestOutcome.DONE)
            await rights.put_request(desk.tx, answered)


async def _keep(desk: Desk, erasure: Erasure) -> None:
    """Write the ledger as the last thing before the commit: an erasure that nobody could repeat must not be answered.

    Where the commit fails after all, the entry stands for what was asked for and will be asked for again.
    """
    digest = erasure_ledger.digest(desk.key_ring, erasure)
    if desk.terms.erasure_ledger is not None:
        try:
            await asyncio.to_thread(erasure_ledger.append, desk.terms.erasure_ledger, desk.key_ring, erasure)
        except LedgerUnavailable:
            log.error("erasure_ledger_unavailable", referral_id=str(erasure.referral_id))  # noqa: TRY400
            raise
    log.info(**erasure.written(digest))
