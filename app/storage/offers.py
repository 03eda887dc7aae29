"""Which news is about an offer, and whether that offer is still open: said once for whoever sends."""

from sqlalchemy import ColumnElement, and_, false, func

from app.domain.events import EventType
from app.domain.handoff import HandoffState
from app.storage.tables import events, handoffs

IS_OFFER: ColumnElement[bool] = and_(
    events.c.type.in_([EventType.HANDOFF_OFFERED.value, EventType.HANDOFF_REMINDER.value]),
    # A reminder may also be about a start or a review that is overdue.
    events.c.data["state"].astext == HandoffState.OFFERED.value,
    # Its sender and its coordinator are told of every change, also of one that another has overtaken.
    func.coalesce(events.c.agency_code == handoffs.c.agency_code, false()),
)
"""News that is worth sending only while the offer is open; for a query of events with their handoffs, outer joined."""

IS_CLOSED_OFFER: ColumnElement[bool] = and_(IS_OFFER, func.coalesce(handoffs.c.state, "") != HandoffState.OFFERED.value)
"""News of an offer that is no longer open, which is recorded `superseded` and not sent."""
