"""What a credential may be narrowed to: one scope for each thing that can be asked, named as its address names it."""

from app.domain.caller import Scope

WRITES = {"PUT": "change", "PATCH": "change", "DELETE": "delete"}


def scope_of(method: str, path: str) -> Scope:
    """Name the scope of an operation: `handoffs:accept` of POST /v1/handoffs/{handoff_id}/accept.

    GET is `read`; POST what its address ends with, else `create`; PUT and DELETE name the part that they are of, as
    `endpoints:change-headers` of PUT /v1/endpoints/{endpoint_id}/headers.
    """
    resource, *rest = path.removeprefix("/v1/").split("/")
    if method in {"GET", "HEAD"}:
        return f"{resource}:read"
    parts = [part for part in rest if not part.startswith("{")]
    if method == "POST":
        ending: list[str] = []
        for part in reversed(rest):
            if part.startswith("{"):
                break
            ending.append(part)
        return f"{resource}:{'-'.join(ending) or 'create'}"
    return f"{resource}:{'-'.join((WRITES[method], *parts[-1:]))}"
