"""What `data` holds in each type of news, as the OpenAPI document and the tests of every workflow have it."""

from collections.abc import Mapping
from typing import Any

from app.domain.events import EventType

JSON = dict[str, Any]
_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_URL = {"type": "string", "format": "uri", "description": "Where it is read, with a key of your own."}
_STATE = {**_TEXT, "description": "Where it stands since then; live with a code you do not know."}
_WHY = {"type": "array", "items": _TEXT, "description": "Why you are told, where that is not plain."}
_BASIS = {**_TEXT, "description": "`vital_interest` where an emergency moves without consent; absent else."}
_OF_DUTY = {
    "duty": {**_TEXT, "description": "The duty of the receiver that is due or has passed."},
    "due_at": {**_TIME, "description": "Until when the duty was to be kept."},
    "document": {**_TEXT, "description": "The agreement that names the duty."},
    "clause": {**_TEXT, "description": "The clause that names the duty."},
}


def an_object(must: Mapping[str, Any], may: Mapping[str, Any], **more: Any) -> JSON:
    """Give the schema of an object by what it always holds and what it may hold."""
    return {"type": "object", "required": sorted(must), "properties": {**must, **may}, **more}


_CASE = {
    "referral_id": _ID,
    "service_type": {**_TEXT, "description": "A code of the set `service_types`."},
    "urgency": {**_TEXT, "description": "`emergency`, `urgent` or `standard`."},
    "state": _STATE,
    "url": _URL,
}
_SEQUENCE = {"type": "integer", "minimum": 1, "description": "Counts the events of one handoff; there may be gaps."}
DATA: Mapping[str, JSON] = {
    "handoff": an_object(
        {
            **_CASE,
            "handoff_id": _ID,
            "respond_by": {**_TIME, "description": "Until when the receiver is to answer the offer."},
            "sequence": _SEQUENCE,
        },
        {"because": _WHY, "basis": _BASIS, **_OF_DUTY},
    ),
    "service_request": an_object(
        {
            **_CASE,
            "service_request_id": _ID,
            "reason": {"type": ["string", "null"], "description": "Why it stands there, where there is a reason."},
        },
        {
            "because": _WHY,
            "acknowledge_by": {**_TIME, "description": "Until when its coordinator is to acknowledge it."},
            "handoff_id": _ID,
            **_OF_DUTY,
        },
    ),
    "referral": an_object(
        {"referral_id": _ID, "state": _STATE, "url": _URL},
        {
            "expires_at": {**_TIME, "description": "When the consent ends."},
            "confirm_by": {**_TIME, "description": "Until when a person must confirm the vital interest."},
        },
    ),
    "endpoint": an_object(
        {"endpoint_id": _ID},
        {
            "challenge": {**_TEXT, "description": "What to give back to `POST /v1/endpoints/{endpoint_id}/verify`."},
            "changed": {"type": "array", "items": _TEXT, "description": "What was changed, such as `url`."},
            "state": _STATE,
            "agency": {**_TEXT, "description": "The agency whose endpoint it is."},
            "reason": {"type": ["string", "null"], "description": "Why it stands there, where there is a reason."},
            "failing_since": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "Since when nothing that was posted has been taken.",
            },
        },
    ),
    "agency": an_object(
        {
            "agency": {**_TEXT, "description": "The agency that no working way leads to any more."},
            "lost_at": {**_TIME, "description": "Since when none does."},
            "url": _URL,
        },
        {},
    ),
    "proposal": an_object(
        {
            "proposal_id": _ID,
            "kind": {**_TEXT, "description": "What is proposed."},
            "state": _STATE,
            "expires_at": {**_TIME, "description": "When it lapses unless somebody confirms it."},
        },
        {
            "endpoint_id": {**_ID, "description": "The endpoint that it is about."},
            "document": {**_TEXT, "description": "The agreement whose draft is to become law."},
            "version": {"type": "integer", "description": "The version of that agreement."},
        },
    ),
    "key": an_object(
        {"key_id": _ID},
        {
            "expires_at": {**_TIME, "description": "When it ends; of a rotation, when the old one does."},
            "new_key_id": {**_ID, "description": "The key that takes its place."},
        },
    ),
}
"""What `data` may hold, by what the type begins with."""
_OF_AN_ENDPOINT_THAT_FAILS = ("agency", "state", "reason", "failing_since")
ALWAYS: Mapping[EventType, tuple[str, ...]] = {
    EventType.SERVICE_REQUEST_NEEDS_COORDINATOR: ("acknowledge_by",),
    EventType.SERVICE_REQUEST_OVERDUE: ("because",),
    EventType.REFERRAL_CONSENT_EXPIRING: ("expires_at",),
    EventType.REFERRAL_CONFIRMATION_DUE: ("confirm_by",),
    EventType.ENDPOINT_VERIFICATION: ("challenge",),
    EventType.ENDPOINT_CHANGED: ("changed",),
    EventType.ENDPOINT_FAILING: _OF_AN_ENDPOINT_THAT_FAILS,
    EventType.ENDPOINT_DISABLED: _OF_AN_ENDPOINT_THAT_FAILS,
    EventType.KEY_EXPIRING: ("expires_at",),
    EventType.KEY_ROTATED: ("expires_at", "new_key_id"),
}
"""What a type always holds beyond what each of its kind does."""
SOMETIMES: Mapping[EventType, tuple[str, ...]] = {
    EventType.HANDOFF_REMINDER: ("duty", "due_at"),
    EventType.SERVICE_REQUEST_OVERDUE: ("handoff_id", *_OF_DUTY),
    EventType.ENDPOINT_CHANGED: ("state",),
}
"""What a type may hold that others of its kind never do."""


def kind_of(type_: EventType) -> str:
    """Give what a type begins with."""
    return type_.value.partition(".")[0]


def fields_of(type_: EventType) -> JSON:
    """Give the schema of what `data` holds in news of a type."""
    whole = DATA[kind_of(type_)]
    own = {*ALWAYS.get(type_, ()), *SOMETIMES.get(type_, ())}
    of_others = _claimed(kind_of(type_)) - own
    return {
        **whole,
        "required": sorted({*whole["required"], *ALWAYS.get(type_, ())}),
        "properties": {name: said for name, said in whole["properties"].items() if name not in of_others},
    }


def stands_alone(type_: EventType) -> bool:
    """Say whether a type holds something that others of its kind do not."""
    return type_ in ALWAYS or type_ in SOMETIMES


def shared_fields(kind: str) -> JSON:
    """Give the schema of what `data` holds in the types of a kind that hold nothing of their own."""
    whole = DATA[kind]
    return {
        **whole,
        "properties": {name: said for name, said in whole["properties"].items() if name not in _claimed(kind)},
    }


def _claimed(kind: str) -> frozenset[str]:
    """Name what only some types of a kind hold."""
    claims = (*ALWAYS.items(), *SOMETIMES.items())
    return frozenset(name for type_, names in claims if kind_of(type_) == kind for name in names)
