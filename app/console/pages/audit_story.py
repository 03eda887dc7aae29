"""The story that the audit tells of one case; that somebody asked for it is part of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import Operator
from app.api.desk import Desk
from app.console.forms import Form
from app.console.rendering import page
from app.console.route import console_router
from app.domain.audit_story import ACTIONS, PURPOSES, REFUSED, RESULTS, Said
from app.domain.caller import Caller
from app.domain.held_text import HeldReader
from app.domain.purposes import Purpose
from app.storage import audit, audit_chain, cases, token_subjects

router = console_router()

MOST_SHOWN = 1_000


@router.get("/audit")
async def ask_which(request: Request, caller: Operator) -> Response:
    """Ask of which case the story is to be told."""
    return page(request, "audit.html", entries=None, more=0, asked="", faults={})


@router.post("/audit")
async def tell(request: Request, caller: Operator, desk: Desk, form: Form) -> Response:
    """Tell the story of a case. What is no case, and what the operator's own agency is named in, tell nothing alike."""
    asked = form.get("referral")
    referral_id = _id(asked)
    if referral_id is None:
        return page(
            request, "audit.html", status=422, entries=None, more=0, asked=asked, faults={"referral": "audit.no_id"}
        )
    found = await _entries(desk, caller, referral_id)
    # Committed with the answer: also who asked for what is not there is kept.
    await audit.record(
        desk.tx,
        caller,
        "audit.read",
        subject="referral",
        subject_id=referral_id,
        referral_id=referral_id if found else None,
        request_id=desk.request_id,
    )
    language = request.state.language.value
    latest = found[-MOST_SHOWN:]
    names = await token_subjects.names_of(desk.tx, {entry["key_id"] for entry in latest if entry["key_id"]})
    zone = ZoneInfo(desk.time_zone(caller.agency_code))
    reader = HeldReader(language == "en", zone, desk.reference.vocabulary, desk.name_of)
    shown = [_told(entry, names, reader, language) for entry in latest]
    return page(request, "audit.html", entries=shown, more=len(found) - len(shown), asked=asked, faults={})


async def _entries(desk: Desk, caller: Caller, referral_id: UUID) -> list[dict[str, Any]]:
    case = await cases.read(desk.tx, referral_id, public_url=desk.terms.public_url)
    if case is None or desk.is_off_list(caller.agency_code, case.facts):
        return []
    return [dict(entry) for entry in await audit_chain.of_referral(desk.tx, referral_id)]


def _told(entry: Mapping[str, Any], names: Mapping[UUID, str], reader: HeldReader, language: str) -> dict[str, Any]:
    result, action, purpose = entry["result"], entry["action"], entry["purpose"]
    happened = _say(ACTIONS, action, language)
    if result not in {"done", "withheld"}:
        happened = f"{_in(REFUSED, language)}: {happened}"
    return {
        "at": entry["at"],
        "agency": entry["agency_name"] or entry["agency_code"] or "Lintas",
        "roles": entry["roles"] or [],
        "person": names.get(entry["key_id"]),
        "action": happened,
        "purpose": _say(PURPOSES, Purpose(purpose), language) if purpose in {*Purpose} else purpose,
        "fields": [reader.label(name) for name in entry["fields"] or ()],
        "result": _say(RESULTS, result, language),
    }


def _say(texts: Mapping[Any, Said], code: Any, language: str) -> str:
    return _in(texts[code], language) if code in texts else str(code)


def _in(text: Said, language: str) -> str:
    return text.id if language == "id" else text.en


def _id(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None
