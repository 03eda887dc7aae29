"""Every field of a referral that comes in, and the one class that says who may see it.

A field that is in no class is let in by nobody: a test holds the model of the API against this list.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class FieldClass(StrEnum):
    """Who may see a field, and how it is kept."""

    HANDLING = "handling"
    """What is asked for and how fast: with the handoff, also once it is over."""
    FACT = "fact"
    """What routing decides by: a code or a number, not sealed; receivers see it as long as they see the case."""
    PLACE = "place"
    """A fact that receivers see no narrower than the regency before they accept."""
    KEPT_BACK = "kept_back"
    """A fact that routing decides by and no receiver ever sees."""
    TO_DECIDE = "to_decide"
    """Sealed; every receiver sees it from the offer on."""
    TO_SERVE = "to_serve"
    """Sealed; every receiver sees it once it has accepted."""
    BY_SERVICE = "by_service"
    """Sealed; once they have accepted, the receivers see it whose service needs it."""
    SENDERS_OWN = "senders_own"
    """Sealed; its sender alone reads it again."""


SEALED = frozenset({FieldClass.TO_DECIDE, FieldClass.TO_SERVE, FieldClass.BY_SERVICE, FieldClass.SENDERS_OWN})

_CONTACT = ("phone", "email", "address", "instructions")

FIELDS: Mapping[FieldClass, tuple[str, ...]] = MappingProxyType(
    {
        FieldClass.HANDLING: ("mode", "urgency", "services.type"),
        FieldClass.FACT: ("case.types", "case.perpetrator_in_household", "victim.age", "victim.sex"),
        FieldClass.PLACE: ("locations.incident", "locations.domicile", "locations.current", "avoid_regions"),
        FieldClass.KEPT_BACK: (
            "conflicts",
            "consent.agencies",
            "consent.agencies_refused",
            "consent.basis",
            "consent.expires_at",
            "consent.law",
            "consent.services",
            "consent.services_refused",
            "services.sender_cannot",
        ),
        FieldClass.TO_DECIDE: ("requested_by", "services.note", "victim.disability_needs"),
        FieldClass.TO_SERVE: (
            "purpose",
            "services_already_given.agency",
            "services_already_given.given_on",
            "services_already_given.note",
            "services_already_given.type",
            "victim.alias",
            "victim.birth_date",
            "victim.citizenship",
            "victim.guardian.in_conflict",
            "victim.guardian.is_perpetrator",
            "victim.guardian.name",
            "victim.guardian.relation",
            "victim.name",
            *(f"victim.guardian.contact.{way}" for way in _CONTACT),
            *(f"victim.safe_contact.{way}" for way in _CONTACT),
        ),
        FieldClass.BY_SERVICE: (
            "attachments.reference",
            "attachments.title",
            "case.incident_date",
            "case.place",
            "case.police_reported_at",
            "case.relation_to_perpetrator",
            "condition.community",
            "condition.family",
            "condition.physical",
            "condition.psychological",
            "narrative",
            "victim.national_id",
        ),
        FieldClass.SENDERS_OWN: ("consent.given_at", "consent.relation", "sender_reference"),
    }
)
"""Paths into the body of a referral; an item of a list stands for all of them."""

class_of: Mapping[str, FieldClass] = MappingProxyType({path: one for one, paths in FIELDS.items() for path in paths})


def personal_field(path: str) -> str:
    """Name the personal field (`disclosure.PERSONAL_FIELDS`) that a sealed path is a part of, or is."""
    if path == "services.note":
        return "service.note"
    first, _, rest = path.partition(".")
    if first in ("services_already_given", "attachments", "consent"):
        return first
    return f"{first}.{rest.partition('.')[0]}" if rest else first
