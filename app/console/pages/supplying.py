"""A coordinator supplies what is missing, and the case is decided again: no more is sent than was changed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.amendment import ReferralAmendment
from app.api.dependencies import Coordinator
from app.api.desk import Desk
from app.api.service_requests import look_at
from app.console.forms import Form, FormFaults
from app.console.pages.service_request import shown_facts
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.case import Case
from app.domain.errors import FaultsFound, NotFound, PreconditionFailed
from app.domain.facts import Facts
from app.domain.handoff import RequestState
from app.domain.regions import is_location, regency_of
from app.domain.vocabulary import Sex, Urgency
from app.storage.reference import Reference
from app.workflows.amend_referral import amend_referral, may_amend
from app.workflows.route_requests import judge

router = console_router()

PLACES = ("locations.incident", "locations.domicile", "locations.current")
PERPETRATOR = "case.perpetrator_in_household"
TEXTS = (*PLACES, "victim.age", "victim.sex", PERPETRATOR, "urgency")
TYPES = "case.types[]"
WAS = "was."
"""Before the name of a field: what it was when the form was made, so that only what was changed is sent."""
MEANT, SOUGHT = "meant.", "sought."
"""Before the name of a place: which of several was chosen, and for what was written they are the places."""
UNKNOWN = "unknown"
MOST_MEANT = 20


@router.get("/service-requests/{service_request_id}/amend")
async def ask_for_facts(request: Request, service_request_id: UUID, caller: Coordinator, desk: Desk) -> Response:
    """Show the facts that a case is decided by, those that are missing first."""
    case = await look_at(desk, caller, service_request_id)
    if not may_amend(case, caller):
        raise NotFound("service request")
    said = _written(shown_facts(desk, case, caller), desk.reference)
    return _form(request, desk, case, service_request_id, said=said, was=said)


@router.post("/service-requests/{service_request_id}/amend")
async def supply(request: Request, service_request_id: UUID, caller: Coordinator, desk: Desk, form: Form) -> Response:
    """Take what was changed into the case; what waits is decided again."""
    case = await look_at(desk, caller, service_request_id)
    said: dict[str, Any] = {name: form.get(name) for name in TEXTS} | {TYPES: sorted(form.all(TYPES))}
    was: dict[str, Any] = {name: form.get(WAS + name) for name in TEXTS} | {TYPES: sorted(form.all(WAS + TYPES))}
    for name in PLACES:
        if form.get(MEANT + name) and form.get(SOUGHT + name) == said[name]:
            said[name] = form.get(MEANT + name)
    changed = {name for name, value in said.items() if value != was[name]}
    found = {name: _places(said[name], desk.reference) for name in PLACES if name in changed and said[name]}
    unclear = {name: regions for name, regions in found.items() if len(regions) != 1}
    if unclear or not changed:
        codes = {name: "place_unclear" if regions else "place_unknown" for name, regions in unclear.items()}
        return _form(
            request, desk, case, service_request_id, said=said, was=was, codes=codes or {"": "unchanged"}, meant=unclear
        )
    values = _values({name: said[name] for name in changed} | {name: one[0][0] for name, one in found.items()})
    try:
        body = form.into(ReferralAmendment, values=values)
        case = await amend_referral(desk, caller, case.referral.id, body.amendment, expected=form.version())
    except (FormFaults, FaultsFound) as error:
        faults = error if isinstance(error, FormFaults) else FormFaults.of(error)
        texts = faults.texts(request.state.language)
        return _form(request, desk, case, service_request_id, said=said, was=was, faults=texts)
    except PreconditionFailed:
        return _form(request, desk, case, service_request_id, said=said, was=was, meanwhile=True)
    if not case.is_coordinated_by(caller.agency_code) and caller.agency_code not in case.owners():
        # The facts may show that somebody else coordinates where the case is.
        return after_post("/console/service-requests", done="amended_elsewhere")
    waits = case.requests[service_request_id].state is RequestState.NEEDS_COORDINATOR
    done = "amended_still_waits" if waits else "amended"
    return after_post(f"/console/service-requests/{service_request_id}", done=done)


def _form(
    request: Request,
    desk: Desk,
    case: Case,
    of: UUID,
    *,
    said: Mapping[str, Any],
    was: Mapping[str, Any],
    faults: Mapping[str, str] | None = None,
    codes: Mapping[str, str] | None = None,
    meant: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    meanwhile: bool = False,
) -> Response:
    asked = case.requests[of]
    missing = judge(desk, case, asked).missing
    return page(
        request,
        "supply.html",
        status=412 if meanwhile else 422 if faults or codes else 200,
        of=of,
        service_type=asked.service_type,
        version=case.referral.version,
        said=said,
        was=was,
        missing=[name.replace("perpetrator_in_household", PERPETRATOR) for name in missing],
        places=PLACES,
        case_types=list(desk.reference.vocabulary.case_types),
        urgencies=list(Urgency),
        sexes=[*Sex, UNKNOWN],
        meant={name: _options(regions, desk.reference) for name, regions in (meant or {}).items() if regions},
        meanwhile=meanwhile,
        codes=codes or {},
        faults=faults or {},
    )


def _written(facts: Facts, reference: Reference) -> dict[str, Any]:
    """Write facts as the fields of the form show them."""
    said = facts.perpetrator_in_household
    return {
        "locations.incident": _named(facts.incident, reference),
        "locations.domicile": _named(facts.domicile, reference),
        "locations.current": _named(facts.current, reference),
        "victim.age": "" if facts.age is None else str(facts.age),
        "victim.sex": facts.sex.value if facts.sex else UNKNOWN,
        PERPETRATOR: UNKNOWN if said is None else "true" if said else "false",
        "urgency": facts.urgency.value,
        TYPES: sorted(facts.case_types),
    }


def _named(code: str | None, reference: Reference) -> str:
    """Write a place so that it is read again as the same: its name, and its code in brackets."""
    region = reference.regions.by_code.get(code or "")
    return f"{region.name} ({code})" if region else code or ""


def _places(written: str, reference: Reference) -> Sequence[tuple[str, str]]:
    """Find the places that are meant, each by code and name: by a code, alone or in brackets at the end, or a name."""
    code = written.rpartition("(")[2].removesuffix(")").strip()
    if is_location(code):
        known = reference.regions.by_code.get(code)
        return [(code, known.name if known else code)]
    found = reference.region_names.search(written)
    exact = [one for one in found if one.name.casefold() == written.casefold()]
    return [(one.code, one.name) for one in (exact if len(exact) == 1 else found)]


def _options(places: Sequence[tuple[str, str]], reference: Reference) -> Sequence[tuple[str, str, str]]:
    """Give the choice among places: what is sent, what is read, and in which regency each lies."""
    by_code = reference.regions.by_code
    around = ((code, name, by_code.get(regency_of(code) or "")) for code, name in places[:MOST_MEANT])
    return [
        (f"{name} ({code})", f"{name} ({code})", regency.name if regency and regency.code != code else "")
        for code, name, regency in around
    ]


def _values(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Make the body of an amendment of the fields that were changed; an empty one makes a fact unknown again."""
    body: dict[str, Any] = {}
    for name, value in changed.items():
        *outer, last = name.removesuffix("[]").split(".")
        at = body
        for part in outer:
            at = at.setdefault(part, {})
        at[last] = _read(name, value)
    return body


def _read(name: str, value: Any) -> Any:
    if name == "victim.age":
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value or None
    if name == PERPETRATOR:
        return {"true": True, "false": False}.get(value)
    if name == "victim.sex":
        return None if value == UNKNOWN else value or None
    return value or None
