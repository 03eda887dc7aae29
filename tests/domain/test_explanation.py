from __future__ import annotations

from typing import Any

from app.domain.agreement import Condition, Document
from app.domain.explanation import explain, explanation_bytes
from app.domain.facts import Facts
from app.domain.registry import Registry, Service
from app.domain.routing import Rules, compile_rules
from app.domain.vocabulary import Outcome
from app.reference.load import shipped
from tests.domain.factories import HEALTH, a_clause, an_agency, an_agreement, facts, rules, to_basis
from tests.domain.strategies import briefly, every_shape


def told(compiled: Rules, case: Facts, tried: frozenset[str] = frozenset()) -> dict[str, Any]:
    return explain(compiled, case, HEALTH, tried)


def clause_of(explanation: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in explanation["clauses"] if one["clause"] == f"agreement/{key}")
    return found


def test_every_candidate_says_why_it_was_taken_or_left_out() -> None:
    agencies = [
        an_agency("taken"),
        an_agency("asleep", active=False),
        an_agency("away", services={HEALTH: Service(area=("64.02",), available=False)}),
        an_agency("children", services={HEALTH: Service(area=("64.02",), age_below=18)}),
        an_agency("mediator", services={"mediation": Service(area=("64.02",))}),
        an_agency("officer", kind="police"),
        an_agency("far", services={HEALTH: Service(area=("64.02.01",))}),
        an_agency("named"),
        an_agency("sister", part_of="named"),
        an_agency("unwanted"),
        an_agency("asked"),
    ]
    compiled = rules(
        agencies, an_agreement(a_clause("near", to=to_basis("uptd_ppa")), a_clause("one", to="taken", rank=11))
    )
    case = facts(conflicts=frozenset({"named"}), refuses=frozenset({"unwanted"}))

    explanation = told(compiled, case, frozenset({"asked"}))

    reasons = {one["agency"]: one["reasons"] for one in clause_of(explanation, "near")["candidates"]}
    assert reasons == {
        "taken": ["taken"],
        "asleep": ["inactive"],
        "away": ["not_available"],
        "children": ["limit"],
        "mediator": ["not_offered"],
        "officer": ["kind"],
        "far": ["outside_area"],
        "named": ["conflict"],
        "sister": ["institution_in_conflict"],
        "unwanted": ["refused"],
        "asked": ["tried"],
    }
    (again,) = clause_of(explanation, "one")["candidates"]
    assert (again["reasons"], again["named_by"]) == (["named_before"], "agreement/near")


def test_every_clause_says_whether_it_holds_and_what_speaks_against_it() -> None:
    agreement = an_agreement(
        a_clause("holds"),
        a_clause("emergency", when=Condition(age_below=18, abroad=True)),
        a_clause("depends", when=Condition(perpetrator_in_household=True)),
        a_clause("unlocated", to=to_basis()),
    )
    nowhere = facts(perpetrator_in_household=None, current=None, incident=None, domicile=None)

    explanation = told(rules([an_agency()], agreement), nowhere)

    assert {one["clause"].partition("/")[2]: one["status"] for one in explanation["clauses"]} == {
        "holds": "matched",
        "emergency": "not_matched",
        "depends": "depends",
        "unlocated": "unlocated",
    }
    assert clause_of(explanation, "emergency")["failed"] == ["when.age_below", "when.abroad"]
    assert clause_of(explanation, "depends")["depends_on"] == ["perpetrator_in_household"]
    assert clause_of(explanation, "unlocated")["depends_on"] == [
        "locations.current",
        "locations.domicile",
        "locations.incident",
    ]
    assert [way["supposed"] for way in explanation["ways"]] == [
        {"perpetrator_in_household": True},
        {"perpetrator_in_household": False},
    ]


def test_every_code_that_is_told_has_a_sentence_in_both_languages() -> None:
    explanation = told(rules([an_agency()], an_agreement(a_clause())), facts())

    assert set(explanation["sentences"]) == {"matched", "taken", "offered"}
    assert all(set(sentence) == {"id", "en"} for sentence in explanation["sentences"].values())


@every_shape
@briefly
def test_an_explanation_agrees_with_the_decision_and_is_the_same_bytes_every_time(
    registry: Registry, papers: list[Document], case: Facts, service: str, tried: frozenset[str]
) -> None:
    compiled = compile_rules(registry, papers, shipped().vocabulary)

    explanation: dict[str, Any] = explain(compiled, case, service, tried)

    decision = compiled.decide(case, service, tried)
    again = explain(compile_rules(registry, papers, shipped().vocabulary), case, service, tried)
    assert explanation_bytes(explanation) == explanation_bytes(again)
    holding = [one["clause"] for one in explanation["clauses"] if one["status"] != "not_matched"]
    assert holding == list(decision.matched)
    against = [one["status"] for one in explanation["clauses"] if one["failed"]]
    assert set(against) <= {"not_matched"}
    if decision.outcome is Outcome.OFFERED:
        lists = [one.get("candidates", []) for one in explanation["clauses"]]
        assert [one["agency"] for each in lists for one in each if one["taken"]] == [c.agency for c in decision.chain]
