"""An agency, and those who operate the service, are told what has become of one of its endpoints."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventType, NewEvent
from app.storage import api_keys, events
from app.storage.endpoints import Endpoint


async def tell_of_endpoint(session: AsyncSession, endpoint: Endpoint, type_: EventType, now: datetime) -> None:
    """Tell them that it fails or was given up; `now` is real time."""
    data = {
        "endpoint_id": str(endpoint.id),
        "agency": endpoint.agency_code,
        "state": endpoint.state,
        "reason": endpoint.state_reason,
        "failing_since": endpoint.failing_since.isoformat() if endpoint.failing_since else None,
    }
    told = {endpoint.agency_code, *await api_keys.operators(session)}
    await events.announce(session, [NewEvent(agency, type_, data) for agency in sorted(told)], now=now)
