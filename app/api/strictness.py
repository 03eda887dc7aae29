"""What a request may not bring along: parameters and fields that nobody asked for, and NUL, which nothing can hold."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from app.api.faults import FIELD_NAME, Finding, pointer
from app.api.refusals import BadQuery
from app.domain.errors import Fault, InvalidInput


def check_parameters(request: Request, known: frozenset[str], repeatable: frozenset[str]) -> None:
    """Refuse a query or a path with NUL in it, and parameters of the query that the route does not know (BadQuery).

    So are those that are there twice and not `repeatable`: whichever was taken would be a guess.
    """
    if found := {(one.parameter, one.code): one for one in _odd(request, known, repeatable)}:
        raise BadQuery(tuple(found.values()))


def check_nothing_sent(parsed: Any) -> None:
    """Refuse a body where none is asked for; null and an empty object are none (InvalidInput)."""
    if parsed is None or parsed == {}:
        return
    if isinstance(parsed, dict):
        raise InvalidInput(tuple(Fault(pointer((name,)), "unknown_field", "") for name in parsed))
    raise InvalidInput((Fault("", "object_required", ""),))


def _odd(request: Request, known: frozenset[str], repeatable: frozenset[str]) -> Iterator[Finding]:
    for name, value in request.path_params.items():
        if "\0" in str(value):
            yield Finding("nul_character", parameter=name)
    sent = request.query_params.multi_items()
    for name, count in Counter(name for name, _ in sent).items():
        if count > 1 and name in known - repeatable:
            yield Finding("twice", parameter=name)
    for name, value in dict.fromkeys(sent):
        if "\0" in name or "\0" in value:
            yield Finding("nul_character", parameter=_shown(name))
        elif name not in known:
            yield Finding("unknown_parameter", parameter=_shown(name))


def _shown(name: str) -> str:
    return name if FIELD_NAME.match(name) else ""
