"""What is told to whom: thin news, with nothing personal in it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventType(StrEnum):
    """Every kind of news. The set is open: a receiver must live with a type it does not know."""

    HANDOFF_OFFERED = "handoff.offered"
    HANDOFF_REMINDER = "handoff.reminder"
    HANDOFF_ACCEPTED = "handoff.accepted"
    HANDOFF_DECLINED = "handoff.declined"
    HANDOFF_EXPIRED = "handoff.expired"
    HANDOFF_WITHDRAWN = "handoff.withdrawn"
    HANDOFF_STARTED = "handoff.started"
    HANDOFF_HELD = "handoff.held"
    HANDOFF_RESUMED = "handoff.resumed"
    HANDOFF_HANDED_BACK = "handoff.handed_back"
    HANDOFF_CANCEL_REQUESTED = "handoff.cancel_requested"
    HANDOFF_CANCELLED = "handoff.cancelled"
    HANDOFF_COMPLETED = "handoff.completed"
    HANDOFF_FAILED = "handoff.failed"
    SERVICE_REQUEST_NEEDS_COORDINATOR = "service_request.needs_coordinator"
    SERVICE_REQUEST_OVERDUE = "service_request.overdue"
    SERVICE_REQUEST_ACCEPTED = "service_request.accepted"
    SERVICE_REQUEST_FULFILLED = "service_request.fulfilled"
    SERVICE_REQUEST_UNMET = "service_request.unmet"
    SERVICE_REQUEST_CANCELLED = "service_request.cancelled"
    REFERRAL_CLOSED = "referral.closed"
    REFERRAL_CONSENT_EXPIRING = "referral.consent_expiring"
    REFERRAL_CONSENT_EXPIRED = "referral.consent_expired"
    REFERRAL_CONFIRMATION_DUE = "referral.confirmation_due"
    REFERRAL_UNCONFIRMED = "referral.unconfirmed"
    ENDPOINT_VERIFICATION = "endpoint.verification"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_PING = "endpoint.ping"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One piece of news for one agency. `data` is the thin body that its webhook and its feed will show."""

    agency_code: str
    type: EventType
    data: dict[str, Any] = field(default_factory=dict)
    referral_id: UUID | None = None
    handoff_id: UUID | None = None
