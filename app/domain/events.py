"""What is told to whom: thin news, with nothing personal in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.errors import Fault


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
    REFERRAL_RESTRICTED = "referral.restricted"
    REFERRAL_UNRESTRICTED = "referral.unrestricted"
    REFERRAL_ERASED = "referral.erased"
    ENDPOINT_VERIFICATION = "endpoint.verification"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_PING = "endpoint.ping"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    AGENCY_UNREACHED = "agency.unreached"
    PROPOSAL_MADE = "proposal.made"
    PROPOSAL_ENDED = "proposal.ended"
    KEY_EXPIRING = "key.expiring"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"


_KNOWN = frozenset(type_.value for type_ in EventType)


def faults_of_types(event_types: Sequence[str] | None) -> Iterator[Fault]:
    """Find what is wrong with the types of news that somebody chose, under /event_types; None is all of them."""
    if event_types is None:
        return
    if not event_types:
        yield Fault("/event_types", "empty", "name at least one type of news, or leave this out for all")
    for place, type_ in enumerate(event_types):
        if type_ not in _KNOWN:
            yield Fault(f"/event_types/{place}", "unknown_code", "there is no news of this type")
        elif type_ in event_types[:place]:
            yield Fault(f"/event_types/{place}", "twice", "this type is there twice")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One piece of news for one agency. `data` is the thin body that its webhook and its feed will show."""

    agency_code: str
    type: EventType
    data: dict[str, Any] = field(default_factory=dict)
    referral_id: UUID | None = None
    handoff_id: UUID | None = None
