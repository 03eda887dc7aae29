"""Who sees which personal field: a profile for each service type, before and after it was accepted.

The profiles are working assumptions for the agencies to confirm, after UU PDP 27/2022 Ps. 16 (no more than the
purpose needs) and UU TPKS 12/2022 (the identity of victim and family is secret).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.case import Case
from app.domain.consent import GroundKind
from app.domain.durations import clock_time
from app.domain.facts import Facts
from app.domain.handoff import HandoffState
from app.domain.referral import Handoff
from app.domain.regions import is_country, regency_of

VICTIM_IDENTITY = frozenset({"victim.name", "victim.alias", "victim.birth_date", "victim.citizenship"})
CONTACT = frozenset({"victim.safe_contact", "victim.guardian"})
CASE = frozenset({"case.incident_date", "case.place", "case.relation_to_perpetrator", "case.police_reported_at"})
CONDITION = frozenset({"condition.physical", "condition.psychological", "condition.family", "condition.community"})

SENDERS_OWN = frozenset({"sender_reference", "consent"})
"""What its sender alone reads again."""

PERSONAL_FIELDS = (
    VICTIM_IDENTITY
    | CONTACT
    | CASE
    | CONDITION
    | SENDERS_OWN
    | {
        "victim.national_id",
        "victim.disability_needs",
        "requested_by",
        "purpose",
        "narrative",
        "attachments",
        "services_already_given",
        "service.note",
    }
)
"""Every personal field of a referral; `service.note` is the note of the service that is handed off."""

BEFORE_ACCEPTING = frozenset({"victim.disability_needs", "service.note", "requested_by"})
"""What an agency needs to know whether it can help. No name, no contact, no story."""

ONCE_ACCEPTED = BEFORE_ACCEPTING | VICTIM_IDENTITY | CONTACT | frozenset({"purpose", "services_already_given"})
"""What every agency needs to meet the person."""

VITAL_INTEREST = frozenset(
    {
        "victim.name",
        "victim.alias",
        "victim.safe_contact",
        "victim.disability_needs",
        "condition.physical",
        "service.note",
    }
)
"""What saves a life, where an emergency moves without consent."""

_HEALTH = frozenset({"condition.physical", "condition.psychological", "victim.national_id", "case.incident_date"})
_MIND = frozenset({"condition.psychological", "condition.family", "narrative"})
_SOCIAL = frozenset({"condition.family", "condition.community", "victim.national_id"})
_JUSTICE = CASE | frozenset({"victim.national_id", "narrative", "attachments"})
_WHOLE = CASE | CONDITION | frozenset({"victim.national_id", "narrative", "attachments"})
_BESIDE = frozenset({"condition.physical", "condition.psychological"})

SERVICE_NEEDS: Mapping[str, frozenset[str]] = {
    "complaint_intake": _WHOLE,
    "case_management": _WHOLE,
    "victim_outreach": CONDITION,
    "temporary_shelter": _BESIDE | {"condition.family"},
    "mediation": frozenset({"condition.family", "case.relation_to_perpetrator"}),
    "victim_accompaniment": _BESIDE,
    "rights_information": frozenset(),
    "health_service": _HEALTH,
    "health_rehabilitation": _HEALTH,
    "psychological_support": _MIND,
    "psychosocial_service": _MIND | _SOCIAL,
    "social_rehabilitation": _SOCIAL,
    "social_empowerment": _SOCIAL,
    "social_reintegration": _SOCIAL | {"case.relation_to_perpetrator"},
    "legal_service": _JUSTICE,
    "law_enforcement": _JUSTICE,
    "witness_protection": _JUSTICE,
    "economic_empowerment_assessment": frozenset({"condition.family"}),
    "disability_accommodation": frozenset({"condition.physical"}),
    "repatriation": _SOCIAL,
    "religious_accompaniment": frozenset(),
}
"""What each service needs beyond that, once it was accepted. A service that is not listed needs nothing more."""


class Access(StrEnum):
    """How much of a case the receiver of a handoff may see."""

    NOTHING = "nothing"
    TO_DECIDE = "to_decide"
    TO_SERVE = "to_serve"


_SERVING = frozenset(
    {HandoffState.ACCEPTED, HandoffState.IN_PROGRESS, HandoffState.ON_HOLD, HandoffState.CANCEL_REQUESTED}
)


def after_completion(handoff: Handoff, usual: timedelta) -> timedelta:
    """Say how long the receiver of a handoff sees its case after completing it: by its agreement, else as usual."""
    agreed = handoff.access_after_completion
    return (clock_time(agreed) if agreed else None) or usual


def access(
    state: HandoffState, *, changed_at: datetime, now: datetime, lawful: bool, after_completion: timedelta
) -> Access:
    """Say how much the receiver may see now; from the moment it has ended otherwise than completed, nothing.

    `lawful`: there is consent, or an emergency whose consent was not taken back.
    """
    if not lawful:
        return Access.NOTHING
    if state is HandoffState.OFFERED:
        return Access.TO_DECIDE
    if state in _SERVING or (state is HandoffState.COMPLETED and now < changed_at + after_completion):
        return Access.TO_SERVE
    return Access.NOTHING


def access_to(case: Case, handoff: Handoff, *, now: datetime, usually: timedelta) -> Access:
    """Say how much the receiver of a handoff may see of its case now; `usually`: how long after completing it."""
    return access(
        handoff.state,
        changed_at=handoff.changed_at,
        now=now,
        lawful=case.shows(handoff) is not GroundKind.NONE and case.referral.erased_at is None,
        after_completion=after_completion(handoff, usually),
    )


def facts_for_receiver(facts: Facts, *, accepted: bool) -> dict[str, Any]:
    """Give the routing facts a receiver sees: before accepting no place narrower than the regency."""

    def place(code: str | None) -> str | None:
        return code if accepted or code is None or is_country(code) else regency_of(code) or code

    return {
        "case_types": sorted(facts.case_types),
        "victim": {"age": facts.age, "sex": facts.sex.value if facts.sex else None},
        "perpetrator_in_household": facts.perpetrator_in_household,
        "locations": {
            "incident": place(facts.incident),
            "domicile": place(facts.domicile),
            "current": place(facts.current),
        },
        "avoid_regions": sorted({place(code) or code for code in facts.avoid_regions}),
    }


def fields_for(service_type: str, *, accepted: bool, consent: bool) -> frozenset[str]:
    """List the personal fields that the receiver of a service sees."""
    profile = ONCE_ACCEPTED | SERVICE_NEEDS.get(service_type, frozenset()) if accepted else BEFORE_ACCEPTING
    return profile if consent else profile & VITAL_INTEREST


def guardian_for_receiver(guardian: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a receiver may know of a guardian; one who is, may be or shields the perpetrator is not contacted."""
    if guardian.get("is_perpetrator") is not False or guardian.get("in_conflict") is True:
        return {"relation": guardian.get("relation"), "do_not_contact": True}
    return {**guardian, "do_not_contact": False}
