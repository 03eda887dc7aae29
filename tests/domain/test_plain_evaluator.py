"""The engine against a second reading of routing.md that shares nothing with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.agreement import parse_document
from app.domain.facts import Facts
from app.domain.routing import compile_rules
from app.reference.load import parse_registry, shipped
from tests.domain.plain_evaluator import evaluate

ROOT = Path(__file__).parent.parent.parent
CASES = yaml.safe_load((ROOT / "tests/cases/routing.yaml").read_text("utf-8"))
SHIPPED = ROOT / "app/reference"
AGENCIES = yaml.safe_load((SHIPPED / "agencies.yaml").read_text("utf-8"))["agencies"]
DOCUMENTS = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((SHIPPED / "agreements").glob("*.yaml"))]


@pytest.mark.parametrize(
    ("case", "service"),
    [
        pytest.param(case, service, id=f"{case['name']}: {service}")
        for case in CASES
        for service in case["facts"]["services"]
    ],
)
def test_the_plain_evaluator_decides_a_worked_case_as_it_says(case: dict[str, Any], service: str) -> None:
    decided = evaluate(DOCUMENTS, AGENCIES, case["facts"], service, case.get("tried", ()))

    expected = case["expect"][service]
    assert {key: decided[key] for key in expected} == {
        key: sorted(value) if key in ("warnings", "missing") else value for key, value in expected.items()
    }


# --- A small universe, so that collisions and ties are frequent ---------------------------------------------------

REGIONS = ["64", "64.02", "64.02.06", "64.02.13", "64.09", "64.09.04", "63", "63.71"]
HOMES = ["64.02"] * 5 + ["64.09"] * 3 + ["64", "64", "64.02.06", "64.02.13", "64.09.04", "63.71", "63", "ID"]
PLACES = ["64.02.06"] * 6 + ["64.02", "64.02.13", "64.09", "64.09.04", "64.09.04.2001", "63.71"] * 2
PLACES += ["64", "64", "63", "ID", "country:MY", "country:PH"]
CODES = ["a", "b", "c", "d", "e", "f"]
KINDS = ["uptd_ppa", "hospital", "police"]
SERVICES = ["legal_service", "temporary_shelter"]
URGENCIES = ["emergency", "urgent", "standard"]
TERRITORIES = [["64.02"], ["64.09"], ["64.02"], ["64"], ["ID"], ["64.02.06"], ["ID"], ["64", "63"]]
TERRITORIES += [["63.71", "64.09"], ["63", "64.02.13"]]
BASES = [["current", "incident", "domicile"], ["incident", "current"], ["domicile", "current"], ["domicile"]]
LIMITS: list[dict[str, Any]] = [
    {"sexes": ["female"]},
    {"age_below": 18},
    {"age_from": 18},
    {"age_from": 12, "age_below": 18},
    {"case_types": ["trafficking"]},
    {"sexes": ["male"], "age_below": 12},
    {"age_from": 0},
]
CONDITIONS: list[dict[str, Any]] = [
    *LIMITS,
    {"services": ["legal_service"]},
    {"services": ["temporary_shelter"]},
    {"urgency": ["emergency"]},
    {"urgency": ["urgent", "standard"]},
    {"case_types": ["sexual", "physical"]},
    {"abroad": True},
    {"abroad": False},
    {"cross_province": True},
    {"cross_province": False, "cross_regency": True},
    {"cross_regency": False},
    {"perpetrator_in_household": True},
    {"perpetrator_in_household": False},
    {"perpetrator_in_household": True, "age_below": 18},
    {"sexes": ["female"], "age_from": 18},
]
EFFECTIVE = [{"from": "2020-01-01", "until": None}] * 9 + [
    {"from": "2024-07-17", "until": None},
    {"from": "2020-01-01", "until": "2024-07-17"},
    {"from": "2024-07-17", "until": "2024-07-18"},
]
CONFIRMED = ["2024-07-01", "2024-07-02", "2024-07-15", "2024-07-16", "2024-07-17"]
ZONES = ["Asia/Makassar", "Asia/Jakarta", "Asia/Jayapura"]
MOMENTS = ["2024-08-01T09:15:00+08:00"] * 12 + [
    "2024-07-16T14:59:59+00:00",
    "2024-07-16T15:00:00+00:00",
    "2024-07-16T15:59:59+00:00",
    "2024-07-16T16:00:00+00:00",
    "2024-07-16T17:00:00+00:00",
    "2024-07-17T16:00:00+00:00",
    "2024-07-18T00:00:00+09:00",
]


class Picks:
    """Choices by the bytes that hypothesis draws: one byte, one choice, and zero is the simplest one."""

    def __init__(self, drawn: bytes) -> None:
        self._left = iter(drawn)

    def number(self, most: int) -> int:
        return next(self._left, 0) % (most + 1)

    def one(self, choices: list[Any]) -> Any:
        return choices[self.number(len(choices) - 1)]

    def sometimes(self, times: int) -> bool:
        """Say yes once in so many times."""
        return self.number(times - 1) == times - 1

    def some(self, choices: list[Any], most: int) -> list[Any]:
        found: list[Any] = []
        for _ in range(1 + self.number(most - 1)):
            found += [choice for choice in [self.one(choices)] if choice not in found]
        return found


def agencies(picks: Picks) -> list[dict[str, Any]]:
    return [an_agency(picks, code) for code in CODES[: picks.one([6, 5, 4, 4, 3, 2, 1])]]


def an_agency(picks: Picks, code: str) -> dict[str, Any]:
    home = picks.one(HOMES)
    agency: dict[str, Any] = {"code": code, "name": code, "kind": picks.one(KINDS), "region": home}
    agency["time_zone"] = picks.one(ZONES)
    if picks.sometimes(4):
        agency["part_of"] = picks.one([*CODES, "nowhere"])
    if picks.sometimes(2):
        agency["coordinator_for"] = picks.one([home, home, *REGIONS, "ID"])
    if picks.sometimes(12):
        agency["active"] = False
    agency["services"] = {service: an_offer(picks, home) for service in SERVICES if not picks.sometimes(6)}
    return agency


def an_offer(picks: Picks, home: str) -> dict[str, Any]:
    return {
        "area": picks.some([*REGIONS, "64.02", "64.02.06", "64", "ID"], 3) if picks.sometimes(3) else [home],
        **(picks.one(LIMITS) if picks.sometimes(5) else {}),
        **({"available": False} if picks.sometimes(12) else {}),
        **({"valid_for": picks.one(["P1D", "P30D"])} if picks.sometimes(4) else {}),
        **({"confirmed_on": picks.one(CONFIRMED)} if picks.sometimes(4) else {}),
    }


def documents(picks: Picks) -> list[dict[str, Any]]:
    written = []
    for number in range(picks.one([2, 1, 2, 3, 3])):
        one = a_document(picks, f"d{number}")
        if picks.sometimes(8):
            ends = picks.one([None, "2024-07-17", "2024-07-18"])
            one |= {"effective": {"from": "2020-01-01", "until": ends}}
            successor = {"version": 2, "effective": {"from": "2024-07-17", "until": picks.one([None, "2024-07-18"])}}
            written.append(a_document(picks, f"d{number}") | successor)
        written.append(one)
    return written


def a_document(picks: Picks, identifier: str) -> dict[str, Any]:
    territories = picks.some(TERRITORIES, 3) if picks.sometimes(2) else [["64.02"], ["64.09"]]
    covers: dict[str, Any] = {}
    if picks.sometimes(3):
        covers["domicile"] = picks.some(["64.02", "64.09", "64", "64.02.06", "63.71"], 2)
    if picks.sometimes(5):
        covers["abroad"] = picks.one([False, False, True])
    if picks.sometimes(4):
        covers["victims"] = picks.some(LIMITS, 2)
    return {
        "format": 1,
        "id": identifier,
        "version": 1,
        "kind": "agreement",
        "precedence": picks.one([1, 1, 2]),
        "title": {"id": identifier, "en": identifier},
        "effective": picks.one(EFFECTIVE),
        "timezone": picks.one(ZONES),
        "parties": [{"agency": "a", "territory": territory} for territory in territories],
        "covers": covers,
        "clauses": [a_clause(picks, f"c{number}") for number in range(picks.one([3, 4, 4, 5, 6, 2, 1]))],
    }


def a_clause(picks: Picks, key: str) -> dict[str, Any]:
    kind = picks.one(["assign"] * 20 + ["deny", "duty"])
    when = picks.one(CONDITIONS) if kind == "deny" or picks.sometimes(2) else {}
    clause = {"key": key, "kind": kind, "cite": {"source": "generated", "confirmed": False}, "when": when}
    if kind == "duty":
        return {**clause, "duty": picks.one(["report_to_police", "begin_service"]), "within": "PT72H"}
    if kind == "deny":
        return clause
    where = picks.one(["basis", "basis", "basis", "partner", "province", "agency"])
    to = {"agency": picks.one([*CODES, "nobody"])} if where == "agency" else {"where": where}
    if picks.sometimes(3):
        to["kinds"] = picks.some(KINDS + KINDS[::-1], 4)
    clause |= {"to": to, "rank": picks.one([1, 1, 2, 3])}
    if where != "agency" or picks.sometimes(2):
        clause["basis"] = picks.one(BASES)
    if picks.sometimes(4):
        clause["respond"] = "PT2H"
    return clause


def facts(picks: Picks) -> dict[str, Any]:
    known = [kind for kind in ("incident", "domicile", "current") if not picks.sometimes(4)]
    victim = {
        "sex": picks.one(["female", "female", "male", "unknown", None]),
        "age": picks.one([30, 18, 17, 12, 11, 0, None, None, None]),
    }
    written: dict[str, Any] = {
        "received_at": picks.one(MOMENTS),
        "urgency": picks.one(URGENCIES),
        "case_types": picks.some(["physical", "sexual", "trafficking"], 2),
        "locations": {kind: picks.one(PLACES) for kind in known},
        "victim": {key: value for key, value in victim.items() if value is not None},
        "conflicts": some_agencies(picks),
        "refuses": some_agencies(picks),
        "avoid_regions": picks.some([*REGIONS[1:], *REGIONS[2:], *REGIONS, "ID", "country:MY"], 2)
        if picks.sometimes(4)
        else [],
        "consent": "none" if picks.sometimes(16) else "given",
    }
    perpetrator = picks.one([False, True, None])
    return written if perpetrator is None else {**written, "perpetrator_in_household": perpetrator}


def some_agencies(picks: Picks) -> list[str]:
    return picks.some([*CODES, "nowhere"], 2) if picks.sometimes(5) else []


def tried(picks: Picks) -> list[str]:
    return picks.some(CODES, 3) if picks.sometimes(3) else []


@dataclass
class Question:
    """All that a decision depends on, readable when a test fails."""

    documents: list[dict[str, Any]]
    agencies: list[dict[str, Any]]
    facts: dict[str, Any]
    service: str
    tried: list[str]


def question(drawn: bytes) -> Question:
    of_documents, of_agencies, of_facts = Picks(drawn[:280]), Picks(drawn[280:450]), Picks(drawn[450:])
    return Question(
        documents(of_documents), agencies(of_agencies), facts(of_facts), of_facts.one(SERVICES), tried(of_facts)
    )


# One draw: three would leave one of them at its simplest in two examples of three.
questions = st.builds(question, st.binary(min_size=490, max_size=490))


# --- The engine and the plain evaluator ---------------------------------------------------------------------------

EXAMPLES = int(os.environ.get("LINTAS_EXAMPLES", "1000"))
VOCABULARY = shipped().vocabulary


SAID_ALIKE = ("outcome", "reason", "agency", "document", "clause", "respond", "missing", "coordinator")


def decided_by_the_engine(asked: Question) -> dict[str, Any]:
    rules = compile_rules(
        parse_registry({"agencies": asked.agencies}, VOCABULARY),
        [parse_document(document, VOCABULARY) for document in asked.documents],
        VOCABULARY,
    )
    decision: dict[str, Any] = rules.decide(
        Facts.from_json(asked.facts), asked.service, frozenset(asked.tried)
    ).to_json()
    chain, duties = decision["chain"], decision["duties"]
    return {
        **{key: decision[key] for key in SAID_ALIKE},
        "missing": sorted(decision["missing"]),
        "warnings": sorted(decision["warnings"]),
        "chain": [candidate["agency"] for candidate in chain],
        "named_by": [f"{candidate['document']}/{candidate['clause']}" for candidate in chain],
        "duties": [(duty["duty"], duty["within"], duty["document"], duty["clause"]) for duty in duties],
    }


@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
@given(questions)
def test_the_engine_decides_as_the_plain_evaluator(asked: Question) -> None:
    plain = evaluate(asked.documents, asked.agencies, asked.facts, asked.service, asked.tried)

    assert decided_by_the_engine(asked) == plain
