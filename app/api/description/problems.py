"""The problems in the document: their schema, an example of each as the service writes it, and who answers which."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from app.api.description.headers import headers
from app.api.description.problem_examples import EXAMPLES, REQUEST_ID
from app.api.problems import MEDIA_TYPE, problem, status_of
from app.domain.errors import DomainError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Some codes add members of their own, such as `available_actions`.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:lintas:problem:invalid_input"]},
        "title": {"type": "string", "description": "What kind of problem it is, for people."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened, for people. It never repeats what was sent."},
        "code": {"type": "string", "description": "Stable, for programs.", "examples": ["invalid_input"]},
        "instance": {"type": "string", "format": "uri", "description": "The request, as the service's log knows it."},
        "errors": {
            "type": "array",
            "description": "Each thing that is wrong with what was sent.",
            "items": {"$ref": "#/components/schemas/ProblemError"},
        },
        "current_state": {"type": "string", "description": "What state it is in now."},
        "event": {"type": "string", "description": "What cannot happen in that state."},
        "available_actions": {"type": "array", "items": {"type": "string"}, "description": "What can, by you."},
        "referral_id": {"type": "string", "format": "uuid", "description": "The referral that is there already."},
        "recovery_id": {"type": "string", "format": "uuid", "description": "The recovery that runs."},
        "restricted_at": {"type": "string", "format": "date-time", "description": "Since when nobody works on it."},
        "next_version": {"type": "integer", "description": "The version that may be published next."},
        "roles": {"type": "array", "items": {"type": "string"}, "description": "The roles of which one is needed."},
        "scope": {"type": "string", "description": "The scope that is needed."},
        "allow": {"type": "string", "description": "The methods that the address takes."},
        "findings": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/FindingView"},
            "description": "Why the document is refused, each with its clauses and a witness.",
        },
    },
}
ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "One thing that is wrong, and where: in the body, or in a parameter.",
    "required": ["code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "Where in the body (RFC 6901)."},
        "parameter": {"type": "string", "description": "Which parameter of path, query or headers."},
        "code": {"type": "string", "description": "Stable, for programs.", "examples": ["required"]},
        "detail": {"type": "string", "description": "What is wrong, for people."},
    },
}
MOST_IN_NAME = 4
"""The most codes whose names together still name an answer."""
_OWN_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def schemas() -> dict[str, Any]:
    """Give the schemas of a problem."""
    return {"Problem": SCHEMA, "ProblemError": ERROR_SCHEMA}


def examples() -> dict[str, Any]:
    """Give an example of each problem by its code, as the service writes it in English."""
    return {code: {"summary": said["title"], "value": said} for code, said in sorted(_written().items())}


def responses_of(problems: Iterable[type[DomainError]], always: Iterable[str]) -> dict[str, Any]:
    """Give the answers that are problems, by status, each with an example for each of its codes.

    `always` are the headers of every answer.
    """
    codes: dict[int, set[str]] = defaultdict(set)
    for kind in problems:
        codes[status_of(kind)].add(kind.code)
    return {str(status): _response(status, sorted(codes[status]), always) for status in sorted(codes)}


def shared(document: dict[str, Any]) -> None:
    """Have what several operations answer alike stand once, under `components`."""
    answers = document["components"].setdefault("responses", {})
    for path in document["paths"].values():
        for operation in path.values():
            for status, said in operation["responses"].items():
                codes = sorted(codes_in(said))
                name = "Or".join("".join(map(str.title, code.split("_"))) for code in codes)
                if 0 < len(codes) <= MOST_IN_NAME and answers.setdefault(name, said) == said:
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    document["components"]["responses"] = dict(sorted(answers.items()))


def codes_in(response: Mapping[str, Any]) -> frozenset[str]:
    """Read from an answer in the document which problems it tells of."""
    return frozenset(response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))


def _response(status: int, codes: list[str], always: Iterable[str]) -> dict[str, Any]:
    told = ", ".join(f"`{code}`" for code in codes)
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    return {
        "description": f"{HTTPStatus(status).phrase}: {told}.",
        "headers": headers(*always, "Content-Language", *_OWN_HEADERS.get(status, ())),
        "content": {MEDIA_TYPE: content},
    }


def _written() -> dict[str, Any]:
    return {error.code: _as_written(error) for error in _each_once(EXAMPLES)}


def _each_once(found: Iterable[DomainError]) -> Iterator[DomainError]:
    seen: set[str] = set()
    for error in found:
        if error.code in seen:
            raise ValueError(f"two examples of {error.code}")
        seen.add(error.code)
        yield error


def _as_written(error: DomainError) -> Any:
    scope = {"headers": [(b"accept-language", b"en")], "state": {"request_id": REQUEST_ID}}
    return orjson.loads(bytes(problem(scope, error).body))
