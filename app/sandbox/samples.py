"""News of every type on demand, for whoever tries a receiver out."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.events import EventType, NewEvent
from app.domain.handoff import HandoffState, ReferralState, RequestState
from app.domain.proposals import ProposalKind, ProposalState
from app.storage import events
from app.storage.tables import endpoints, every_delivery
from app.storage.tables import events as told

ASKED_OF_THE_API: Mapping[EventType, str] = {
    EventType.ENDPOINT_PING: "ping",
    EventType.ENDPOINT_VERIFICATION: "challenge",
}
"""What the API itself sends when it is asked to: an endpoint's own action."""
IN_A_WHILE = timedelta(hours=4)

_HANDOFF_STATES = {
    EventType.HANDOFF_REMINDER: HandoffState.OFFERED,
    EventType.HANDOFF_HELD: HandoffState.ON_HOLD,
    EventType.HANDOFF_RESUMED: HandoffState.IN_PROGRESS,
    EventType.HANDOFF_STARTED: HandoffState.IN_PROGRESS,
}
_ENDED = frozenset({EventType.REFERRAL_CLOSED, EventType.REFERRAL_ERASED})
_REQUEST_STATES = {EventType.SERVICE_REQUEST_OVERDUE: RequestState.NEEDS_COORDINATOR}


async def send(
    tx: AsyncSession,
    type_: EventType,
    agency: str,
    *,
    now: datetime,
    public_url: str,
    handoff: Mapping[str, Any] | None,
) -> tuple[UUID, list[UUID]]:
    """Tell an agency news of this type, true of a `handoff` where one is given and made up where not.

    Gives its webhook-id, and the deliveries that were made of it: none where no endpoint wants it.
    """
    data = _DATA[type_.value.partition(".")[0]](type_, agency, now, public_url)
    if handoff is not None and type_.value.startswith("handoff."):
        data |= {
            "handoff_id": handoff["id"],
            **{name: handoff[name] for name in ("referral_id", "service_type", "urgency", "respond_by")},
            "sequence": handoff["sequence"] + 1,
            "url": f"{public_url}/v1/handoffs/{handoff['id']}",
        }
    # Not as news of a handoff in the tables: what is about an offer that is closed would not be sent.
    [event_id] = await events.announce(tx, NewEvent(agency, type_, data), now=now)
    made = await tx.scalars(select(every_delivery.c.id).where(every_delivery.c.event_id == event_id))
    return event_id, list(made)


async def endpoints_of(tx: AsyncSession, agency: str) -> list[UUID]:
    """List the endpoints of an agency."""
    wanted = select(endpoints.c.id).where(endpoints.c.agency_code == agency).order_by(endpoints.c.id)
    return list(await tx.scalars(wanted))


async def latest(tx: AsyncSession, endpoint_id: UUID, type_: EventType) -> tuple[UUID, UUID]:
    """Give the latest news of this type that goes to an endpoint: its webhook-id, and its delivery."""
    wanted = (
        select(every_delivery.c.event_id, every_delivery.c.id)
        .join_from(every_delivery, told, told.c.id == every_delivery.c.event_id)
        .where(every_delivery.c.endpoint_id == endpoint_id, told.c.type == type_.value)
        .order_by(every_delivery.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(wanted)).one()
    return row.event_id, row.id


def _of_handoff(type_: EventType, _: str, now: datetime, public_url: str) -> dict[str, Any]:
    state = _HANDOFF_STATES.get(type_) or HandoffState(type_.value.partition(".")[2])
    handoff_id, referral_id = uuid7(), uuid7()
    return {
        "handoff_id": str(handoff_id),
        "referral_id": str(referral_id),
        "service_type": "legal_service",
        "urgency": "standard",
        "respond_by": (now + IN_A_WHILE).isoformat(),
        "state": state.value,
        "sequence": 1,
        "url": f"{public_url}/v1/handoffs/{handoff_id}",
    }


def _of_request(type_: EventType, _: str, now: datetime, public_url: str) -> dict[str, Any]:
    state = _REQUEST_STATES.get(type_) or RequestState(type_.value.partition(".")[2])
    request_id = uuid7()
    waiting: dict[str, Any] = (
        {"acknowledge_by": (now + IN_A_WHILE).isoformat()} if state is RequestState.NEEDS_COORDINATOR else {}
    )
    reason = "chain_exhausted" if waiting else None
    if type_ is EventType.SERVICE_REQUEST_OVERDUE:
        waiting = {"because": ["unacknowledged"]}
    return {
        "service_request_id": str(request_id),
        "referral_id": str(uuid7()),
        "service_type": "legal_service",
        "urgency": "standard",
        "state": state.value,
        "reason": reason,
        "url": f"{public_url}/v1/service-requests/{request_id}",
        **waiting,
    }


def _of_referral(type_: EventType, _: str, now: datetime, public_url: str) -> dict[str, Any]:
    referral_id = uuid7()
    more = {
        EventType.REFERRAL_CONSENT_EXPIRING: {"expires_at": (now + IN_A_WHILE).isoformat()},
        EventType.REFERRAL_CONFIRMATION_DUE: {"confirm_by": (now + IN_A_WHILE).isoformat()},
    }
    return {
        "referral_id": str(referral_id),
        "state": (ReferralState.CLOSED if type_ in _ENDED else ReferralState.OPEN).value,
        "url": f"{public_url}/v1/referrals/{referral_id}",
        **more.get(type_, {}),
    }


def _of_endpoint(type_: EventType, agency: str, now: datetime, _: str) -> dict[str, Any]:
    if type_ is EventType.ENDPOINT_CHANGED:
        return {"endpoint_id": str(uuid7()), "changed": ["url"]}
    disabled = type_ is EventType.ENDPOINT_DISABLED
    return {
        "endpoint_id": str(uuid7()),
        "agency": agency,
        "state": "disabled" if disabled else "active",
        "reason": "gone" if disabled else None,
        "failing_since": (now - IN_A_WHILE).isoformat(),
    }


def _of_proposal(type_: EventType, _: str, now: datetime, __: str) -> dict[str, Any]:
    return {
        "proposal_id": str(uuid7()),
        "kind": ProposalKind.CHANGE_ENDPOINT.value,
        "state": (ProposalState.PENDING if type_ is EventType.PROPOSAL_MADE else ProposalState.CONFIRMED).value,
        "expires_at": (now + IN_A_WHILE).isoformat(),
        "endpoint_id": str(uuid7()),
    }


def _of_agency(_: EventType, agency: str, now: datetime, public_url: str) -> dict[str, Any]:
    return {"agency": agency, "lost_at": now.isoformat(), "url": f"{public_url}/v1/agencies/{agency}"}


def _of_key(type_: EventType, _: str, now: datetime, __: str) -> dict[str, Any]:
    more = {
        EventType.KEY_EXPIRING: {"expires_at": (now + IN_A_WHILE).isoformat()},
        EventType.KEY_ROTATED: {"expires_at": (now + IN_A_WHILE).isoformat(), "new_key_id": str(uuid7())},
    }
    return {"key_id": str(uuid7()), **more.get(type_, {})}


_DATA: Mapping[str, Callable[[EventType, str, datetime, str], dict[str, Any]]] = {
    "handoff": _of_handoff,
    "service_request": _of_request,
    "referral": _of_referral,
    "endpoint": _of_endpoint,
    "agency": _of_agency,
    "proposal": _of_proposal,
    "key": _of_key,
}
