"""The desk a route works at: one transaction, the moment, the rules in force, the operator's terms."""

from datetime import UTC
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from app.api.dependencies import Now, Reference, RequestId, Ring, Transaction
from app.workflows import desk


async def at_desk(
    request: Request, tx: Transaction, now: Now, reference: Reference, ring: Ring, request_id: RequestId
) -> desk.Desk:
    """Lay out what a workflow needs for this request."""
    laid_out = desk.Desk(
        tx, now.astimezone(UTC), reference, request.app.state.reference, request.app.state.terms, ring, request_id
    )
    request.state.desk = laid_out
    return laid_out


def told_of(request: Request) -> UUID | None:
    """Name the case that the answer to a request tells of; None where it tells of none."""
    laid_out: desk.Desk | None = getattr(request.state, "desk", None)
    return next(iter(laid_out.told_of), None) if laid_out else None


Desk = Annotated[desk.Desk, Depends(at_desk)]
