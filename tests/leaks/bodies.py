"""Request bodies made from the models themselves: a canary in every text, whatever texts there come to be."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.leaks.canaries import (
    BIRTH_DATE,
    CITIZENSHIP,
    CONSENT_GIVEN_AT,
    GIVEN_ON,
    INCIDENT_DATE,
    NATIONAL_ID,
    POLICE_REPORTED_AT,
    Canaries,
)

LEFT_OUT = None
KNOWN: Mapping[str, Any] = {
    "urgency": "standard",
    "requested_by": "neighbour",
    "locations.incident": "64.09.04",
    "locations.domicile": "64.02.06",
    "locations.current": "64.02.06",
    "avoid_regions[]": LEFT_OUT,
    "victim.national_id": NATIONAL_ID,
    "victim.birth_date": BIRTH_DATE.isoformat(),
    "victim.sex": "female",
    "victim.citizenship": CITIZENSHIP,
    "victim.guardian.relation": LEFT_OUT,
    "victim.guardian.is_perpetrator": False,
    "case.types[]": "physical",
    "case.incident_date": INCIDENT_DATE.isoformat(),
    "case.place": "household",
    "case.relation_to_perpetrator": "spouse",
    "case.police_reported_at": POLICE_REPORTED_AT,
    "services_already_given[].type": "health_service",
    "services_already_given[].given_on": GIVEN_ON.isoformat(),
    "services[].type": "legal_service",
    "services[]": "legal_service",
    "tried[]": LEFT_OUT,
    "conflicts[]": LEFT_OUT,
    "consent.basis": "victim",
    "consent.given_at": CONSENT_GIVEN_AT,
    "consent.relation": LEFT_OUT,
    "consent.expires_at": LEFT_OUT,
    "consent.services[]": LEFT_OUT,
    "consent.services_refused[]": LEFT_OUT,
    "consent.agencies[]": LEFT_OUT,
    "consent.agencies_refused[]": LEFT_OUT,
}
"""What goes into those fields of a case that are no free text: codes, and what has a form of its own.

A text that is not here is given a canary. So one that is new is planted at once, or refused, or asks to be put here.
"""

NO_PERSONS: Mapping[str, str] = {
    "/v1/endpoints": "what an agency's server is reached and known by",
    "/v1/agencies": "the public registry",
    "/v1/keys": "codes and durations",
    "/v1/agreements": "the rules, which are no case's",
}
"""Whose bodies say nothing of a person when they are taken. What is refused of them is looked through all the same."""

JUDGED: Mapping[str, str] = {
    "/v1/handoffs/{handoff_id}/keep-duty document": "the id of a document",
    "/v1/handoffs/{handoff_id}/keep-duty clause": "the name of a clause",
    "/v1/handoffs/{handoff_id}/hold review_on": "the day of a clock",
    "/v1/service-requests/{service_request_id}/place agency": "a code",
    "/v1/referrals/{referral_id}/rights-requests asked_at": "the moment that a clock counts from",
    "/v1/referrals/{referral_id}/restrict asked_at": "the moment that a clock counts from",
}
"""Texts that are not free: the service knows all that it takes."""


class Contract:
    """What the service says of itself."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """List the method, path and description of all that can be asked."""
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                if method in {"get", "post", "put", "delete"}:
                    yield method.upper(), path, operation

    def parameters(self, operation: Mapping[str, Any], where: str) -> list[str]:
        """List the names of an operation's parameters in the path, the query or the header."""
        return [one["name"] for one in operation.get("parameters", ()) if one["in"] == where]

    def body_of(self, method: str, path: str) -> Mapping[str, Any] | None:
        """Give the schema of an operation's body."""
        operation = self._document["paths"][path][method.lower()]
        content = operation.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema

    def texts_of(self, schema: Mapping[str, Any], path: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
        """Name every text of a schema that is not one of a list: `victim.name`, `attachments[].title`."""
        for found, at in self._leaves(schema, path, above):
            if found.get("type") == "string" and "enum" not in found and "const" not in found:
                yield at

    def filled(self, canaries: Canaries, method: str, path: str, **known: Any) -> dict[str, Any]:
        """Give a body with a canary in every text, and what is known in the place of all else."""
        schema = self.body_of(method, path)
        assert schema is not None
        body = self._value(schema, "", canaries, f"{method} {path}", {**KNOWN, **known})
        assert isinstance(body, dict)
        return body

    def _value(
        self, schema: Mapping[str, Any], at: str, canaries: Canaries, operation: str, known: Mapping[str, Any]
    ) -> Any:
        schema = self._whole(schema)
        kind = schema.get("type")
        if kind != "object" and at in known:
            return known[at]
        if kind == "object":
            parts = {
                name: self._value(part, f"{at}.{name}".lstrip("."), canaries, operation, known)
                for name, part in schema.get("properties", {}).items()
            }
            return {name: value for name, value in parts.items() if value is not LEFT_OUT} or LEFT_OUT
        if kind == "array":
            item = self._value(schema["items"], f"{at}[]", canaries, operation, known)
            return LEFT_OUT if item is LEFT_OUT else [item]
        if kind != "string" or "enum" in schema or "const" in schema:
            return LEFT_OUT
        assert "format" not in schema, f"say in KNOWN what is planted in {at} of {operation}"
        assert "pattern" not in schema, f"say in KNOWN what is planted in {at} of {operation}"
        return canaries.text(f"{operation} {at}")

    def _leaves(
        self, schema: Mapping[str, Any], at: str, above: tuple[str, ...]
    ) -> Iterator[tuple[Mapping[str, Any], str]]:
        reference = schema.get("$ref", "")
        if reference in above:
            return
        above = (*above, reference) if reference else above
        schema = self._whole(schema)
        for name, part in schema.get("properties", {}).items():
            yield from self._leaves(part, f"{at}.{name}".lstrip("."), above)
        if "items" in schema:
            yield from self._leaves(schema["items"], f"{at}[]", above)
        if "properties" not in schema and "items" not in schema:
            yield schema, at

    def _whole(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow references, and of several take the one that is something."""
        while True:
            if "$ref" in schema:
                schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                continue
            several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if not several:
                return _of_one_type(schema)
            schema = next(one for one in several if one.get("type") != "null")


def _of_one_type(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the types that a value may have take the one that is something, a text before any other."""
    kind = schema.get("type")
    if not isinstance(kind, list):
        return schema
    something = [one for one in kind if one != "null"]
    return {**schema, "type": "string" if "string" in something else next(iter(something), "null")}
