"""What is changed in a referral that was sent: facts, consent, and that it is taken back."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.amendment import ReferralAmendment
from app.api.dependencies import Sender
from app.api.desk import Desk
from app.api.faults import Finding
from app.api.referrals import VitalInterestConfirmation
from app.console.choices import choices
from app.console.forms import Form, FormFaults, PostedForm
from app.console.referral_form import LOCATIONS, SEARCH, ReferralForm, texts
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import InvalidInput, NotFound, PreconditionFailed, ReferralNotOpen
from app.domain.handoff import ReferralState
from app.domain.labels import LABELS
from app.workflows import desk as desks
from app.workflows.amend_referral import amend_referral, may_amend
from app.workflows.end_consent import ConfirmReason, confirm_vital_interest, withdraw_consent
from app.workflows.end_referral import cancel_referral, void_referral

router = console_router()

UNKNOWN = "unknown"


class End(StrEnum):
    """A way to take a referral, or what carries it, back; as its address names it."""

    CONSENT = "withdraw-consent"
    CANCEL = "cancel"
    VOID = "void"


DONE: Mapping[End, tuple[Callable[[desks.Desk, Caller, UUID], Awaitable[Case]], str]] = {
    End.CONSENT: (withdraw_consent, "consent_withdrawn"),
    End.CANCEL: (cancel_referral, "referral_cancelled"),
    End.VOID: (void_referral, "referral_voided"),
}


@router.get("/referrals/{referral_id}/amend")
async def show_amendment(request: Request, referral_id: UUID, caller: Sender, desk: Desk) -> Response:
    """Show the form of an amendment: each fact stays as it is until another is said."""
    case = await _case_of(desk, caller, referral_id)
    return _amendment_page(request, desk, caller, case, PostedForm())


@router.post("/referrals/{referral_id}/amend/form")
async def show_amendment_again(request: Request, referral_id: UUID, caller: Sender, desk: Desk, form: Form) -> Response:
    """Show the form of an amendment with what is in it, and places that were searched for."""
    case = await _case_of(desk, caller, referral_id)
    return _amendment_page(request, desk, caller, case, form)


@router.post("/referrals/{referral_id}/amend")
async def amend(request: Request, referral_id: UUID, caller: Sender, desk: Desk, form: Form) -> Response:
    """Amend a referral, if nobody has changed it since the form was shown."""
    case = await _case_of(desk, caller, referral_id)
    read = ReferralForm(form, desk.time_zone(caller.agency_code))
    found: list[Finding] = [*read.contradictions(), *read.unsettled(desk.reference, request.state.language)]
    try:
        body = form.into(ReferralAmendment, values=_amended(read))
    except FormFaults as faults:
        return _amendment_page(request, desk, caller, case, form, [*faults.found, *found])
    if found:
        return _amendment_page(request, desk, caller, case, form, found)
    try:
        await amend_referral(desk, caller, referral_id, body.amendment, expected=form.version())
    except PreconditionFailed:
        return _amendment_page(request, desk, caller, case, form, changed=True)
    except InvalidInput as error:
        return _amendment_page(request, desk, caller, case, form, FormFaults.of(error).found)
    return after_post(f"/console/referrals/{referral_id}", done="referral_amended")


@router.get("/referrals/{referral_id}/confirm")
async def show_confirmation(request: Request, referral_id: UUID, caller: Sender, desk: Desk) -> Response:
    """Ask why an emergency moves without consent."""
    case = await _case_of(desk, caller, referral_id)
    return _confirmation_page(request, case, PostedForm())


@router.post("/referrals/{referral_id}/confirm")
async def confirm(request: Request, referral_id: UUID, caller: Sender, desk: Desk, form: Form) -> Response:
    """Confirm that an emergency moves without consent."""
    try:
        body = form.into(VitalInterestConfirmation)
    except FormFaults as faults:
        case = await _case_of(desk, caller, referral_id)
        return _confirmation_page(request, case, form, faults.found)
    await confirm_vital_interest(desk, caller, referral_id, because=body.because)
    return after_post(f"/console/referrals/{referral_id}", done="interest_confirmed")


@router.get("/referrals/{referral_id}/{end}")
async def show_end(request: Request, referral_id: UUID, end: End, caller: Sender, desk: Desk) -> Response:
    """Say what taking something back leads to, before it is done."""
    case = await desk.lock_case(
        caller.agency_code, referral_id=referral_id, reading=True, restricted_too=end is End.CONSENT
    )
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    return page(request, "referral_end.html", referral_id=referral_id, end=end.value, word=end.value.replace("-", "_"))


@router.post("/referrals/{referral_id}/{end}")
async def do_end(referral_id: UUID, end: End, caller: Sender, desk: Desk) -> Response:
    """Take consent back, cancel a referral, or mark it as entered in error."""
    carry_out, done = DONE[end]
    await carry_out(desk, caller, referral_id)
    return after_post(f"/console/referrals/{referral_id}", done=done)


async def _case_of(desk: desks.Desk, caller: Caller, referral_id: UUID) -> Case:
    """Give the case that the caller's agency may amend, else NotFound; ReferralNotOpen where it was an error."""
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id, reading=True)
    if not may_amend(case, caller):
        raise NotFound("referral")
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    return case


def _amended(read: ReferralForm) -> dict[str, Any]:
    """Say the form as an amendment: what is not touched is left out, and what is not known any more is null."""
    form, body = read.form, read.facts()
    for name in LOCATIONS:
        if form.get(f"locations.{name}") == UNKNOWN:
            body.setdefault("locations", {})[name] = None
    if form.get("case.perpetrator_in_household") == UNKNOWN:
        body.setdefault("case", {})["perpetrator_in_household"] = None
    if "victim.age" in form.all("unknown[]") and not form.get("victim.age"):
        body.setdefault("victim", {})["age"] = None
    consent = read.consent()
    return {**body, **({"consent": consent} if consent else {})}


def _amendment_page(
    request: Request,
    desk: desks.Desk,
    caller: Caller,
    case: Case,
    form: PostedForm,
    found: Any = (),
    *,
    changed: bool = False,
) -> Response:
    language = request.state.language
    read = ReferralForm(form, desk.time_zone(caller.agency_code))
    return page(
        request,
        "referral_amend.html",
        status=409 if changed else 422 if found else 200,
        referral_id=case.referral.id,
        version=case.referral.version if changed else form.get("version") or case.referral.version,
        changed=changed,
        form=form,
        faults=texts(found, form, language),
        places=read.places(desk.reference, language, now=form.get(SEARCH)),
        **choices(desk.reference, language),
    )


def _confirmation_page(request: Request, case: Case, form: PostedForm, found: Any = ()) -> Response:
    language = request.state.language
    reasons = [(one.value, LABELS["confirm_reason"][one.value].said(language.value)) for one in ConfirmReason]
    return page(
        request,
        "referral_confirm.html",
        status=422 if found else 200,
        referral_id=case.referral.id,
        confirm_by=case.referral.confirm_by,
        reasons=reasons,
        form=form,
        faults=texts(found, form, language),
    )
