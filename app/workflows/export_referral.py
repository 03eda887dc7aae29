"""All that is held on the person of a case, written out for the person it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.rights import LegalHold, RightsRequest
from app.storage import audit
from app.storage.held import Held, held_on
from app.workflows.desk import Desk

LOOK = ("at", "agency_code", "agency_name", "roles", "action", "subject", "subject_id", "purpose", "basis", "fields")


async def export_referral(desk: Desk, caller: Caller | None, referral_id: UUID) -> dict[str, Any]:
    """Give all that is held on the person of a case, as its protection officer or the command line, as plain values.

    Keys: exported_at, referral, personal, facts, service_requests (each with its decisions and handoffs), rights,
    legal_holds, looks (who looked and who changed what, as the audit has it). Whoever exports is among the looks.
    """
    case = await desk.lock_for_rights(caller, referral_id, reading=True)
    held = await held_on(desk.tx, desk.key_ring, referral_id)
    await audit.record(
        desk.tx,
        caller,
        "rights.export",
        subject="referral",
        subject_id=referral_id,
        referral_id=referral_id,
        fields=held.personal,
        request_id=desk.request_id,
    )
    return {
        "exported_at": _plain(desk.now),
        "referral": _referral(case, held),
        "personal": held.personal,
        "facts": [
            {
                "version": row["version"],
                "recorded_at": _plain(row["recorded_at"]),
                "consent_services": row["consent_services"],
                "consent_said": row["consent"],
                **row["body"],
            }
            for row in held.facts
        ],
        "service_requests": [_request(row, held) for row in held.requests],
        "rights": [_right(request) for request in held.rights],
        "legal_holds": [_hold(hold) for hold in held.holds],
        "looks": [{name: _plain(entry[name]) for name in (*LOOK, "result")} for entry in held.looks],
    }


def _referral(case: Case, held: Held) -> dict[str, Any]:
    referral = case.referral
    return {
        "id": str(referral.id),
        "sender": _agency(referral.sender_code, held),
        "holder": _agency(referral.holder_code, held),
        "mode": referral.mode.value,
        "urgency": referral.urgency.value,
        "state": referral.state.value,
        "received_at": _plain(referral.received_at),
        "ended_at": _plain(referral.ended_at),
        "consent_withdrawn_at": _plain(referral.consent_withdrawn_at),
        "confirm_by": _plain(referral.confirm_by),
        "confirmed_at": _plain(referral.confirmed_at),
        "confirmed_by": referral.confirmed_by,
        "confirmed_for": referral.confirmed_for,
        "restricted_at": _plain(referral.restricted_at),
        "erased_at": _plain(referral.erased_at),
    }


def _request(row: Mapping[str, Any], held: Held) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "service_type": row["service_type"],
        "state": row["state"],
        "reason": row["reason"],
        "decisions": [
            {
                **_some(one, "id", "decided_at", "cause", "outcome", "facts_version", "consent", "placed_by"),
                "ground": one["ground"],
                "result": dict(one["result"]),
            }
            for one in held.decisions
            if one["service_request_id"] == row["id"]
        ],
        "handoffs": [
            {
                "agency": _agency(one["agency_code"], held),
                **_some(one, "id", "state", "urgency", "offered_at", "answered_at", "changed_at", "reason", "outcome"),
                "duties": list(one["duties"]),
            }
            for one in held.handoffs
            if one["service_request_id"] == row["id"]
        ],
    }


def _some(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in names}


def _agency(code: str, held: Held) -> dict[str, str]:
    return {"code": code, "name": held.agencies.get(code, code)}


def _right(request: RightsRequest) -> dict[str, Any]:
    return {
        "id": str(request.id),
        "right": request.right.value,
        "asked_at": _plain(request.asked_at),
        "due_at": _plain(request.due_at),
        "answered_at": _plain(request.answered_at),
        "outcome": request.outcome.value if request.outcome else None,
        "refused_because": request.refused_because,
        "lifted_at": _plain(request.lifted_at),
    }


def _hold(hold: LegalHold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "reason": hold.reason.value,
        "set_at": _plain(hold.set_at),
        "set_by": hold.set_by,
        "lifted_at": _plain(hold.lifted_at),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    return value
