"""The endpoint that a caller names: locked if it is theirs, and what they did with it recorded."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller, Role
from app.domain.channel import Channel, channel_of
from app.domain.errors import NotAWebhook, NotFound, RoleRequired
from app.storage import audit, endpoints
from app.storage.endpoints import Endpoint

BY_AGENCY = "by_agency"
"""The reason of a state that the agency chose itself."""
BY_OPERATOR = "by_operator"
"""The reason of a state that an operator of the service chose, and only an operator ends."""


async def lock(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Lock an endpoint of the caller's agency, else NotFound."""
    endpoint = await endpoints.get(session, endpoint_id, agency_code=caller.agency_code, lock=True)
    if endpoint is None:
        raise NotFound("endpoint")
    return endpoint


async def lock_webhook(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Lock a webhook of the caller's agency, else NotFound; NotAWebhook where the endpoint is a mail address."""
    endpoint = await lock(session, caller, endpoint_id)
    if channel_of(endpoint.url) is not Channel.WEBHOOK:
        raise NotAWebhook
    return endpoint


async def lock_to_stop_or_start(session: AsyncSession, caller: Caller, endpoint_id: UUID) -> Endpoint:
    """Lock an endpoint of the caller's agency, or any for an operator, else NotFound.

    RoleRequired where an agency would start, or stop in another way, what an operator stopped.
    """
    operates = caller.may(Role.OPERATOR)
    agency_code = None if operates else caller.agency_code
    endpoint = await endpoints.get(session, endpoint_id, agency_code=agency_code, lock=True)
    if endpoint is None:
        raise NotFound("endpoint")
    if endpoint.state_reason == BY_OPERATOR and not operates:
        raise RoleRequired(Role.OPERATOR.value)
    return endpoint


async def record(session: AsyncSession, caller: Caller, action: str, endpoint_id: UUID) -> None:
    """Record what the caller did with an endpoint."""
    await audit.record(session, caller, f"endpoint.{action}", subject="endpoint", subject_id=endpoint_id)
