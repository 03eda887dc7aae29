"""Deliveries: what became of each webhook, attempt by attempt, and sending one again."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from app.api.dependencies import CurrentCaller, Transaction
from app.api.desk import Desk
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.errors import NotFound
from app.storage import audit, delivery_history, endpoints
from app.storage.deliveries import DELIVERED, DUE, FAILED, HELD, SUPERSEDED
from app.workflows import resend_delivery as sending

router = v1_router("deliveries")


class DeliveryState(StrEnum):
    """How a delivery stands."""

    DUE = DUE
    DELIVERED = DELIVERED
    HELD = HELD
    SUPERSEDED = SUPERSEDED
    FAILED = FAILED


class DeliveryView(Answer):
    """What became of one webhook. `event_id` is its `webhook-id`."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    type: str
    state: str
    attempts: int = Field(description="Since it was last queued: sent again, it begins a whole schedule anew.")
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, delivery: delivery_history.Delivery) -> "DeliveryView":
        """Show a delivery."""
        return cls(
            id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            event_id=delivery.event_id,
            type=delivery.type,
            state=delivery.state,
            attempts=delivery.attempts,
            due_at=delivery.due_at,
            created_at=delivery.created_at,
            finished_at=delivery.finished_at,
        )


class AttemptView(Answer):
    """One attempt to deliver: `outcome` is `delivered`, or the phase that failed; `detail` says what exactly did."""

    number: int = Field(description="Of its schedule: what is sent again begins with 1 once more.")
    started_at: datetime
    duration_ms: int
    outcome: str
    status: int | None
    detail: str | None
    answer: str | None = Field(
        description="The start of what your server answered; null where the operator keeps none, or there was none."
    )


class AttemptList(Answer):
    """Every attempt of a delivery, the first one first."""

    items: list[AttemptView]


@router.get("/endpoints/{endpoint_id}/deliveries")
async def list_endpoint_deliveries(
    endpoint_id: UUID,
    caller: CurrentCaller,
    tx: Transaction,
    paging: PageAsked,
    state: DeliveryState | None = None,
) -> Page[DeliveryView]:
    """List an endpoint's deliveries, newest first."""
    if await endpoints.get(tx, endpoint_id, agency_code=caller.agency_code) is None:
        raise NotFound("endpoint")
    after = paging.after(UUID)
    found = await delivery_history.list_deliveries(
        tx,
        endpoint_id=endpoint_id,
        agency_code=caller.agency_code,
        state=state,
        before=after and after[0],
        limit=paging.look_ahead,
    )
    return paging.page(found, DeliveryView.of, lambda delivery: (delivery.id,))


@router.get("/deliveries/{delivery_id}")
async def read_delivery(delivery_id: UUID, caller: CurrentCaller, tx: Transaction) -> DeliveryView:
    """Read one delivery."""
    found = await delivery_history.get(tx, delivery_id, agency_code=caller.agency_code)
    if found is None:
        raise NotFound("delivery")
    return DeliveryView.of(found)


@router.get("/deliveries/{delivery_id}/attempts")
async def list_delivery_attempts(delivery_id: UUID, caller: CurrentCaller, desk: Desk) -> AttemptList:
    """List every attempt of a delivery; a look at what your server answered is recorded."""
    if await delivery_history.get(desk.tx, delivery_id, agency_code=caller.agency_code) is None:
        raise NotFound("delivery")
    made = await delivery_history.list_attempts(desk.tx, delivery_id, agency_code=caller.agency_code)
    if any(one.answer for one in made):
        await audit.record(
            desk.tx,
            caller,
            "delivery.read_answers",
            subject="delivery",
            subject_id=delivery_id,
            request_id=desk.request_id,
        )
    return AttemptList(
        items=[
            AttemptView(
                number=one.number,
                started_at=one.started_at,
                duration_ms=one.duration_ms,
                outcome=one.outcome,
                status=one.status,
                detail=one.detail,
                answer=delivery_history.open_answer(desk.key_ring, delivery_id, one.number, one.answer),
            )
            for one in made
        ]
    )


@router.post("/deliveries/{delivery_id}/resend", status_code=202)
async def resend_delivery(delivery_id: UUID, caller: CurrentCaller, desk: Desk) -> DeliveryView:
    """Send one delivery again, under the same `webhook-id`; one that is due or under way is sent once.

    Of an endpoint that is not active it is held until it is. A challenge, and what a former address was told, are not
    sent again.
    """
    return DeliveryView.of(await sending.resend_delivery(desk.tx, caller, delivery_id))
