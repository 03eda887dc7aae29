"""What an answer leads to: how what was answered names what may be asked next (OpenAPI links)."""

from collections.abc import Mapping
from typing import Any

VERSION = "$response.header.ETag"


def _of(parameter: str, at: str, *operations: str, versioned: tuple[str, ...] = ()) -> dict[str, Any]:
    """Link operations that take one id, found at a place of the body; those `versioned` take its version too."""
    named = {parameter: f"$response.body#/{at}"}
    return {one: {"operationId": one, "parameters": named} for one in operations} | {
        one: {"operationId": one, "parameters": {**named, "If-Match": VERSION}} for one in versioned
    }


_REFERRAL = _of(
    "referral_id",
    "id",
    "read_referral",
    "cancel_referral",
    "void_referral",
    "withdraw_consent",
    "read_referral_rights",
    "export_referral",
    versioned=("amend_referral",),
)
_OFFERED = _of("handoff_id", "service_requests/0/handoff/id", "read_handoff", "withdraw_handoff")
_HANDOFF = _of(
    "handoff_id",
    "id",
    "read_handoff",
    "accept_handoff",
    "decline_handoff",
    "start_handoff",
    "hold_handoff",
    "resume_handoff",
    "hand_back_handoff",
    "complete_handoff",
    "fail_handoff",
)
_ENDPOINT = _of(
    "endpoint_id",
    "id",
    "read_endpoint",
    "ping_endpoint",
    "pause_endpoint",
    "enable_endpoint",
    "disable_endpoint",
    "read_endpoint_health",
    "list_endpoint_deliveries",
    versioned=("change_endpoint",),
)
LINKS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "submit_referral": {
        "201": _REFERRAL | _OFFERED | _of("decision_id", "service_requests/0/decision/id", "read_decision")
    },
    "read_referral": {"200": _REFERRAL | _OFFERED},
    "list_referrals": {"200": _of("referral_id", "items/0/id", "read_referral")},
    "list_handoffs": {"200": _of("handoff_id", "items/0/id", "read_handoff", "accept_handoff", "decline_handoff")},
    "read_handoff": {"200": _HANDOFF},
    "accept_handoff": {"200": _HANDOFF},
    "start_handoff": {"200": _HANDOFF},
    "register_endpoint": {"201": _ENDPOINT},
    "list_endpoints": {"200": _of("endpoint_id", "items/0/id", "read_endpoint")},
    "list_keys": {"200": _of("key_id", "items/0/id", "rotate_key")},
}


def add_links(operation_id: str, responses: Mapping[str, dict[str, Any]]) -> None:
    """Add to the answers of an operation what they lead to."""
    for status, links in LINKS.get(operation_id, {}).items():
        responses[status]["links"] = {name: dict(link) for name, link in links.items()}
