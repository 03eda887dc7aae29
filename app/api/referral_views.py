"""A referral as its sender and its coordinator read it: codes, decisions and states; nothing personal but their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.validation import Answer
from app.domain.case import Case
from app.domain.consent_words import ground_sentences
from app.domain.referral import Handoff, ServiceRequest


class CitationView(Answer):
    """Where a clause comes from, and whether somebody read that text and found it to say so."""

    source: str
    confirmed: bool


class DutyView(Answer):
    """What somebody owes by law or agreement while the case runs. Shown and reminded of, never enforced."""

    duty: str
    due_at: datetime | None = None
    within: str | None = None
    document: str
    clause: str
    source: str
    confirmed: bool
    version: int | None = Field(None, description="Of the document, where a handoff carries the duty.")
    kept_at: datetime | None = Field(None, description="When its receiver said that it has done what the duty asks.")
    passed_at: datetime | None = Field(
        None, description="When the time for it ran out while nobody had said so; outages of Lintas do not count."
    )


class GroundView(Answer):
    """On what a service moves: consent, in an emergency without one the vital interest alone, or nothing."""

    kind: str = Field(description="consent, vital_interest or none.")
    basis: str | None = Field(description="Whose consent was said, or what stands for it.")
    source: str
    confirmed: bool = Field(description="Whether somebody read the source and found it to say so.")
    because: list[str] = Field(description="Codes of what bears on it.")
    sentences: list[dict[str, str]] = Field(description="The same in words, Indonesian (id) and English (en).")

    @classmethod
    def of(cls, ground: Mapping[str, Any] | None) -> "GroundView | None":
        """Show a ground that was kept; None where none was."""
        return None if ground is None else cls(**ground, sentences=ground_sentences(ground))


class ConsentView(Answer):
    """What is known of consent; who gave it and when is sealed."""

    stands: bool
    basis: str | None = Field(description="Null where a version of before did not record it.")
    expires_at: datetime | None
    ended: str | None = Field(description="withdrawn or expired.")
    services: list[str] | None
    services_refused: list[str]
    guardian_excluded: bool = Field(description="Nobody tells the guardian anything: the perpetrator, or in conflict.")
    confirm_by: datetime | None = Field(
        description="Until when somebody must confirm what moves on the vital interest alone."
    )
    confirmed_at: datetime | None
    confirmed_by: str | None
    confirmed_for: str | None
    unconfirmed: bool = Field(description="Nobody confirmed it in time: nothing more is offered on that ground.")

    @classmethod
    def of(cls, case: Case) -> "ConsentView":
        """Show the consent of a case."""
        consent, referral = case.consent, case.referral
        return cls(
            stands=case.facts.consent,
            basis=consent.basis.value if consent.basis else None,
            expires_at=consent.expires_at,
            ended=consent.ended.value if consent.ended else None,
            services=None if consent.services is None else sorted(consent.services),
            services_refused=sorted(consent.services_refused),
            guardian_excluded=consent.guardian_excluded,
            confirm_by=referral.confirm_by,
            confirmed_at=referral.confirmed_at,
            confirmed_by=referral.confirmed_by,
            confirmed_for=referral.confirmed_for,
            unconfirmed=consent.unconfirmed,
        )


class DecisionView(Answer):
    """A decision in short; `GET /v1/decisions/{id}` explains it clause by clause."""

    id: UUID
    outcome: str
    reason: str | None = None
    agency: str | None = None
    document: str | None = None
    document_version: int | None = None
    clause: str | None = None
    citation: CitationView | None = None
    warnings: list[str] = []
    missing: list[str] = []
    duties: list[DutyView] = []
    coordinator: str | None = None
    placed_by: str | None = Field(None, description="The coordinator who placed the request by hand.")

    @classmethod
    def of(cls, decision_id: UUID, result: Mapping[str, Any]) -> "DecisionView":
        """Show a decision from what it came to."""
        known = {name: result[name] for name in cls.model_fields if name in result}
        return cls.model_validate({**known, "id": decision_id})


class HandoffLineView(Answer):
    """A handoff as part of its referral."""

    id: UUID
    agency: str
    state: str
    respond_by: datetime
    start_by: datetime | None
    review_on: datetime | None
    cancel_by: datetime | None
    offered_at: datetime
    answered_at: datetime | None
    reason: str | None
    outcome: str | None
    sequence: int

    @classmethod
    def of(cls, handoff: Handoff) -> "HandoffLineView":
        """Show a handoff."""
        return cls(
            id=handoff.id,
            agency=handoff.agency_code,
            state=handoff.state.value,
            respond_by=handoff.respond_by,
            start_by=handoff.start_by,
            review_on=handoff.review_on,
            cancel_by=handoff.cancel_by,
            offered_at=handoff.offered_at,
            answered_at=handoff.answered_at,
            reason=handoff.reason,
            outcome=handoff.outcome,
            sequence=handoff.sequence,
        )


class ServiceRequestView(Answer):
    """One service that was asked for, and where it stands."""

    id: UUID
    service_type: str
    state: str
    reason: str | None
    waiting_since: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    coordinators: list[str] = Field(description="Who coordinates it, the narrowest first.")
    decision: DecisionView | None
    handoff: HandoffLineView | None = Field(description="The newest handoff.")
    earlier_handoffs: list[HandoffLineView] = Field(description="Those before it, oldest first.")
    ground: GroundView | None = Field(description="On what it may move now.")

    @classmethod
    def of(cls, case: Case, request: ServiceRequest, results: Mapping[UUID, Mapping[str, Any]]) -> "ServiceRequestView":
        """Show a request with its decision and its handoffs."""
        made = [handoff for handoff in case.handoffs.values() if handoff.service_request_id == request.id]
        lines = [HandoffLineView.of(handoff) for handoff in sorted(made, key=lambda handoff: handoff.id)]
        result = results.get(request.decision_id) if request.decision_id else None
        return cls(
            id=request.id,
            service_type=request.service_type,
            state=request.state.value,
            reason=request.reason,
            waiting_since=request.waiting_since,
            acknowledged_at=request.acknowledged_at,
            acknowledged_by=request.acknowledged_by,
            coordinators=[line.agency_code for line in case.coordinators(request.id)],
            decision=DecisionView.of(request.decision_id, result) if request.decision_id and result else None,
            handoff=lines[-1] if lines else None,
            earlier_handoffs=lines[:-1],
            ground=GroundView.of(case.ground(request.service_type).to_json()),
        )


class ReferralView(Answer):
    """A referral with all that was asked for. `sender_reference` is shown to its sender alone."""

    id: UUID
    sender_reference: str | None
    sender: str
    holder: str = Field(description="Who keeps the case: the sender, or who accepted it in a transfer.")
    mode: str
    urgency: str
    state: str
    received_at: datetime
    consent_withdrawn_at: datetime | None
    consent: ConsentView
    restricted_at: datetime | None = Field(
        description="Since when its person has it restricted: nobody works on it but in an emergency that runs."
    )
    erased_at: datetime | None = Field(description="Since when its person is erased: what is shown is what is left.")
    version: int = Field(description="Rises with every change; the ETag.")
    possible_duplicate_of: list[UUID] = Field(
        description="Other referrals that may be of the same person, the newest first: to who sent or holds this one,"
        " and those alone that they sent, hold or serve themselves. A warning: nothing is merged or blocked."
    )
    service_requests: list[ServiceRequestView]

    @classmethod
    def of(
        cls,
        case: Case,
        results: Mapping[UUID, Mapping[str, Any]],
        sender_reference: str | None,
        possible_duplicate_of: list[UUID],
    ) -> "ReferralView":
        """Show a case."""
        referral = case.referral
        return cls(
            id=referral.id,
            sender_reference=sender_reference,
            sender=referral.sender_code,
            holder=referral.holder_code,
            mode=referral.mode.value,
            urgency=referral.urgency.value,
            state=referral.state.value,
            received_at=referral.received_at,
            consent_withdrawn_at=referral.consent_withdrawn_at,
            consent=ConsentView.of(case),
            restricted_at=referral.restricted_at,
            erased_at=referral.erased_at,
            version=referral.version,
            possible_duplicate_of=possible_duplicate_of,
            service_requests=[ServiceRequestView.of(case, one, results) for one in case.requests.values()],
        )


def results_in(case: Case) -> dict[UUID, Mapping[str, Any]]:
    """Give what the decisions of this very story came to."""
    return {decision.id: decision.result for decision in case.decisions}
