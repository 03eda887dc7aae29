"""What a person may ask of those who hold data on them, and until when it is answered.

Source: UU PDP 27/2022: correction within 3 x 24 hours (Ps. 30), access (Ps. 32), restriction (Ps. 41), erasure
(Ps. 43); what is kept for a court or an investigation is kept (Ps. 50).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.errors import DomainError

ANSWERED_WITHIN = timedelta(hours=72)
"""3 x 24 hours, from the moment at which the person asked."""
WARNED_BEFORE = timedelta(hours=24)


class Right(StrEnum):
    """What a person asks for."""

    ACCESS = "access"
    CORRECTION = "correction"
    RESTRICTION = "restriction"
    ERASURE = "erasure"


class RequestOutcome(StrEnum):
    """How a person's request was answered."""

    DONE = "done"
    REFUSED = "refused"


class RefusedBecause(StrEnum):
    """Why a person's request is refused."""

    LEGAL_DUTY = "legal_duty"
    LEGAL_HOLD = "legal_hold"
    NOT_THE_PERSON = "not_the_person"
    HARM_TO_OTHERS = "harm_to_others"
    WITHDRAWN = "withdrawn"
    OTHER = "other"


class HoldReason(StrEnum):
    """Why nothing of a case may be erased."""

    POLICE_INVESTIGATION = "police_investigation"
    COURT_PROCEEDINGS = "court_proceedings"
    COMPLAINT = "complaint"
    OVERSIGHT = "oversight"
    OTHER = "other"


class RestrictionReason(StrEnum):
    """Why a case is not to be worked on."""

    PERSON_ASKED = "person_asked"
    ACCURACY_DISPUTED = "accuracy_disputed"
    UNLAWFUL = "unlawful"
    SAFETY = "safety"
    OTHER = "other"


class ErasureCause(StrEnum):
    """Why a case is erased."""

    REQUEST = "request"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """What a person asked for, when, and what came of it."""

    id: UUID
    referral_id: UUID
    right: Right
    asked_at: datetime
    """When the person asked, from which the time for it counts."""
    recorded_at: datetime
    recorded_by: str | None
    """The agency; None is the operator's command line."""
    reason: str | None
    """Of a restriction."""
    answered_at: datetime | None
    answered_by: str | None
    outcome: RequestOutcome | None
    refused_because: str | None
    lifted_at: datetime | None
    """Of a restriction: when it ended."""

    @property
    def due_at(self) -> datetime:
        """Give the end of the time for it."""
        return self.asked_at + ANSWERED_WITHIN

    def is_late(self, now: datetime) -> bool:
        """Say whether it was answered, or still waits, after its time."""
        return (self.answered_at or now) > self.due_at


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Keeps a case from being erased, until it is lifted."""

    id: UUID
    referral_id: UUID
    reason: HoldReason
    set_at: datetime
    set_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_because: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """One entry of the erasure ledger: ids, a time, and a digest that only who holds the key ring can make."""

    id: UUID
    referral_id: UUID
    at: datetime
    cause: ErasureCause

    @property
    def vouched_for(self) -> bytes:
        """Give what the digest is made over."""
        return f"{self.id}|{self.referral_id}|{self.at.isoformat()}|{self.cause.value}".encode()

    def written(self, digest: str) -> Mapping[str, str]:
        """Give the entry as it stands in the ledger."""
        return {
            "event": "erasure",
            "erasure_id": str(self.id),
            "referral_id": str(self.referral_id),
            "at": self.at.isoformat(),
            "cause": self.cause.value,
            "digest": digest,
        }


class ProcessingRestricted(DomainError):
    """The person has had the case restricted: nobody sees it or works on it until that is lifted."""

    code = "processing_restricted"

    def __init__(self, since: datetime) -> None:
        super().__init__("the processing of this case is restricted")
        self.restricted_at = since.isoformat()


class ReferralErased(DomainError):
    """What was known of the person is erased, and nothing can be done with the case any more."""

    code = "referral_erased"


class UnderLegalHold(DomainError):
    """A legal hold keeps the case from being erased."""

    code = "under_legal_hold"


class EmergencyRunning(DomainError):
    """The case is an emergency that has not ended: it is not erased under the hands of those who help."""

    code = "emergency_running"


class AlreadyAnswered(DomainError):
    """The person's request was answered before."""

    code = "already_answered"


class NotRestricted(DomainError):
    """The case is not restricted."""

    code = "not_restricted"


class HoldLifted(DomainError):
    """The legal hold was lifted before."""

    code = "hold_lifted"


class LedgerUnavailable(DomainError):
    """The erasure ledger cannot be written, and without it nothing is erased."""

    code = "ledger_unavailable"
