"""A decision is made again from what was kept of it, however it was kept."""

from dataclasses import replace
from uuid import uuid4

import orjson

from app.domain.facts import Facts
from app.domain.record import record_of
from app.domain.routing import Rules, compile_rules
from app.reference.load import shipped
from app.storage.worklists import KeptDecision
from app.workflows.replay_decision import in_full, replay
from tests.domain.factories import facts

SERVICE = "legal_service"


def the_rules() -> Rules:
    return compile_rules(shipped().registry, shipped().documents, shipped().vocabulary)


def kept(rules: Rules, case: Facts, *, in_whole: bool = False) -> KeptDecision:
    """A decision as the database gives it back; `in_whole` as records were written at first."""
    decision = rules.decide(case, SERVICE)
    written = decision.to_json() if in_whole else record_of(rules, decision, case.received_at)
    return KeptDecision(
        id=uuid4(),
        service_request_id=uuid4(),
        referral_id=uuid4(),
        service_type=SERVICE,
        facts_version=1,
        facts=case.to_json(),
        consent=case.consent,
        tried=(),
        registry_version=decision.registry_version,
        code_sets_version=1,
        engine=decision.engine,
        cause="submitted",
        outcome=decision.outcome.value,
        result=orjson.loads(orjson.dumps(written)),
        placed_by=None,
        decided_at=case.received_at,
        facts_recorded_at=case.received_at,
    )


def test_a_compact_record_and_one_that_was_kept_in_whole_replay_and_say_the_same() -> None:
    rules = the_rules()
    compact, whole = kept(rules, facts()), kept(rules, facts(), in_whole=True)

    assert replay(rules, compact).agrees
    assert replay(rules, whole).agrees
    assert in_full(rules, compact.result) == in_full(rules, whole.result)


def test_what_was_kept_otherwise_differs_and_the_work_of_another_engine_is_said_to_be_that() -> None:
    rules = the_rules()
    right = kept(rules, facts())
    forged = replace(right, result={**right.result, "agency": "somebody-else"})
    older = replace(forged, engine="0")

    assert (replay(rules, forged).agrees, replay(rules, forged).why_not) == (False, "differs")
    assert replay(rules, older).why_not == "engine_changed"


def test_the_consent_that_held_for_the_service_is_part_of_what_is_replayed() -> None:
    rules = the_rules()
    without = kept(rules, facts(consent=False))
    given_for_others = replace(without, facts=facts().to_json())

    assert replay(rules, given_for_others).agrees
