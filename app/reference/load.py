"""The shipped data as domain values: regions, code sets, the seed registry, agreements, and the IKN overlay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.domain.agreement import Document, parse_document
from app.domain.durations import days
from app.domain.errors import Fault, RegistryInvalid
from app.domain.labels import CODE_SETS
from app.domain.overlays import Overlay
from app.domain.reading import Entry, ages
from app.domain.regions import Regions
from app.domain.registry import TIME_ZONES, Agency, Registry, Service
from app.domain.vocabulary import Sex, Term, Urgency, UrgencyTerm, Vocabulary
from app.domain.wording import Text
from app.reference.region_file import read_regions
from app.reference.yaml_text import Loaded, load_yaml

HERE = Path(__file__).parent
AGREEMENTS = HERE / "agreements"

SEED_VERSION = 1
STATUSES = ("confirmed", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Reference:
    """All that ships with the product."""

    regions: Regions
    vocabulary: Vocabulary
    registry: Registry
    documents: tuple[Document, ...]


@cache
def shipped() -> Reference:
    """Read everything that ships, once."""
    regions, vocabulary = load_regions(), load_vocabulary()
    registry, documents = load_registry(vocabulary, regions), load_documents(vocabulary, regions)
    return Reference(regions, vocabulary, registry, documents)


def load_regions() -> Regions:
    """Read the national list of regions."""
    return Regions({region.code: region for region in read_regions((HERE / "regions.csv").read_text("utf-8"))})


def load_vocabulary() -> Vocabulary:
    """Read the code sets."""
    return parse_vocabulary(written_vocabulary())


def written_vocabulary() -> dict[str, Any]:
    """Give the code sets as they are written."""
    return _written("vocabulary.yaml")


def parse_vocabulary(written: object) -> Vocabulary:
    """Read code sets."""
    found = Entry(written).fields(
        (
            "service_types",
            "case_types",
            "incident_places",
            "relations_to_perpetrator",
            "sexes",
            "urgencies",
            "agency_kinds",
        ),
        ("version",),
    )
    return Vocabulary(
        version=found["version"].integer(1, SEED_VERSION) if "version" in found else SEED_VERSION,
        service_types=_terms(found, "service_types"),
        case_types=_terms(found, "case_types"),
        incident_places=_terms(found, "incident_places"),
        relations_to_perpetrator=_terms(found, "relations_to_perpetrator"),
        sexes=_terms(found, "sexes"),
        urgencies={term.code: term for term in map(_urgency, found["urgencies"].entries())},
        agency_kinds=_terms(found, "agency_kinds"),
    )


def load_registry(vocabulary: Vocabulary, regions: Regions | None = None) -> Registry:
    """Read the seed registry."""
    return parse_registry(written_registry(), vocabulary, regions)


def written_registry() -> dict[str, Any]:
    """Give the seed registry as it is written."""
    return _written("agencies.yaml")


def _written(name: str) -> dict[str, Any]:
    written = load_yaml((HERE / name).read_text("utf-8")).value
    if not isinstance(written, dict):
        raise TypeError("a shipped file is a mapping")
    return written


def load_documents(vocabulary: Vocabulary, regions: Regions | None = None) -> tuple[Document, ...]:
    """Read the shipped baseline and agreements."""
    return tuple(load_document(path, vocabulary, regions) for path in sorted(AGREEMENTS.glob("*.yaml")))


def load_document(path: Path, vocabulary: Vocabulary, regions: Regions | None = None) -> Document:
    """Read a document from a file; see `parse_document` and `load_yaml` for what can be wrong with it."""
    return parse_document(load_yaml(path.read_text("utf-8")).value, vocabulary, regions)


@cache
def load_overlay() -> Overlay:
    """Read which districts lie in Ibu Kota Nusantara."""
    found = Entry(load_yaml((HERE / "ikn_overlay.yaml").read_text("utf-8")).value).fields(
        ("overlay", "as_of", "wholly_or_partly", "outside")
    )
    inside, outside = ([one.region() for one in found[key].entries()] for key in ("wholly_or_partly", "outside"))
    as_of = found["as_of"].day().isoformat()
    return Overlay(found["overlay"].identifier(), as_of, frozenset(inside), frozenset(outside))


def parse_registry(
    written: object, vocabulary: Vocabulary, regions: Regions | None = None, *, version: int = SEED_VERSION
) -> Registry:
    """Read agencies, or say all that is wrong with them (RegistryInvalid)."""
    entry = Entry(written)
    listed = entry.fields(("agencies",)).get("agencies")
    agencies: dict[str, Agency] = {}
    for one in listed.entries(may_be_empty=True) if listed else ():
        agency = _agency(one, vocabulary, regions)
        if agency.code in agencies:
            one.fault("named_twice", "an earlier agency has this code")
        agencies[agency.code] = agency
    if entry.faults:
        raise RegistryInvalid(tuple(entry.faults))
    return Registry(version, agencies)


def places(faults: Iterable[Fault], loaded: Loaded) -> list[str]:
    """Say each fault of a text with the line, where it is known, and the place where it stands."""
    lines = ((loaded.line(fault.pointer), fault) for fault in faults)
    return [f"{f'line {line}: ' if line else ''}{fault.pointer or '/'}: {fault.message}" for line, fault in lines]


def _agency(entry: Entry, vocabulary: Vocabulary, regions: Regions | None) -> Agency:
    found = entry.fields(
        ("code", "name", "kind", "region", "services"),
        ("part_of", "coordinator_for", "active", "status", "time_zone"),
    )
    services = found["services"].named() if "services" in found else {}
    for code, service in services.items():
        if code not in vocabulary.service_types:
            service.fault("unknown_code", "this is not a known service type")
    return Agency(
        code=(found.get("code") or Entry(None)).identifier(),
        name=(found.get("name") or Entry(None)).text(),
        kind=(found.get("kind") or Entry(None)).code(vocabulary.agency_kinds, "kind of agency"),
        region=_region(found.get("region"), regions),
        services={code: _service(service, vocabulary, regions) for code, service in services.items()},
        part_of=found["part_of"].identifier() if "part_of" in found else None,
        coordinator_for=_region(found["coordinator_for"], regions) if "coordinator_for" in found else None,
        active=found["active"].boolean() if "active" in found else True,
        status=found["status"].code(STATUSES, "status") if "status" in found else "unconfirmed",
        time_zone=found["time_zone"].code(frozenset(TIME_ZONES.values()), "time zone") if "time_zone" in found else "",
    )


def _service(entry: Entry, vocabulary: Vocabulary, regions: Regions | None) -> Service:
    limits = ("sexes", "age_from", "age_below", "case_types")
    found = entry.fields(("area",), (*limits, "available", "secret_location", "confirmed_on", "valid_for"))
    sexes = found["sexes"].codes(list(Sex), "sex") if "sexes" in found else []
    case_types = found["case_types"].codes(vocabulary.case_types, "case type") if "case_types" in found else []
    area = found["area"].entries() if "area" in found else []
    age_from, age_below = ages(found)
    return Service(
        area=tuple(_region(one, regions) for one in area),
        sexes=frozenset(Sex(code) for code in sexes if code),
        age_from=age_from,
        age_below=age_below,
        case_types=frozenset(case_types),
        available=found["available"].boolean() if "available" in found else True,
        secret_location=found["secret_location"].boolean() if "secret_location" in found else False,
        confirmed_on=found["confirmed_on"].day() if "confirmed_on" in found else None,
        valid_for=_valid_for(found.get("valid_for")),
    )


def _valid_for(entry: Entry | None) -> int | None:
    if entry is None:
        return None
    length = days(entry.text())
    if length is None:
        entry.fault("bad_duration", "a number of days is expected here, as in P30D")
    return length


def _region(entry: Entry | None, regions: Regions | None) -> str:
    if entry is None:
        return ""
    code = entry.region()
    if code and regions is not None and not regions.knows(code):
        entry.fault("unknown_region", "this region is not in the national list")
    return code


def _terms(found: Mapping[str, Entry], name: str) -> Mapping[str, Term]:
    terms = (_term(one, CODE_SETS.get(name, {})) for one in found[name].entries())
    return {term.code: term for term in terms}


def _term(entry: Entry, labels: Mapping[str, Text]) -> Term:
    if isinstance(entry.value, str):
        # These lists give codes alone. One that has no label either is said in its own words.
        label = labels.get(entry.value, Text.same(entry.value.replace("_", " ").capitalize()))
        return Term(entry.value, label.id, label.en)
    found = entry.fields(("code", "id", "en"), ("source",))
    code, label_id, label_en = (found[key].text() for key in ("code", "id", "en"))
    return Term(code, label_id, label_en, found["source"].text() if "source" in found else None)


def _urgency(entry: Entry) -> UrgencyTerm:
    found = entry.fields(("code", "id", "en", "respond"), ("source",))
    code, label_id, label_en, respond = (found[key].text() for key in ("code", "id", "en", "respond"))
    return UrgencyTerm(
        Urgency(code), label_id, label_en, respond, found["source"].text() if "source" in found else None
    )
