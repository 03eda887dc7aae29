"""What an API is asked by its own contract: cases that fit and cases that do not, and what an answer has to be."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.middleware import SECURITY_HEADERS

ANSWERS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""What every answer has to be."""
REFUSALS = [400, 401, 403, 404, 405, 409, 410, 412, 415, 422, 428]
"""What a request that does not fit may hear: who asks, for what and in which state is looked at first."""
CONFIG: Mapping[str, Any] = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
OF_HTTP = frozenset({"content-type", "content-length", "content-language", "vary", "allow", "connection", "accept"})
"""Headers that every answer may have without a word in the contract."""
LAST = ("/erase", "/disable", "/void", "/cancel", "/revoke")
"""What leaves little to ask for afterwards."""


def operations(document: Mapping[str, Any]) -> list[Any]:
    """List the operations of a contract, what ends things last."""
    config = SchemathesisConfig.from_dict(dict(CONFIG))
    schema = schemathesis.openapi.from_dict(dict(document), config=config)
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return sorted(found, key=lambda one: one.label.endswith(LAST))


def drawn(operation: Any, mode: GenerationMode, number: int) -> list[Any]:
    """Draw cases that fit the contract of an operation, or do not; the same ones each time."""
    found: list[Any] = []

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        found.append(case)

    with suppress(Unsatisfiable):  # an operation that takes nothing leaves nothing to get wrong
        draw()
    return found


def checks_for(case: Any) -> list[Any]:
    """Say what the answer to a case has to be; that it is refused, where what does not fit was not put right since."""
    unfit = {where.value for where, part in case.meta.components.items() if part.mode.is_negative}
    return [*ANSWERS, negative_data_rejection] if unfit & {"body", "query"} else ANSWERS


def at(case: Any, things: Mapping[str, str]) -> Any:
    """Aim a case at things that are there."""
    for name in case.path_parameters or {}:
        if name in things:
            case.path_parameters[name] = things[name]
    return case


def request_of(case: Any, key: str | None) -> httpx.Request | None:
    """Write a case as a request with a key; None where HTTP has no way to say it."""
    said = case.as_transport_kwargs(base_url="http://lintas.test")
    try:
        ready = requests.Request(
            **{name: said.get(name) for name in ("method", "url", "headers", "cookies", "params", "data", "json")}
        ).prepare()
    except (requests.exceptions.RequestException, UnicodeError):
        return None
    headers = [(name, value) for name, value in ready.headers.items() if name.lower() != "authorization"]
    if key is not None:
        headers.append(("Authorization", f"Bearer {key}"))
    raw = [(_bytes(name), _bytes(value)) for name, value in headers]
    return httpx.Request(str(ready.method), str(ready.url), headers=raw, content=_content(ready.body))


def undocumented(case: Any, answer: httpx.Response) -> set[str]:
    """Name the headers of an answer that its contract does not tell of."""
    responses = case.operation.definition.raw["responses"]
    family = f"{answer.status_code // 100}XX"
    told = responses.get(str(answer.status_code)) or responses.get(family) or {}
    if "$ref" in told:
        told = case.operation.schema.raw_schema["components"]["responses"][told["$ref"].rpartition("/")[2]]
    known = {name.lower() for name in told.get("headers", {})} | OF_HTTP
    return set(answer.headers.keys()) - known - {name.decode() for name, _ in SECURITY_HEADERS}


def unguarded(answer: httpx.Response) -> set[str]:
    """Name the headers against browsers and caches that an answer lacks."""
    return {name.decode() for name, _ in SECURITY_HEADERS} - set(answer.headers.keys())


def _content(body: object) -> bytes | str | None:
    if body is None or isinstance(body, bytes | str):
        return body
    raise TypeError("a drawn body is said whole")


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
