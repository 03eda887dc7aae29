"""One handoff as its receiver sees it: what the service needs and no more, and what can be answered now."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.dependencies import CurrentCaller, Receiver
from app.api.desk import Desk
from app.api.handoff_views import DisclosedCase, HandoffView, handoff_view
from app.api.handoffs import HandoffCompletion, HandoffDecline, HandoffFailure, HandoffHold, HandoffNote, KeptDuty
from app.api.language import Language
from app.console.forms import Form, FormFaults, PostedForm
from app.console.languages import said
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.consent import GroundKind
from app.domain.disclosure import Access, fields_for
from app.domain.errors import FaultsFound, NotFound
from app.domain.handoff import (
    TAKEN,
    CompletionOutcome,
    DeclineReason,
    FailReason,
    HandoffEvent,
    HandoffState,
)
from app.domain.held_text import HeldReader
from app.storage import worklists
from app.workflows.answer_handoff import Answer, answer_handoff
from app.workflows.keep_duty import keep_duty

router = console_router()


class Step(StrEnum):
    """What a receiver can answer, as its address names it."""

    ACCEPT = "accept"
    DECLINE = "decline"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    HAND_BACK = "hand-back"
    COMPLETE = "complete"
    FAIL = "fail"
    CONFIRM_CANCEL = "confirm-cancel"

    @property
    def event(self) -> HandoffEvent:
        """Give what happens to the handoff by it."""
        return HandoffEvent(self.replace("-", "_"))


BODIES: Mapping[Step, type[HandoffNote]] = MappingProxyType(
    {
        Step.DECLINE: HandoffDecline,
        Step.HAND_BACK: HandoffDecline,
        Step.HOLD: HandoffHold,
        Step.COMPLETE: HandoffCompletion,
        Step.FAIL: HandoffFailure,
    }
)
"""What a step needs to be told, as over the API; all others take a note alone."""
CHOICES: Mapping[Step, tuple[str, str, type[StrEnum]]] = MappingProxyType(
    {
        Step.DECLINE: ("reason", "decline_reason", DeclineReason),
        Step.HAND_BACK: ("reason", "decline_reason", DeclineReason),
        Step.COMPLETE: ("outcome", "completion_outcome", CompletionOutcome),
        Step.FAIL: ("reason", "fail_reason", FailReason),
    }
)
"""What a step asks to choose: the field, the kind of its labels, its codes."""
FIRST = (Step.ACCEPT, Step.START, Step.RESUME, Step.COMPLETE, Step.CONFIRM_CANCEL)
"""The steps that bring help nearer, in their order; the first of them that can be done is the page's main button."""


@router.get("/handoffs/{handoff_id}")
async def show_handoff(request: Request, handoff_id: UUID, caller: CurrentCaller, desk: Desk) -> Response:
    """Show a handoff to its receiver, and record the look; its sender and coordinator are led to what is theirs."""
    case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id, reading=True)
    handoff = case.handoffs[handoff_id]
    if handoff.agency_code != caller.agency_code:
        if caller.agency_code in case.owners() and caller.may(Role.SENDER):
            return RedirectResponse(f"/console/referrals/{case.referral.id}", 303)
        if caller.may(Role.COORDINATOR):
            return RedirectResponse(f"/console/service-requests/{handoff.service_request_id}", 303)
    view = await _of_receiver(desk, caller, case, handoff_id, disclosing=True)
    known, facts = _held(desk, view.case, handoff.agency_code, request.state.language)
    return page(
        request,
        "handoff.html",
        handoff=view,
        known=known,
        facts=facts,
        once_accepted=_once_accepted(desk, case, view, request.state.language),
        due=_due(view),
        is_late=view.state == HandoffState.EXPIRED and HandoffEvent.ACCEPT in view.available_actions,
        steps=_steps(view),
        keeps_duties=HandoffState(view.state) in TAKEN,
        duty_names=_duty_names(desk, view, request.state.language),
        document=_document(desk, view, request.state.language),
    )


@router.get("/handoffs/{handoff_id}/{step}")
async def ask_for_answer(request: Request, handoff_id: UUID, step: Step, caller: Receiver, desk: Desk) -> Response:
    """Ask for what an answer needs; where it can no longer be given, the handoff shows what can."""
    case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id, reading=True)
    view = await _of_receiver(desk, caller, case, handoff_id, disclosing=False)
    if step.event.value not in view.available_actions:
        return RedirectResponse(f"/console/handoffs/{handoff_id}", 303)
    return _asked(request, view, step, PostedForm(), {})


@router.post("/handoffs/{handoff_id}/keep-duty")
async def keep_a_duty(handoff_id: UUID, caller: Receiver, desk: Desk, form: Form) -> Response:
    """Say that a duty was kept."""
    duty = form.into(KeptDuty)
    await keep_duty(desk, caller, handoff_id, document=duty.document, clause=duty.clause)
    return after_post(f"/console/handoffs/{handoff_id}", done="duty_kept")


@router.post("/handoffs/{handoff_id}/{step}")
async def answer(request: Request, handoff_id: UUID, step: Step, caller: Receiver, desk: Desk, form: Form) -> Response:
    """Answer a handoff; a form that lacks something is shown again with what was written in it."""
    try:
        body = form.into(BODIES.get(step, HandoffNote)).model_dump()
        given = Answer(
            reason=body["reason"].value if "reason" in body else None,
            outcome=body["outcome"].value if "outcome" in body else None,
            note=body["note"],
            share_note=body["share_note"],
            review_on=body.get("review_on"),
        )
        await answer_handoff(desk, caller, handoff_id, step.event, given)
    except (FormFaults, FaultsFound) as error:
        faults = error if isinstance(error, FormFaults) else FormFaults.of(error)
        language: Language = request.state.language
        case = await desk.lock_case(caller.agency_code, handoff_id=handoff_id, reading=True)
        view = await _of_receiver(desk, caller, case, handoff_id, disclosing=False)
        return _asked(request, view, step, form, faults.texts(language, _asked_for(language)))
    return after_post(f"/console/handoffs/{handoff_id}", done=f"handoff_{step.event.value}")


def _asked_for(language: Language) -> dict[str, str]:
    return {name: said(f"handoff.lacks_{name}", language) for name in ("reason", "outcome", "review_on")}


def _asked(request: Request, view: HandoffView, step: Step, form: PostedForm, faults: Mapping[str, str]) -> Response:
    return page(
        request,
        "handoff_answer.html",
        status=422 if faults else 200,
        handoff=view,
        step=step.value,
        event=step.event.value,
        choices=CHOICES.get(step),
        asks_for_day=step is Step.HOLD,
        form=form,
        faults=faults,
    )


async def _of_receiver(desk: Desk, caller: Caller, case: Case, handoff_id: UUID, *, disclosing: bool) -> HandoffView:
    """Give the handoff as the API shows it to its receiver; NotFound for anybody else."""
    handoff = case.handoffs[handoff_id]
    if handoff.agency_code != caller.agency_code or not caller.may_receive:
        raise NotFound("handoff")
    results = await worklists.results(desk.tx, [handoff.decision_id])
    return await handoff_view(desk, caller, case, handoff, results, disclosing=disclosing)


def _due(view: HandoffView) -> tuple[str, Any] | None:
    """Say what the receiver has to do by when: a key of the words, and the moment."""
    match HandoffState(view.state):
        case HandoffState.OFFERED:
            return "handoff.respond_by", view.respond_by
        case HandoffState.ACCEPTED if view.start_by is not None:
            return "handoff.start_by", view.start_by
        case HandoffState.ON_HOLD if view.review_on is not None:
            return "handoff.review_on", view.review_on
        case HandoffState.CANCEL_REQUESTED if view.cancel_by is not None:
            return "handoff.cancel_by", view.cancel_by
        case _:
            return None


def _steps(view: HandoffView) -> list[tuple[str, str, bool]]:
    """List what can be answered now, what helps first: the address, the event, whether it needs more than a note."""
    order = [*FIRST, *(step for step in Step if step not in FIRST)]
    return [
        (step.value, step.event.value, step in BODIES) for step in order if step.event.value in view.available_actions
    ]


def _reader(desk: Desk, agency_code: str, language: Language) -> HeldReader:
    return HeldReader(
        language is Language.ENGLISH, ZoneInfo(desk.time_zone(agency_code)), desk.reference.vocabulary, desk.name_of
    )


def _held(
    desk: Desk, case: DisclosedCase | None, agency_code: str, language: Language
) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
    """Say what is disclosed of the person, and the facts, each as a name and its value."""
    if case is None:
        return [], []
    reader = _reader(desk, agency_code, language)
    victim, places = case.facts["victim"], case.facts["locations"]
    listed = [
        ("case_types", case.facts["case_types"]),
        ("age", victim["age"]),
        ("sex", victim["sex"]),
        ("perpetrator_in_household", case.facts["perpetrator_in_household"]),
        *((name, places[name]) for name in ("incident", "domicile", "current")),
    ]
    if case.facts["avoid_regions"]:
        listed.append(("avoid_regions", case.facts["avoid_regions"]))
    # What is not known is said to be so: an empty line could be taken for a no.
    unknown = said("handoff.unknown", language)
    facts = [(reader.label(name), unknown if value is None else reader.said(name, value)) for name, value in listed]
    return (
        [(_capital(reader.label(name)), reader.said(name, value)) for name, value in case.personal.items()],
        [(_capital(name), _capital(value)) for name, value in facts],
    )


def _once_accepted(desk: Desk, case: Case, view: HandoffView, language: Language) -> list[str]:
    """Name the fields that the receiver will see where they are known, once it has accepted."""
    if view.case is None or view.case.access != Access.TO_DECIDE.value:
        return []
    consent = case.shows(case.handoffs[view.id]) is GroundKind.CONSENT
    before, after = (fields_for(view.service_type, accepted=accepted, consent=consent) for accepted in (False, True))
    reader = _reader(desk, view.agency, language)
    return sorted(reader.label(name) for name in after - before)


def _duty_names(desk: Desk, view: HandoffView, language: Language) -> dict[str, str]:
    reader = _reader(desk, view.agency, language)
    return {duty.duty: _capital(reader.said("duty", duty.duty)) for duty in view.duties}


def _document(desk: Desk, view: HandoffView, language: Language) -> str:
    """Name the document that the decision rests on."""
    decision = view.decision
    if decision is None or decision.document is None:
        return ""
    rests_on = (decision.document, decision.document_version)
    found = next((one for one in desk.reference.documents if (one.id, one.version) == rests_on), None)
    if found is None:
        return decision.document
    return found.title_en if language is Language.ENGLISH else found.title_id


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
