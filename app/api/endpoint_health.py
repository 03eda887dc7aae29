"""How endpoints are doing: for the agency that owns one, and for operators, who look after all of them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.api.dependencies import CurrentCaller, Operator, Transaction
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.caller import Role
from app.domain.errors import NotFound
from app.storage import endpoint_health

router = v1_router("endpoint health")


class WindowView(Answer):
    """What the attempts that ended in a window came to; what failed within Lintas is not counted."""

    attempts: int
    delivered: int
    success_share: float | None = Field(description="delivered / attempts, 0 to 1; null where there was none.")
    p50_ms: int | None = Field(description="Half of the attempts took no longer.")
    p95_ms: int | None = Field(description="95 of 100 attempts took no longer.")
    complete: bool = Field(description="false: there were more, and the latest 10,000 were looked at.")

    @classmethod
    def of(cls, window: endpoint_health.Window) -> "WindowView":
        """Show a window."""
        return cls(
            attempts=window.attempts,
            delivered=window.delivered,
            success_share=window.success_share,
            p50_ms=window.p50_ms,
            p95_ms=window.p95_ms,
            complete=window.complete,
        )


class WaitingView(Answer):
    """How many deliveries wait, and since when the oldest."""

    count: int
    oldest_at: datetime | None
    complete: bool = Field(description="false: there are more than were counted.")

    @classmethod
    def of(cls, waiting: endpoint_health.Waiting) -> "WaitingView":
        """Show what waits."""
        return cls(count=waiting.count, oldest_at=waiting.oldest_at, complete=waiting.complete)


class FailureView(Answer):
    """The latest attempt that was not taken, and the phase that it came to."""

    at: datetime
    phase: str
    status: int | None


class TroubledView(Answer):
    """An endpoint that fails or was given up, and whose it is."""

    endpoint_id: UUID
    agency: str
    state: str
    state_reason: str | None
    failing_since: datetime | None
    last_success_at: datetime | None

    @classmethod
    def of(cls, endpoint: endpoint_health.Troubled) -> "TroubledView":
        """Show an endpoint."""
        return cls(
            endpoint_id=endpoint.id,
            agency=endpoint.agency_code,
            state=endpoint.state,
            state_reason=endpoint.state_reason,
            failing_since=endpoint.failing_since,
            last_success_at=endpoint.last_success_at,
        )


class HealthView(TroubledView):
    """How an endpoint is doing."""

    last_failure: FailureView | None
    last_hour: WindowView
    last_day: WindowView
    backlog: WaitingView = Field(description="What is due, or waits for its next attempt.")
    under_way: int
    held: WaitingView = Field(description="What is held until the endpoint is enabled.")


@router.get("/endpoints/{endpoint_id}/health")
async def read_endpoint_health(endpoint_id: UUID, caller: CurrentCaller, tx: Transaction) -> HealthView:
    """Say how an endpoint of yours is doing; an operator may ask for anybody's."""
    whose = None if caller.may(Role.OPERATOR) else caller.agency_code
    found = await endpoint_health.health(tx, endpoint_id, agency_code=whose)
    if found is None:
        raise NotFound("endpoint")
    failure = found.last_failure
    return HealthView(
        endpoint_id=found.endpoint_id,
        agency=found.agency_code,
        state=found.state,
        state_reason=found.state_reason,
        failing_since=found.failing_since,
        last_success_at=found.last_success_at,
        last_failure=failure and FailureView(at=failure.at, phase=failure.phase, status=failure.status),
        last_hour=WindowView.of(found.hour),
        last_day=WindowView.of(found.day),
        backlog=WaitingView.of(found.backlog),
        under_way=found.under_way,
        held=WaitingView.of(found.held),
    )


@router.get("/failing-endpoints")
async def list_failing_endpoints(caller: Operator, tx: Transaction, paging: PageAsked) -> Page[TroubledView]:
    """List the endpoints of every agency that fail or were given up, oldest first: an operator's list of work."""
    after = paging.after(UUID)
    found = await endpoint_health.troubled(tx, after=after and after[0], limit=paging.look_ahead)
    return paging.page(found, TroubledView.of, lambda endpoint: (endpoint.id,))
