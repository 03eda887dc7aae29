"""A caseworker enters a referral: what is known, whom that would ask and why, and then it is sent, once."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api.dependencies import Sender
from app.api.desk import Desk
from app.api.faults import Finding
from app.api.intake import ReferralSubmission
from app.api.routing import RoutingPreview, preview_routing
from app.console.choices import choices
from app.console.forms import Form, FormFaults, PostedForm
from app.console.referral_form import PLACES, SEARCH, ReferralForm, texts
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.console.service_told import ServiceTold, tell
from app.domain.caller import Caller
from app.domain.consent import ground_of
from app.domain.consent_words import ground_sentences
from app.domain.errors import DuplicateReference, NotFound
from app.workflows import desk as desks
from app.workflows.submit_referral import submit_referral

router = console_router()

NOT_OF_THE_FORM = frozenset({SEARCH})


@router.get("/referrals/new")
async def show_form(request: Request, caller: Sender, desk: Desk) -> Response:
    """Show an empty form."""
    return _form_page(request, desk, caller, PostedForm())


@router.post("/referrals/new")
async def show_form_again(request: Request, caller: Sender, desk: Desk, form: Form) -> Response:
    """Show the form with what is in it, to go on with it, or with places that were searched for."""
    return _form_page(request, desk, caller, form)


@router.post("/referrals/places")
async def find_places(request: Request, caller: Sender, desk: Desk, form: Form) -> Response:
    """Show the places of a name, as a part of the form."""
    name = form.get("place")
    if name not in PLACES:
        raise NotFound("place")
    found = _read(desk, caller, form).places(desk.reference, request.state.language, now=name)[name]
    return page(request, "referral_places.html", place=found, keep=form.get("keep") == "true")


@router.post("/referrals/check")
async def check(request: Request, caller: Sender, desk: Desk, form: Form) -> Response:
    """Show what was understood, what is not known, and who would be asked and why. Nothing is kept."""
    try:
        _taken(request, desk, caller, form)
    except FormFaults as faults:
        return _form_page(request, desk, caller, form, faults.found)
    return page(
        request,
        "referral_check.html",
        form=form,
        fields=[(name, value) for name, given in form.fields.items() if name not in NOT_OF_THE_FORM for value in given],
        told=await _told(request, desk, caller, form),
        places=_read(desk, caller, form).places(desk.reference, request.state.language),
        **choices(desk.reference, request.state.language),
    )


@router.post("/referrals")
async def send(request: Request, caller: Sender, desk: Desk, form: Form) -> Response:
    """Hand the referral in, once: a form that comes twice leads to the same referral."""
    try:
        submission = _taken(request, desk, caller, form)
    except FormFaults as faults:
        return _form_page(request, desk, caller, form, faults.found)
    try:
        case = await submit_referral(desk, caller, submission.submission())
    except DuplicateReference as known:
        return page(request, "referral_known.html", status=409, known=known.referral_id)
    return after_post(f"/console/referrals/{case.referral.id}/sent")


def _read(desk: desks.Desk, caller: Caller, form: PostedForm) -> ReferralForm:
    return ReferralForm(form, desk.time_zone(caller.agency_code))


def _taken(request: Request, desk: desks.Desk, caller: Caller, form: PostedForm) -> ReferralSubmission:
    """Read the form as a referral, or raise all that is wrong with it."""
    read = _read(desk, caller, form)
    found: list[Finding] = [
        *read.contradictions(),
        *read.unsettled(desk.reference, request.state.language),
    ]
    body: BaseModel | None = None
    try:
        body = form.into(ReferralSubmission, values=read.submission())
    except FormFaults as faults:
        found = [*faults.found, *found]
    if found or not isinstance(body, ReferralSubmission):
        raise FormFaults(found)
    return body


async def _told(request: Request, desk: desks.Desk, caller: Caller, form: PostedForm) -> list[ServiceTold]:
    """Say of each service, in the order of the form, whom it would be offered to and why."""
    told: dict[str, ServiceTold] = {}
    for body, tried in zip(_read(desk, caller, form).preview(), ([], [caller.agency_code]), strict=True):
        if not body["services"]:
            continue
        preview = form.into(RoutingPreview, values={**body, "tried": tried})
        said, facts = preview.consent.said(preview.victim.guardian), preview.facts()
        answer = await preview_routing(preview, caller, desk)
        for explanation in answer.explanations:
            service = str(explanation["service"])
            ground = ground_sentences(ground_of(said, facts, service).to_json())
            told[service] = tell(explanation, desk.reference, request.state.language, ground=ground)
    return [told[service] for service in form.all("services[]") if service in told]


def _form_page(request: Request, desk: desks.Desk, caller: Caller, form: PostedForm, found: Any = ()) -> Response:
    language = request.state.language
    return page(
        request,
        "referral_entry.html",
        status=422 if found else 200,
        form=form,
        faults=texts(found, form, language),
        places=_read(desk, caller, form).places(desk.reference, language, now=form.get(SEARCH)),
        **choices(desk.reference, language),
    )
