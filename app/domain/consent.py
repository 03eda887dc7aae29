"""On what ground a case may be passed on: whose consent, for what and until when, or the vital interest alone.

The sources are ours to propose and the parties' to confirm: none of them was read against the text in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.domain.facts import NOBODY, Facts
from app.domain.vocabulary import Urgency

ADULT_FROM = 18
"""Who is younger is a child (UU 35/2014 Ps. 1 angka 1; UU 12/2022 Ps. 1)."""


class ConsentBasis(StrEnum):
    """On what lawful basis the case may be passed on; none is said, never assumed."""

    VICTIM = "victim"
    GUARDIAN = "guardian"
    CHILD_BEST_INTEREST = "child_best_interest"
    LEGAL_DUTY = "legal_duty"
    NONE = "none"


class Law(StrEnum):
    """The law that a best interest or a duty rests on."""

    UU_21_2007 = "uu_21_2007"
    UU_11_2012 = "uu_11_2012"
    UU_35_2014 = "uu_35_2014"
    UU_12_2022 = "uu_12_2022"
    UU_27_2022 = "uu_27_2022"


class Ended(StrEnum):
    """How consent came to its end."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class GroundKind(StrEnum):
    """What a case moves on."""

    CONSENT = "consent"
    VITAL_INTEREST = "vital_interest"
    NONE = "none"


LAWS: Mapping[Law, str] = {
    Law.UU_21_2007: "UU 21/2007",
    Law.UU_11_2012: "UU 11/2012 Ps. 2 huruf d",
    Law.UU_35_2014: "UU 23/2002 jo. UU 35/2014 Ps. 2 huruf b",
    Law.UU_12_2022: "UU 12/2022",
    Law.UU_27_2022: "UU 27/2022 Ps. 20 ayat (2)",
}
SOURCES: Mapping[str, str] = {
    ConsentBasis.VICTIM: "UU 27/2022 Ps. 20 ayat (2) huruf a",
    ConsentBasis.GUARDIAN: "UU 27/2022 Ps. 25 ayat (2)",
    ConsentBasis.CHILD_BEST_INTEREST: LAWS[Law.UU_35_2014],
    ConsentBasis.LEGAL_DUTY: "UU 27/2022 Ps. 20 ayat (2) huruf c",
    GroundKind.VITAL_INTEREST: "UU 27/2022 Ps. 20 ayat (2) huruf d",
    GroundKind.NONE: "UU 27/2022 Ps. 20 ayat (1)",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What was said of consent, as far as routing and access go by it; who exactly gave it is sealed."""

    basis: ConsentBasis | None = None
    """None: kept by a version that did not record it."""
    services: frozenset[str] | None = None
    """None: all that were asked for."""
    services_refused: frozenset[str] = NOBODY
    expires_at: datetime | None = None
    law: Law | None = None
    guardian_excluded: bool = False
    """The guardian is the perpetrator or in conflict with the victim: nobody tells them anything."""
    ended: Ended | None = None
    unconfirmed: bool = False
    """Nobody confirmed in time that the vital interest leaves no room to ask."""

    def covers(self, service_type: str) -> bool:
        """Say whether a service is one that it is for."""
        covered = self.services is None or service_type in self.services
        return covered and service_type not in self.services_refused

    def stands(self, age: int | None, *, kept: bool) -> bool:
        """Say whether it is a consent at all; `kept` is what was known of one whose basis was not recorded.

        A child's own word alone is none (UU 27/2022 Ps. 25), nor is that of a guardian who is the perpetrator or in
        conflict, nor a child's best interest where there is no child. An age that is not known is not guessed.
        """
        if self.ended is not None:
            return False
        match self.basis:
            case None:
                return kept
            case ConsentBasis.NONE:
                return False
            case ConsentBasis.VICTIM:
                return age is None or age >= ADULT_FROM
            case ConsentBasis.GUARDIAN:
                return not self.guardian_excluded
            case ConsentBasis.CHILD_BEST_INTEREST:
                return age is None or age < ADULT_FROM
            case ConsentBasis.LEGAL_DUTY:
                return True

    def at(self, now: datetime) -> Consent:
        """Give it as it is at a time: what has come to its term has ended, whether or not a clock has run."""
        over = self.ended is None and self.expires_at is not None and self.expires_at <= now
        return replace(self, ended=Ended.EXPIRED) if over else self

    def to_json(self) -> dict[str, Any]:
        """Write it as it is kept, but for `services`, which have a column of their own."""
        return {
            "basis": self.basis.value if self.basis else None,
            "services_refused": sorted(self.services_refused),
            "expires_at": self.expires_at.astimezone(UTC).isoformat() if self.expires_at else None,
            "law": self.law.value if self.law else None,
            "guardian_excluded": self.guardian_excluded,
            "ended": self.ended.value if self.ended else None,
            "unconfirmed": self.unconfirmed,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any] | None, services: Iterable[str] | None) -> Consent:
        """Read it as `to_json` writes it; None is one of which nothing but its services was recorded."""
        said = written or {}
        basis, expires, law, ended = (said.get(name) for name in ("basis", "expires_at", "law", "ended"))
        return cls(
            basis=ConsentBasis(basis) if basis else None,
            services=None if services is None else frozenset(services),
            services_refused=frozenset(said.get("services_refused", ())),
            expires_at=datetime.fromisoformat(expires) if expires else None,
            law=Law(law) if law else None,
            guardian_excluded=bool(said.get("guardian_excluded")),
            ended=Ended(ended) if ended else None,
            unconfirmed=bool(said.get("unconfirmed")),
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """On what one service of a case moves, or why it does not."""

    kind: GroundKind
    basis: ConsentBasis | None
    source: str
    because: tuple[str, ...]
    """Codes of what bears on it; `consent_words` says them."""

    def to_json(self) -> dict[str, Any]:
        """Write it as a decision keeps it."""
        return {
            "kind": self.kind.value,
            "basis": self.basis.value if self.basis else None,
            "source": self.source,
            "confirmed": False,
            "because": list(self.because),
        }


def ground_of(consent: Consent, facts: Facts, service_type: str) -> Ground:
    """Say on what a service moves: consent; in an emergency without one the vital interest; else nothing.

    `facts.consent` says whether the consent stands. An emergency moves without a consent that was never had, not
    against one that was taken back, has ended, or that leaves out this service by name.
    """
    because: list[str] = []
    if consent.guardian_excluded:
        because.append("guardian_excluded")
    if facts.consent and consent.covers(service_type):
        if consent.basis is ConsentBasis.VICTIM and facts.age is None:
            because.append("age_unknown")
        source = LAWS[consent.law] if consent.law else SOURCES.get(consent.basis or "", "")
        return Ground(GroundKind.CONSENT, consent.basis, source, tuple(because))
    why = _why_not(consent, facts, service_type)
    if why not in because:
        because.append(why)
    vital = is_vital(consent, facts, service_type)
    if vital and consent.unconfirmed:
        because.append("unconfirmed")
    kind = GroundKind.VITAL_INTEREST if vital and not consent.unconfirmed else GroundKind.NONE
    return Ground(kind, consent.basis, SOURCES[kind], tuple(because))


def is_vital(consent: Consent, facts: Facts, service_type: str) -> bool:
    """Say whether nothing but the vital interest could carry a service, and nobody has spoken against it."""
    refused = consent.ended is not None or service_type in consent.services_refused
    consented = facts.consent and consent.covers(service_type)
    return facts.urgency is Urgency.EMERGENCY and not refused and not consented


def is_excluded(guardian: Mapping[str, Any]) -> bool:
    """Say whether a guardian is named as the perpetrator or in conflict with the victim."""
    return guardian.get("is_perpetrator") is True or guardian.get("in_conflict") is True


def rests_on_nobody(consent: Consent, age: int | None) -> bool:
    """Say whether a consent contradicts itself: of an excluded guardian, or in the interest of a child who is none."""
    excluded = consent.basis is ConsentBasis.GUARDIAN and consent.guardian_excluded
    adult = age is not None and age >= ADULT_FROM
    return excluded or (consent.basis is ConsentBasis.CHILD_BEST_INTEREST and adult)


def _why_not(consent: Consent, facts: Facts, service_type: str) -> str:
    if consent.ended is not None:
        return consent.ended.value
    if service_type in consent.services_refused:
        return "service_refused"
    if facts.consent:
        return "service_not_covered"
    return {
        ConsentBasis.VICTIM: "child_alone",
        ConsentBasis.GUARDIAN: "guardian_excluded",
        ConsentBasis.CHILD_BEST_INTEREST: "not_a_child",
    }.get(consent.basis or ConsentBasis.NONE, "not_given")
