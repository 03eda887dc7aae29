"""What would break a client that was made from the released description is found, and nothing else is."""

import json
from copy import deepcopy
from typing import Any

import pytest

from openapi.changes import CORRECTIONS, breaking, may_break, released


def described() -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
    }
    return {
        "paths": {
            "/things/{id}": {
                "post": {
                    "operationId": "make_thing",
                    "security": [{"key": ["things:write"]}],
                    "parameters": [
                        {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}},
                        {"in": "query", "name": "sort", "schema": {"type": "string", "enum": ["up", "down"]}},
                    ],
                    "requestBody": {
                        "required": False,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}},
                    },
                    "responses": {
                        "200": {
                            "headers": {"ETag": {}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Shown"}}},
                        }
                    },
                }
            }
        },
        "webhooks": {
            "thing": {
                "post": {
                    "operationId": "receive_thing",
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/News"}}}},
                    "responses": {"2XX": {}},
                }
            }
        },
        "components": {"schemas": {"Asked": body, "Shown": deepcopy(body), "News": deepcopy(body)}},
    }


POST = "paths./things/{id}.post"
ASKED, SHOWN, NEWS = (f"components.schemas.{name}" for name in ("Asked", "Shown", "News"))
GONE = object()


def changed(where: str, value: Any) -> dict[str, Any]:
    """Put a value at a place of the description, or take away what is there."""
    document = described()
    *path, last = where.split(".")
    at: Any = document
    for part in path:
        at = at[int(part)] if isinstance(at, list) else at[part]
    if value is GONE:
        del at[int(last) if isinstance(at, list) else last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return document


BREAKS = [
    ("paths./things/{id}", GONE, "is gone"),
    (POST, GONE, "is gone"),
    (f"{POST}.operationId", "create_thing", "operationId"),
    (f"{POST}.security", [{"key": ["things:all"]}], "scope"),
    (f"{POST}.parameters.1", GONE, "sort is gone"),
    (f"{POST}.parameters.1.required", True, "sort has become required"),
    (f"{POST}.parameters.1.schema.enum", ["up"], "values"),
    (f"{POST}.parameters.0.schema.type", "integer", "type"),
    (f"{POST}.parameters.0.schema.format", "uuid", "format"),
    (f"{POST}.requestBody.required", True, "body has become required"),
    (f"{POST}.requestBody.content", {"text/plain": {}}, "no longer application/json"),
    (f"{ASKED}.required", ["name", "kind"], "kind has become required"),
    (f"{ASKED}.properties.kind", GONE, "kind is gone"),
    (f"{ASKED}.properties.kind.enum", ["a"], "values"),
    (f"{ASKED}.properties.kind.type", "integer", "type"),
    (f"{ASKED}.properties.age", {"type": "integer"}, "type"),
    (f"{ASKED}.properties.name.maxLength", 10, "maxLength"),
    (f"{ASKED}.properties.name.minLength", 2, "minLength"),
    (f"{ASKED}.properties.name.pattern", "^a", "pattern"),
    (f"{ASKED}.additionalProperties", False, "no further"),
    (f"{POST}.responses.200", GONE, "no longer answers 200"),
    (f"{POST}.responses.200.headers.ETag", GONE, "header ETag"),
    (f"{POST}.responses.200.content.text/plain", {}, "may be text/plain"),
    *[
        (f"{sent}.{where}", value, told)
        for sent in (SHOWN, NEWS)
        for where, value, told in (
            ("properties.name", GONE, "name is gone"),
            ("required", [], "name is no longer always there"),
            ("properties.kind.enum", ["a", "b", "c"], "values"),
            ("properties.kind", {"type": "string"}, "values"),
            ("properties.name.type", ["string", "null"], "type"),
            ("properties.name", {"anyOf": [{"type": "string", "maxLength": 20}, {"type": "null"}]}, "type"),
            ("properties.name.maxLength", 30, "maxLength"),
        )
    ],
    ("webhooks.thing", GONE, "is gone"),
]
HARMLESS = [
    ("paths./others", {"get": {"operationId": "list_others"}}),
    ("webhooks.other", {"post": {"operationId": "receive_other"}}),
    (f"{POST}.summary", "Make it."),
    (f"{POST}.deprecated", True),
    (f"{POST}.security", [{"key": ["things:write"]}, {"token": []}]),
    (f"{POST}.parameters.1.schema.enum", ["up", "down", "random"]),
    (f"{POST}.responses.409", {}),
    (f"{POST}.responses.200.headers.Link", {}),
    (f"{ASKED}.required", []),
    (f"{ASKED}.properties.more", {"type": "string"}),
    (f"{ASKED}.properties.kind.enum", ["a", "b", "c"]),
    (f"{ASKED}.properties.name.maxLength", 30),
    (f"{ASKED}.properties.name", {"anyOf": [{"type": "string", "maxLength": 20}, {"type": "null"}]}),
    *[
        (f"{sent}.{where}", value)
        for sent in (SHOWN, NEWS)
        for where, value in (
            ("properties.more", {"type": "string"}),
            ("required", ["name", "kind"]),
            ("properties.kind.enum", ["a"]),
            ("properties.age", {"type": "integer"}),
            ("properties.name.maxLength", 10),
        )
    ],
]


@pytest.mark.parametrize(("where", "value", "told"), BREAKS)
def test_what_breaks_a_client_is_told(where: str, value: object, told: str) -> None:
    found = breaking(described(), changed(where, value))
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(("where", "value"), HARMLESS)
def test_what_a_client_lives_with_is_let_through(where: str, value: object) -> None:
    assert breaking(described(), changed(where, value)) == []


@pytest.mark.parametrize(
    ("released", "present", "may"),
    [
        ("0.1.0", "0.1.0", False),
        ("0.1.0", "0.1.9", False),
        ("0.1.0", "0.2.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
        ("2.0.0", "1.0.0", False),
    ],
)
def test_a_version_announces_a_break_or_does_not(released: str, present: str, may: bool) -> None:
    assert may_break(released, present) is may


def test_a_correction_is_of_a_change_that_is_there() -> None:
    last, present = released(), released().parents[1] / "openapi.json"

    found = breaking(json.loads(last.read_text("utf-8")), json.loads(present.read_text("utf-8")))

    assert set(found) >= CORRECTIONS


def news(**types: dict[str, Any]) -> dict[str, Any]:
    """A description of webhooks, each with the schema of its body."""
    return {
        "webhooks": {
            name: {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}
            for name, schema in types.items()
        }
    }


def a_body(type_: dict[str, Any], *must: str, may: tuple[str, ...] = ()) -> dict[str, Any]:
    data = {"type": "object", "required": [*must], "properties": {name: {"type": "string"} for name in (*must, *may)}}
    return {"type": "object", "required": ["data", "type"], "properties": {"type": type_, "data": data}}


MADE, ENDED = ({"type": "string", "const": f"thing.{what}"} for what in ("made", "ended"))
ANY = {"type": "string", "pattern": r"^thing\.", "examples": ["thing.made", "thing.ended"]}
TOGETHER = news(thing=a_body(ANY, "id", may=("why", "until")))


def test_a_type_of_news_that_gets_a_webhook_of_its_own_breaks_nobody() -> None:
    apart = news(made=a_body(MADE, "id", may=("until",)), ended=a_body(ENDED, "id", "why"))

    assert breaking(TOGETHER, apart) == []


def test_a_type_of_news_that_is_told_no_more_is_a_break_and_a_new_one_is_none() -> None:
    one, two = news(made=a_body(MADE, "id")), news(made=a_body(MADE, "id"), ended=a_body(ENDED, "id"))

    assert breaking(one, two) == []
    assert breaking(two, one) == ["webhook thing.ended: is gone"]


def test_news_that_promises_less_is_a_break() -> None:
    def told(*bodies: dict[str, Any]) -> list[str]:
        return breaking(TOGETHER, news(made=bodies[0], ended=bodies[1]))

    whole = a_body(ENDED, "id", may=("why", "until"))
    assert told(a_body(MADE), whole) == ["webhook thing body.data: id is gone"]
    assert told(a_body(MADE, may=("id",)), whole) == ["webhook thing body.data: id is no longer always there"]
    assert told(a_body(MADE, "id", may=("until",)), a_body(ENDED, "id")) == [
        "webhook thing body.data: why is gone, which could be there"
    ]
    assert told(a_body({"type": "string", "const": "other.made"}, "id"), whole) == ["webhook thing.made: is gone"]
