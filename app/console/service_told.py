"""An explanation of a decision in a person's words: whom a service goes to, and why, clause by clause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.api.language import Language
from app.domain.labels import LABELS
from app.domain.regions import is_location
from app.domain.wording import Wording
from app.storage.reference import Reference


@dataclass(frozen=True, slots=True)
class CandidateTold:
    """An agency that a clause looked at, and why it is asked or is not."""

    agency: str
    taken: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClauseTold:
    """A clause: which, whether it holds, why not, on what facts it depends, and which agencies it looked at."""

    name: str
    kind: str
    status: str
    holds: str
    because: tuple[str, ...]
    depends_on: tuple[str, ...]
    candidates: tuple[CandidateTold, ...]


@dataclass(frozen=True, slots=True)
class WayTold:
    """What would come of it if facts that are missing were so: pairs of a fact and what is supposed of it."""

    supposed: tuple[tuple[str, str], ...]
    result: str


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
    warnings: tuple[str, ...]
    ground: tuple[str, ...]
    overlays: tuple[str, ...]
    ways: tuple[WayTold, ...]
    holding: tuple[ClauseTold, ...]
    """The clauses that hold, or would if something were known."""
    not_holding: tuple[ClauseTold, ...]


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
    clauses = tuple(telling.clause(one) for one in explanation["clauses"])
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
        warnings=tuple(decision["warnings"]),
        ground=tuple(one[language.value] for one in ground),
        overlays=tuple(telling.sentence(f"{one['overlay']}.{one['lies']}") for one in explanation["overlays"]),
        ways=tuple(telling.way(one) for one in explanation["ways"]) if len(explanation["ways"]) > 1 else (),
        holding=tuple(one for one in clauses if one.status != "not_matched"),
        not_holding=tuple(one for one in clauses if one.status == "not_matched"),
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

    def clause(self, told: Mapping[str, Any]) -> ClauseTold:
        return ClauseTold(
            name=str(told["clause"]),
            kind=str(told["kind"]),
            status=str(told["status"]),
            holds=self.sentence(told["status"]),
            because=tuple(self.sentence(code) for code in told["failed"]),
            depends_on=tuple(told["depends_on"]),
            candidates=tuple(
                CandidateTold(
                    agency=self.agency(one["agency"]),
                    taken=one["taken"],
                    because=tuple(
                        self.sentence(code)
                        for code in (*one["reasons"], *([one["capacity"]] if "capacity" in one else []))
                    ),
                )
                for one in told.get("candidates", ())
            ),
        )

    def way(self, told: Mapping[str, Any]) -> WayTold:
        result = told["result"]
        agency = self.agency(result["agency"]) if result["agency"] else None
        reason = LABELS["reason"].get(result["reason"] or "")
        return WayTold(
            supposed=tuple((fact, self._supposed(value)) for fact, value in told["supposed"].items()),
            result=agency or (reason.said(self.language.value) if reason else str(result["outcome"])),
        )

    def _supposed(self, value: object) -> str:
        """Say what is supposed of a fact: a yes or no as `true` or `false`, for the page to say."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str) and is_location(value):
            wording = Wording(self.reference.registry, self.reference.vocabulary, self.reference.regions)
            return wording.region(value).said(self.language.value)
        return str(value)
