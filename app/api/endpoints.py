"""Endpoints: where an agency wants its news sent."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from app.api.dependencies import CurrentCaller, Transaction
from app.api.desk import Desk
from app.api.etags import IfMatch, etag
from app.api.intake_types import Code
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer, Body, Whole
from app.domain.errors import NotFound
from app.storage import endpoints
from app.workflows import manage_endpoint
from app.workflows.manage_endpoint import DEFAULT_IN_FLIGHT, MOST_IN_FLIGHT, Wanted

router = v1_router("endpoints")


class EndpointBody(Body):
    """Where news is sent, and which."""

    url: Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"format": "uri"})] = Field(
        description="https, at its usual port or one from 1024 on; http only where the operator has allowed it.",
        examples=["https://agency.example/lintas"],
    )
    event_types: Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Absent is all."
    )
    max_in_flight: Annotated[Whole, Field(ge=1, le=MOST_IN_FLIGHT)] = Field(
        DEFAULT_IN_FLIGHT, description="How many posts may be under way at once."
    )

    def wanted(self) -> Wanted:
        """Give what is asked for."""
        return Wanted(self.url, self.event_types, self.max_in_flight)


class EndpointView(Answer):
    """An endpoint; its secret was shown once."""

    id: UUID
    url: str
    event_types: list[str] | None
    state: str
    state_reason: str | None
    max_in_flight: int
    failing_since: datetime | None
    last_success_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, endpoint: endpoints.Endpoint) -> "EndpointView":
        """Show an endpoint."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            event_types=None if endpoint.event_types is None else list(endpoint.event_types),
            state=endpoint.state,
            state_reason=endpoint.state_reason,
            max_in_flight=endpoint.max_in_flight,
            failing_since=endpoint.failing_since,
            last_success_at=endpoint.last_success_at,
            created_at=endpoint.created_at,
        )


class NewEndpoint(EndpointView):
    """A new endpoint with the secret that signs its webhooks. It is not shown again."""

    secret: str


@router.post("/endpoints", status_code=201)
async def register_endpoint(body: EndpointBody, caller: CurrentCaller, desk: Desk, response: Response) -> NewEndpoint:
    """Register where your agency's news is sent from now on. The secret in the answer is shown this once."""
    kept, secret = await manage_endpoint.register_endpoint(
        desk.tx, caller, body.wanted(), reach=desk.terms.reach, key_ring=desk.key_ring, now=desk.now
    )
    response.headers["ETag"] = etag(kept.version)
    response.headers["Location"] = f"/v1/endpoints/{kept.id}"
    return NewEndpoint(**EndpointView.of(kept).model_dump(), secret=secret)


@router.get("/endpoints")
async def list_endpoints(caller: CurrentCaller, tx: Transaction, paging: PageAsked) -> Page[EndpointView]:
    """List your agency's endpoints, oldest first."""
    after = paging.after(UUID)
    found = await endpoints.listed(
        tx, agency_code=caller.agency_code, after=after and after[0], limit=paging.look_ahead
    )
    return paging.page(found, EndpointView.of, lambda endpoint: (endpoint.id,))


@router.get("/endpoints/{endpoint_id}")
async def read_endpoint(endpoint_id: UUID, caller: CurrentCaller, tx: Transaction, response: Response) -> EndpointView:
    """Read one endpoint, and whether it fails."""
    found = await endpoints.get(tx, endpoint_id, agency_code=caller.agency_code)
    if found is None:
        raise NotFound("endpoint")
    return _show(found, response)


@router.put("/endpoints/{endpoint_id}")
async def change_endpoint(
    endpoint_id: UUID, body: EndpointBody, caller: CurrentCaller, desk: Desk, if_match: IfMatch, response: Response
) -> EndpointView:
    """Change an endpoint's address, filter or number of posts at once; needs If-Match."""
    kept = await manage_endpoint.change_endpoint(
        desk.tx, caller, endpoint_id, body.wanted(), reach=desk.terms.reach, expected=if_match
    )
    return _show(kept, response)


@router.post("/endpoints/{endpoint_id}/ping", status_code=202)
async def ping_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send a ping: an `endpoint.ping` that your receiver can verify."""
    await manage_endpoint.ping_endpoint(desk.tx, caller, endpoint_id, now=desk.now)
    return await read_endpoint(endpoint_id, caller, desk.tx, response)


@router.post("/endpoints/{endpoint_id}/pause")
async def pause_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send nothing for now; the news is held, and stays in the feed."""
    return _show(await manage_endpoint.pause_endpoint(desk.tx, caller, endpoint_id), response)


@router.post("/endpoints/{endpoint_id}/enable")
async def enable_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send again, and first what was held."""
    return _show(await manage_endpoint.enable_endpoint(desk.tx, caller, endpoint_id), response)


@router.post("/endpoints/{endpoint_id}/disable")
async def disable_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """End an endpoint; its news is held, in case it is enabled after all."""
    return _show(await manage_endpoint.disable_endpoint(desk.tx, caller, endpoint_id), response)


def _show(endpoint: endpoints.Endpoint, response: Response) -> EndpointView:
    response.headers["ETag"] = etag(endpoint.version)
    return EndpointView.of(endpoint)
