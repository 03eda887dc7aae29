"""The rights of the person a case is about: access, restriction, erasure, and what keeps a case from being erased."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import model_validator

from app.api import examples
from app.api.dependencies import Language, ProtectionOfficer, SenderCoordinatorOrOfficer
from app.api.desk import Desk
from app.api.examples import shows
from app.api.intake_types import PastMoment
from app.api.language import Language as Spoken
from app.api.pages import Page, PageAsked
from app.api.rights_views import LegalHoldView, RightsRequestView, RightsView, rights_view
from app.api.route import v1_router
from app.api.validation import Body, fault
from app.domain.caller import Role
from app.domain.held_text import written
from app.domain.rights import HoldReason, RefusedBecause, RequestOutcome, RestrictionReason, Right
from app.storage import rights
from app.workflows import answer_rights, hold_referral
from app.workflows import restrict_referral as restricting
from app.workflows.erase_referral import erase_referral as erase
from app.workflows.export_referral import export_referral as export

router = v1_router("rights")


class RightsAsked(Body):
    """What the person asked for, and when: the 3 x 24 hours count from there, not from when it was written down."""

    model_config = shows(examples.RIGHTS_ASKED)

    right: Right
    asked_at: PastMoment


class RightsAnswer(Body):
    """How the person's request was answered. To be erased or restricted is answered as done by doing it."""

    model_config = shows(examples.RIGHTS_ANSWER)

    outcome: RequestOutcome
    refused_because: RefusedBecause | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "RightsAnswer":
        if (self.outcome is RequestOutcome.REFUSED) != (self.refused_because is not None):
            raise fault("contradiction", at=("refused_because",))
        return self


class CaseRestriction(Body):
    """Why the case is restricted; `asked_at` where the person asked for it and no request was recorded."""

    model_config = shows(examples.RESTRICTION)

    reason: RestrictionReason
    asked_at: PastMoment | None = None


class LegalHold(Body):
    """Why nothing of the case may be erased."""

    model_config = shows(examples.LEGAL_HOLD)

    reason: HoldReason


class LiftedBecause(StrEnum):
    """Why a hold is lifted."""

    ENDED = "ended"
    SET_IN_ERROR = "set_in_error"
    OTHER = "other"


class LegalHoldLift(Body):
    """Why a hold is lifted."""

    model_config = shows(examples.LIFT_HOLD)

    reason: LiftedBecause


class ExportFormat(StrEnum):
    """How an export is written."""

    JSON = "json"
    TEXT = "text"


@router.post("/referrals/{referral_id}/rights-requests", status_code=201)
async def record_rights_request(
    referral_id: UUID, body: RightsAsked, caller: SenderCoordinatorOrOfficer, desk: Desk
) -> RightsRequestView:
    """Record what the person of a case asked for: access, correction, restriction or erasure.

    Whoever sent, holds or coordinates the case may be asked, and records it; a protection officer answers it.
    """
    _, request = await answer_rights.record_request(desk, caller, referral_id, body.right, asked_at=body.asked_at)
    return RightsRequestView.of(request, desk.now)


@router.get("/rights-requests")
async def list_rights_requests(caller: ProtectionOfficer, desk: Desk, paging: PageAsked) -> Page[RightsRequestView]:
    """List what persons asked for and nobody has answered, that which is due first on top.

    In the cases that your agency sent or holds; for a key that is an operator's too, in all.
    """
    after = paging.after(datetime.fromisoformat, UUID)
    whose = None if caller.may(Role.OPERATOR) else caller.agency_code
    found = await rights.open_requests(desk.tx, whose, after=after, limit=paging.look_ahead)
    page = paging.page(
        found,
        lambda one: RightsRequestView.of(one.request, desk.now),
        lambda one: (one.request.asked_at.isoformat(), one.request.id),
    )
    # Who answers for all sees no case in which their own agency is named, but where it sent or holds it.
    hidden = {
        one.request.id
        for one in found
        if caller.agency_code not in one.owners and desk.is_off_list(caller.agency_code, one.facts)
    }
    return page.model_copy(update={"items": [item for item in page.items if item.id not in hidden]})


@router.post("/rights-requests/{rights_request_id}/answer")
async def answer_rights_request(
    rights_request_id: UUID, body: RightsAnswer, caller: ProtectionOfficer, desk: Desk
) -> RightsRequestView:
    """Say how a person's request was answered: that access was given, a correction made, or why it is refused."""
    _, request = await answer_rights.answer_request(desk, caller, rights_request_id, body.outcome, body.refused_because)
    return RightsRequestView.of(request, desk.now)


@router.get("/referrals/{referral_id}/rights")
async def read_referral_rights(referral_id: UUID, caller: SenderCoordinatorOrOfficer, desk: Desk) -> RightsView:
    """Read where a case stands by the rights of its person: requests with their time, restriction, holds, erasure.

    It shows nothing of the case itself, and is shown while the case is restricted too.
    """
    case = await answer_rights.concerned(desk, caller, referral_id, reading=True)
    await answer_rights.record(desk, caller, case, "rights.read")
    return await rights_view(desk, case)


@router.post("/referrals/{referral_id}/restrict")
async def restrict_referral(
    referral_id: UUID, body: CaseRestriction, caller: ProtectionOfficer, desk: Desk
) -> RightsView:
    """Restrict a case: nobody sees or moves it and its clocks stand still, until it is lifted.

    A protection officer still sees it, and an emergency that runs is helped until it ends. It answers the requests for
    it that wait. Those who have something of the case are told.
    """
    case = await restricting.restrict_referral(desk, caller, referral_id, body.reason, asked_at=body.asked_at)
    return await rights_view(desk, case)


@router.post("/referrals/{referral_id}/lift-restriction")
async def lift_referral_restriction(referral_id: UUID, caller: ProtectionOfficer, desk: Desk) -> RightsView:
    """Lift the restriction of a case: work goes on, and every clock has the time it had when it was restricted."""
    return await rights_view(desk, await restricting.lift_restriction(desk, caller, referral_id))


@router.post("/referrals/{referral_id}/legal-holds", status_code=201)
async def place_legal_hold(referral_id: UUID, body: LegalHold, caller: ProtectionOfficer, desk: Desk) -> LegalHoldView:
    """Keep a case from being erased, by request or by time, until the hold is lifted; there may be several."""
    _, hold = await hold_referral.hold_referral(desk, caller, referral_id, body.reason)
    return LegalHoldView.of(hold)


@router.post("/legal-holds/{legal_hold_id}/lift")
async def lift_legal_hold(
    legal_hold_id: UUID, body: LegalHoldLift, caller: ProtectionOfficer, desk: Desk
) -> LegalHoldView:
    """Lift a legal hold."""
    _, hold = await hold_referral.lift_hold(desk, caller, legal_hold_id, body.reason.value)
    return LegalHoldView.of(hold)


@router.post("/referrals/{referral_id}/erase")
async def erase_referral(referral_id: UUID, caller: ProtectionOfficer, desk: Desk) -> RightsView:
    """Erase the person of a case, for good: what was sealed can never be opened again, by nobody.

    What runs ends first: offers are withdrawn, work that was taken is cancelled. Decisions, states and counts stay, of
    coarse facts. Refused while a legal hold is set or an emergency runs. Those who have something of the case are
    told, and have to erase what they copied.
    """
    return await rights_view(desk, await erase(desk, caller, referral_id))


@router.get(
    "/referrals/{referral_id}/export",
    response_model=None,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/plain": {"schema": {"type": "string"}},
            }
        }
    },
)
async def export_referral(
    referral_id: UUID,
    caller: ProtectionOfficer,
    desk: Desk,
    language: Language,
    as_: Annotated[
        ExportFormat, Query(alias="as", description="text: for the person, in the language asked for.")
    ] = ExportFormat.JSON,
) -> Response:
    """Give all that is held on the person of a case: every field, decision, handoff, and who looked when.

    Look through it for what concerns others before it is handed over.
    """
    held: dict[str, Any] = await export(desk, caller, referral_id)
    if as_ is ExportFormat.JSON:
        return JSONResponse(held)
    text = written(
        held,
        english=language is Spoken.ENGLISH,
        zone=ZoneInfo(desk.time_zone(caller.agency_code)),
        vocabulary=desk.reference.vocabulary,
        name_of=desk.name_of,
    )
    headers = {"Content-Language": language.value, "Vary": "Accept-Language"}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)
