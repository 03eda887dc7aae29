"""The categories of SIMFONI-PPA, the ministry's information system, in which cases of violence are counted.

Kinds of violence are the case types of the code sets, which are SIMFONI-PPA's. Its age groups and kinds of service are
here. Which of Lintas's services belongs to which of its kinds is our reading (`proposed`), for the ministry to confirm.
SIMFONI-PPA also counts by the place of the incident and by the relation to the perpetrator: Lintas keeps both sealed,
and counts neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.domain.handoff import RequestState
from app.domain.vocabulary import Sex, Term

SOURCE = "SIMFONI-PPA"
UNKNOWN = "unknown"

AGE_GROUPS: Mapping[str, Term] = {
    term.code: term
    for term in (
        Term("age_0_5", "0-5 tahun", "0-5 years", SOURCE),
        Term("age_6_12", "6-12 tahun", "6-12 years", SOURCE),
        Term("age_13_17", "13-17 tahun", "13-17 years", SOURCE),
        Term("age_18_24", "18-24 tahun", "18-24 years", SOURCE),
        Term("age_25_44", "25-44 tahun", "25-44 years", SOURCE),
        Term("age_45_59", "45-59 tahun", "45-59 years", SOURCE),
        Term("age_60_up", "60 tahun ke atas", "60 years and over", SOURCE),
        Term(UNKNOWN, "Tidak diketahui", "Not known"),
    )
}
_UP_TO = ((5, "age_0_5"), (12, "age_6_12"), (17, "age_13_17"), (24, "age_18_24"), (44, "age_25_44"), (59, "age_45_59"))

SEXES: Mapping[str, Term] = {
    Sex.FEMALE.value: Term(Sex.FEMALE.value, "Perempuan", "Female", SOURCE),
    Sex.MALE.value: Term(Sex.MALE.value, "Laki-laki", "Male", SOURCE),
    UNKNOWN: Term(UNKNOWN, "Tidak diketahui", "Not known"),
}

SERVICES: Mapping[str, Term] = {
    term.code: term
    for term in (
        Term("complaint", "Pengaduan", "Complaint", SOURCE),
        Term("health", "Kesehatan", "Health", SOURCE),
        Term("legal_aid", "Bantuan hukum", "Legal aid", SOURCE),
        Term("law_enforcement", "Penegakan hukum", "Law enforcement", SOURCE),
        Term("social_rehabilitation", "Rehabilitasi sosial", "Social rehabilitation", SOURCE),
        Term("social_reintegration", "Reintegrasi sosial", "Social reintegration", SOURCE),
        Term("repatriation", "Pemulangan", "Repatriation", SOURCE),
        Term("religious_accompaniment", "Pendampingan tokoh agama", "Religious accompaniment", SOURCE),
        Term("other_service", "Layanan lain", "Other service", "proposed"),
    )
}

SERVICE_OF: Mapping[str, str] = {
    "complaint_intake": "complaint",
    "victim_outreach": "complaint",
    "case_management": "complaint",
    "health_service": "health",
    "health_rehabilitation": "health",
    "psychological_support": "health",
    "legal_service": "legal_aid",
    "rights_information": "legal_aid",
    "mediation": "legal_aid",
    "witness_protection": "law_enforcement",
    "law_enforcement": "law_enforcement",
    "temporary_shelter": "social_rehabilitation",
    "psychosocial_service": "social_rehabilitation",
    "social_rehabilitation": "social_rehabilitation",
    "victim_accompaniment": "social_rehabilitation",
    "social_empowerment": "social_reintegration",
    "social_reintegration": "social_reintegration",
    "economic_empowerment_assessment": "social_reintegration",
    "repatriation": "repatriation",
    "religious_accompaniment": "religious_accompaniment",
}
"""The kind of each service; a service that is not here is of kind `other_service`."""

OUTCOMES: Mapping[str, Term] = {
    term.code: term
    for term in (
        Term("running", "Masih berjalan", "Still running"),
        Term("waiting", "Menunggu koordinator", "Waits for its coordinator"),
        Term("fulfilled", "Layanan diberikan", "Given"),
        Term("partly_fulfilled", "Sebagian layanan diberikan", "Partly given"),
        Term("unmet", "Tidak terpenuhi", "Not given"),
        Term("cancelled", "Dibatalkan", "Cancelled"),
    )
}


def age_group(age: int | None) -> str:
    """Name the group of an age in whole years."""
    if age is None:
        return UNKNOWN
    return next((group for last, group in _UP_TO if age <= last), "age_60_up")


def first_age(age: int) -> int:
    """Give the first year of the group of an age in whole years."""
    return max((last + 1 for last, _ in _UP_TO if last < age), default=0)


def outcome_of(states: Iterable[str]) -> str:
    """Say in one word what became of several service requests of one referral.

    What waits for a person outweighs what runs, and both what has ended; a cancelled one counts only among its like.
    """
    found = set(states)
    if RequestState.NEEDS_COORDINATOR in found:
        return "waiting"
    if found & {RequestState.ROUTING, RequestState.OFFERED, RequestState.ACCEPTED}:
        return "running"
    if RequestState.FULFILLED in found:
        return "partly_fulfilled" if RequestState.UNMET in found else "fulfilled"
    return "unmet" if RequestState.UNMET in found else "cancelled"
