"""A referral and what belongs to it, as records: without anything personal, and never changed in place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.handoff import HandoffState, ReferralState, RequestState
from app.domain.vocabulary import Urgency


class Mode(StrEnum):
    """Whether the sender keeps the case, or gives it up once someone accepted."""

    REFERRAL = "referral"
    TRANSFER = "transfer"


class ClockKind(StrEnum):
    """What a running clock does when its time has come."""

    REMIND_OF_OFFER = "remind_of_offer"
    EXPIRE_OFFER = "expire_offer"
    UNDELIVERED_OFFER = "undelivered_offer"
    START_OVERDUE = "start_overdue"
    REVIEW_OVERDUE = "review_overdue"
    TELL_COORDINATOR = "tell_coordinator"
    CANCEL_LAPSES = "cancel_lapses"
    ACKNOWLEDGE_OVERDUE = "acknowledge_overdue"
    DUTY_REMINDER = "duty_reminder"
    DUTY_OVERDUE = "duty_overdue"
    CONSENT_REMINDER = "consent_reminder"
    CONSENT_EXPIRES = "consent_expires"
    CONFIRM_REMINDER = "confirm_reminder"
    CONFIRM_OVERDUE = "confirm_overdue"


DUTY_CLOCKS = frozenset({ClockKind.DUTY_REMINDER, ClockKind.DUTY_OVERDUE})
"""Clocks that run as long as the handoff is live, whatever its receiver does."""

CONSENT_CLOCKS = frozenset({ClockKind.CONSENT_REMINDER, ClockKind.CONSENT_EXPIRES})
"""Clocks of the referral that run to the day the victim named, also while Lintas is down."""
CONFIRM_CLOCKS = frozenset({ClockKind.CONFIRM_REMINDER, ClockKind.CONFIRM_OVERDUE})
REFERRAL_CLOCKS = CONSENT_CLOCKS | CONFIRM_CLOCKS


@dataclass(frozen=True, slots=True)
class Referral:
    """A victim's referral, without anything personal. The holder is who keeps the case: the sender, or whoever
    accepted it in a transfer.
    """

    id: UUID
    sender_code: str
    holder_code: str
    mode: Mode
    urgency: Urgency
    state: ReferralState
    version: int
    facts_version: int
    consent_withdrawn_at: datetime | None
    received_at: datetime
    confirm_by: datetime | None = None
    """Until when somebody must confirm that it moves on the vital interest; None where it does not."""
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    confirmed_for: str | None = None
    ended_at: datetime | None = None
    kept_as: str | None = None
    """Once it has ended: its class and ending, by which it is kept (retention.py)."""
    restricted_at: datetime | None = None
    erased_at: datetime | None = None
    sender_barred: bool = False
    """Somebody else named the sender in the case since: it sees nothing of it any more, and whoever coordinates it
    takes its place."""

    @property
    def is_restricted(self) -> bool:
        """Say whether nobody may see or move the case; an emergency that runs is helped all the same."""
        running = self.urgency is Urgency.EMERGENCY and self.state is ReferralState.OPEN
        return self.restricted_at is not None and not running


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One service that a referral asks for."""

    id: UUID
    referral_id: UUID
    service_type: str
    state: RequestState = RequestState.ROUTING
    reason: str | None = None
    tried: tuple[str, ...] = ()
    decision_id: UUID | None = None
    waiting_since: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None

    def ended(self, state: RequestState, reason: str | None = None) -> "ServiceRequest":
        """Give the request as it ends."""
        return replace(self, state=state, reason=reason, waiting_since=None)


@dataclass(frozen=True, slots=True)
class Handoff:
    """An offer of one service request to one agency, and what became of it."""

    id: UUID
    referral_id: UUID
    service_request_id: UUID
    decision_id: UUID
    agency_code: str
    state: HandoffState
    urgency: Urgency
    respond: str
    respond_by: datetime
    offered_at: datetime
    changed_at: datetime
    joint_leave_counts: bool = True
    sequence: int = 0
    start_by: datetime | None = None
    review_on: datetime | None = None
    cancel_by: datetime | None = None
    duties: tuple[Mapping[str, Any], ...] = ()
    reason: str | None = None
    outcome: str | None = None
    answered_at: datetime | None = None
    access_after_completion: str | None = None
    """How long its receiver sees the case after completing it, by the agreement that it was offered by; None: as long
    as the operator's terms say."""
    barred: bool = False
    """The receiver is in conflict or refused since: it sees nothing of the case any more."""


@dataclass(frozen=True, slots=True)
class Coordination:
    """Who coordinates a request; position 0 is the narrowest. Not told: it may look, but nothing waits for it."""

    service_request_id: UUID
    agency_code: str
    position: int
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision with the inputs it was made from, ready to be kept."""

    id: UUID
    service_request_id: UUID
    referral_id: UUID
    facts_version: int
    consent: bool
    tried: tuple[str, ...]
    registry_version: int
    code_sets_version: int
    engine: str
    cause: str
    outcome: str
    result: Mapping[str, Any]
    placed_by: str | None
    decided_at: datetime
    ground: Mapping[str, Any] | None = None
    """On what it moved, by `consent.ground_of`."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What must happen at a time if nobody acts first."""

    id: UUID
    referral_id: UUID
    service_request_id: UUID | None
    """None: of the referral as a whole."""
    handoff_id: UUID | None
    kind: ClockKind
    due_at: datetime
    detail: str | None = None
    """What of the subject the clock is about, where there are several: a duty, by document and clause."""
