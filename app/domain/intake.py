"""What a sender hands in, told apart into what routing may know and what is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.consent import Consent
from app.domain.facts import Facts
from app.domain.referral import Mode


@dataclass(frozen=True, slots=True)
class AskedService:
    """One service that is asked for; `sender_cannot` keeps the sender itself off the list of those who could."""

    service_type: str
    sender_cannot: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A referral as it comes in. `personal` is field to JSON value, sealed before it touches a disk."""

    sender_reference: str
    mode: Mode
    facts: Facts
    consent: Consent
    services: tuple[AskedService, ...]
    personal: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is added to a referral or corrected. A personal field of None is removed."""

    facts: Facts
    consent: Consent
    personal: Mapping[str, Any]
    says_consent: bool
