"""Which scopes each role can make use of: what may be given out, and what the documents list."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter

from app.api.route import LintasRoute
from app.domain.caller import Role, Scope


def scopes_of_roles(routers: Iterable[APIRouter]) -> Mapping[Role, frozenset[Scope]]:
    """Say of each role which scopes it can make use of, by the routes that are open to it."""
    found: dict[Role, set[Scope]] = {role: set() for role in Role}
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, LintasRoute):
            for role in {role for asked in route.roles for role in asked.roles} or Role:
                found[role].add(route.scope)
    return {role: frozenset(scopes) for role, scopes in found.items()}
