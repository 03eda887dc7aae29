"""The life of a handoff, a service request and a referral: one table of moves, and what follows from them.

Source: routing.md, "The handoff".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import DomainError


class HandoffState(StrEnum):
    """Where a handoff stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    CANCEL_REQUESTED = "cancel_requested"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    HANDED_BACK = "handed_back"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    ENTERED_IN_ERROR = "entered_in_error"


class HandoffEvent(StrEnum):
    """What can happen to a handoff."""

    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    HAND_BACK = "hand_back"
    REQUEST_CANCEL = "request_cancel"
    CONFIRM_CANCEL = "confirm_cancel"
    COMPLETE = "complete"
    FAIL = "fail"
    VOID = "void"


class Actor(StrEnum):
    """As whom somebody acts on a handoff."""

    RECEIVER = "receiver"
    SENDER = "sender"
    COORDINATOR = "coordinator"
    CLOCK = "clock"
    CONSENT = "consent"


class RequestState(StrEnum):
    """Where a service request stands."""

    ROUTING = "routing"
    OFFERED = "offered"
    NEEDS_COORDINATOR = "needs_coordinator"
    ACCEPTED = "accepted"
    FULFILLED = "fulfilled"
    UNMET = "unmet"
    CANCELLED = "cancelled"


class ReferralState(StrEnum):
    """Where a referral stands, derived from its requests."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


@dataclass(frozen=True, slots=True)
class Move:
    """One legal move: where it leads and who may make it."""

    to: HandoffState
    who: frozenset[Actor]
    while_waiting: bool = False
    """Only while the request waits for its coordinator and consent stands."""


class IllegalTransition(DomainError):
    """The handoff is in a state where this event cannot happen, or not by this caller."""

    code = "illegal_transition"

    def __init__(self, state: HandoffState, event: HandoffEvent, available: tuple[str, ...]) -> None:
        super().__init__(f"a handoff that is {state} cannot be moved by {event}")
        self.current_state = state.value
        self.event = event.value
        self.available_actions = available


S, E, A = HandoffState, HandoffEvent, Actor
_RECEIVER = frozenset({A.RECEIVER})
_TAKEN_BACK = frozenset({A.SENDER, A.COORDINATOR, A.CONSENT})
_COORDINATOR = frozenset({A.COORDINATOR})

TRANSITIONS: Mapping[tuple[HandoffState, HandoffEvent], Move] = {
    (S.OFFERED, E.ACCEPT): Move(S.ACCEPTED, _RECEIVER),
    (S.OFFERED, E.DECLINE): Move(S.DECLINED, _RECEIVER),
    (S.OFFERED, E.EXPIRE): Move(S.EXPIRED, frozenset({A.CLOCK})),
    (S.OFFERED, E.WITHDRAW): Move(S.WITHDRAWN, _TAKEN_BACK),
    (S.OFFERED, E.VOID): Move(S.ENTERED_IN_ERROR, frozenset({A.SENDER, A.COORDINATOR})),
    # Late is better than never: as long as nobody else was found, she may still be taken.
    (S.EXPIRED, E.ACCEPT): Move(S.ACCEPTED, _RECEIVER, while_waiting=True),
    (S.ACCEPTED, E.START): Move(S.IN_PROGRESS, _RECEIVER),
    (S.ACCEPTED, E.HAND_BACK): Move(S.HANDED_BACK, _RECEIVER),
    (S.ACCEPTED, E.REQUEST_CANCEL): Move(S.CANCEL_REQUESTED, _TAKEN_BACK),
    (S.ACCEPTED, E.COMPLETE): Move(S.COMPLETED, _RECEIVER),
    (S.ACCEPTED, E.VOID): Move(S.ENTERED_IN_ERROR, _COORDINATOR),
    (S.IN_PROGRESS, E.HOLD): Move(S.ON_HOLD, _RECEIVER),
    (S.IN_PROGRESS, E.HAND_BACK): Move(S.HANDED_BACK, _RECEIVER),
    (S.IN_PROGRESS, E.REQUEST_CANCEL): Move(S.CANCEL_REQUESTED, _TAKEN_BACK),
    (S.IN_PROGRESS, E.COMPLETE): Move(S.COMPLETED, _RECEIVER),
    (S.IN_PROGRESS, E.FAIL): Move(S.FAILED, _RECEIVER),
    (S.IN_PROGRESS, E.VOID): Move(S.ENTERED_IN_ERROR, _COORDINATOR),
    (S.ON_HOLD, E.RESUME): Move(S.IN_PROGRESS, _RECEIVER),
    (S.ON_HOLD, E.HAND_BACK): Move(S.HANDED_BACK, _RECEIVER),
    (S.ON_HOLD, E.REQUEST_CANCEL): Move(S.CANCEL_REQUESTED, _TAKEN_BACK),
    (S.ON_HOLD, E.FAIL): Move(S.FAILED, _RECEIVER),
    (S.ON_HOLD, E.VOID): Move(S.ENTERED_IN_ERROR, _COORDINATOR),
    (S.CANCEL_REQUESTED, E.CONFIRM_CANCEL): Move(S.CANCELLED, frozenset({A.RECEIVER, A.CLOCK})),
    # The receiver may finish what the sender has just asked to cancel: the work was done.
    (S.CANCEL_REQUESTED, E.COMPLETE): Move(S.COMPLETED, _RECEIVER),
    (S.CANCEL_REQUESTED, E.VOID): Move(S.ENTERED_IN_ERROR, _COORDINATOR),
}

LIVE = frozenset({S.OFFERED, S.ACCEPTED, S.IN_PROGRESS, S.ON_HOLD, S.CANCEL_REQUESTED})
TAKEN = LIVE - {S.OFFERED}
DECIDED_ANEW = frozenset({S.DECLINED, S.EXPIRED, S.HANDED_BACK})
"""After these the request is decided again, and the agency counts as tried."""
ENDED_REQUESTS = frozenset({RequestState.FULFILLED, RequestState.UNMET, RequestState.CANCELLED})


def fire(state: HandoffState, event: HandoffEvent, actors: frozenset[Actor], *, waiting: bool = False) -> HandoffState:
    """Give the state that an event leads to, else IllegalTransition with what the caller could do instead.

    `waiting`: the request waits for its coordinator and consent stands.
    """
    move = TRANSITIONS.get((state, event))
    if move is None or not move.who & actors or (move.while_waiting and not waiting):
        raise IllegalTransition(state, event, available_actions(state, actors, waiting=waiting))
    return move.to


def available_actions(state: HandoffState, actors: frozenset[Actor], *, waiting: bool = False) -> tuple[str, ...]:
    """List the events that somebody acting as any of `actors` may fire now, in alphabetical order."""
    return tuple(
        sorted(
            event.value
            for (before, event), move in TRANSITIONS.items()
            if before is state and move.who & actors and (waiting or not move.while_waiting)
        )
    )


def referral_state(requests: Iterable[RequestState]) -> ReferralState:
    """Derive where a referral stands: open until every request has ended, cancelled if none came to anything."""
    states = set(requests)
    if states - ENDED_REQUESTS:
        return ReferralState.OPEN
    return ReferralState.CANCELLED if states == {RequestState.CANCELLED} else ReferralState.CLOSED


class DeclineReason(StrEnum):
    """Why an agency declines an offer or hands it back."""

    NO_CAPACITY = "no_capacity"
    OUTSIDE_MANDATE = "outside_mandate"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    UNSAFE_FOR_VICTIM = "unsafe_for_victim"
    VICTIM_UNREACHABLE = "victim_unreachable"
    OTHER = "other"


class WithdrawReason(StrEnum):
    """Why an offer is withdrawn or a cancellation asked for."""

    NO_LONGER_NEEDED = "no_longer_needed"
    WRONG_AGENCY = "wrong_agency"
    VICTIM_REQUEST = "victim_request"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    NO_GROUND = "no_ground"
    FACTS_AMENDED = "facts_amended"
    OTHER = "other"


WITHOUT_GROUND = frozenset({WithdrawReason.CONSENT_WITHDRAWN, WithdrawReason.CONSENT_EXPIRED, WithdrawReason.NO_GROUND})
"""What is taken back because nothing allows to disclose it any more: a person is asked, also in an emergency."""


class FailReason(StrEnum):
    """Why a service that was begun could not be given."""

    VICTIM_UNREACHABLE = "victim_unreachable"
    VICTIM_WITHDREW = "victim_withdrew"
    MEANS_LACKING = "means_lacking"
    UNSAFE = "unsafe"
    OTHER = "other"


class CompletionOutcome(StrEnum):
    """How a handoff ended that was completed."""

    SERVICE_GIVEN = "service_given"
    SERVICE_PARTLY_GIVEN = "service_partly_given"
    NO_NEED_FOUND = "no_need_found"
    VICTIM_DECLINED = "victim_declined"
    VICTIM_UNREACHABLE = "victim_unreachable"


FULFILLING = frozenset({CompletionOutcome.SERVICE_GIVEN.value, CompletionOutcome.SERVICE_PARTLY_GIVEN.value})
