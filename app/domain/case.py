"""One referral with all that belongs to it, as a workflow finds it and leaves it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from app.domain.consent import Consent, Ground, GroundKind, ground_of, is_vital
from app.domain.events import EventType, NewEvent
from app.domain.facts import Facts
from app.domain.handoff import (
    LIVE,
    TAKEN,
    Actor,
    HandoffState,
    ReferralState,
    RequestState,
    referral_state,
)
from app.domain.referral import (
    Clock,
    ClockKind,
    Coordination,
    Handoff,
    RecordedDecision,
    Referral,
    ServiceRequest,
)
from app.domain.retention import kept_as
from app.domain.vocabulary import Reason


@dataclass(slots=True)
class Case:
    """One locked referral: what was read, and what has changed since and is to be kept."""

    referral: Referral
    facts: Facts
    consent: Consent
    requests: dict[UUID, ServiceRequest]
    handoffs: dict[UUID, Handoff]
    coordinations: dict[tuple[UUID, str], Coordination]
    public_url: str = ""

    changed: set[UUID] = field(default_factory=set)
    new: set[UUID] = field(default_factory=set)
    facts_changed: bool = False
    decisions: list[RecordedDecision] = field(default_factory=list)
    clocks_started: list[Clock] = field(default_factory=list)
    clocks_stopped: dict[UUID, frozenset[ClockKind]] = field(default_factory=dict)
    """Whose clocks were stopped, with the kinds that run on."""
    coordinations_changed: set[tuple[UUID, str]] = field(default_factory=set)
    coordinations_ended: set[tuple[UUID, str]] = field(default_factory=set)
    news: list[NewEvent] = field(default_factory=list)
    handoff_news: list[tuple[EventType, Handoff]] = field(default_factory=list)
    """What happened to which handoff, whoever is told."""

    # --- looking ---

    def consent_for(self, service_type: str) -> bool:
        """Say whether consent covers a service."""
        return self.facts.consent and self.consent.covers(service_type)

    def ground(self, service_type: str) -> Ground:
        """Say on what a service may move now: consent, in an emergency the vital interest, or nothing."""
        return ground_of(self.consent, self.facts, service_type)

    def may_move(self, service_type: str) -> bool:
        """Say whether a service may be offered to anybody: by consent, or in an emergency that nobody refused."""
        return self.ground(service_type).kind is not GroundKind.NONE

    def shows(self, handoff: Handoff) -> GroundKind:
        """Say on what ground the receiver of a handoff may see anything of the case.

        Who has taken an emergency goes on with what saves a life though nobody confirmed it: a person decides that.
        """
        service_type = self.requests[handoff.service_request_id].service_type
        taken = handoff.state in TAKEN or handoff.state is HandoffState.COMPLETED
        if taken and is_vital(self.consent, self.facts, service_type):
            return GroundKind.VITAL_INTEREST
        return self.ground(service_type).kind

    def unconfirmed_work(self, request_id: UUID) -> bool:
        """Say whether an agency has taken a request on a vital interest that nobody confirmed in time."""
        live = self.live_handoff(request_id)
        service_type = self.requests[request_id].service_type
        taken = live is not None and live.state in TAKEN
        return taken and self.consent.unconfirmed and is_vital(self.consent, self.facts, service_type)

    def on_vital_interest(self) -> list[Handoff]:
        """List the live handoffs that nothing but the vital interest carries."""
        return [
            handoff
            for handoff in self.handoffs.values()
            if handoff.state in LIVE
            and is_vital(self.consent, self.facts, self.requests[handoff.service_request_id].service_type)
        ]

    def look_at(self, now: datetime) -> "Case":
        """See the case as it is at a time: a consent that has come to its term counts no more, whatever has run."""
        consent = self.consent.at(now)
        if consent is not self.consent:
            self.say_consent(consent)
        return self

    def facts_for(self, service_type: str) -> Facts:
        """Give the facts as they hold for one service: consent may cover some services only."""
        return replace(self.facts, consent=self.consent_for(service_type))

    def live_handoff(self, request_id: UUID) -> Handoff | None:
        """Give the one handoff of a request that has not ended."""
        for handoff in self.handoffs.values():
            if handoff.service_request_id == request_id and handoff.state in LIVE:
                return handoff
        return None

    def coordinators(self, request_id: UUID) -> list[Coordination]:
        """List who coordinates a request, narrowest first."""
        found = (row for (of, _), row in self.coordinations.items() if of == request_id)
        return sorted(found, key=lambda row: row.position)

    def takes_late_acceptance(self, request_id: UUID) -> bool:
        """Say whether an offer of this request that has expired may still be accepted."""
        request = self.requests[request_id]
        waits = request.state is RequestState.NEEDS_COORDINATOR and request.reason != Reason.DENIED.value
        return waits and self.consent_for(request.service_type)

    def taken_by(self, agency_code: str) -> bool:
        """Say whether an agency has taken a handoff of this case and did not leave it again."""
        return any(
            handoff.agency_code == agency_code
            and not handoff.barred
            and (handoff.state in TAKEN or handoff.state is HandoffState.COMPLETED)
            for handoff in self.handoffs.values()
        )

    def shows_handoff(self, agency_code: str, handoff_id: UUID) -> bool:
        """Say whether an agency may see a handoff: who sent or holds the case, who coordinates it, who receives it."""
        handoff = self.handoffs[handoff_id]
        receives = handoff.agency_code == agency_code and not handoff.barred
        return receives or self.is_coordinated_by(agency_code) or agency_code in self.owners()

    def follows(self, agency_code: str, handoff: Handoff) -> bool:
        """Say whether an agency that may see a handoff learns what becomes of it all: not who received it and left."""
        if agency_code in self.owners() or self.is_coordinated_by(agency_code):
            return True
        return handoff.state in LIVE or handoff.state is HandoffState.COMPLETED or self.taken_by(agency_code)

    def is_coordinated_by(self, agency_code: str) -> bool:
        """Say whether an agency coordinates a request of this case."""
        return any(coordinator == agency_code for _, coordinator in self.coordinations)

    def actors(self, agency_code: str, roles: Iterable[str], handoff: Handoff) -> frozenset[Actor]:
        """Say as whom an agency with these roles may act on a handoff."""
        held = set(roles)
        acting = set()
        if agency_code == handoff.agency_code and "receiver" in held and not handoff.barred:
            acting.add(Actor.RECEIVER)
        if agency_code == self.referral.holder_code and "sender" in held:
            acting.add(Actor.SENDER)
        if (handoff.service_request_id, agency_code) in self.coordinations and "coordinator" in held:
            acting.add(Actor.COORDINATOR)
        return frozenset(acting)

    # --- changing ---

    def say_consent(self, consent: Consent, facts: Facts | None = None) -> None:
        """Take what is known of consent, and of the case, and see whether the one stands by the other."""
        facts = facts or self.facts
        facts = replace(facts, consent=consent.stands(facts.age, kept=facts.consent))
        self.facts_changed = self.facts_changed or (consent, facts) != (self.consent, self.facts)
        self.consent, self.facts = consent, facts

    def put_request(self, request: ServiceRequest) -> ServiceRequest:
        """Keep a request as it is now."""
        self.requests[request.id] = request
        self.changed.add(request.id)
        return request

    def put_handoff(self, handoff: Handoff) -> Handoff:
        """Keep a handoff as it is now."""
        self.handoffs[handoff.id] = handoff
        self.changed.add(handoff.id)
        return handoff

    def put_referral(self, **changes: Any) -> None:
        """Change the referral itself."""
        self.referral = replace(self.referral, **changes)

    def coordinate(self, request_id: UUID, agency_code: str, position: int, told_at: datetime | None) -> None:
        """Make an agency coordinate a request, or note that it was told."""
        key = (request_id, agency_code)
        self.coordinations[key] = Coordination(request_id, agency_code, position, told_at)
        self.coordinations_changed.add(key)
        self.coordinations_ended.discard(key)

    def stop_coordinating(self, request_id: UUID, agency_code: str) -> None:
        """Take an agency off a request."""
        key = (request_id, agency_code)
        if self.coordinations.pop(key, None):
            self.coordinations_changed.discard(key)
            self.coordinations_ended.add(key)

    def start_clock(
        self,
        kind: ClockKind,
        due_at: datetime,
        request_id: UUID | None = None,
        handoff_id: UUID | None = None,
        detail: str | None = None,
    ) -> None:
        """Start a clock on a request, on one of its handoffs, or on the referral itself."""
        self.clocks_started.append(Clock(uuid7(), self.referral.id, request_id, handoff_id, kind, due_at, detail))

    def stop_clocks(self, subject_id: UUID, *, but: frozenset[ClockKind] = frozenset()) -> None:
        """Stop the clocks of a handoff, of a request or of the referral, each its own alone, but for some kinds."""
        self.clocks_stopped[subject_id] = but & self.clocks_stopped.get(subject_id, but)
        self.clocks_started = [
            clock
            for clock in self.clocks_started
            if (clock.handoff_id or clock.service_request_id or clock.referral_id) != subject_id or clock.kind in but
        ]

    def settle_holder(self) -> None:
        """In a transfer, pass the case on from a holder that left it: to another who took it, else to the sender."""
        holder = self.referral.holder_code
        if holder == self.referral.sender_code or self.taken_by(holder):
            return
        taking = (handoff.agency_code for handoff in self.handoffs.values() if self.taken_by(handoff.agency_code))
        self.put_referral(holder_code=next(taking, self.referral.sender_code))

    def settle(self) -> None:
        """Derive where the referral stands, and say so once it has closed."""
        if self.referral.state is ReferralState.ENTERED_IN_ERROR:
            return
        state = referral_state(request.state for request in self.requests.values())
        if state is self.referral.state:
            return
        self.put_referral(state=state)
        if state is ReferralState.CLOSED:
            self.tell_of_referral(EventType.REFERRAL_CLOSED, self.owners())

    def note_end(self, now: datetime) -> None:
        """Keep since when the case has ended and how it is kept from then on; nothing of one that runs."""
        if self.referral.erased_at is not None and self.referral.kept_as is not None:
            return
        if self.referral.state is ReferralState.OPEN:
            self.put_referral(ended_at=None, kept_as=None)
            return
        named = kept_as(
            age=self.facts.age,
            case_types=self.facts.case_types,
            state=self.referral.state,
            requests=[request.state for request in self.requests.values()],
        )
        self.put_referral(ended_at=self.referral.ended_at or now, kept_as=named)

    # --- telling ---

    def owners(self) -> set[str]:
        """List who is told of every change: the sender, and who holds the case now; where the sender is barred and
        nobody else holds it, who coordinates it.
        """
        owning = {self.referral.sender_code, self.referral.holder_code}
        if self.referral.sender_barred:
            owning.discard(self.referral.sender_code)
        return owning or {coordinator for _, coordinator in self.coordinations}

    def know_of_it(self) -> set[str]:
        """List who has something of this case: its owners, who was told to coordinate it, who has or gave a service."""
        told = {line.agency_code for line in self.coordinations.values() if line.told_at is not None}
        serving = {
            handoff.agency_code
            for handoff in self.handoffs.values()
            if not handoff.barred and (handoff.state in LIVE or handoff.state is HandoffState.COMPLETED)
        }
        return self.owners() | told | serving

    def tell_of_rights(self, type_: EventType, agency_codes: Iterable[str]) -> None:
        """Tell agencies that the case is restricted, free again, or erased."""
        data = {
            "referral_id": str(self.referral.id),
            "state": self.referral.state.value,
            "url": self._url("referrals"),
        }
        self.tell(agency_codes, type_, data)

    def tell(
        self, agency_codes: Iterable[str], type_: EventType, data: dict[str, Any], handoff_id: UUID | None = None
    ) -> None:
        """Tell agencies, each once, in the order of their codes."""
        self.news.extend(
            NewEvent(agency_code, type_, data, self.referral.id, handoff_id)
            for agency_code in sorted(set(agency_codes))
        )

    def tell_of_handoff(self, handoff: Handoff, type_: EventType, agency_codes: Iterable[str], **more: Any) -> Handoff:
        """Tell agencies of a handoff, counting its sequence on by one; a barred receiver hears only that it is over."""
        if handoff.barred and type_ not in (EventType.HANDOFF_WITHDRAWN, EventType.HANDOFF_CANCELLED):
            agency_codes = set(agency_codes) - {handoff.agency_code}
        handoff = self.put_handoff(replace(handoff, sequence=handoff.sequence + 1))
        self.handoff_news.append((type_, handoff))
        data = {
            "handoff_id": str(handoff.id),
            "referral_id": str(self.referral.id),
            "service_type": self.requests[handoff.service_request_id].service_type,
            "urgency": handoff.urgency.value,
            "respond_by": handoff.respond_by.isoformat(),
            "state": handoff.state.value,
            "sequence": handoff.sequence,
            "url": self._url("handoffs", handoff.id),
            **self._basis_of(handoff),
            **more,
        }
        self.tell(agency_codes, type_, data, handoff.id)
        return handoff

    def tell_of_referral(self, type_: EventType, agency_codes: Iterable[str], **more: Any) -> None:
        """Tell agencies of the referral itself."""
        data = {"referral_id": str(self.referral.id), "state": self.referral.state.value, "url": self._url("referrals")}
        self.tell(agency_codes, type_, {**data, **more})

    def _basis_of(self, handoff: Handoff) -> dict[str, str]:
        vital = self.shows(handoff) is GroundKind.VITAL_INTEREST
        return {"basis": GroundKind.VITAL_INTEREST.value} if vital else {}

    def tell_of_request(
        self, request: ServiceRequest, type_: EventType, agency_codes: Iterable[str], **more: Any
    ) -> None:
        """Tell agencies of a service request."""
        data = {
            "service_request_id": str(request.id),
            "referral_id": str(self.referral.id),
            "service_type": request.service_type,
            "urgency": self.referral.urgency.value,
            "state": request.state.value,
            "reason": request.reason,
            "url": self._url("service-requests", request.id),
            **more,
        }
        self.tell(agency_codes, type_, data)

    def _url(self, kind: str, subject_id: UUID | None = None) -> str:
        return f"{self.public_url}/v1/{kind}/{subject_id or self.referral.id}"
