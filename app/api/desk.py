"""The desk a route works at: one transaction, the moment, the rules in force, the operator's terms."""

from datetime import UTC
from typing import Annotated

from fastapi import Depends, Request

from app.api.dependencies import Now, Reference, RequestId, Ring, Transaction
from app.workflows import desk


async def at_desk(
    request: Request, tx: Transaction, now: Now, reference: Reference, ring: Ring, request_id: RequestId
) -> desk.Desk:
    """Lay out what a workflow needs for this request."""
    return desk.Desk(
        tx, now.astimezone(UTC), reference, request.app.state.reference, request.app.state.terms, ring, request_id
    )


Desk = Annotated[desk.Desk, Depends(at_desk)]
