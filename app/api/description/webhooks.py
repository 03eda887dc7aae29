"""What is posted to an agency's endpoints, as the OpenAPI document tells it to who writes a receiver."""

from typing import Any

from app.api.description.recorded import recorded_news
from app.api.webhook_contract import DATA, an_object, fields_of, kind_of, shared_fields, stands_alone
from app.domain.event_texts import NEWS
from app.domain.events import EventType

DESCRIPTION = """\
Thin: what it is about is fetched from `url` with a key of your own, where there is one. Deduplicate by `webhook-id`, \
which is the same in every attempt, verify the signature (Standard Webhooks) and answer 2xx at once. Order is not \
promised. Live with types, fields and codes that you do not know.
"""
_TIME = {"type": "string", "format": "date-time", "description": "When it happened."}
_SANDBOX = {
    "name": "lintas-sandbox",
    "in": "header",
    "required": False,
    "description": "true: a sandbox sent it, and nothing in it is real; absent else.",
    "schema": {"type": "string", "enum": ["true"]},
}


def schemas() -> dict[str, dict[str, Any]]:
    """Give the schema of each type of news, and of what `data` holds, by their names."""
    shared = {_shared(kind): shared_fields(kind) for kind in DATA}
    own = {_own(type_): fields_of(type_) for type_ in EventType if stands_alone(type_)}
    return shared | own | {_name(type_): _schema(type_) for type_ in EventType}


def webhooks() -> dict[str, Any]:
    """Give what stands under `webhooks` in the document, by type."""
    examples = recorded_news()
    return {type_.value: {"post": _operation(type_, examples.get(type_.value))} for type_ in EventType}


def _name(type_: EventType) -> str:
    return f"{_camel(type_.value)}Webhook"


def _own(type_: EventType) -> str:
    return f"{_camel(type_.value)}News"


def _shared(kind: str) -> str:
    return f"{_camel(kind)}News"


def _camel(words: str) -> str:
    return words.replace(".", "_").title().replace("_", "")


def _schema(type_: EventType) -> dict[str, Any]:
    data = _own(type_) if stands_alone(type_) else _shared(kind_of(type_))
    return an_object(
        {
            "type": {"type": "string", "const": type_.value},
            "timestamp": _TIME,
            "data": {"$ref": f"#/components/schemas/{data}"},
        },
        {},
    )


def _operation(type_: EventType, example: Any) -> dict[str, Any]:
    news = NEWS[type_]
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{_name(type_)}"}}
    if example is not None:
        content["examples"] = {"posted": {"summary": "As it was posted.", "value": example}}
    return {
        "operationId": f"receive_{type_.value.replace('.', '_')}",
        "summary": news.what.en,
        "description": f"{news.what.en}\n\nGoes to {news.who.en}.\n\n{DESCRIPTION}",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            _header(
                "webhook-id",
                "The id of the event, in the feed too; the same in every attempt.",
                "01955f1c-0000-7000-8000-000000000001",
                format="uuid",
            ),
            _header(
                "webhook-timestamp",
                "Unix seconds, when this attempt was signed; refuse one that is more than five minutes off.",
                "1741050000",
                pattern="^[0-9]+$",
            ),
            _header(
                "webhook-signature",
                "One for each secret that signs, separated by spaces: `v1,` (HMAC-SHA256) or `v1a,` (ed25519), then "
                "base64, over `webhook-id.webhook-timestamp.body`.",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                pattern="^v1a?,[A-Za-z0-9+/=]+( v1a?,[A-Za-z0-9+/=]+)*$",
            ),
            dict(_SANDBOX),
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "2XX": {"description": "Taken, whatever the answer's body holds."},
            "410": {"description": "No more news, ever: the endpoint is disabled, and its agency told."},
            "default": {"description": "Not taken, and tried again by a schedule; `Retry-After` is honoured."},
        },
    }


def _header(name: str, description: str, example: str, **schema: Any) -> dict[str, Any]:
    wanted = {"type": "string", **schema}
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": wanted,
        "example": example,
    }
