"""An agency asks for one webhook once more."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller
from app.domain.errors import NotFound, NotSentAgain
from app.storage import audit, delivery_history, endpoints
from app.storage.deliveries import DUE, HELD
from app.storage.delivery_history import Delivery


async def resend_delivery(session: AsyncSession, caller: Caller, delivery_id: UUID) -> Delivery:
    """Send one delivery again, with the same webhook-id; one that is due or under way already is left to be.

    Of an endpoint that is not active it is held, and goes when the endpoint is enabled. An offer that is no longer open
    is not sent. What is about the endpoint's own address goes nowhere a second time: NotSentAgain.
    """
    found = await delivery_history.get(session, delivery_id, agency_code=caller.agency_code)
    if found is None:
        raise NotFound("delivery")
    if found.of_its_address:
        raise NotSentAgain
    endpoint = await endpoints.get(session, found.endpoint_id, lock=True)
    state = DUE if endpoint is not None and endpoint.state == endpoints.ACTIVE else HELD
    await delivery_history.send_again(session, delivery_id, state=state)
    await audit.record(session, caller, "delivery.resend", subject="delivery", subject_id=delivery_id)
    return await delivery_history.get(session, delivery_id, agency_code=caller.agency_code) or found
