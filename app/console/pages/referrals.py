"""A sending agency follows its referrals: the list, one of them with its services, and why each went where it went."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from app.api.dependencies import Sender, SenderOrCoordinator, Transaction
from app.api.desk import Desk
from app.api.handoff_views import handoff_view
from app.api.pages import PageAsked
from app.api.referrals import referral_view
from app.api.routing import read_decision
from app.console.forms import Form
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.console.service_told import tell
from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.handoff import LIVE, HandoffState, ReferralState
from app.domain.notes import NoteName, receivers
from app.storage import personal_data, worklists
from app.storage.asked_services import asked_services, sent_under
from app.workflows import desk as desks

router = console_router()


class Part(StrEnum):
    """A part of the list."""

    OPEN = "open"
    ALL = "all"


STATES: Mapping[Part, ReferralState | None] = {Part.OPEN: ReferralState.OPEN, Part.ALL: None}
"""None: whatever the state."""
REASONS: Mapping[HandoffState, str] = {
    HandoffState.DECLINED: "decline_reason",
    HandoffState.HANDED_BACK: "decline_reason",
    HandoffState.WITHDRAWN: "withdraw_reason",
    HandoffState.CANCEL_REQUESTED: "withdraw_reason",
    HandoffState.CANCELLED: "withdraw_reason",
    HandoffState.FAILED: "fail_reason",
}
"""In which set the reason stands that a handoff of a state carries."""


@router.get("/referrals")
async def show_referrals(
    request: Request,
    caller: Sender,
    tx: Transaction,
    paging: PageAsked,
    part: Annotated[Part, Query()] = Part.OPEN,
) -> Response:
    """Show the referrals that an agency sent or holds, newest first, page by page."""
    return await _list(request, caller, tx, paging, part)


@router.post("/referrals/find")
async def find_referral(request: Request, caller: Sender, desk: Desk, form: Form, paging: PageAsked) -> Response:
    """Lead to the referral that the agency gave a number of its own."""
    reference = form.get("reference")
    sealed = desk.key_ring.hash("sender-reference", reference.encode())
    found = await sent_under(desk.tx, caller.agency_code, sealed) if reference else None
    if found is None:
        return await _list(request, caller, desk.tx, paging, Part.OPEN, sought=reference)
    return after_post(f"/console/referrals/{found}")


@router.get("/referrals/{referral_id}")
async def show_referral(request: Request, referral_id: UUID, caller: SenderOrCoordinator, desk: Desk) -> Response:
    """Show one referral: each service, who has it, the time that is left, and what happened so far."""
    return await _shown(request, referral_id, caller, desk, "referral.html")


@router.get("/referrals/{referral_id}/sent")
async def show_sent(request: Request, referral_id: UUID, caller: SenderOrCoordinator, desk: Desk) -> Response:
    """Say that a referral was sent, and what happens next."""
    return await _shown(request, referral_id, caller, desk, "referral_sent.html")


@router.get("/referrals/{referral_id}/why/{decision_id}")
async def show_why(
    request: Request, referral_id: UUID, decision_id: UUID, caller: SenderOrCoordinator, desk: Desk
) -> Response:
    """Show why a service went where it went, clause by clause."""
    kept = await read_decision(decision_id, caller, desk)
    if kept.referral_id != referral_id:
        raise NotFound("decision")
    told = None
    if kept.explanation is not None:
        sentences = kept.ground.sentences if kept.ground else ()
        told = tell(kept.explanation, desk.reference, request.state.language, ground=sentences)
    return page(request, "referral_why.html", kept=kept, told=told)


@router.get("/referrals/{referral_id}/notes/{handoff_id}")
async def show_notes(
    request: Request, referral_id: UUID, handoff_id: UUID, caller: SenderOrCoordinator, desk: Desk
) -> Response:
    """Show what the receiver of a handoff wrote and shared, to who sent or holds the case."""
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id, reading=True)
    if handoff_id not in case.handoffs or caller.agency_code not in case.owners():
        raise NotFound("handoff")
    view = await handoff_view(desk, caller, case, case.handoffs[handoff_id], {}, disclosing=True)
    notes = [one for one in view.notes if one.shared]
    return page(request, "referral_notes.html", referral_id=referral_id, handoff=view, notes=notes)


async def _list(
    request: Request,
    caller: Caller,
    tx: Transaction,
    paging: PageAsked,
    part: Part,
    *,
    sought: str | None = None,
) -> Response:
    after = paging.after(UUID)
    state = STATES[part]
    found = await worklists.referrals_of(
        tx,
        caller.agency_code,
        state=state.value if state else None,
        before=after and after[0],
        limit=paging.look_ahead,
    )
    lines = list(found[: paging.limit])
    return page(
        request,
        "referrals.html",
        status=200 if sought is None else 422,
        part=part.value,
        parts_of_list=list(Part),
        lines=lines,
        services_of=await asked_services(tx, [one.id for one in lines]),
        next=paging.following(found, lambda line: (line.id,)),
        sought=sought,
    )


async def _with_notes(desk: desks.Desk, case: Case, caller: Caller) -> set[UUID]:
    """Tell the handoffs of which a receiver has shared a note, without opening one."""
    if caller.agency_code not in case.owners():
        return set()
    fields = await personal_data.names_below(desk.tx, case.referral.id, "handoff.")
    names = [name for name in map(NoteName.read, fields) if name is not None]
    return {name.handoff_id for name in receivers(names, only_shared=True)}


async def _shown(request: Request, referral_id: UUID, caller: Caller, desk: desks.Desk, template: str) -> Response:
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id, reading=True)
    view = await referral_view(case, caller, desk)
    holds = view.holder == caller.agency_code and Role.SENDER in caller.roles
    is_open = view.state == ReferralState.OPEN
    taken = any(handoff.start_by is not None for handoff in case.handoffs.values())
    return page(
        request,
        template,
        referral=view,
        with_notes=await _with_notes(desk, case, caller),
        reasons={state.value: kind for state, kind in REASONS.items()},
        live={state.value for state in LIVE},
        may={
            "amend": holds and is_open,
            "confirm": holds and is_open and view.consent.confirm_by is not None and view.consent.confirmed_at is None,
            "consent": (holds or view.sender == caller.agency_code)
            and view.state != ReferralState.ENTERED_IN_ERROR
            and view.consent.ended is None,
            "cancel": holds and is_open,
            "void": holds and is_open and not taken,
        },
    )
