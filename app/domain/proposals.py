"""What one person asks for and another confirms: who counts as another, and what may become of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.caller import Caller


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """For what the operator asks for a second person, and how long one has for it."""

    publishing: bool = False
    endpoints: bool = False
    """For where an agency's news goes, and by what it is signed and guarded on its way."""
    within: timedelta = timedelta(days=3)


class ProposalKind(StrEnum):
    """What is proposed."""

    PUBLISH = "document.publish"
    REGISTER_ENDPOINT = "endpoint.register"
    CHANGE_ENDPOINT = "endpoint.change"
    ROTATE_SECRET = "endpoint.rotate_secret"  # noqa: S105 - what is done to one
    PUT_TLS = "endpoint.put_tls"


class ProposalState(StrEnum):
    """What became of it; all but pending are for good."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By who made it, or because the key that made it was revoked."""
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """Another proposal of the same kind for the same thing took its place."""
    OUTDATED = "outdated"
    """What it was to change was changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Who did something: a key of an agency, and the person where what was called with says so."""

    agency_code: str
    key_id: UUID
    holder_id: UUID
    """Stays the same however often the key is rotated."""
    person: str | None = None

    @classmethod
    def of(cls, caller: Caller) -> "Hands":
        """Give those of a caller."""
        return cls(caller.agency_code, caller.key_id, caller.holder_id, caller.person)

    def same_as(self, other: "Hands") -> bool:
        """Say whether one person may be behind both: by name where both have one, else by key."""
        if self.person is not None and other.person is not None:
            return self.person == other.person
        return self.holder_id == other.holder_id


def subject_of(document_id: str, version: int) -> str:
    """Name a version of a document as the subject of a proposal."""
    return f"{document_id}/{version}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for another person, or did. Its times are real time."""

    id: UUID
    kind: ProposalKind
    agency_code: str | None
    """Whose it is to confirm; None is the operators'."""
    subject: str
    """The endpoint's id, or document and version."""
    what: Mapping[str, Any]
    """What is asked for, without anything secret."""
    state: ProposalState
    proposed_by: Hands | None
    """None is the command line."""
    proposed_at: datetime
    expires_at: datetime
    decided_by: Hands | None
    decided_at: datetime | None
    superseded_by: UUID | None
