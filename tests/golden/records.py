"""Decisions as the engine of one version makes them, kept with all they were made from.

`python -m tests.golden.records` adds the worked cases that are new. It writes the others anew only once
ENGINE_VERSION has risen: what one version decided, that version decides for good.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from app.domain.agreement import parse_document
from app.domain.decision import ENGINE_VERSION
from app.domain.facts import Facts
from app.domain.record import record_of
from app.domain.routing import Rules, compile_rules
from app.reference.load import parse_registry, parse_vocabulary, shipped, written_registry, written_vocabulary
from app.reference.yaml_text import load_yaml

HERE = Path(__file__).parent
INPUTS, DECISIONS = HERE / "inputs.json", HERE / "decisions.json"
CASES = HERE.parent / "cases" / "routing.yaml"

Record = dict[str, Any]


def rules_of(inputs: Record) -> Rules:
    """Compile the documents, the registry and the code sets that lie beside the golden records."""
    vocabulary = parse_vocabulary(inputs["vocabulary"])
    registry = parse_registry(inputs["registry"], vocabulary)
    return compile_rules(registry, [parse_document(one, vocabulary) for one in inputs["documents"]], vocabulary)


def decided(rules: Rules, facts: Record, service: str, tried: list[str]) -> Record:
    """Decide as the service does, and give the record as it is read from the database."""
    known = Facts.from_json(facts)
    decision = rules.decide(known, service, frozenset(tried))
    record: Record = orjson.loads(orjson.dumps(record_of(rules, decision, known.received_at)))
    return record


def altered(golden: Record) -> list[str]:
    """Name the golden records that the engine does not make any more."""
    rules = rules_of(read(INPUTS))
    return [
        name
        for name, one in golden["decisions"].items()
        if decided(rules, one["facts"], one["service"], one["tried"]) != one["record"]
    ]


def worked_cases() -> dict[str, Record]:
    """Give the facts of each worked case and service, by name."""
    cases: Any = load_yaml(CASES.read_text("utf-8")).value
    found = {}
    for case in cases:
        facts = Facts.from_json({key: value for key, value in case["facts"].items() if key != "services"}).to_json()
        for service in case["facts"]["services"]:
            found[f"{case['name']}: {service}"] = {
                "facts": facts,
                "service": service,
                "tried": sorted(case.get("tried", ())),
            }
    return found


def read(path: Path) -> Record:
    """Read what is kept; nothing if it was never written."""
    kept: Record = orjson.loads(path.read_bytes()) if path.exists() else {}
    return kept


def write(path: Path, kept: Record) -> None:
    """Keep it in a form in which people can see what changed."""
    path.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))


def main() -> None:
    """Add what is new, and write all anew for a new engine."""
    golden = read(DECISIONS)
    known: dict[str, Record] = {}
    if golden.get("engine") == ENGINE_VERSION:
        known = golden["decisions"]
        if names := altered(golden):
            sys.exit(f"ENGINE_VERSION must rise: these are decided otherwise: {', '.join(names)}")
    else:
        documents = [document.to_json() for document in shipped().documents]
        write(INPUTS, {"documents": documents, "registry": written_registry(), "vocabulary": written_vocabulary()})
    rules = rules_of(read(INPUTS))
    for name, case in worked_cases().items():
        if name not in known:
            known[name] = {**case, "record": decided(rules, case["facts"], case["service"], case["tried"])}
    write(DECISIONS, {"engine": ENGINE_VERSION, "decisions": known})


if __name__ == "__main__":
    main()
