"""What the audit learns of requests that are answered without any workflow: looks refused, and answers given again."""

from uuid import UUID

from fastapi import Request

from app.domain.caller import Caller
from app.storage import audit

RECORDED = frozenset(
    {"not_found", "role_required", "scope_required", "processing_restricted", "another_person_required"}
)
"""Refusals by which somebody was kept from what is not theirs, or not theirs alone. What is merely malformed or late
showed nothing."""


async def record_refusal(request: Request, code: str) -> None:
    """Record that a caller was kept from something, in a transaction of its own: that of the request is undone.

    Who has no valid key is nobody, and records nothing: anybody could fill the audit. Rate limits are for them.
    """
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None or code not in RECORDED:
        return
    subject, subject_id = _named(request)
    async with request.app.state.sessions.begin() as tx:
        await audit.record(
            tx,
            caller,
            request.scope["route"].name,
            subject=subject,
            subject_id=subject_id,
            result=code,
        )


async def record_repeat(request: Request) -> None:
    """Record that the first answer to a POST was given again: it may show what the first one showed."""
    subject, subject_id = _named(request)
    await audit.record(request.state.tx, request.state.caller, "answer.repeat", subject=subject, subject_id=subject_id)


def _named(request: Request) -> tuple[str, str]:
    """Name what was asked for: by its id, or by the route where a caller might have put anything in its place."""
    for name, value in request.path_params.items():
        if name.endswith("_id") and (found := _uuid(value)) is not None:
            return name.removesuffix("_id"), str(found)
    return "route", request.scope["route"].path


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
