"""Operations called by their names, with the examples of the description; what came back is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from tests.told import description
from tests.workflows.conftest import Service


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the description has it."""

    id: str
    method: str
    path: str
    said: Mapping[str, Any]

    @property
    def examples(self) -> list[Any]:
        """The bodies that the description shows."""
        body = self.said.get("requestBody")
        return [] if body is None else list(_examples_of(body["content"]["application/json"]["schema"]))

    @property
    def needs_version(self) -> bool:
        """Whether it takes an If-Match that may not be left out."""
        return any(one["name"] == "If-Match" and one["required"] for one in self.said.get("parameters", ()))


def operations() -> dict[str, Operation]:
    """Give every operation of the description by its id."""
    return {
        said["operationId"]: Operation(said["operationId"], method.upper(), path, said)
        for path, there in description()["paths"].items()
        for method, said in there.items()
    }


@dataclass(slots=True)
class Walk:
    """A way through the service: who asked what, and what came back."""

    service: Service
    known: dict[str, Operation] = field(default_factory=operations)
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The first body of each status, by operation."""
    sent: set[tuple[str, int]] = field(default_factory=set)
    """Which example of which operation was sent and taken."""

    async def __call__(
        self,
        agency: str,
        operation_id: str,
        *,
        example: int = 0,
        instead: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
        **path: Any,
    ) -> Any:
        """Call an operation with an example of its body, some members of it `instead`; give what came back."""
        operation = self.known[operation_id]
        body = {**operation.examples[example], **(instead or {})} if operation.examples else None
        answer = await self._ask(agency, operation, body, query, headers or {}, path)
        assert answer.is_success, (operation_id, answer.status_code, answer.text)
        assert str(answer.status_code) in operation.said["responses"], (operation_id, answer.status_code)
        assert status is None or answer.status_code == status, (operation_id, answer.status_code, answer.text)
        self._check_headers(operation, answer)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        said = answer.json() if kind == "application/json" and answer.content else None
        if said is not None:
            self.answered.setdefault(operation_id, {}).setdefault(str(answer.status_code), said)
        if operation.examples:
            self.sent.add((operation_id, example))
        return said

    async def _ask(
        self,
        agency: str,
        operation: Operation,
        body: Any,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        path: Mapping[str, Any],
    ) -> httpx.Response:
        client = await self.service.as_agency(agency)
        usual = {"Idempotency-Key": str(uuid4())} if operation.method == "POST" else {}
        if operation.needs_version:
            usual["If-Match"] = "*"
        address = operation.path.format_map(path)
        return await client.request(operation.method, address, json=body, params=query, headers=usual | dict(headers))

    def _check_headers(self, operation: Operation, answer: httpx.Response) -> None:
        told = operation.said["responses"][str(answer.status_code)].get("headers", {})
        for name in ("ETag", "Location"):
            optional = name == "ETag" and operation.id == "read_agreement_version"  # a draft has one, what is law none
            assert optional or (name in answer.headers) == (name in told), (operation.id, answer.status_code, name)
        assert "X-Request-Id" in told


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Give what validates against a schema of the description, formats too."""
    whole = {**schema, "components": {"schemas": description()["components"]["schemas"]}}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def good_answers() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Give each good answer in JSON that the description tells of: operation, status, and what it says of it."""
    for operation in operations().values():
        for status, said in operation.said["responses"].items():
            if status < "300" and "application/json" in said.get("content", {}):
                yield operation.id, status, said["content"]["application/json"]


def _examples_of(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from schema.get("examples", ())
    if "$ref" in schema:
        yield from _examples_of(description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for one in schema.get("anyOf", ()):
        yield from _examples_of(one)
