"""What is posted to an agency's endpoints, as the OpenAPI document tells it to who writes a receiver."""

from collections.abc import Mapping
from typing import Any

from app.domain.events import EventType

DESCRIPTION = """\
Thin: what it is about is fetched from `url` with a key of your own. Deduplicate by `webhook-id`, which is the same in \
every attempt, verify the signature (Standard Webhooks) and answer 2xx at once. Order is not promised. Live with \
types, fields and codes that you do not know.
"""
_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_URL = {"type": "string", "format": "uri"}
_WHY = {"type": "array", "items": _TEXT, "description": "Why you are told, where that is not plain."}
_BASIS = {**_TEXT, "description": "`vital_interest` where an emergency moves without consent; absent else."}
_OF_DUTY = {"duty": _TEXT, "due_at": _TIME, "document": _TEXT, "clause": _TEXT}


def _object(must: Mapping[str, Any], may: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": sorted(must), "properties": {**must, **may}, **more}


_CASE = {"referral_id": _ID, "service_type": _TEXT, "urgency": _TEXT, "state": _TEXT, "url": _URL}
_SEQUENCE = {"type": "integer", "minimum": 1, "description": "Counts the events of one handoff; there may be gaps."}
DATA: Mapping[str, dict[str, Any]] = {
    "handoff": _object(
        {**_CASE, "handoff_id": _ID, "respond_by": _TIME, "sequence": _SEQUENCE},
        {"because": _WHY, "basis": _BASIS, **_OF_DUTY},
    ),
    "service_request": _object(
        {**_CASE, "service_request_id": _ID, "reason": {"type": ["string", "null"]}},
        {"because": _WHY, "acknowledge_by": _TIME, "handoff_id": _ID, **_OF_DUTY},
    ),
    "referral": _object(
        {"referral_id": _ID, "state": _TEXT, "url": _URL},
        {
            "expires_at": {**_TIME, "description": "Of `consent_expiring`: when the consent ends."},
            "confirm_by": {**_TIME, "description": "Of `confirmation_due`: until when a person must confirm it."},
        },
    ),
    "endpoint": _object(
        {"endpoint_id": _ID},
        {
            "challenge": {"type": "string", "description": "Of a verification: what to give back."},
            "changed": {"type": "array", "items": _TEXT},
            "state": _TEXT,
            "agency": _TEXT,
            "reason": {"type": ["string", "null"]},
            "failing_since": {"type": ["string", "null"], "format": "date-time"},
        },
    ),
    "agency": _object({"agency": _TEXT, "lost_at": _TIME, "url": _URL}, {}),
    "proposal": _object(
        {"proposal_id": _ID, "kind": _TEXT, "state": _TEXT, "expires_at": _TIME},
        {"endpoint_id": _ID, "document": _TEXT, "version": {"type": "integer"}},
    ),
    "key": _object(
        {"key_id": _ID},
        {
            "expires_at": {**_TIME, "description": "When it ends; of a rotation, when the old one does."},
            "new_key_id": _ID,
        },
    ),
}
"""What `data` holds, by what the type begins with."""


def schemas() -> dict[str, dict[str, Any]]:
    """Give the schema of each kind of webhook, by its name."""
    return {_name(kind): _schema(kind, data) for kind, data in DATA.items()}


def webhooks() -> dict[str, Any]:
    """Give what stands under `webhooks` in the document."""
    return {kind: {"post": _operation(kind)} for kind in DATA}


def _name(kind: str) -> str:
    return f"{kind.title().replace('_', '')}Webhook"


def _schema(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    types = [type_.value for type_ in EventType if type_.value.startswith(f"{kind}.")]
    of_type = {"type": "string", "pattern": f"^{kind}\\.", "examples": types}
    return _object({"type": of_type, "timestamp": _TIME, "data": data}, {}, title=_name(kind))


def _operation(kind: str) -> dict[str, Any]:
    return {
        "operationId": f"receive_{kind}",
        "summary": f"News of the types {kind}.*",
        "description": DESCRIPTION,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            _header("webhook-id", "The id of the event, in the feed too.", **_ID),
            _header("webhook-timestamp", "Unix seconds, when this attempt was signed.", type="string"),
            _header("webhook-signature", "One for each secret that signs, separated by spaces: `v1,...` or `v1a,...`."),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_name(kind)}"}}},
        },
        "responses": {
            "2XX": {"description": "Taken, whatever the answer's body holds."},
            "410": {"description": "No more news, ever: the endpoint is disabled, and its agency told."},
            "default": {"description": "Not taken, and tried again by a schedule; `Retry-After` is honoured."},
        },
    }


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    wanted = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": True, "description": description, "schema": wanted}
