"""The life of a handoff, as routing.md has it: every state, every event, every actor."""

import itertools

import pytest

from app.domain.handoff import (
    LIVE,
    Actor,
    HandoffEvent,
    HandoffState,
    IllegalTransition,
    ReferralState,
    RequestState,
    available_actions,
    fire,
    referral_state,
)

# Written out from the table of routing.md, on purpose in another form than the code's.
RULES = """
offered          accept          receiver                     accepted
offered          decline         receiver                     declined
offered          expire          clock                        expired
offered          withdraw        sender,coordinator,consent   withdrawn
offered          void            sender,coordinator           entered_in_error
accepted         start           receiver                     in_progress
accepted         hand_back       receiver                     handed_back
accepted         request_cancel  sender,coordinator,consent   cancel_requested
accepted         complete        receiver                     completed
accepted         void            coordinator                  entered_in_error
in_progress      hold            receiver                     on_hold
in_progress      hand_back       receiver                     handed_back
in_progress      request_cancel  sender,coordinator,consent   cancel_requested
in_progress      complete        receiver                     completed
in_progress      fail            receiver                     failed
in_progress      void            coordinator                  entered_in_error
on_hold          resume          receiver                     in_progress
on_hold          hand_back       receiver                     handed_back
on_hold          request_cancel  sender,coordinator,consent   cancel_requested
on_hold          fail            receiver                     failed
on_hold          void            coordinator                  entered_in_error
cancel_requested confirm_cancel  receiver,clock               cancelled
cancel_requested complete        receiver                     completed
cancel_requested void            coordinator                  entered_in_error
"""
LEGAL = {
    (state, event, actor): to
    for state, event, actors, to in (line.split() for line in RULES.strip().splitlines())
    for actor in actors.split(",")
}
EVERYTHING = list(itertools.product(HandoffState, HandoffEvent, Actor))


@pytest.mark.parametrize(("state", "event", "actor"), EVERYTHING)
def test_a_handoff_moves_as_the_table_says_and_no_other_way(
    state: HandoffState, event: HandoffEvent, actor: Actor
) -> None:
    allowed = LEGAL.get((state.value, event.value, actor.value))

    if allowed is None:
        with pytest.raises(IllegalTransition):
            fire(state, event, frozenset({actor}))
    else:
        assert fire(state, event, frozenset({actor})).value == allowed


@pytest.mark.parametrize(("state", "actor"), list(itertools.product(HandoffState, Actor)))
def test_available_actions_are_those_that_would_succeed(state: HandoffState, actor: Actor) -> None:
    would = sorted(event for (before, event, who) in LEGAL if before == state.value and who == actor.value)

    assert list(available_actions(state, frozenset({actor}))) == would


def test_an_expired_offer_is_accepted_only_while_its_request_waits_for_a_person() -> None:
    receiver = frozenset({Actor.RECEIVER})

    assert fire(HandoffState.EXPIRED, HandoffEvent.ACCEPT, receiver, waiting=True) is HandoffState.ACCEPTED
    with pytest.raises(IllegalTransition):
        fire(HandoffState.EXPIRED, HandoffEvent.ACCEPT, receiver, waiting=False)


def test_a_refused_move_says_where_the_handoff_stands_and_what_could_be_done() -> None:
    with pytest.raises(IllegalTransition) as refused:
        fire(HandoffState.ACCEPTED, HandoffEvent.ACCEPT, frozenset({Actor.RECEIVER}))

    assert refused.value.current_state == "accepted"
    assert refused.value.available_actions == ("complete", "hand_back", "start")


def test_nothing_leads_out_of_a_final_state_but_a_late_acceptance() -> None:
    out = {state for state, _, _ in LEGAL} - {state.value for state in LIVE}

    assert out == set()


@pytest.mark.parametrize(
    ("requests", "referral"),
    [
        (["offered", "fulfilled"], ReferralState.OPEN),
        (["needs_coordinator"], ReferralState.OPEN),
        (["fulfilled", "cancelled"], ReferralState.CLOSED),
        (["unmet"], ReferralState.CLOSED),
        (["cancelled", "cancelled"], ReferralState.CANCELLED),
    ],
)
def test_a_referral_stands_where_its_requests_stand(requests: list[str], referral: ReferralState) -> None:
    assert referral_state(RequestState(state) for state in requests) is referral
