"""The registry: which agency offers what, where, to whom, and whether it can now."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import Field, StringConstraints

from app.api import examples
from app.api.dependencies import CurrentCaller, Operator, Transaction
from app.api.desk import Desk
from app.api.etags import IfMatch, MaybeIfMatch, etag
from app.api.examples import shows
from app.api.intake_types import Code, Line
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer, Body, Day, Flag, Whole
from app.domain.errors import NotFound
from app.domain.regions import REGION
from app.domain.secret_places import without_secret_places
from app.reference.load import STATUSES
from app.storage import registry
from app.workflows import change_registry

router = v1_router("agencies", changes_registry=True)

AgencyCodeInPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
ServiceTypeInPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


ServiceTypeOffered = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


RegionForm = Annotated[Code, Field(json_schema_extra={"pattern": REGION})]
"""A region code as text; which there are is for the workflow to say."""


class OfferedService(Body):
    """What an agency offers of one service type."""

    model_config = shows(examples.OFFERED_SERVICE)

    area: Annotated[tuple[RegionForm, ...], Field(min_length=1, max_length=600)] = Field(
        description='Region codes as text; "ID" is the whole country.'
    )
    sexes: tuple[Code, ...] | None = None
    age_from: Whole | None = None
    age_below: Whole | None = None
    case_types: tuple[Code, ...] | None = None
    available: Flag = True
    secret_location: Flag | None = Field(
        None,
        description="Its place is never shown. Home and area may then be no narrower than a regency.",
    )
    confirmed_on: Day | None = Field(None, description="When the agency last confirmed that it can.")
    valid_for: Code | None = Field(
        None, description="How long that counts, as P30D; older, or never confirmed, its capacity counts as unknown."
    )


class AgencyBody(Body):
    """An agency."""

    model_config = shows(examples.AGENCY)

    name: Line
    kind: Code
    region: RegionForm = Field(description='Where it is at home; "ID" is the whole country.')
    services: Annotated[dict[ServiceTypeOffered, OfferedService], Field(max_length=100)] = {}
    part_of: Code | None = Field(None, description="The institution it belongs to.")
    coordinator_for: RegionForm | None = None
    active: Flag = True
    status: Code | None = Field(
        None,
        description="Whether a public source says so.",
        json_schema_extra={"enum": [*STATUSES, None]},
    )
    time_zone: Code | None = None


class AgencyView(Answer):
    """An agency as the registry has it."""

    code: str
    name: str
    kind: str
    region: str
    services: dict[str, dict[str, object]]
    part_of: str | None = None
    coordinator_for: str | None = None
    active: bool = True
    status: str = "unconfirmed"
    time_zone: str | None = None
    registry_version: int = Field(description="Of its last change; the ETag.")


@router.get("/agencies")
async def list_agencies(caller: CurrentCaller, tx: Transaction, paging: PageAsked) -> Page[AgencyView]:
    """List the agencies of the registry by code."""
    after = paging.after(str)
    found = await registry.agencies_after(tx, after and after[0], paging.look_ahead)
    return paging.page(found, lambda one: _view(*one), lambda one: (one[0]["code"],))


@router.get("/agencies/{code}")
async def read_agency(
    code: AgencyCodeInPath,
    caller: CurrentCaller,
    tx: Transaction,
    response: Response,
) -> AgencyView:
    """Read one agency."""
    found = await registry.agency(tx, code)
    if found is None:
        raise NotFound("agency")
    response.headers["ETag"] = etag(found[1])
    return _view(*found)


@router.put("/agencies/{code}", responses={201: {"model": AgencyView, "description": "Added"}})
async def put_agency(
    code: AgencyCodeInPath,
    body: AgencyBody,
    caller: Operator,
    desk: Desk,
    if_match: MaybeIfMatch,
    response: Response,
) -> AgencyView:
    """Add an agency (201), or change one (with If-Match, 200). Every referral from now on is decided by it."""
    written = body.model_dump(mode="json", exclude_none=True)
    kept = await change_registry.put_agency(desk, caller, code, written, if_match)
    if kept.created:
        response.status_code = 201
    response.headers["ETag"] = etag(kept.version)
    return _view(kept.body, kept.version)


@router.put("/agencies/{code}/services/{service_type}")
async def put_agency_service(
    code: AgencyCodeInPath,
    service_type: ServiceTypeInPath,
    body: OfferedService,
    caller: CurrentCaller,
    desk: Desk,
    if_match: IfMatch,
    response: Response,
) -> AgencyView:
    """Say what an agency offers of a service, and whether it is available now; needs If-Match."""
    offered = body.model_dump(mode="json", exclude_none=True)
    kept = await change_registry.put_service(desk, caller, code, service_type, offered, if_match)
    response.headers["ETag"] = etag(kept.version)
    return _view(kept.body, kept.version)


def _view(body: Mapping[str, Any], registry_version: int) -> AgencyView:
    return AgencyView.model_validate({**without_secret_places(body), "registry_version": registry_version})
