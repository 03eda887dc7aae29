"""Scopes on the command line: which there are, and whether those that were given can be made use of."""

from collections.abc import Iterable
from typing import Annotated

import typer

from app.api.scope_table import scopes_of_roles
from app.commands.running import CannotGoOn, print_columns
from app.domain.caller import Role, Scope
from app.main import ROUTERS

Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", help="Hanya ini dari perannya / only this of what its roles may do; may be repeated."),
]


def add_to(group: typer.Typer) -> None:
    """Add the command to a group."""
    group.command("scopes")(list_scopes)


def list_scopes() -> None:
    """List every scope, and the roles that can make use of it."""
    held = scopes_of_roles(ROUTERS)
    rows = [
        (scope, ",".join(sorted(role for role in Role if scope in held[role])))
        for scope in sorted(frozenset().union(*held.values()))
    ]
    print_columns([("scope", "roles"), *rows])


def narrowed(scopes: Iterable[str] | None, roles: Iterable[Role]) -> frozenset[Scope] | None:
    """Give the scopes that were asked for, None if none were; CannotGoOn where these roles have no use for one."""
    wanted = frozenset(scopes or ())
    held = scopes_of_roles(ROUTERS)
    of_no_use = sorted(wanted - frozenset().union(*(held[role] for role in roles)))
    if of_no_use:
        named = ", ".join(of_no_use)
        raise CannotGoOn(
            f"cakupan yang tidak ada pada peran ini: {named}; lihat `lintas keys scopes`",
            f"scopes that these roles do not have: {named}; see `lintas keys scopes`",
        )
    return wanted or None
