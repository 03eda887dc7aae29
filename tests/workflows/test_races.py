"""Many hands at once: one outcome each, nothing lost, nobody waiting for another for ever."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.domain.caller import Caller, Role
from app.domain.errors import DomainError
from app.domain.handoff import HandoffEvent, IllegalTransition
from app.storage.tables import api_keys, handoffs, referrals, service_requests
from app.workflows.answer_handoff import answer_handoff
from app.workflows.desk import Desk
from app.workflows.end_referral import cancel_referral
from app.workflows.run_clocks import run_due_clocks
from tests.workflows.conftest import Service, a_referral

ROUNDS = 1000
AT_ONCE = 20


async def _desk_story(service: Service, story: object) -> str:
    """Run one story in a transaction of its own, and say how it came out."""
    try:
        async with service.sessions.begin() as tx:
            reference = await service.keeper.current(tx)
            desk = Desk(tx, service.clock(), reference, service.keeper, service.terms, service.key_ring)
            await story(desk)  # type: ignore[operator]
    except IllegalTransition:
        return "conflict"
    except DomainError as refused:
        return refused.code
    return "done"


async def _caller(service: Service, agency: str) -> Caller:
    await service.as_agency(agency)
    async with service.sessions.begin() as tx:
        key_id: UUID = (await tx.execute(select(api_keys.c.id).where(api_keys.c.agency_code == agency))).scalar_one()
    return Caller(agency, frozenset(Role), key_id)


async def test_accept_cancel_and_expire_at_the_same_instant_have_one_outcome_a_thousand_times(
    service: Service,
) -> None:
    receiver, sender = await _caller(service, "uptd-ppa-ppu"), await _caller(service, "dp3ap2kb-ppu")
    made = []
    for start in range(0, ROUNDS, AT_ONCE):
        made += await asyncio.gather(
            *(service.submit(a_referral(urgency="urgent")) for _ in range(start, start + AT_ONCE))
        )
    service.clock.advance(timedelta(hours=24))

    async def one_round(referral: dict[str, object]) -> tuple[str, str]:
        referral_id = UUID(str(referral["id"]))
        handoff_id = UUID(referral["service_requests"][0]["handoff"]["id"])  # type: ignore[index]
        accepted, cancelled = await asyncio.gather(
            _desk_story(service, lambda desk: answer_handoff(desk, receiver, handoff_id, HandoffEvent.ACCEPT)),
            _desk_story(service, lambda desk: cancel_referral(desk, sender, referral_id)),
        )
        return accepted, cancelled

    async def expiring() -> int:
        ran = 1
        total = 0
        while ran:
            ran = await run_due_clocks(service.sessions, service.keeper, service.key_ring, service.terms, service.clock)
            total += ran
        return total

    limit = asyncio.Semaphore(8)

    async def limited(referral: dict[str, object]) -> tuple[str, str]:
        async with limit:
            return await one_round(referral)

    outcomes, *_ = await asyncio.gather(
        asyncio.gather(*(limited(referral) for referral in made)), expiring(), expiring()
    )
    await service.after(timedelta(0))

    assert len(outcomes) == ROUNDS
    assert {accepted for accepted, _ in outcomes} <= {"done", "conflict"}
    assert {cancelled for _, cancelled in outcomes} == {"done"}
    async with service.sessions.begin() as tx:
        live = await tx.execute(
            select(handoffs.c.service_request_id, func.count())
            .where(handoffs.c.state.in_(["offered", "accepted", "in_progress", "on_hold", "cancel_requested"]))
            .group_by(handoffs.c.service_request_id)
        )
        found = await tx.execute(select(referrals.c.state, service_requests.c.state).join(service_requests))
        states = Counter((referral, request) for referral, request in found)
    assert all(count == 1 for _, count in live)
    # Cancelled before it was taken; or taken first, and asked to be cancelled.
    assert set(states) <= {("cancelled", "cancelled"), ("open", "accepted")}
    assert sum(states.values()) == ROUNDS


async def test_two_answers_at_once_are_one_win_and_one_conflict_with_the_state_it_met(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    answers = await asyncio.gather(
        service.act("uptd-ppa-ppu", handoff_id, "accept"),
        service.act("uptd-ppa-ppu", handoff_id, "decline", reason="no_capacity"),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [conflict] = [answer.json() for answer in answers if answer.status_code == 409]
    assert conflict["code"] == "illegal_transition"
    assert conflict["current_state"] in {"accepted", "declined"}


async def test_twenty_identical_requests_at_once_make_one_referral(service: Service) -> None:
    body = a_referral()
    headers = {"Idempotency-Key": "the-same-key"}

    answers = await asyncio.gather(
        *(service.call("dp3ap2kb-ppu", "POST", "/referrals", json=body, headers=headers) for _ in range(20))
    )
    again = await service.call("dp3ap2kb-ppu", "POST", "/referrals", json=body, headers=headers)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {again.json()["id"]}
    assert again.headers["Idempotency-Replayed"] == "true"
    async with service.sessions.begin() as tx:
        assert await tx.scalar(select(func.count()).select_from(referrals)) == 1


async def test_the_same_sender_reference_twice_names_the_first_referral(service: Service) -> None:
    first = await service.submit(a_referral(sender_reference="REG-7"))

    second = await service.call("dp3ap2kb-ppu", "POST", "/referrals", json=a_referral(sender_reference="REG-7"))

    assert second.status_code == 409
    assert second.json()["code"] == "duplicate_reference"
    assert second.json()["referral_id"] == first["id"]
