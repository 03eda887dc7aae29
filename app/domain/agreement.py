"""Agreements and baselines: reading one strictly, with every fault named at its place (routing.md, Documents)."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.clauses import (
    Assign,
    Basis,
    Citation,
    Clause,
    Condition,
    Covers,
    Deny,
    Duty,
    Party,
    Selector,
    VictimLine,
    Where,
)
from app.domain.document import FORMAT, Document, DocumentKind, canonical_json, sha256
from app.domain.durations import clock_time, is_respond
from app.domain.errors import DocumentInvalid
from app.domain.reading import Entry, ages
from app.domain.regions import Regions
from app.domain.vocabulary import Sex, Urgency, Vocabulary

__all__ = [
    "Assign",
    "Basis",
    "Citation",
    "Clause",
    "Condition",
    "Covers",
    "Deny",
    "Document",
    "DocumentInvalid",
    "DocumentKind",
    "Duty",
    "Party",
    "Selector",
    "VictimLine",
    "Where",
    "canonical_json",
    "parse_document",
    "sha256",
]

LARGEST = 1_000_000


def parse_document(written: object, vocabulary: Vocabulary, regions: Regions | None = None) -> Document:
    """Read a document, or say all that is wrong with it (DocumentInvalid); with regions, unknown ones are faults."""
    entry = Entry(written)
    document = _Reading(vocabulary, regions).document(entry)
    if entry.faults:
        raise DocumentInvalid(tuple(entry.faults))
    return document


class _Reading:
    """Reads the parts of a document against the code sets."""

    def __init__(self, vocabulary: Vocabulary, regions: Regions | None) -> None:
        self._vocabulary = vocabulary
        self._regions = regions

    def document(self, entry: Entry) -> Document:
        found = entry.fields(
            ("format", "id", "version", "kind", "precedence", "title", "effective", "timezone", "parties", "clauses"),
            ("covers", "signed_on", "joint_leave_counts", "access_after_completion"),
        )
        if "format" in found:
            found["format"].integer(FORMAT, FORMAT)
        nothing = {key: found.get(key) or Entry(None) for key in ("title", "effective", "covers")}
        title = nothing["title"].fields(("id", "en"))
        effective = nothing["effective"].fields(("from",), ("until",))
        begins = (effective.get("from") or Entry(None)).day()
        ends = effective["until"].day() if "until" in effective else None
        if ends is not None and ends <= begins:
            effective["until"].fault("never_in_force", "the document must end after the day on which it begins")
        leave = found.get("joint_leave_counts")
        return Document(
            id=(found.get("id") or Entry(None)).identifier(),
            version=(found.get("version") or Entry(None)).integer(1, LARGEST),
            kind=self._kind(found.get("kind")),
            precedence=(found.get("precedence") or Entry(None)).integer(0, LARGEST),
            title_id=(title.get("id") or Entry(None)).text(),
            title_en=(title.get("en") or Entry(None)).text(),
            effective_from=begins,
            effective_until=ends,
            time_zone=self._time_zone(found.get("timezone")),
            parties=self._parties(found.get("parties")),
            covers=self._covers(found.get("covers")),
            clauses=self._clauses(found.get("clauses")),
            signed_on=found["signed_on"].day() if "signed_on" in found else None,
            joint_leave_counts=leave.boolean() if leave else True,
            access_after_completion=_duration(found.get("access_after_completion")),
        )

    @staticmethod
    def _kind(entry: Entry | None) -> DocumentKind:
        said = entry.code(list(DocumentKind), "kind of document") if entry else ""
        return DocumentKind(said or DocumentKind.AGREEMENT)

    @staticmethod
    def _time_zone(entry: Entry | None) -> str:
        if entry is None:
            return "UTC"
        name = entry.text()
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            entry.fault("unknown_time_zone", "a time zone by its IANA name is expected here, as in Asia/Makassar")
            return "UTC"
        return name

    def _parties(self, entry: Entry | None) -> tuple[Party, ...]:
        parties = []
        for one in entry.entries() if entry else ():
            found = one.fields(("agency", "territory"))
            territory = self._territory(found.get("territory"))
            parties.append(Party((found.get("agency") or Entry(None)).identifier(), territory))
        return tuple(parties)

    def _territory(self, entry: Entry | None) -> tuple[str, ...]:
        return tuple(self._region(one) for one in entry.entries()) if entry else ()

    def _region(self, entry: Entry) -> str:
        code = entry.region()
        if code and self._regions is not None and not self._regions.knows(code):
            entry.fault("unknown_region", "this region is not in the national list")
        return code

    def _covers(self, entry: Entry | None) -> Covers:
        found = entry.fields((), ("domicile", "abroad", "victims")) if entry else {}
        victims = found["victims"].entries() if "victims" in found else []
        return Covers(
            domicile=self._territory(found.get("domicile")),
            abroad=found["abroad"].boolean() if "abroad" in found else None,
            victims=tuple(self._victim_line(line) for line in victims),
        )

    def _victim_line(self, entry: Entry) -> VictimLine:
        found = entry.fields((), ("sexes", "age_from", "age_below", "case_types"))
        age_from, age_below = ages(found)
        return VictimLine(_sexes(found), age_from, age_below, self._case_types(found))

    def _case_types(self, found: dict[str, Entry]) -> frozenset[str]:
        if "case_types" not in found:
            return frozenset()
        return frozenset(found["case_types"].codes(self._vocabulary.case_types, "case type"))

    def _clauses(self, entry: Entry | None) -> tuple[Clause, ...]:
        clauses: dict[str, Clause] = {}
        for one in entry.entries() if entry else []:
            clause = self._clause(one)
            if clause is None:
                continue
            if clause.key and clause.key in clauses:
                one.fault("named_twice", "an earlier clause has this key")
            clauses[clause.key] = clause
        return tuple(clauses.values())

    def _clause(self, entry: Entry) -> Clause | None:
        kind = entry.value.get("kind") if isinstance(entry.value, Mapping) else None
        always = ("key", "kind", "cite", "when")
        if kind == "assign":
            found = entry.fields((*always, "to", "rank"), ("basis", "respond"))
        elif kind == "duty":
            found = entry.fields((*always, "duty", "within"))
        elif kind == "deny":
            found = entry.fields(always)
        else:
            found = entry.fields(always, ("to", "rank", "basis", "respond", "duty", "within"))
        if kind not in ("assign", "deny", "duty"):
            if "kind" in found:
                found["kind"].fault("unknown_code", "the kind of a clause is assign, deny or duty")
            return None
        key = (found.get("key") or Entry(None)).identifier()
        citation = self._citation(found.get("cite") or Entry(None))
        when = self._condition(found.get("when") or Entry({}))
        if kind == "assign":
            return self._assign(found, key, citation, when)
        if kind == "deny":
            return Deny(key, citation, when)
        within = _duration(found.get("within")) or ""
        return Duty(key, citation, when, (found.get("duty") or Entry(None)).identifier(), within)

    @staticmethod
    def _citation(entry: Entry) -> Citation:
        cite = entry.fields(("source", "confirmed"), ("confirmed_by", "confirmed_on"))
        confirmed = (cite.get("confirmed") or Entry(None)).boolean()
        for name in ("confirmed_by", "confirmed_on"):
            if name in cite and not confirmed:
                cite[name].fault("without_confirmation", "only a citation with confirmed: true says by whom and when")
        return Citation(
            (cite.get("source") or Entry(None)).text(),
            confirmed,
            cite["confirmed_by"].text() if "confirmed_by" in cite else None,
            cite["confirmed_on"].day() if "confirmed_on" in cite else None,
        )

    def _assign(self, found: dict[str, Entry], key: str, citation: Citation, when: Condition) -> Assign:
        basis = (
            tuple(Basis(code) for code in found["basis"].codes(list(Basis), "location") if code)
            if "basis" in found
            else ()
        )
        to = self._selector(found.get("to") or Entry(None))
        if to.where is not None and not basis and "basis" not in found:
            found["to"].fault("no_basis", "a clause that looks for agencies by region needs a basis")
        respond = found["respond"].text() if "respond" in found else None
        if respond is not None and not is_respond(respond):
            found["respond"].fault("bad_duration", "a respond time is expected here, as in PT24H or P3WD")
        return Assign(key, citation, when, to, (found.get("rank") or Entry(None)).integer(0, LARGEST), basis, respond)

    def _selector(self, entry: Entry) -> Selector:
        found = entry.fields((), ("where", "agency", "kinds"))
        if ("where" in found) == ("agency" in found):
            entry.fault("where_or_agency", "either where or agency is expected here, and not both")
        kinds = found["kinds"].codes(self._vocabulary.agency_kinds, "kind of agency") if "kinds" in found else []
        where = found["where"].code(list(Where), "place to look for agencies") if "where" in found else ""
        agency = found["agency"].identifier() if "agency" in found else None
        return Selector(Where(where) if where else None, agency, tuple(kinds))

    def _condition(self, entry: Entry) -> Condition:
        flags = ("abroad", "cross_province", "cross_regency", "perpetrator_in_household")
        found = entry.fields((), ("services", "urgency", "case_types", "sexes", "age_from", "age_below", *flags))
        age_from, age_below = ages(found)
        abroad, cross_province, cross_regency, perpetrator = (
            found[flag].boolean() if flag in found else None for flag in flags
        )
        services = (
            found["services"].codes(self._vocabulary.service_types, "service type") if "services" in found else []
        )
        urgency = found["urgency"].codes(list(Urgency), "urgency") if "urgency" in found else []
        return Condition(
            services=frozenset(services),
            urgency=frozenset(Urgency(code) for code in urgency if code),
            case_types=self._case_types(found),
            sexes=_sexes(found),
            age_from=age_from,
            age_below=age_below,
            abroad=abroad,
            cross_province=cross_province,
            cross_regency=cross_regency,
            perpetrator_in_household=perpetrator,
        )


def _duration(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    written = entry.text()
    if clock_time(written) is None:
        entry.fault("bad_duration", "a duration is expected here, as in PT72H or P7D, at most a year")
    return written


def _sexes(found: dict[str, Entry]) -> frozenset[Sex]:
    codes = found["sexes"].codes(list(Sex), "sex") if "sexes" in found else []
    return frozenset(Sex(code) for code in codes if code)
