"""Deciding a file of worked cases without a database: the body of `lintas route`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import orjson
from rich.console import Console
from rich.table import Table

from app.domain.decision import Decision
from app.domain.document import Document
from app.domain.errors import Fault
from app.domain.facts import MEMBERS, Facts, read_facts
from app.domain.reading import Entry
from app.domain.routing import Rules, compile_rules
from app.domain.vocabulary import Outcome, Vocabulary
from app.reference.load import places, shipped
from app.reference.yaml_text import Loaded, Unreadable, load_yaml

LARGEST = 64 << 20
LISTS = ("chain", "warnings", "missing")
UNORDERED = ("warnings", "missing")
SINGLE = ("outcome", "reason", "agency", "clause", "document", "respond", "coordinator")

AS_EXPECTED, DIFFERENT, MALFORMED = 0, 1, 2


class CasesInvalid(ValueError):
    """The file does not hold cases; every fault is listed."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Case:
    """Facts, the services they ask for, and what is expected of each."""

    name: str
    facts: Facts
    services: tuple[str, ...]
    tried: frozenset[str]
    expect: Mapping[str, Mapping[str, object]]


def run_route(path: Path, *, as_json: bool, out: TextIO, beside: Iterable[Document] = ()) -> int:
    """Decide every case of a file and print the decisions: 0 as expected, 1 where one differs, 2 if it is malformed.

    `beside` are documents to decide by as well, each in the place of a shipped one of its id and version.
    """
    try:
        loaded = load_cases(path)
        cases = parse_cases(loaded.value, shipped().vocabulary)
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        sys.stderr.write(f"{path}: {_why(error)}\n")
        return MALFORMED
    except CasesInvalid as error:
        sys.stderr.writelines(f"{path}: {fault}\n" for fault in places(error.faults, loaded))
        return MALFORMED
    documents = {(one.id, one.version): one for one in (*shipped().documents, *beside)}
    rules = compile_rules(shipped().registry, documents.values(), shipped().vocabulary)
    differing = [_run(case, rules, as_json=as_json, out=out) for case in cases]
    return DIFFERENT if any(differing) else AS_EXPECTED


def _why(error: OSError | UnicodeDecodeError | Unreadable) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the file is not UTF-8 text"
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror or 'unknown reason'}"
    return str(error)


def load_cases(path: Path) -> Loaded:
    """Read a file of cases, YAML or JSON, into plain values."""
    text = path.read_text("utf-8-sig")
    if path.suffix != ".json":
        return load_yaml(text, largest=LARGEST)
    if len(text) > LARGEST:
        raise Unreadable(f"the text is larger than {LARGEST} bytes")
    try:
        return Loaded(json.loads(text, object_pairs_hook=_once_each), {})
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("this is not JSON as it may be written here: nested too deep, or a key twice") from error


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def parse_cases(written: object, vocabulary: Vocabulary) -> list[Case]:
    """Read cases, or say all that is wrong with them (CasesInvalid)."""
    entry = Entry(written)
    cases = []
    if isinstance(written, list):
        for place, one in enumerate(written):
            cases.append(_case(Entry(one, f"/{place}", entry.faults), vocabulary))
    else:
        entry.fault("not_a_list", "a list of cases is expected here")
    if entry.faults:
        raise CasesInvalid(tuple(entry.faults))
    return cases


def _case(entry: Entry, vocabulary: Vocabulary) -> Case:
    found = entry.fields(("name", "facts"), ("tried", "expect"))
    facts = found.get("facts") or Entry({})
    services, decided = _services(facts, vocabulary)
    expect = found["expect"].named() if "expect" in found else {}
    for service, expected in expect.items():
        if service not in services:
            expected.fault("not_asked_for", "facts.services does not name this service")
    tried = found["tried"].entries(may_be_empty=True) if "tried" in found else []
    return Case(
        name=(found.get("name") or Entry(None)).text(),
        facts=decided,
        services=services,
        tried=frozenset(one.identifier() for one in tried),
        expect={service: _expected(expected) for service, expected in expect.items()},
    )


def _services(facts: Entry, vocabulary: Vocabulary) -> tuple[tuple[str, ...], Facts]:
    found = facts.fields(("received_at", "urgency", "case_types", "services"), MEMBERS)
    services = found["services"].codes(vocabulary.service_types, "service type") if "services" in found else []
    if "case_types" in found:
        found["case_types"].codes(vocabulary.case_types, "case type")
    without = {key: one.value for key, one in found.items() if key != "services"}
    # What is wrong with the rest is noted once: an unknown key above, a bad value here.
    reading = Entry(without, facts.pointer)
    decided = read_facts(reading)
    noted = {fault.pointer for fault in facts.faults}
    facts.faults.extend(fault for fault in reading.faults if fault.pointer not in noted)
    return tuple(services), decided


def _expected(entry: Entry) -> dict[str, object]:
    if not isinstance(entry.value, Mapping):
        entry.fields(())
        return {}
    expected: dict[str, object] = {}
    for key, one in entry.named().items():
        if key in LISTS:
            expected[key] = [item.text() for item in one.entries(may_be_empty=True)]
        elif key in SINGLE:
            expected[key] = one.text() if one.value is not None else None
        else:
            one.fault("unknown_key", f"this key is not known; known are {', '.join((*SINGLE, *LISTS))}")
    return expected


def _run(case: Case, rules: Rules, *, as_json: bool, out: TextIO) -> bool:
    lines = [line(case.name, service, rules.decide(case.facts, service, case.tried)) for service in case.services]
    if as_json:
        out.writelines(orjson.dumps(one).decode() + "\n" for one in lines)
    else:
        _show(case, lines, out)
    differences = [text for one in lines for text in _differences(one, case.expect.get(str(one["service"]), {}))]
    told = sys.stderr if as_json else out
    told.writelines(f"DIFFERENT {case.name}: {text}\n" for text in differences)
    return bool(differences)


def line(case: str, service: str, decision: Decision) -> dict[str, object]:
    """Write a decision as `lintas route --json` prints it."""
    waits = decision.outcome is Outcome.NEEDS_COORDINATOR
    return {
        "case": case,
        "service": service,
        "outcome": decision.outcome.value,
        "reason": decision.reason.value if decision.reason else None,
        "agency": decision.agency,
        "clause": decision.clause,
        "document": decision.document,
        "respond": decision.respond,
        "chain": [candidate.agency for candidate in decision.chain],
        "warnings": sorted(decision.warnings),
        "missing": sorted(decision.missing),
        "coordinator": decision.coordinator if waits else None,
    }


def _differences(got: Mapping[str, object], expected: Mapping[str, object]) -> Iterable[str]:
    for key, value in expected.items():
        wanted = sorted(value) if key in UNORDERED and isinstance(value, list) else value
        if got[key] != wanted:
            yield f"{got['service']}.{key} is {_text(got[key])}, expected {_text(wanted)}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _show(case: Case, lines: Iterable[Mapping[str, object]], out: TextIO) -> None:
    table = Table(title=case.name, title_justify="left", title_style="bold", show_lines=True)
    table.add_column("service", no_wrap=True)
    table.add_column("decision", overflow="fold")
    for one in lines:
        table.add_row(str(one["service"]), "\n".join(_told(one)))
    Console(file=out, markup=False, emoji=False, highlight=False).print(table)


def _told(one: Mapping[str, object]) -> Iterable[str]:
    if one["agency"] is not None:
        yield f"offered to {one['agency']}, to answer within {one['respond']}"
    else:
        yield f"{one['reason']}: waits for {one['coordinator'] or 'whom the operator named, as no coordinator may act'}"
    if one["clause"] is not None:
        yield f"by {one['document']}/{one['clause']}"
    for key in LISTS:
        items = one[key]
        if isinstance(items, list) and items:
            yield f"{key}: {', '.join(map(str, items))}"
