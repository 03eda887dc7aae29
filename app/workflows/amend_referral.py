"""A referral is amended: facts are added or corrected, and what they change is decided again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domain.caller import Caller, Role
from app.domain.case import Case
from app.domain.consent import ConsentBasis, Ended, GroundKind, is_excluded, rests_on_nobody
from app.domain.errors import Fault, InvalidInput, NotFound, ReferralNotOpen
from app.domain.events import EventType
from app.domain.handoff import (
    ENDED_REQUESTS,
    LIVE,
    TAKEN,
    Actor,
    HandoffEvent,
    HandoffState,
    ReferralState,
    RequestState,
    WithdrawReason,
)
from app.domain.intake import Amendment
from app.domain.likeness import IDENTIFYING
from app.domain.referral import Handoff, ServiceRequest
from app.domain.versions import Expected
from app.domain.vocabulary import Reason, Urgency
from app.storage import audit, deliveries, personal_data
from app.workflows.answer_handoff import Answer, move
from app.workflows.call_coordinator import (
    call_for_acknowledgement,
    coordinate,
    hurry_waiting,
    tell_of_offer,
    tell_overdue,
)
from app.workflows.desk import Desk
from app.workflows.route_requests import judge, route_requests
from app.workflows.warn_of_duplicate import note_identity_anew, serving
from app.workflows.watch_consent import watch_consent


async def amend_referral(
    desk: Desk, caller: Caller, referral_id: UUID, amend: Callable[[Case], Amendment], *, expected: Expected
) -> Case:
    """Amend a referral as its holder or its coordinator says; PreconditionFailed if it is not of the version expected.

    Requests without an offer are decided again. A live offer stays, unless its receiver is now denied, refused or in
    conflict. Who took the handoff and is in conflict since sees nothing more, and its coordinator is told. Consent
    that is gone takes back what it carried.
    """
    case = await desk.lock_case(caller.agency_code, referral_id=referral_id)
    if not may_amend(case, caller):
        raise NotFound("referral")
    expected.check(case.referral.version)
    if case.referral.state is ReferralState.ENTERED_IN_ERROR:
        raise ReferralNotOpen(case.referral.state)
    before, named_before = _Before.of(desk, case), _sender_is_named(desk, case)
    amendment = await _with_nested_fields(desk, case, amend(case))
    _apply(desk, case, amendment)
    _bar_sender(desk, case, caller, named_before=named_before)
    await personal_data.reseal(desk.tx, desk.key_ring, referral_id, amendment.personal)
    if case.facts_changed:
        await _follow(desk, case, before)
        watch_consent(desk, case)
    if case.facts_changed or IDENTIFYING & amendment.personal.keys():
        by_sender = {caller.agency_code} & {case.referral.sender_code}
        await note_identity_anew(desk, case, serving(desk, case) | by_sender)
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
    holds = case.referral.holder_code == caller.agency_code and Role.SENDER in caller.roles
    return holds or coordinates(case, caller)


def coordinates(case: Case, caller: Caller) -> bool:
    """Say whether somebody coordinates a case."""
    return Role.COORDINATOR in caller.roles and case.is_coordinated_by(caller.agency_code)


async def take_back(desk: Desk, case: Case, handoff: Handoff, actors: frozenset[Actor], reason: WithdrawReason) -> None:
    """Withdraw an offer, or ask for cancellation where work was taken; an earlier request for it takes the reason."""
    if handoff.state is HandoffState.CANCEL_REQUESTED:
        case.put_handoff(replace(handoff, reason=reason.value))
        return
    event = HandoffEvent.WITHDRAW if handoff.state is HandoffState.OFFERED else HandoffEvent.REQUEST_CANCEL
    await move(desk, case, handoff, event, actors, Answer(reason=reason.value))


class _Before:
    """What held before the amendment, as far as it matters what changed."""

    def __init__(
        self,
        consented: set[str],
        moving: set[str],
        denied: set[UUID],
        barred: set[UUID],
        *,
        emergency: bool,
        sender_barred: bool,
    ) -> None:
        self.consented = consented
        self.moving = moving
        self.denied = denied
        self.barred = barred
        self.emergency = emergency
        self.sender_barred = sender_barred

    @classmethod
    def of(cls, desk: Desk, case: Case) -> "_Before":
        """Look at a case as it is."""
        requests = case.requests.values()
        return cls(
            {request.service_type for request in requests if case.consent_for(request.service_type)},
            {request.service_type for request in requests if case.may_move(request.service_type)},
            {request.id for request in requests if judge(desk, case, request).reason is Reason.DENIED},
            {handoff.id for handoff in case.handoffs.values() if handoff.barred},
            emergency=case.facts.urgency is Urgency.EMERGENCY,
            sender_barred=case.referral.sender_barred,
        )


def _apply(desk: Desk, case: Case, amendment: Amendment) -> None:
    had_consent = case.facts.consent
    consent = amendment.consent
    if amendment.says_consent and consent.basis is ConsentBasis.NONE:
        # To say that there is none takes back what there was, and undoes no end that it had before.
        ended = Ended.WITHDRAWN if had_consent else case.consent.ended
        consent = replace(consent, ended=ended, unconfirmed=case.consent.unconfirmed)
    case.say_consent(consent, amendment.facts)
    case.put_referral(urgency=amendment.facts.urgency)
    if amendment.says_consent and case.facts.consent:
        case.put_referral(consent_withdrawn_at=None)
    elif amendment.says_consent and consent.ended is Ended.WITHDRAWN and had_consent:
        case.put_referral(consent_withdrawn_at=desk.now)


def _sender_is_named(desk: Desk, case: Case) -> bool:
    return case.referral.sender_code in desk.reference.rules.institutions.of(case.facts.conflicts)


def _bar_sender(desk: Desk, case: Case, caller: Caller, *, named_before: bool) -> None:
    """Bar the sender from a case in which somebody else names it; who names itself knows what it wrote."""
    named, barred = _sender_is_named(desk, case), case.referral.sender_barred
    newly = named and not named_before and caller.agency_code != case.referral.sender_code
    case.put_referral(sender_barred=named and (barred or newly))


async def _with_nested_fields(desk: Desk, case: Case, amendment: Amendment) -> Amendment:
    """Merge what was said of a contact or a guardian into what is known, and see whose consent it rests on."""
    nested = [name for name, value in amendment.personal.items() if isinstance(value, Mapping) and name != "consent"]
    known = await personal_data.unseal(
        desk.tx, desk.key_ring, case.referral.id, {*nested, "victim.guardian", "consent"}
    )
    personal = {**amendment.personal, **{name: merged(known.get(name), amendment.personal[name]) for name in nested}}
    guardian, sealed = ({**known, **personal}.get(name) or {} for name in ("victim.guardian", "consent"))
    consent = replace(amendment.consent, guardian_excluded=is_excluded(guardian))
    if consent.basis is None and sealed.get("basis") == ConsentBasis.GUARDIAN:
        consent = replace(consent, basis=ConsentBasis.GUARDIAN)
    amendment = replace(amendment, consent=consent, personal=personal)
    if amendment.says_consent and rests_on_nobody(consent, amendment.facts.age):
        raise InvalidInput(
            (Fault("/consent/basis", "contradiction", "neither a guardian who is excluded nor a child who is none"),)
        )
    return amendment


def merged(known: Any, said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Put what was said over what is known, member by member; null removes a member, and nothing left is None."""
    kept = dict(known) if isinstance(known, Mapping) else {}
    for name, value in said.items():
        kept[name] = merged(kept.get(name), value) if isinstance(value, Mapping) else value
    return {name: value for name, value in kept.items() if value is not None} or None


async def _follow(desk: Desk, case: Case, before: _Before) -> None:
    waiting = [request.id for request in case.requests.values() if request.state is RequestState.NEEDS_COORDINATOR]
    off_list = desk.reference.rules.not_for(case.facts)
    for handoff in list(case.handoffs.values()):
        if handoff.barred != (handoff.agency_code in off_list):
            case.put_handoff(replace(handoff, barred=not handoff.barred))
    if case.referral.holder_code in off_list and case.referral.holder_code != case.referral.sender_code:
        case.put_referral(holder_code=case.referral.sender_code)
    case.settle_holder()
    if case.referral.sender_barred and not before.sender_barred:
        for request in case.requests.values():
            coordinate(desk, case, request)
            if request.state not in ENDED_REQUESTS:
                call_for_acknowledgement(desk, case, request.id, "sender_in_conflict")
    await _follow_urgency(desk, case, before)
    for request in list(case.requests.values()):
        await _follow_request(desk, case, request, before)
    again = [case.requests[key] for key in waiting if _is_decided_again(case, case.requests[key], before)]
    await route_requests(desk, case, again, "amended")


async def _follow_urgency(desk: Desk, case: Case, before: _Before) -> None:
    if before.emergency or case.facts.urgency is not Urgency.EMERGENCY:
        return
    live = [handoff for handoff in case.handoffs.values() if handoff.state in LIVE]
    for handoff in live:
        urgent = case.put_handoff(replace(handoff, urgency=Urgency.EMERGENCY))
        if handoff.state is HandoffState.OFFERED:
            coordinate(desk, case, case.requests[handoff.service_request_id])
            tell_of_offer(desk, case, urgent, ["emergency"])
        else:
            tell_overdue(desk, case, handoff.service_request_id, "emergency", handoff_id=handoff.id)
    hurry_waiting(desk, case)
    await deliveries.hurry(desk.tx, [handoff.id for handoff in live])


async def _follow_request(desk: Desk, case: Case, request: ServiceRequest, before: _Before) -> None:
    told = {line.agency_code for line in case.coordinators(request.id) if line.told_at is not None}
    new = coordinate(desk, case, request)
    handoff = case.live_handoff(request.id)
    if handoff is None:
        return
    service_type = request.service_type
    ground = case.shows(handoff)
    consent_gone = service_type in before.consented and not case.consent_for(service_type)
    # What was said to be a consent and never was one leaves the vital interest; what is taken back leaves nothing.
    taken_back = consent_gone and (case.facts.consent or ground is GroundKind.NONE)
    ground_gone = service_type in before.moving and ground is GroundKind.NONE
    denied_now = request.id not in before.denied and judge(desk, case, request).reason is Reason.DENIED
    system = frozenset({Actor.CONSENT})
    if taken_back:
        await take_back(desk, case, handoff, system, WithdrawReason.CONSENT_WITHDRAWN)
    elif ground_gone:
        await take_back(desk, case, handoff, system, WithdrawReason.NO_GROUND)
    elif handoff.state is HandoffState.OFFERED and (handoff.barred or denied_now):
        await take_back(desk, case, handoff, system, WithdrawReason.FACTS_AMENDED)
    elif handoff.state in TAKEN and handoff.barred and handoff.id not in before.barred:
        call_for_acknowledgement(desk, case, request.id, "receiver_in_conflict")
        case.tell_of_request(
            request, EventType.SERVICE_REQUEST_OVERDUE, case.owners(), because=["receiver_in_conflict"]
        )
    elif new and (told or handoff.urgency is Urgency.EMERGENCY):
        # Somebody else coordinates from now on, and must know what those before knew.
        because = ["emergency"] if handoff.urgency is Urgency.EMERGENCY else ["coordinator_changed"]
        for agency_code in new:
            line = case.coordinations[request.id, agency_code]
            case.coordinate(request.id, agency_code, line.position, desk.now)
        case.tell_of_handoff(handoff, EventType.HANDOFF_OFFERED, new, because=because)


def _is_decided_again(case: Case, request: ServiceRequest, before: _Before) -> bool:
    """Say whether a waiting request is decided again; refused consent is not passed over by another fact."""
    if request.state is not RequestState.NEEDS_COORDINATOR:
        return False
    became_emergency = not before.emergency and case.facts.urgency is Urgency.EMERGENCY
    if request.reason == Reason.NO_CONSENT.value:
        gained = request.service_type not in before.moving and case.may_move(request.service_type)
        return case.consent_for(request.service_type) or became_emergency or gained
    return True
