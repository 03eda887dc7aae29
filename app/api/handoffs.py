"""Handoffs: what an agency was asked to do, and what it answers."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field, model_validator

from app.api import examples
from app.api.dependencies import CurrentCaller, Receiver, SenderOrCoordinator, Transaction
from app.api.desk import Desk
from app.api.etags import etag
from app.api.examples import shows
from app.api.handoff_views import HandoffView, handoff_view
from app.api.intake_types import Line, Text, today
from app.api.pages import Page, PageAsked
from app.api.referral_views import HandoffLineView, results_in
from app.api.route import v1_router
from app.api.validation import Body, Day, Flag, fault
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.handoff import (
    CompletionOutcome,
    DeclineReason,
    FailReason,
    HandoffEvent,
    HandoffState,
    WithdrawReason,
)
from app.storage import worklists
from app.workflows.answer_handoff import Answer, answer_handoff
from app.workflows.keep_duty import keep_duty

router = v1_router("handoffs")


class ReasonToWithdraw(StrEnum):
    """Why a person withdraws an offer: what follows from consent and from facts is said elsewhere."""

    NO_LONGER_NEEDED = WithdrawReason.NO_LONGER_NEEDED
    WRONG_AGENCY = WithdrawReason.WRONG_AGENCY
    VICTIM_REQUEST = WithdrawReason.VICTIM_REQUEST
    OTHER = WithdrawReason.OTHER


class SealedNote(Body):
    """What may go with a move. A note is sealed, and shown to nobody else."""

    model_config = shows(examples.NOTE)

    note: Text | None = None


class HandoffNote(SealedNote):
    """What may go with a receiver's answer. A note is sealed, and its agency's own unless it shares it."""

    share_note: Flag = Field(False, description="Whether the sender, and who holds the case, may read the note too.")

    @model_validator(mode="after")
    def _shares_something(self) -> "HandoffNote":
        if self.share_note and self.note is None:
            raise fault("required", at=("note",))
        return self


NOTHING_SAID = HandoffNote()
"""What goes with an answer that has no body."""


class HandoffDecline(HandoffNote):
    """Why an offer is declined, or a handoff handed back."""

    model_config = shows(examples.DECLINE)

    reason: DeclineReason


class HandoffHold(HandoffNote):
    """Until when a handoff rests."""

    model_config = shows(examples.HOLD)

    review_on: Day = Field(description="The day on which it is looked at again, in the agency's time zone.")

    @model_validator(mode="after")
    def _lies_ahead(self) -> "HandoffHold":
        if self.review_on < today():
            raise fault("in_past", at=("review_on",))
        if (self.review_on - today()).days > 366:
            raise fault("out_of_range", at=("review_on",))
        return self


class HandoffCompletion(HandoffNote):
    """How it ended."""

    model_config = shows(examples.COMPLETE)

    outcome: CompletionOutcome


class HandoffFailure(HandoffNote):
    """Why a service that was begun could not be given."""

    model_config = shows(examples.FAIL)

    reason: FailReason


class KeptDuty(Body):
    """Which duty of the handoff was kept, as its `duties` name it."""

    model_config = shows(examples.KEEP_DUTY)

    document: Line
    clause: Line


class HandoffWithdrawal(SealedNote):
    """Why an offer is withdrawn or its cancellation asked for; `no_longer_needed` ends the request."""

    model_config = shows(examples.WITHDRAW)

    reason: ReasonToWithdraw = ReasonToWithdraw.OTHER


class HandoffInList(HandoffLineView):
    """A handoff in the list of work."""

    referral_id: UUID
    service_type: str
    urgency: str
    sender: str

    @classmethod
    def of_line(cls, line: worklists.HandoffLine) -> "HandoffInList":
        """Show a line of the list."""
        return cls(
            **HandoffLineView.of(line.handoff).model_dump(),
            referral_id=line.handoff.referral_id,
            service_type=line.service_type,
            urgency=line.handoff.urgency.value,
            sender=line.sender_code,
        )


@router.get("/handoffs")
async def list_handoffs(
    caller: Receiver,
    tx: Transaction,
    paging: PageAsked,
    state: Annotated[list[HandoffState] | None, Query(description="May be given more than once.")] = None,
) -> Page[HandoffInList]:
    """List the handoffs your agency receives, newest first: its list of work, with or without a webhook."""
    after = paging.after(UUID)
    found = await worklists.handoffs_of(
        tx,
        caller.agency_code,
        states=[one.value for one in state or ()],
        before=after and after[0],
        limit=paging.look_ahead,
    )
    return paging.page(found, HandoffInList.of_line, lambda line: (line.handoff.id,))


@router.get("/handoffs/{handoff_id}")
async def read_handoff(handoff_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> HandoffView:
    """Read a handoff. Its receiver sees what the service needs to know; every look is recorded."""
    case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id, reading=True)
    return await _view(desk, caller, case, handoff_id, response, disclosing=True)


@router.post("/handoffs/{handoff_id}/accept")
async def accept_handoff(
    handoff_id: UUID, caller: Receiver, desk: Desk, response: Response, body: HandoffNote = NOTHING_SAID
) -> HandoffView:
    """Accept a handoff that was offered to your agency; then read it, and you see what the service needs to know.

    An offer that has expired may still be accepted while its request waits for a coordinator.
    """
    return await _answer(desk, caller, handoff_id, HandoffEvent.ACCEPT, body, response)


@router.post("/handoffs/{handoff_id}/decline")
async def decline_handoff(
    handoff_id: UUID, body: HandoffDecline, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Decline an offer. The request is decided anew and offered to the next agency at once."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.DECLINE, body, response)


@router.post("/handoffs/{handoff_id}/start")
async def start_handoff(
    handoff_id: UUID, caller: Receiver, desk: Desk, response: Response, body: HandoffNote = NOTHING_SAID
) -> HandoffView:
    """Say that the service has begun."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.START, body, response)


@router.post("/handoffs/{handoff_id}/hold")
async def hold_handoff(
    handoff_id: UUID, body: HandoffHold, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Let a handoff rest until a day on which you are reminded of it."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.HOLD, body, response)


@router.post("/handoffs/{handoff_id}/resume")
async def resume_handoff(
    handoff_id: UUID, caller: Receiver, desk: Desk, response: Response, body: HandoffNote = NOTHING_SAID
) -> HandoffView:
    """Go on with a handoff that was held."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.RESUME, body, response)


@router.post("/handoffs/{handoff_id}/hand-back")
async def hand_back_handoff(
    handoff_id: UUID, body: HandoffDecline, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Give back a handoff that was accepted. The request is decided anew and offered to the next agency at once."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.HAND_BACK, body, response)


@router.post("/handoffs/{handoff_id}/complete")
async def complete_handoff(
    handoff_id: UUID, body: HandoffCompletion, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Say that the service was given, or how else it ended. The sender is told the outcome; a note only if shared."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.COMPLETE, body, response)


@router.post("/handoffs/{handoff_id}/fail")
async def fail_handoff(
    handoff_id: UUID, body: HandoffFailure, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Say that the service was begun and cannot be given. The request goes to its coordinator."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.FAIL, body, response)


@router.post("/handoffs/{handoff_id}/confirm-cancel")
async def confirm_handoff_cancellation(
    handoff_id: UUID, caller: Receiver, desk: Desk, response: Response, body: HandoffNote = NOTHING_SAID
) -> HandoffView:
    """Confirm a cancellation that was asked for."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.CONFIRM_CANCEL, body, response)


@router.post("/handoffs/{handoff_id}/keep-duty")
async def keep_handoff_duty(
    handoff_id: UUID, body: KeptDuty, caller: Receiver, desk: Desk, response: Response
) -> HandoffView:
    """Say that your agency has done what a duty of a handoff asks: nobody is reminded of it any more.

    The statistics count it as kept, or as kept late where its time had run out.
    """
    case = await keep_duty(desk, caller, handoff_id, document=body.document, clause=body.clause)
    return await _view(desk, caller, case, handoff_id, response, disclosing=False)


@router.post("/handoffs/{handoff_id}/withdraw")
async def withdraw_handoff(
    handoff_id: UUID, body: HandoffWithdrawal, caller: SenderOrCoordinator, desk: Desk, response: Response
) -> HandoffView:
    """Withdraw an offer, as sender or coordinator. Unless it is no longer needed, the request waits for a person."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.WITHDRAW, body, response)


@router.post("/handoffs/{handoff_id}/request-cancel")
async def request_handoff_cancellation(
    handoff_id: UUID, body: HandoffWithdrawal, caller: SenderOrCoordinator, desk: Desk, response: Response
) -> HandoffView:
    """Ask the receiver to stop what it has taken; after two working days it counts as cancelled."""
    return await _answer(desk, caller, handoff_id, HandoffEvent.REQUEST_CANCEL, body, response)


async def _answer(
    desk: Desk, caller: Caller, handoff_id: UUID, event: HandoffEvent, body: SealedNote, response: Response
) -> HandoffView:
    said = body.model_dump()
    reason, outcome = said.get("reason"), said.get("outcome")
    answer = Answer(
        reason=reason.value if reason else None,
        outcome=outcome.value if outcome else None,
        note=said["note"],
        share_note=said.get("share_note", False),
        review_on=said.get("review_on"),
    )
    case = await answer_handoff(desk, caller, handoff_id, event, answer)
    # The answer to an action is kept for its repeats, and must not outlive the caller's access to the case.
    return await _view(desk, caller, case, handoff_id, response, disclosing=False)


async def _view(
    desk: Desk, caller: Caller, case: Case, handoff_id: UUID, response: Response, *, disclosing: bool
) -> HandoffView:
    handoff = case.handoffs[handoff_id]
    results = {**results_in(case), **await worklists.results(desk.tx, [handoff.decision_id])}
    # Who is gone from a case learns from nothing that it goes on.
    follows = case.follows(caller.agency_code, handoff)
    response.headers["ETag"] = etag(case.referral.version if follows else max(1, handoff.sequence))
    return await handoff_view(desk, caller, case, handoff, results, disclosing=disclosing)
