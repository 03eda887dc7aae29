"""Schemas as OpenAPI 3.1 and readers of generated code want them: readable names, lists of types, no filler."""

import re
from collections.abc import Mapping
from typing import Any

NAMES: Mapping[str, str] = {
    "Law": "LegalGround",
    "Mode": "ReferralMode",
    "Right": "PersonalDataRight",
    "Scheme": "SignatureScheme",
}
"""Types of the domain whose names say enough there, and not beside everything else."""
_PAGE = re.compile(r"Page_(\w+?)(?:Line)?(?:View|InList)_\Z")
_REFERENCE = "#/components/schemas/"
_OF_MAPPINGS = frozenset({"properties", "patternProperties", "$defs"})
_LITERAL = frozenset({"examples", "example", "default", "const", "enum"})


def named(document: dict[str, Any]) -> dict[str, Any]:
    """Give the document with a readable name for each schema, wherever it is referred to."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    names = {name: _readable(name) for name in schemas}
    if len(set(names.values())) != len(names):
        raise ValueError("two schemas would have one name")
    readable = {names[name]: schema for name, schema in schemas.items()}
    document["components"]["schemas"] = {name: readable[name] for name in sorted(readable)}
    renamed: dict[str, Any] = _renamed(document, names)
    return renamed


def tidied(schema: Any) -> Any:
    """Give a schema without the titles that repeat a name, and with `type: [..., "null"]` for what may be null."""
    if isinstance(schema, list):
        return [tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        name: {inner: tidied(value) for inner, value in said.items()}
        if name in _OF_MAPPINGS
        else (said if name in _LITERAL else tidied(said))
        for name, said in schema.items()
        if name != "title"
    }
    return _with_type_list(tidy)


def _with_type_list(schema: dict[str, Any]) -> dict[str, Any]:
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or len(choices) != 2 or choices[1] != {"type": "null"}:
        return schema
    other = choices[0]
    if not isinstance(other.get("type"), str) or "enum" in other or "const" in other:
        return schema
    rest = {name: said for name, said in schema.items() if name != "anyOf"}
    return {**other, "type": [other["type"], "null"], **rest}


def _readable(name: str) -> str:
    page = _PAGE.match(name)
    return f"{page[1]}Page" if page else NAMES.get(name, name)


def _renamed(said: Any, names: Mapping[str, str]) -> Any:
    if isinstance(said, list):
        return [_renamed(one, names) for one in said]
    if not isinstance(said, dict):
        return said
    return {
        key: _REFERENCE + names.get(value.removeprefix(_REFERENCE), value.removeprefix(_REFERENCE))
        if key == "$ref" and isinstance(value, str) and value.startswith(_REFERENCE)
        else _renamed(value, names)
        for key, value in said.items()
    }
