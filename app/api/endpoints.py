"""Endpoints: where an agency wants its news sent."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from app.api import examples
from app.api.dependencies import CurrentCaller, RequireRole, Transaction
from app.api.desk import Desk
from app.api.endpoint_equipment import Headers, TlsBody, own
from app.api.endpoint_views import EndpointView, SignedEndpoint, show, show_signed
from app.api.etags import IfMatch
from app.api.examples import shows
from app.api.intake_types import Code, EventTypes
from app.api.pages import Page, PageAsked
from app.api.proposal_views import PROPOSED, SIGNING_PROPOSED, proposed, signing_proposed
from app.api.route import v1_router
from app.api.validation import Body, Whole
from app.domain.caller import Caller, Role
from app.domain.errors import NotFound
from app.domain.proposals import Proposal
from app.domain.rate import MOST_PER_MINUTE
from app.domain.webhook import Scheme
from app.storage import endpoints, equipment
from app.workflows import manage_endpoint
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import DEFAULT_IN_FLIGHT, MOST_IN_FLIGHT, Wanted

router = v1_router("endpoints")


class EndpointBody(Body):
    """Where news is sent, and which."""

    model_config = shows(examples.ENDPOINT)

    url: Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"format": "uri"})] = Field(
        description="https, at its usual port or one from 1024 on (http only where the operator has allowed it); or "
        "mailto and one plain address, where the operator has a mail server. One does not become the other.",
        examples=["https://agency.example/lintas", "mailto:office@agency.example"],
    )
    event_types: EventTypes | None = Field(None, description="Types of news, each once. Absent is all.")
    max_in_flight: Annotated[Whole, Field(ge=1, le=MOST_IN_FLIGHT)] = Field(
        DEFAULT_IN_FLIGHT, description="How many posts may be under way at once."
    )
    max_per_minute: Annotated[Whole, Field(ge=1, le=MOST_PER_MINUTE)] | None = Field(
        None,
        description="No minute, wherever it begins, sees more posts; they are spread evenly. Absent is no limit.",
    )

    def wanted(self) -> Wanted:
        """Give what is asked for."""
        return Wanted(self.url, self.event_types, self.max_in_flight, self.max_per_minute)


class NewEndpointBody(EndpointBody):
    """Where news is sent, which, and what its webhooks carry."""

    model_config = shows(examples.NEW_ENDPOINT)

    scheme: Scheme = Field(Scheme.HMAC_SHA256, description="How its webhooks are signed.")
    headers: Headers = Field((), description="Headers of your own, such as a token of your gateway.")
    tls: TlsBody = Field(TlsBody(), description="A client certificate, and authorities of your own.")

    def carried(self) -> Carried:
        """Give what its webhooks are to carry."""
        return Carried(own(self.headers), self.tls.given())


@router.post("/endpoints", status_code=201, response_model=SignedEndpoint, responses=SIGNING_PROPOSED)
async def register_endpoint(
    body: NewEndpointBody, caller: CurrentCaller, desk: Desk, response: Response
) -> SignedEndpoint | Response:
    """Register where your agency's news is to be sent. The secret in the answer is shown this once.

    It may take a second person (202): then it is not there until another key has confirmed the proposal. It is
    `unverified`: a challenge is posted to it, and nothing else until you have given that back (`verify`).
    """
    kept, verified_by = await manage_endpoint.register_endpoint(
        desk.tx,
        caller,
        body.wanted(),
        reach=desk.terms.reach,
        key_ring=desk.key_ring,
        now=desk.now,
        scheme=body.scheme,
        carried=body.carried(),
        second_person=desk.terms.second_person,
    )
    if isinstance(kept, Proposal):
        return signing_proposed(kept, verified_by)
    response.headers["Location"] = f"/v1/endpoints/{kept.id}"
    return await show_signed(desk.tx, kept, verified_by, response)


@router.get("/endpoints")
async def list_endpoints(
    caller: CurrentCaller, tx: Transaction, paging: PageAsked, agency: Code | None = None
) -> Page[EndpointView]:
    """List your agency's endpoints, oldest first; an operator may list those of another `agency`."""
    after = paging.after(UUID)
    if agency not in {None, caller.agency_code}:
        RequireRole(Role.OPERATOR).check(caller)
    found = await endpoints.listed(
        tx, agency_code=agency or caller.agency_code, after=after and after[0], limit=paging.look_ahead
    )
    carried = await equipment.shown(tx, [endpoint.id for endpoint in found])
    return paging.page(
        found, lambda endpoint: EndpointView.of(endpoint, carried[endpoint.id]), lambda endpoint: (endpoint.id,)
    )


@router.get("/endpoints/{endpoint_id}")
async def read_endpoint(endpoint_id: UUID, caller: CurrentCaller, tx: Transaction, response: Response) -> EndpointView:
    """Read one endpoint, and whether it fails; an operator may read any."""
    found = await endpoints.get(tx, endpoint_id, agency_code=_whose(caller))
    if found is None:
        raise NotFound("endpoint")
    return await show(tx, found, response)


@router.put("/endpoints/{endpoint_id}", response_model=EndpointView, responses=PROPOSED)
async def change_endpoint(
    endpoint_id: UUID, body: EndpointBody, caller: CurrentCaller, desk: Desk, if_match: IfMatch, response: Response
) -> EndpointView | Response:
    """Change an endpoint's address, filter or numbers of posts; needs If-Match.

    A new address may take a second person (202): then nothing is changed until another key has confirmed the
    proposal. It is `unverified` as a new endpoint is: its news is held until you have proven it. The old address is
    told (`endpoint.changed`). Secrets and TLS stay; headers of your own stay as long as the host does.
    """
    kept = await manage_endpoint.change_endpoint(
        desk.tx,
        caller,
        endpoint_id,
        body.wanted(),
        reach=desk.terms.reach,
        expected=if_match,
        key_ring=desk.key_ring,
        now=desk.now,
        second_person=desk.terms.second_person,
    )
    return proposed(kept) if isinstance(kept, Proposal) else await show(desk.tx, kept, response)


@router.post("/endpoints/{endpoint_id}/ping", status_code=202)
async def ping_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send a ping: an `endpoint.ping` that your receiver can verify."""
    await manage_endpoint.ping_endpoint(desk.tx, caller, endpoint_id, now=desk.now)
    return await read_endpoint(endpoint_id, caller, desk.tx, response)


@router.post("/endpoints/{endpoint_id}/pause")
async def pause_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send nothing for now; the news is held, and stays in the feed. An operator may pause any endpoint."""
    return await show(desk.tx, await manage_endpoint.pause_endpoint(desk.tx, caller, endpoint_id), response)


@router.post("/endpoints/{endpoint_id}/enable")
async def enable_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """Send again, and first what was held; one whose address is not proven is `unverified`, and gets a challenge.

    What an operator stopped (`by_operator`), an operator enables.
    """
    kept = await manage_endpoint.enable_endpoint(desk.tx, caller, endpoint_id, now=desk.now)
    return await show(desk.tx, kept, response)


@router.post("/endpoints/{endpoint_id}/disable")
async def disable_endpoint(endpoint_id: UUID, caller: CurrentCaller, desk: Desk, response: Response) -> EndpointView:
    """End an endpoint; its news is held, in case it is enabled after all. An operator may disable any endpoint."""
    return await show(desk.tx, await manage_endpoint.disable_endpoint(desk.tx, caller, endpoint_id), response)


def _whose(caller: Caller) -> str | None:
    """Say whose endpoints a caller may look at; None is everybody's."""
    return None if caller.may(Role.OPERATOR) else caller.agency_code
