"""Words for what the code gives none: each answer, body, parameter, field and schema of the document."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from app.api.description.field_words import FIELDS, PARAMETERS

UNSAID = "Successful Response"
"""What FastAPI writes where a route says nothing."""
BY_STATUS = {
    "200": "Done; this is how it stands now.",
    "201": "Made; this is how it stands now.",
    "202": "Taken on, and done after this answer.",
    "204": "Done; there is nothing to show.",
}
JSON = dict[str, Any]


def worded(document: JSON) -> JSON:
    """Give the document with words for all that had none."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if not schema.get("description"):
            schema["description"] = _of_schema(name)
        for field, said in schema.get("properties", {}).items():
            if "$ref" not in said and not said.get("description") and field in FIELDS:
                said["description"] = FIELDS[field]
    for method, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _word_parameter(parameter)
        if "requestBody" in operation and not operation["requestBody"].get("description"):
            operation["requestBody"]["description"] = _summary(schemas, operation["requestBody"]) or "What is sent."
        for status, response in operation["responses"].items():
            if response.get("description") == UNSAID:
                what = _summary(schemas, response) if method == "get" else ""
                response["description"] = what or BY_STATUS.get(status, HTTPStatus(int(status)).phrase)
    return document


def _operations(document: JSON) -> Iterator[tuple[str, JSON]]:
    for there in document["paths"].values():
        yield from there.items()


def _word_parameter(parameter: JSON) -> None:
    said = PARAMETERS.get(parameter["name"])
    if said is None:
        return
    description, example = said
    if not parameter.get("description"):
        parameter["description"] = description
    schema = parameter["schema"]
    if {"example", "examples"} & parameter.keys() or "examples" in schema or _lists_its_values(schema):
        return
    parameter["example"] = [example] if schema.get("type") == "array" else example


def _lists_its_values(schema: JSON) -> bool:
    """Say whether a reader sees from the schema what may be sent."""
    return "enum" in str(schema) or "$ref" in str(schema) or schema.get("type") == "boolean"


def _summary(schemas: JSON, said: JSON) -> str:
    """Give the first line that its schema has of what stands in a body."""
    schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    named = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
    return str(named.get("description", "")).split("\n\n", maxsplit=1)[0].strip()


def _of_schema(name: str) -> str:
    if name.endswith("Page"):
        return "One page of a list; `next` leads to the one after it."
    return "What is posted to your endpoint." if name.endswith("Webhook") else "What `data` holds."
