"""A referral is amended: facts are added or corrected, and what they change is decided again."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from app.domain.caller import Caller, Role
from app.domain.case import Case, Handoff
from app.domain.errors import NotFound, ReferralNotOpen
from app.domain.events import EventType
from app.domain.handoff import (
    TAKEN,
    Actor,
    HandoffEvent,
    HandoffState,
    ReferralState,
    RequestState,
    WithdrawReason,
)
from app.domain.intake import Amendment
from app.domain.versions import Expected
from app.domain.vocabulary import Reason
from app.storage import audit, personal_data
from app.workflows.answer_handoff import Answer, move
from app.workflows.desk import Desk
from app.workflows.route_requests import coordinate, route_requests, tell_coordinators


async def amend_referral(
    desk: Desk,
    caller: Caller,
    referral_id: UUID,
    amend: Callable[[Case], Amendment],
    *,
    expected: Expected,
) -> Case:
    """Amend a referral as its holder or its coordinator says; `expected` refuses a version that is not the caller's.

    Requests without an offer are decided again. A live offer stays, unless its receiver is now denied, refused or in
    conflict. Who took the handoff and is in conflict since sees nothing more, and its coordinator is told.
    """
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    expected.check(case.referral.version)
    if not may_amend(case, caller):
        raise NotFound("referral")
    if case.referral.state is not ReferralState.OPEN:
        raise ReferralNotOpen(case.referral.state)
    amendment = amend(case)
    case.facts, case.consent_services, case.facts_changed = amendment.facts, amendment.consent_services, True
    case.put_referral(urgency=amendment.facts.urgency)
    await personal_data.reseal(desk.tx, desk.key_ring, referral_id, amendment.personal)
    await _decide_again(desk, case)
    await audit.record(
        desk.tx,
        caller,
        "referral.amend",
        subject="referral",
        subject_id=referral_id,
        referral_id=referral_id,
        fields=amendment.personal,
        request_id=desk.request_id,
    )
    return await desk.save(case)


def may_amend(case: Case, caller: Caller) -> bool:
    """Say whether somebody may amend a case: who holds it, and who coordinates it."""
    coordinates = any(agency_code == caller.agency_code for _, agency_code in case.coordinations)
    return (case.referral.holder_code == caller.agency_code and Role.SENDER in caller.roles) or (
        coordinates and Role.COORDINATOR in caller.roles
    )


async def _decide_again(desk: Desk, case: Case) -> None:
    off_list = desk.reference.rules.off_list(case.facts)
    for request in list(case.requests.values()):
        coordinate(desk, case, request)
    for handoff in list(case.handoffs.values()):
        if handoff.agency_code in off_list:
            case.put_handoff(replace(handoff, barred=True))
    for handoff in list(case.handoffs.values()):
        request = case.requests[handoff.service_request_id]
        if handoff.state is HandoffState.OFFERED and (handoff.barred or _denied(desk, case, handoff)):
            reason = Answer(reason=WithdrawReason.FACTS_AMENDED.value)
            await move(desk, case, handoff, HandoffEvent.WITHDRAW, frozenset({Actor.CONSENT}), reason)
        elif handoff.state in TAKEN and handoff.barred:
            told = tell_coordinators(desk, case, request.id)
            case.tell_of_request(
                request, EventType.SERVICE_REQUEST_OVERDUE, {*told, *case.owners()}, because=["receiver_in_conflict"]
            )
    waiting = [request for request in case.requests.values() if request.state is RequestState.NEEDS_COORDINATOR]
    await route_requests(desk, case, waiting, "amended")


def _denied(desk: Desk, case: Case, handoff: Handoff) -> bool:
    request = case.requests[handoff.service_request_id]
    facts = case.facts_for(request.service_type)
    return desk.reference.rules.decide(facts, request.service_type, frozenset(request.tried)).reason is Reason.DENIED
