"""Every error is a problem: with a status, in two languages, and without a value that was sent."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self, get_args
from uuid import UUID, uuid4

import pytest
from fastapi import Query
from pydantic import Field, model_validator
from pydantic_core.core_schema import ErrorType

import app
from app.api.fault_texts import FAULTS
from app.api.faults import CODES, code_of
from app.api.language import Language, chosen
from app.api.problem_texts import PROBLEMS
from app.api.problems import ROWS
from app.api.route import v1_router
from app.api.validation import Body, Day, Flag, Moment, Whole, fault, faults, judging
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.domain.errors import DomainError, DuplicateReference, Fault, InvalidInput, NotFound
from app.domain.handoff import HandoffEvent, HandoffState, IllegalTransition
from tests.conftest import ClientFactory, KeyFactory

router = v1_router("things")


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Part(Body):
    """A part of a thing."""

    name: Annotated[str, Field(min_length=2, max_length=5, pattern="^[a-z]+$")]
    size: Annotated[Whole, Field(ge=0, le=10)] = 0


class Thing(Body):
    """Something with every kind of field."""

    colour: Colour
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=2)]
    made: Day | None = None
    seen: Moment | None = None
    sure: Flag = False
    owner: UUID | None = None
    kind: Literal["a", "b"] = "a"

    @model_validator(mode="after")
    def _not_from_the_future(self) -> Self:
        wrong = []
        if self.made is not None and self.made > judging().now.date():
            wrong.append(fault("in_future", at=("made",)))
        if self.seen is not None and self.seen > judging().now:
            wrong.append(fault("in_future", at=("seen",)))
        if wrong:
            raise faults(wrong)
        return self


@router.post("/things")
async def make_thing(thing: Thing) -> dict[str, str]:
    """Make a thing."""
    return {"colour": thing.colour}


@router.get("/things/{thing_id}")
async def read_thing(thing_id: UUID, size: Annotated[int, Query(ge=1)] = 1) -> dict[str, str]:
    """Read a thing; none is ever there."""
    raise NotFound(f"thing {thing_id} {size}")


@router.put("/things/{thing_id}")
async def put_thing(thing_id: UUID) -> None:
    """Fail as workflows do."""
    errors: tuple[DomainError, ...] = (
        IllegalTransition(HandoffState.DECLINED, HandoffEvent.ACCEPT, ()),
        DuplicateReference(thing_id),
        InvalidInput((Fault("/services/0", "unknown_code", "is unknown"), Fault("/x", "odd", "is odd"))),
    )
    raise errors[thing_id.int]


def every_domain_error() -> Iterator[type[DomainError]]:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        importlib.import_module(module.name)
    waiting = [DomainError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting += kind.__subclasses__()


def test_every_domain_error_has_a_status_and_a_text_in_both_languages() -> None:
    for kind in every_domain_error():
        # What only pages answer is said by the words of the console.
        if not kind.__module__.startswith("app.") or kind.__module__.startswith("app.console."):
            continue
        assert kind in ROWS, f"{kind.__name__} has no row in problems.ROWS"
        assert kind.code in PROBLEMS, f"{kind.__name__}'s code {kind.code} has no text in problem_texts.PROBLEMS"
        for text in PROBLEMS[kind.code]:
            assert text.id.strip()
            assert text.en.strip()
            members = set(ROWS[kind].members)
            assert set(re.findall(r"{(\w+)}", text.id)) <= members
            assert set(re.findall(r"{(\w+)}", text.en)) <= members


def test_every_kind_of_fault_has_a_text_in_both_languages() -> None:
    for code, text in FAULTS.items():
        assert text.id.strip(), code
        assert text.en.strip(), code
        assert re.findall(r"{(\w+)}", text.id) == re.findall(r"{(\w+)}", text.en)
    assert set(CODES.values()) <= set(FAULTS)
    for kind in get_args(ErrorType):
        assert code_of(kind) in FAULTS or code_of(kind) == kind


FAULTY = [
    ({}, {"/colour": "required", "/parts": "required"}),
    ({"colour": "green", "parts": [{"name": "ab"}]}, {"/colour": "one_of"}),
    ({"colour": 1, "parts": "ab"}, {"/colour": "one_of", "/parts": "list_required"}),
    ({"colour": "red", "parts": []}, {"/parts": "too_short"}),
    ({"colour": "red", "parts": [{"name": "ab"}] * 3}, {"/parts": "too_long"}),
    ({"colour": "red", "parts": [{"name": ""}]}, {"/parts/0/name": "too_short"}),
    (
        {"colour": "red", "parts": [{"name": "a"}, {"size": 11}]},
        {"/parts/0/name": "too_short", "/parts/1/name": "required", "/parts/1/size": "above_most"},
    ),
    ({"colour": "red", "parts": [{"name": "AB"}, 7]}, {"/parts/0/name": "wrong_format", "/parts/1": "object_required"}),
    (
        {"colour": "red", "parts": [{"name": "ab", "size": "7"}, {"name": "cd", "size": 1.0}]},
        {"/parts/0/size": "whole_number_required", "/parts/1/size": "whole_number_required"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab"}], "made": "2025-02-30", "seen": "2025-03-01T10:00:00"},
        {"/made": "day_required", "/seen": "moment_required"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab"}], "made": 1_700_000_000, "seen": "1700000000"},
        {"/made": "day_required", "/seen": "moment_required"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab"}], "made": "0001-01-01", "seen": "9999-12-31T23:59:59-14:00"},
        {"/made": "day_required", "/seen": "moment_required"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab"}], "made": "2199-01-01", "seen": "2199-01-01T00:00:00Z"},
        {"/made": "in_future", "/seen": "in_future"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab"}], "sure": 1, "owner": "canary", "kind": "c"},
        {"/sure": "true_or_false_required", "/owner": "uuid_required", "/kind": "one_of"},
    ),
    (
        {"colour": "red", "parts": [{"name": "ab", "extra": 1}], "more": 1},
        {"/parts/0/extra": "unknown_field", "/more": "unknown_field"},
    ),
    ({"colour": "red", "parts": [{"name": "ab"}], "Siti Aminah": 1}, {"": "unknown_field"}),
]


@pytest.mark.parametrize(("body", "expected"), FAULTY)
async def test_every_faulty_field_is_named_and_no_value_is_repeated(
    a_client: ClientFactory, a_key: KeyFactory, body: dict[str, object], expected: dict[str, str]
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    for language in ("id", "en"):
        answer = await client.post("/v1/things", json=body, headers={"Accept-Language": language})

        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert problem["type"] == "urn:lintas:problem:invalid_input"
        assert {fault["pointer"]: fault["code"] for fault in problem["errors"]} == expected
        assert all(fault["detail"] and "{" not in fault["detail"] for fault in problem["errors"])
        assert answer.headers["Content-Language"] == language
        for value in ("green", "2025-02-30", "Siti", "1700000000", "9999-12", "canary"):
            assert value not in answer.text


async def test_a_thing_made_yesterday_is_taken(
    a_client: ClientFactory, a_key: KeyFactory, clock: SettableClock
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    body = {
        "colour": "red",
        "parts": [{"name": "ab", "size": 3}],
        "made": clock.now().date().isoformat(),
        "seen": clock.now().isoformat(),
        "sure": True,
        "owner": str(uuid4()),
    }

    assert (await client.post("/v1/things", json=body)).status_code == 200


async def test_a_limit_is_told(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    body = {"colour": "x", "parts": [{"name": "ab", "size": 11}]}

    english = (await client.post("/v1/things", json=body, headers={"Accept-Language": "en"})).json()
    indonesian = (await client.post("/v1/things", json=body)).json()

    assert [fault["detail"] for fault in english["errors"]] == ["must be one of: red, blue", "must be at most 10"]
    assert indonesian["errors"][1]["detail"] == "harus paling banyak 10"


async def test_parameters_are_named(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    query = await client.get(f"/v1/things/{uuid4()}?size=0")
    path = await client.get("/v1/things/siti-aminah")

    assert (query.status_code, query.json()["code"]) == (400, "invalid_parameter")
    assert [(fault["parameter"], fault["code"]) for fault in query.json()["errors"]] == [("size", "below_least")]
    assert (path.status_code, path.json()["code"]) == (404, "not_found")
    assert "siti" not in path.text


async def test_errors_of_workflows_carry_what_a_program_needs(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    illegal = (await client.put(f"/v1/things/{UUID(int=0)}", headers={"Accept-Language": "en"})).json()
    duplicate = (await client.put(f"/v1/things/{UUID(int=1)}")).json()
    invalid = (await client.put(f"/v1/things/{UUID(int=2)}", headers={"Accept-Language": "en"})).json()
    missing = (await client.get(f"/v1/things/{UUID(int=2)}")).json()

    assert (illegal["status"], illegal["code"]) == (409, "illegal_transition")
    assert (illegal["current_state"], illegal["event"], illegal["available_actions"]) == ("declined", "accept", [])
    assert "declined" in illegal["detail"]
    assert (duplicate["status"], duplicate["referral_id"]) == (409, str(UUID(int=1)))
    assert invalid["errors"] == [
        {"pointer": "/services/0", "code": "unknown_code", "detail": "is not a known code"},
        {"pointer": "/x", "code": "odd", "detail": "is odd"},
    ]
    assert (missing["status"], missing["code"]) == (404, "not_found")


async def test_what_is_not_there_and_what_may_not_be_done_are_problems_too(a_client: ClientFactory) -> None:
    client = await a_client(router)

    nowhere = await client.get("/v1/nothing")
    slash = await client.get("/v1/things/")
    method = await client.delete(f"/v1/things/{uuid4()}")

    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_path")
    assert (slash.status_code, slash.json()["code"]) == (404, "no_such_path")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    assert method.headers["Allow"] == "GET, HEAD, PUT"
    for answer in (nowhere, slash, method):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["instance"] == f"urn:lintas:request:{answer.headers['X-Request-Id']}"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.INDONESIAN),
        ("en", Language.ENGLISH),
        ("en-GB,en;q=0.9", Language.ENGLISH),
        ("id,en", Language.INDONESIAN),
        ("id;q=0.5, en;q=0.8", Language.ENGLISH),
        ("de, fr;q=0.9", Language.INDONESIAN),
        ("de, en;q=0.1", Language.ENGLISH),
        ("en;q=0", Language.INDONESIAN),
        ("en;q=x, id;q=0.1", Language.INDONESIAN),
        ("*", Language.INDONESIAN),
        (";;,=,q", Language.INDONESIAN),
    ],
)
def test_the_language_is_the_readers(header: str, language: Language) -> None:
    assert chosen(header) is language
