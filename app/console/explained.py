"""An explanation as a person reads it: what is missing, how it could turn out, and clause by clause whom each names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.api.language import Language
from app.console.languages import said
from app.domain.articles import clause_in_words
from app.domain.explanation import OUTSIDE
from app.domain.facts import AGE, DOMICILE, SEX
from app.domain.labels import LABELS
from app.domain.wording import Wording
from app.storage.reference import Reference

MOST_WAYS = 12
"""How many ways a page shows: nobody compares more of them."""
OTHER_SERVICE = ["when.services"]


@dataclass(frozen=True, slots=True)
class NamedAgency:
    """An agency that a clause looks at, and why it is asked or not."""

    code: str
    taken: bool
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class ExplainedClause:
    """A clause, in words, and what the facts say to it."""

    name: str
    version: int
    title: str
    text: Sequence[str]
    status: str
    sentence: str
    failed: Sequence[str]
    depends_on: Sequence[str]
    region: str | None
    candidates: Sequence[NamedAgency]


@dataclass(frozen=True, slots=True)
class PossibleWay:
    """What comes of a decision if the facts that are missing turn out so."""

    supposed: Sequence[tuple[str, str]]
    """Facts, as `victim.age`, with what is supposed of them in words."""
    agency: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The whole of it."""

    missing: Sequence[str]
    overlays: Sequence[str]
    ways: Sequence[PossibleWay]
    more_ways: int
    holding: Sequence[ExplainedClause]
    """The clauses that hold, or would if facts turned out so, in the order of deciding."""
    others: Sequence[ExplainedClause]
    """Those that do not hold, but for other services."""
    of_other_services: int


def explained(explanation: Mapping[str, Any], reference: Reference, language: Language) -> Explained:
    """Put an explanation (app/domain/explanation.py) into the words of a language."""
    reading = _Reading(explanation, reference, language)
    clauses = [one for one in explanation["clauses"] if one["failed"] != OTHER_SERVICE]
    told = [reading.clause(one) for one in clauses]
    ways = [reading.way(one) for one in explanation["ways"]] if len(explanation["ways"]) > 1 else []
    return Explained(
        missing=list(explanation["decision"].get("missing", ())),
        overlays=[reading.sentence(f"{one['overlay']}.{one['lies']}") for one in explanation["overlays"]],
        ways=ways[:MOST_WAYS],
        more_ways=max(0, len(ways) - MOST_WAYS) + explanation["more_ways"],
        holding=[one for one in told if one.status != "not_matched"],
        others=[one for one in told if one.status == "not_matched"],
        of_other_services=len(explanation["clauses"]) - len(clauses),
    )


def reasons_by_agency(explanation: Mapping[str, Any]) -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
    """Give for each agency that a clause looks at the clauses that name it, and the codes of what speaks against it.

    In the order in which they would be asked.
    """
    found: dict[str, tuple[list[str], list[str]]] = {}
    for clause in explanation["clauses"]:
        for candidate in clause.get("candidates", ()):
            named, against = found.setdefault(candidate["agency"], ([], []))
            if candidate["taken"] or candidate["reasons"] == ["named_before"]:
                named.append(clause["clause"])
            else:
                against.extend(code for code in candidate["reasons"] if code not in against)
            if candidate.get("capacity") and candidate["capacity"] not in against:
                against.append(candidate["capacity"])
    return dict(sorted(found.items(), key=lambda one: not one[1][0]))


class _Reading:
    """Reads one explanation in a language."""

    def __init__(self, explanation: Mapping[str, Any], reference: Reference, language: Language) -> None:
        self._sentences: Mapping[str, Mapping[str, str]] = explanation["sentences"]
        self._language = language
        self._wording = Wording(reference.registry, reference.vocabulary, reference.regions)
        self._documents = {(one.id, one.version): one for one in reference.documents}

    def sentence(self, code: str) -> str:
        found = self._sentences.get(code)
        return found[self._language.value] if found else code

    def clause(self, told: Mapping[str, Any]) -> ExplainedClause:
        document_id, _, key = told["clause"].rpartition("/")
        document = self._documents.get((document_id, told["version"]))
        clause = next((one for one in document.clauses if one.key == key), None) if document else None
        words = clause_in_words(document, clause, self._wording) if document and clause else ()
        title = (document.title_id if self._language is Language.INDONESIAN else document.title_en) if document else ""
        return ExplainedClause(
            name=told["clause"],
            version=told["version"],
            title=title or document_id,
            text=[text.said(self._language.value) for text in words],
            status=told["status"],
            sentence=self.sentence(told["status"]),
            failed=[self.sentence(code) for code in told["failed"]],
            depends_on=told["depends_on"],
            region=told.get("region"),
            candidates=[self._candidate(one) for one in told.get("candidates", ())],
        )

    def way(self, told: Mapping[str, Any]) -> PossibleWay:
        result = told["result"]
        return PossibleWay(
            supposed=[(fact, self._supposed(fact, value)) for fact, value in sorted(told["supposed"].items())],
            agency=result["agency"],
            because=LABELS["reason"][result["reason"]].said(self._language.value) if result["reason"] else "",
        )

    def _supposed(self, fact: str, value: object) -> str:
        if fact == DOMICILE:
            if value == OUTSIDE:
                return said("service_request.outside", self._language)
            return self._wording.region(str(value)).said(self._language.value)
        if fact == SEX:
            return said(f"sex.{value}", self._language)
        if fact == AGE:
            return said("service_request.from_age", self._language, age=value)
        return said("service_request.yes" if value else "service_request.no", self._language)

    def _candidate(self, told: Mapping[str, Any]) -> NamedAgency:
        codes = [*told["reasons"], *([told["capacity"]] if "capacity" in told else [])]
        return NamedAgency(told["agency"], told["taken"], [self.sentence(code) for code in codes])
