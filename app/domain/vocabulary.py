"""The code sets: what may be said, what each code is called, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Urgency(StrEnum):
    """How soon the victim must be helped."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    STANDARD = "standard"


class Outcome(StrEnum):
    """What a decision comes to; nothing is ever dropped."""

    OFFERED = "offered"
    NEEDS_COORDINATOR = "needs_coordinator"


class Reason(StrEnum):
    """Why a service goes to the coordinator, the strongest first (routing.md, The decision)."""

    DENIED = "denied"
    NO_CONSENT = "no_consent"
    UNDETERMINED = "undetermined"
    AMBIGUOUS = "ambiguous"
    CHAIN_EXHAUSTED = "chain_exhausted"
    UNROUTABLE = "unroutable"


class Sex(StrEnum):
    """The victim's sex; unknown is None."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True)
class Term:
    """One code, its labels in Indonesian and English, and its source."""

    code: str
    id: str
    en: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class UrgencyTerm:
    """One urgency and the respond time that holds where a clause gives none."""

    code: Urgency
    id: str
    en: str
    respond: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All code sets of one version, each in the order in which it is shown."""

    version: int
    service_types: Mapping[str, Term]
    case_types: Mapping[str, Term]
    incident_places: Mapping[str, Term]
    relations_to_perpetrator: Mapping[str, Term]
    sexes: Mapping[str, Term]
    urgencies: Mapping[Urgency, UrgencyTerm]
    agency_kinds: Mapping[str, Term]
