"""The matching of clauses as a zen-engine decision table: one row a clause, every row that holds is collected.

That is a part of a decision only: candidates, chains, warnings and records are not in it. The table is told what the
engine works out for itself: the regency that each basis comes to, and what is derived from the locations.
"""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from app.domain.clauses import Assign, Basis, Clause, Condition, VictimLine
from app.domain.document import Document
from app.domain.facts import Facts
from app.domain.regions import NATION, regency_of
from bench.world import SAFETY, VENUE, World

COLUMNS = {
    "service": "service",
    "urgency": "urgency",
    "domicile": "domicile",
    "abroad": "abroad",
    "province": "cross_province",
    "regency": "cross_regency",
    "perpetrator": "perpetrator",
    "sex": "sex",
    "age": "age",
    "types": "",
    "victims": "",
    "venue": "venue",
    "safety": "safety",
}
BASES: Mapping[tuple[Basis, ...], str] = {VENUE: "venue", SAFETY: "safety"}


class ZenTable:
    """The clauses of a world in zen-engine."""

    def __init__(self, world: World) -> None:
        zen = import_module("zen")
        entries = [(document, clause) for document in world.documents for clause in document.clauses]
        entries.sort(key=lambda e: (e[0].precedence, e[1].rank if isinstance(e[1], Assign) else 0, e[0].id, e[1].key))
        table = {
            "hitPolicy": "collect",
            "inputs": [{"id": key, "name": key, "field": field} for key, field in COLUMNS.items()],
            "outputs": [{"id": "clause", "name": "clause", "field": "clause"}],
            "rules": [_row(number, *entry) for number, entry in enumerate(entries)],
        }
        nodes = [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "out", "name": "out", "type": "outputNode"},
        ]
        edges = [
            {"id": "1", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "2", "sourceId": "table", "targetId": "out", "type": "edge"},
        ]
        content = {"nodes": nodes, "edges": edges}
        text = json.dumps(content)
        decision = zen.ZenEngine().create_decision(text)
        compiled = zen.ZenEngine().create_decision(zen.ZenDecisionContent(text))
        loaded = zen.ZenEngine({"loader": {"type": "static", "content": {"table": content}}})
        self.ways: dict[str, Callable[[dict[str, Any]], Any]] = {
            "zen-engine, create_decision(text)": decision.evaluate,
            "zen-engine, compiled content": compiled.evaluate,
            "zen-engine, static loader": lambda said: loaded.evaluate("table", said),
        }
        """The ways to ask it, from what its page shows first to the fastest that was found."""


def clauses_of(answer: Any) -> tuple[str, ...]:
    """Name the clauses that match, in the order of deciding."""
    return tuple(row["clause"] for row in answer["result"] or ())


def said_to_zen(facts: Facts, service: str) -> dict[str, Any]:
    """Say the facts as the table asks for them."""
    first = {
        name: next((region for kind in basis if (region := facts.location(kind)) is not None), "")
        for basis, name in BASES.items()
    }
    return {
        "service": service,
        "urgency": facts.urgency.value,
        "domicile": regency_of(facts.domicile or ""),
        "abroad": facts.abroad,
        "cross_province": facts.cross_province,
        "cross_regency": facts.cross_regency,
        "perpetrator": facts.perpetrator_in_household,
        "sex": facts.sex.value if facts.sex else None,
        "age": facts.age,
        "case_types": sorted(facts.case_types),
        **{name: regency_of(region) for name, region in first.items()},
    }


def _row(number: int, document: Document, clause: Clause) -> dict[str, str]:
    when, covers = clause.when, document.covers
    abroad = covers.abroad if when.abroad is None else when.abroad
    row = {
        "_id": str(number),
        "clause": json.dumps(f"{document.id}/{clause.key}"),
        "service": _one_of(when.services),
        "urgency": _one_of(urgency.value for urgency in when.urgency),
        "domicile": _one_of(covers.domicile),
        "abroad": _is(abroad),
        "province": _is(when.cross_province),
        "regency": _is(when.cross_regency),
        "perpetrator": _is(when.perpetrator_in_household),
        "sex": _one_of(sex.value for sex in when.sexes),
        "age": _age(when),
        "types": _types(when.case_types),
        "victims": " or ".join(f"({_line(line)})" for line in covers.victims),
        "venue": "",
        "safety": "",
    }
    if isinstance(clause, Assign) and document.territory != (NATION,):
        row[BASES[clause.basis]] = _one_of(document.territory)
    return row


def _one_of(values: Any) -> str:
    return ", ".join(json.dumps(value) for value in sorted(values))


def _is(asked: bool | None) -> str:
    return "" if asked is None else str(asked).lower()


def _age(asked: Condition | VictimLine, name: str = "") -> str:
    limits = ((">=", asked.age_from), ("<", asked.age_below))
    return " and ".join(f"{name}{sign} {age}" for sign, age in limits if age is not None)


def _types(types: frozenset[str]) -> str:
    return f"some(case_types, # in [{_one_of(types)}])" if types else ""


def _line(line: VictimLine) -> str:
    asked = [f"sex in [{_one_of(sex.value for sex in line.sexes)}]" if line.sexes else ""]
    asked += [_age(line, "age "), _types(line.case_types)]
    return " and ".join(part for part in asked if part)
