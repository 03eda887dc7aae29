"""A handoff as its receiver reads it: what the service needs to know, and no more; every look is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.referral_views import DecisionView, DutyView
from app.api.scopes import scope_of_action
from app.api.validation import Answer
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.consent import GroundKind
from app.domain.disclosure import (
    Access,
    access_to,
    facts_for_receiver,
    fields_for,
    guardian_for_receiver,
)
from app.domain.handoff import HandoffEvent, available_actions
from app.domain.notes import NoteName, receivers
from app.domain.purposes import Purpose
from app.domain.referral import Handoff
from app.domain.secret_places import contacts_without_address, hidden_since, taken_in, without_secret_place
from app.storage import audit, personal_data
from app.workflows.desk import Desk


class DisclosedCase(Answer):
    """What a receiver may know: before accepting what it needs to decide, afterwards what it needs to serve."""

    access: str = Field(description="to_decide before accepting, to_serve afterwards.")
    basis: str = Field(description="consent; or vital_interest: an emergency without consent, the minimum alone.")
    do_not_contact: list[str] = Field(
        description="Whom you must not contact or tell anything: guardian, the perpetrator or in conflict."
    )
    facts: dict[str, Any] = Field(description="Case types, age, sex, places: codes alone.")
    personal: dict[str, Any] = Field(description="The personal fields of this service's profile that are known.")


class NoteView(Answer):
    """A note that its receiver wrote with an answer."""

    action: str = Field(description="The move it went with: accept, decline, hold, complete, ...")
    note: str
    shared: bool = Field(description="Whether the sender, and who holds the case, may read it too.")


class HandoffView(Answer):
    """A handoff. Its `case` is in the answer to a GET of its receiver alone, until the receiver's access ends."""

    id: UUID
    referral_id: UUID
    service_request_id: UUID
    service_type: str
    urgency: str
    mode: str
    state: str
    sender: str
    agency: str
    offered_at: datetime
    respond_by: datetime
    start_by: datetime | None
    review_on: datetime | None
    cancel_by: datetime | None
    answered_at: datetime | None
    reason: str | None
    outcome: str | None
    sequence: int
    duties: list[DutyView]
    decision: DecisionView | None
    basis: str = Field(
        description="On what it moves now: consent; vital_interest, an emergency without consent; or none."
    )
    confirm_by: datetime | None = Field(
        description="Until when the sender or coordinator must confirm that it moves on the vital interest."
    )
    available_actions: list[str] = Field(
        description="What you may do now, each at its own address: hand_back at /hand-back, and so on."
    )
    case: DisclosedCase | None
    notes: list[NoteView] = Field(
        description="In the answer to a GET alone: to its receiver its own, while it sees the case; to the sender, and"
        " to who holds the case, what the receiver shared."
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at a handoff showed of the person."""

    disclosed: DisclosedCase | None = None
    notes: list[NoteView] = field(default_factory=list)


async def handoff_view(
    desk: Desk,
    caller: Caller,
    case: Case,
    handoff: Handoff,
    results: Mapping[UUID, Mapping[str, Any]],
    *,
    disclosing: bool,
) -> HandoffView:
    """Show a handoff to whoever may see it, and its case to its receiver alone, where it is disclosed."""
    request = case.requests[handoff.service_request_id]
    result = results.get(handoff.decision_id)
    receiver = caller.agency_code == handoff.agency_code and caller.may_receive and not handoff.barred
    waiting, follows = case.takes_late_acceptance(request.id), case.follows(caller.agency_code, handoff)
    looked = await _looked_at(desk, caller, case, handoff, receiver=receiver) if disclosing else _Look()
    kind = case.shows(handoff)
    return HandoffView(
        id=handoff.id,
        referral_id=case.referral.id,
        service_request_id=request.id,
        service_type=request.service_type,
        urgency=handoff.urgency.value,
        mode=case.referral.mode.value,
        state=handoff.state.value,
        sender=case.referral.sender_code,
        agency=handoff.agency_code,
        offered_at=handoff.offered_at,
        respond_by=handoff.respond_by,
        start_by=handoff.start_by,
        review_on=handoff.review_on,
        cancel_by=handoff.cancel_by,
        answered_at=handoff.answered_at,
        reason=handoff.reason,
        outcome=handoff.outcome,
        sequence=handoff.sequence,
        duties=[DutyView.model_validate(duty) for duty in handoff.duties] if follows else [],
        decision=DecisionView.of(handoff.decision_id, result) if result and follows else None,
        basis=kind.value,
        confirm_by=case.referral.confirm_by if kind is GroundKind.VITAL_INTEREST else None,
        available_actions=[
            action
            for action in available_actions(
                handoff.state, case.actors(caller.agency_code, caller.roles, handoff), waiting=waiting
            )
            if action != HandoffEvent.VOID and caller.reaches(scope_of_action(action))
        ],
        case=looked.disclosed,
        notes=looked.notes,
    )


async def _looked_at(desk: Desk, caller: Caller, case: Case, handoff: Handoff, *, receiver: bool) -> _Look:
    """Show what the caller may know of the case, and record the look, whatever it showed."""
    disclosed = await _disclosed(desk, case, handoff) if receiver else None
    names: list[NoteName] = []
    if disclosed is not None or caller.agency_code in case.owners() - {handoff.agency_code}:
        names = await _notes(desk, case, handoff, only_shared=disclosed is None)
    opened = await personal_data.unseal(desk.tx, desk.key_ring, case.referral.id, [one.field for one in names])
    deciding = disclosed is not None and disclosed.access == Access.TO_DECIDE.value
    refers = not receiver and caller.agency_code != handoff.agency_code
    await audit.record(
        desk.tx,
        caller,
        "handoff.read",
        subject="handoff",
        subject_id=handoff.id,
        referral_id=case.referral.id,
        fields=[*(disclosed.personal if disclosed else ()), *opened] if disclosed or opened else None,
        request_id=desk.request_id,
        purpose=Purpose.REFER if refers else Purpose.DECIDE if deciding else Purpose.SERVE,
        basis=disclosed.basis if disclosed else None,
        result=audit.WITHHELD if disclosed is None and not refers else audit.DONE,
    )
    notes = [
        NoteView(action=one.event.value, note=opened[one.field], shared=one.shared)
        for one in names
        if one.field in opened
    ]
    return _Look(disclosed, notes)


async def _notes(desk: Desk, case: Case, handoff: Handoff, *, only_shared: bool) -> list[NoteName]:
    fields = await personal_data.names_below(desk.tx, case.referral.id, f"handoff.{handoff.id}.")
    return receivers([name for name in map(NoteName.read, fields) if name is not None], only_shared=only_shared)


async def _disclosed(desk: Desk, case: Case, handoff: Handoff) -> DisclosedCase | None:
    kind = case.shows(handoff)
    allowed = access_to(case, handoff, now=desk.now, usually=desk.terms.access_after_completion)
    if allowed is Access.NOTHING:
        return None
    service_type = case.requests[handoff.service_request_id].service_type
    hidden = hidden_since(taken_in(case), desk.reference.registry.agencies, looking=handoff.agency_code) is not None
    fields = fields_for(service_type, accepted=allowed is Access.TO_SERVE, consent=kind is GroundKind.CONSENT)
    note = f"services.{service_type}.note"
    names = (fields - {"service.note"}) | ({note} if "service.note" in fields else set())
    opened = await personal_data.unseal(desk.tx, desk.key_ring, case.referral.id, names)
    personal = {("service.note" if name == note else name): value for name, value in opened.items()}
    if "victim.guardian" in personal:
        personal["victim.guardian"] = guardian_for_receiver(personal["victim.guardian"])
    facts = case.facts
    if hidden:
        facts, personal = without_secret_place(facts), contacts_without_address(personal)
    return DisclosedCase(
        access=allowed.value,
        basis=kind.value,
        do_not_contact=["guardian"] if case.consent.guardian_excluded else [],
        facts=facts_for_receiver(facts, accepted=allowed is Access.TO_SERVE),
        personal=personal,
    )
