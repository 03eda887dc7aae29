"""What a route asks for, read from its own parameters and those of all that it depends on."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from fastapi.dependencies.models import Dependant

from app.api.dependencies import RequireRole


def parts(dependant: Dependant) -> Iterator[Dependant]:
    """Give a route's own part, and each of those it depends on."""
    yield dependant
    for inner in dependant.dependencies:
        yield from parts(inner)


def roles(dependant: Dependant) -> tuple[RequireRole, ...]:
    """Give the roles that are asked for."""
    return tuple(part.call for part in parts(dependant) if isinstance(part.call, RequireRole))


def query_names(dependant: Dependant) -> frozenset[str]:
    """Name the parameters of the query."""
    return frozenset(field.alias for part in parts(dependant) for field in part.query_params)


def repeatable_names(dependant: Dependant) -> frozenset[str]:
    """Name those of them that may be there more than once."""
    fields = (field for part in parts(dependant) for field in part.query_params)
    return frozenset(field.alias for field in fields if _is_list(field.field_info.annotation))


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


def takes_body(dependant: Dependant) -> bool:
    """Say whether anything of the body is asked for."""
    return any(part.body_params for part in parts(dependant))


def depends_on(dependant: Dependant, call: Any) -> bool:
    """Say whether a dependency is asked for."""
    return any(part.call is call for part in parts(dependant))
