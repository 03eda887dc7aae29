"""An explanation of a decision in a person's words: whom a service goes to, and why, clause by clause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.api.language import Language
from app.console.explained import Explained, explained
from app.storage.reference import Reference


@dataclass(frozen=True, slots=True)
class ServiceTold:
    """Where one service goes, and why."""

    service: str
    offered_to: str | None
    reason: str | None
    coordinator: str | None
    source: str | None
    confirmed: bool
    then: tuple[str, ...]
    missing: tuple[str, ...]
    """Facts, by their codes: what is not known and would change it."""
    ground: tuple[str, ...]
    explained: Explained


def tell(
    explanation: Mapping[str, Any],
    reference: Reference,
    language: Language,
    *,
    ground: Sequence[Mapping[str, str]] = (),
) -> ServiceTold:
    """Tell an explanation (app/domain/explanation.py) in one language."""
    telling = _Telling(explanation, reference, language)
    decision = explanation["decision"]
    asked = [str(one["agency"]) for one in decision["chain"]]
    citation = decision["citation"] or {}
    return ServiceTold(
        service=str(explanation["service"]),
        offered_to=telling.agency(decision["agency"]) if decision["agency"] else None,
        reason=telling.sentence(decision["reason"]) if decision["reason"] else None,
        coordinator=telling.agency(decision["coordinator"]) if decision["coordinator"] else None,
        source=citation.get("source"),
        confirmed=bool(citation.get("confirmed")),
        then=tuple(telling.agency(code) for code in asked if code != decision["agency"]),
        missing=tuple(decision["missing"]),
        ground=tuple(one[language.value] for one in ground),
        explained=explained(explanation, reference, language),
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    explanation: Mapping[str, Any]
    reference: Reference
    language: Language

    def sentence(self, code: str) -> str:
        said = self.explanation["sentences"].get(code)
        return str(said[self.language.value]) if said else code

    def agency(self, code: str) -> str:
        agency = self.reference.registry.agencies.get(code)
        return agency.name if agency else code
