"""What is asked is what could be taken: which refusals a schema could not say, which codes, and how it is counted."""

import tomllib
from typing import Any

import pytest

from app.domain.caller import Role
from tests.contract import plan, table
from tests.contract.beyond import unsayable

OPERATIONS = (
    {"operationId": "of_senders", "x-roles": ["sender"]},
    {"operationId": "of_operators", "x-roles": ["operator"]},
    {"operationId": "of_anybody"},
)


def refused(code: str, pointer: str = "/x") -> dict[str, Any]:
    return {"code": "invalid_input", "errors": [{"pointer": pointer, "code": code}]}


@pytest.mark.parametrize(
    ("problem", "body"),
    [
        (refused("unknown_code"), {"x": "a"}),
        (refused("required", "/note"), {}),
        (refused("too_short"), {"x": " \r"}),
        (refused("wrong_type", "/cases/0"), {"cases": [{}]}),
        ({"code": "document_invalid"}, {}),
    ],
)
def test_what_no_schema_can_say_may_be_refused(problem: dict[str, Any], body: Any) -> None:
    assert unsayable(problem, body)


@pytest.mark.parametrize(
    ("problem", "body"),
    [
        (refused("bad_region"), {"x": "a"}),
        (refused("header_name"), {"x": "a"}),
        (refused("required", "/name"), {}),
        (refused("too_short"), {"x": ""}),
        (refused("too_short"), {"x": []}),
        ({"code": "idempotency_key_reused"}, {}),
        ({"code": "invalid_input", "errors": []}, {}),
        (
            {"code": "invalid_input", "errors": [*refused("unknown_code")["errors"], *refused("bad_region")["errors"]]},
            {"x": "a"},
        ),
    ],
)
def test_what_a_schema_could_have_said_is_a_failure(problem: dict[str, Any], body: Any) -> None:
    assert not unsayable(problem, body)


def test_what_is_closed_or_open_to_any_role_is_not_covered_with_the_key_of_one() -> None:
    of_senders = plan.settings(OPERATIONS, {}, role=Role.SENDER, examples=1)
    of_all = plan.settings(OPERATIONS, {}, role=None, examples=1)

    (bound,) = of_senders["operations"]
    assert bound["include-operation-id"] == ["of_operators", "of_anybody"]
    assert bound["phases"] == {"coverage": {"enabled": False}}
    assert of_all["operations"] == []


def test_the_settings_are_read_as_they_were_meant() -> None:
    meant = plan.settings(OPERATIONS, {"handoff_id": ("a", "b")}, role=Role.SENDER, examples=3)

    read = tomllib.loads(plan.toml(meant))

    assert read["dictionaries"]["handoff_id"] == {"values": ["a", "b"]}
    assert read["parameters"]["path.handoff_id"] == {"dictionary": "handoff_id", "probability": 0.6}
    assert read["continue-on-failure"] is True
    assert read.keys() == meant.keys()


def test_the_table_counts_what_was_taken_and_which_links_were_followed() -> None:
    counts = {
        "operations": 2,
        "cases": {"fuzzing": 3, "stateful": 4},
        "checks": {"not_a_server_error": 7},
        "answers": {"fuzzing GET /a 200": 3, "stateful POST /b 422": 3, "stateful POST /b 201": 1},
        "links": {"GET /a -> [200] b taken": 2, "GET /a -> [200] b refused": 1, "POST /b -> [201] c taken": 1},
        "seconds": {"fuzzing": 0.6, "stateful": 1.6},
        "failures": [{"check": "not_a_server_error", "operation": "GET /a", "status": 500}],
    }

    made, failure = table.lines({"sender": counts})

    assert table.figures(counts) == (2, 7, 7, 4, 4, 2, 2, 1)
    assert "links followed" in made
    assert failure == "sender: not_a_server_error at GET /a, answered 500"
