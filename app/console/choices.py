"""What can be chosen in the forms of a referral: pairs of code and text, some with a hint."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from app.api.intake_types import RequestedBy
from app.api.language import Language
from app.console.languages import said
from app.domain.consent import LAWS, ConsentBasis, Law
from app.domain.labels import CODE_SETS, LABELS
from app.domain.referral import Mode
from app.domain.vocabulary import Urgency
from app.storage.reference import Reference

Choice = tuple[str, str] | tuple[str, str, str]


def choices(reference: Reference, language: Language) -> dict[str, Any]:
    """List what can be chosen, by the name of the list: for a page to be filled with."""
    vocabulary = reference.vocabulary
    agencies = sorted(reference.registry.agencies.values(), key=lambda agency: agency.name)

    def set_of(name: str) -> list[Choice]:
        return [(code, text.said(language.value)) for code, text in CODE_SETS[name].items()]

    def labels(name: str, codes: Iterable[StrEnum]) -> list[Choice]:
        return [(code.value, LABELS[name][code.value].said(language.value)) for code in codes]

    def hinted(name: str, codes: Iterable[StrEnum], hint: str) -> list[Choice]:
        return [(code, text, said(f"{hint}_{code}", language)) for code, text, *_ in labels(name, codes)]

    return {
        "urgencies": [
            (code.value, getattr(term, language.value), said(f"entry.urgency_{code.value}", language))
            for code, term in ((one, vocabulary.urgencies[one]) for one in Urgency)
        ],
        "case_types": [(code, getattr(term, language.value)) for code, term in vocabulary.case_types.items()],
        "services": [(code, getattr(term, language.value)) for code, term in vocabulary.service_types.items()],
        "incident_places": set_of("incident_places"),
        "relations": [one for one in set_of("relations_to_perpetrator") if one[0] != "unknown"],
        "sexes": set_of("sexes"),
        "modes": hinted("mode", Mode, "entry.mode"),
        "requested_by": labels("requested_by", RequestedBy),
        "bases": hinted("consent_basis", ConsentBasis, "entry.consent.basis"),
        "laws": [(law.value, LAWS[law]) for law in Law],
        "agencies": [(agency.code, agency.name) for agency in agencies],
    }
