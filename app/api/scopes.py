"""What a credential may be narrowed to: one scope for each thing that can be asked, named as its address names it."""

from itertools import takewhile

from app.domain.caller import Scope

VERBS = {"GET": "read", "HEAD": "read", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


def scope_of(method: str, path: str) -> Scope:
    """Name the scope of an operation: `handoffs:accept` of POST /v1/handoffs/{handoff_id}/accept.

    GET is `read`; POST what its address ends with, else `create`; PUT is `change` and DELETE `delete`. What is read or
    changed of a part of something names the part: `referrals:read-export`, `endpoints:change-headers`.
    """
    resource, *rest = path.removeprefix("/v1/").split("/")
    if method == "POST":
        return f"{resource}:{'-'.join(_ending(rest)) or 'create'}"
    within = [part for part in rest[1:] if not part.startswith("{")]
    return f"{resource}:{'-'.join((VERBS[method], *within[-1:]))}"


def scope_of_action(action: str) -> Scope:
    """Name the scope of one of a handoff's available actions."""
    return f"handoffs:{action.replace('_', '-')}"


def _ending(parts: list[str]) -> list[str]:
    """Give what follows the last thing that is named, the verb first: `withdraw`, `consent`."""
    return list(takewhile(lambda part: not part.startswith("{"), reversed(parts)))
