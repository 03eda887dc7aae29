"""Which news is about an endpoint's own address, and goes out though nothing else may: said once for whoever sends."""

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast

from app.domain.events import EventType
from app.storage.tables import events

OF_ITS_ADDRESS = (EventType.ENDPOINT_VERIFICATION.value, EventType.ENDPOINT_CHANGED.value)
"""The challenge, and what its old address is told: news that goes out though the endpoint it names is not verified."""


def names(endpoint_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say whether an event names this endpoint; null where it names none."""
    named: ColumnElement[bool] = events.c.data["endpoint_id"].astext == cast(endpoint_id, Text)
    return named


def is_of_address(endpoint_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say whether an event is about this endpoint's own address."""
    return and_(events.c.type.in_(OF_ITS_ADDRESS), names(endpoint_id))


def is_to_former_address(endpoint_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say whether an event goes to the address that this endpoint had before."""
    return and_(events.c.type == EventType.ENDPOINT_CHANGED.value, names(endpoint_id))
