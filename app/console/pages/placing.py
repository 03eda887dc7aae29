"""A coordinator places a request by hand: the candidates, with what speaks for and against each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.desk import Desk
from app.api.service_requests import RequestPlacement, look_at
from app.console.explained import reasons_by_agency
from app.console.forms import Form, FormFaults
from app.console.languages import said
from app.console.pages.service_request import sees_facts, shown_facts
from app.console.pages.service_requests import CoordinatorOrOperator
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import FaultsFound
from app.domain.explanation import explain
from app.domain.facts import Facts
from app.domain.referral import ServiceRequest
from app.domain.regions import province_of
from app.domain.registry import Agency
from app.domain.secret_places import explanation_without_secret_place, without_secret_place
from app.domain.sentences import sentence
from app.storage import ways
from app.workflows.coordinate_request import PlaceReason, place_request

router = console_router()

ANOTHER = "another"
"""What is chosen where the agency is none of the candidates."""
MOST_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """An agency that a request could be placed with."""

    code: str
    named_by: Sequence[str]
    """The clauses that would have it asked."""
    against: Sequence[str]
    """What speaks against it, in words."""
    barred: bool
    """Whether it cannot be chosen at all."""
    reached: bool
    """Whether a working way leads to it: else its coordinator has to tell it."""


@router.get("/service-requests/{service_request_id}/place")
async def choose_agency(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk
) -> Response:
    """Show whom a request could be placed with, and the reasons for and against each."""
    case = await look_at(desk, caller, service_request_id)
    return await _choice(request, desk, caller, case, service_request_id)


@router.post("/service-requests/{service_request_id}/place")
async def place(
    request: Request, service_request_id: UUID, caller: CoordinatorOrOperator, desk: Desk, form: Form
) -> Response:
    """Offer a request to the agency that was chosen."""
    chosen = form.get("agency")
    agency = form.get(ANOTHER) if chosen in ("", ANOTHER) else chosen
    values = {"agency": agency, "reason": form.get("reason"), "note": form.get("note")}
    try:
        body = form.into(RequestPlacement, values={name: value for name, value in values.items() if value})
        await place_request(
            desk, caller, service_request_id, agency_code=body.agency, reason=body.reason, note=body.note
        )
    except (FormFaults, FaultsFound) as error:
        faults = error if isinstance(error, FormFaults) else FormFaults.of(error)
        case = await look_at(desk, caller, service_request_id)
        language = request.state.language
        asked = {"agency": said("place.lacks_agency", language), "reason": said("place.lacks_reason", language)}
        texts = faults.texts(language, asked)
        return await _choice(request, desk, caller, case, service_request_id, form=form, faults=texts)
    return after_post(f"/console/service-requests/{service_request_id}", done="placed")


async def _choice(
    request: Request,
    desk: Desk,
    caller: Caller,
    case: Case,
    of: UUID,
    *,
    form: Form | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    asked = case.requests[of]
    candidates = await candidates_for(desk, case, asked, caller, language=request.state.language.value)
    shown = {one.code for one in candidates}
    others = sorted(
        (agency.name, code)
        for code, agency in desk.reference.registry.agencies.items()
        if agency.active and code not in shown
    )
    return page(
        request,
        "place.html",
        status=422 if faults else 200,
        of=of,
        asked=asked,
        urgency_code=case.referral.urgency.value,
        candidates=[one for one in candidates if not one.barred],
        barred=[one for one in candidates if one.barred],
        others=[(code, name) for name, code in others],
        reasons=list(PlaceReason),
        form=form,
        faults=faults or {},
    )


async def candidates_for(
    desk: Desk, case: Case, asked: ServiceRequest, caller: Caller, *, language: str
) -> Sequence[PlaceCandidate]:
    """List whom a request could be placed with by the rules and the registry as they stand now.

    First those that clauses name, in the order in which they would be asked, then those that clauses look at, then
    others that give the service where the case is. Told is no more than an explanation of the decision would tell.
    """
    facts = shown_facts(desk, case, caller)
    tried = frozenset(asked.tried)
    known = case.facts_for(asked.service_type)
    explanation = explain(desk.reference.rules, known, asked.service_type, tried)
    if facts != case.facts:
        explanation = explanation_without_secret_place(explanation, without_secret_place(known))
    # Clauses and what they depend on are for who may read the facts; who may not is told what bars an agency.
    told = reasons_by_agency(explanation) if sees_facts(case, caller) else {}
    reasons = {
        code: (list(named), list(against)) for code, (named, against) in told.items() if "not_offered" not in against
    }
    agencies = desk.reference.registry.agencies
    provinces = {province_of(code) for code in (facts.current, facts.incident, facts.domicile) if code}
    for code, agency in sorted(agencies.items()):
        offered = agency.services.get(asked.service_type)
        if offered is not None and any(province_of(area) in {None, *provinces} for area in offered.area):
            reasons.setdefault(code, ([], []))
    listed = []
    for code, (named, against) in list(reasons.items())[:MOST_CANDIDATES]:
        found = agencies.get(code)
        if found is None:
            continue
        bar = _bar(desk, known, asked.service_type, found)
        against.extend(one for one in (bar, "tried" if code in tried else None) if one and one not in against)
        listed.append((code, named, against, bar is not None))
    reached = await ways.reachable(desk.tx, {code for code, _, _, _ in listed})
    return [
        PlaceCandidate(code, named, [sentence(one)[language] for one in against], barred, code in reached)
        for code, named, against, barred in listed
    ]


def _bar(desk: Desk, facts: Facts, service_type: str, agency: Agency) -> str | None:
    """Say what no coordinator can pass over; each is refused by the workflow too."""
    rules = desk.reference.rules
    if agency.code in facts.conflicts:
        return "conflict"
    if agency.code in rules.institutions.of(facts.conflicts):
        return "institution_in_conflict"
    if agency.code in facts.refuses:
        return "refused"
    if not desk.may_be_offered(agency.code, facts):
        return "not_consented"
    if rules.question(facts, service_type).is_avoided(agency.region):
        return "avoided_region"
    return None if agency.active else "inactive"
