"""An endpoint that fails is left alone, by a breaker that all workers share and that costs no attempt."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.domain.breaker import Breaker, BreakerRule, BreakerState, after_success
from app.domain.events import EventType
from app.storage import breakers, endpoints, ways
from app.storage.breakers import Taken
from app.storage.claims import Claimed, claim_due
from app.storage.tables import clocks, every_delivery
from app.storage.tables import endpoints as endpoint_rows
from app.workflows import manage_endpoint
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import AGENCY, OTHER, QUICK, World, all_are, until

RULE = BreakerRule(at_least=5, first_wait=timedelta(minutes=1), longest_wait=timedelta(minutes=4))
PACE = replace(QUICK, breaker=RULE)
NOWHERE = "http://127.0.0.1:9009/hook"


async def breaker_of(world: World, endpoint_id: UUID) -> endpoints.Endpoint:
    async with world.sessions.begin() as tx:
        found = await endpoints.get(tx, endpoint_id)
    assert found is not None
    return found


async def set_breaker(world: World, endpoint_id: UUID, breaker: Breaker) -> None:
    async with world.sessions.begin() as tx:
        chosen = update(endpoint_rows).where(endpoint_rows.c.id == endpoint_id)
        await tx.execute(chosen.values(endpoints.columns_of(breaker)))


async def open_breaker(world: World, endpoint_id: UUID, *, probe_in: timedelta) -> None:
    now = world.clock()
    await set_breaker(world, endpoint_id, Breaker(opened_at=now, next_probe_at=now + probe_in, window_since=now))


async def claim(world: World, *, limit: int = 100, ahead: timedelta = timedelta(0)) -> list[Claimed]:
    async with world.sessions.begin() as tx:
        return await claim_due(tx, now=world.clock() + ahead, lease=timedelta(seconds=40), limit=limit)


async def is_open(world: World, endpoint_id: UUID) -> bool:
    return (await breaker_of(world, endpoint_id)).breaker.opened_at is not None


async def test_a_dead_endpoint_with_a_backlog_uses_up_few_attempts_and_all_of_it_arrives_once_it_is_well(
    world: World,
) -> None:
    dead = True

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500 if dead else 204)

    async with a_receiver(answer) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=200)
        with structlog.testing.capture_logs() as lines:
            async with world.delivering(pace=PACE), world.delivering(pace=PACE):
                await until(lambda: is_open(world, endpoint_id))
                await until(lambda: nothing_is_under_way(world))
                tried = len(receiver.received)
                dead = False
                world.clock.ahead += timedelta(minutes=6)
                await until(lambda: all_are(world, "delivered"), within=20)

    assert tried <= 12, f"{tried} attempts of 200 were used up"
    assert sum(row.attempts for row in await world.rows(every_delivery)) == 200 + tried
    assert (await breaker_of(world, endpoint_id)).breaker == Breaker()
    assert [line["event"] for line in lines if line["event"].startswith("breaker")] == [
        "breaker_open",
        "breaker_closed",
    ]


async def nothing_is_under_way(world: World) -> bool:
    return all(row.claim is None for row in await world.rows(every_delivery))


async def test_while_it_is_open_nothing_is_claimed_and_no_attempt_is_counted(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)
    await world.tell(times=20)
    before = [(row.attempts, row.due_at, row.claim) for row in await world.rows(every_delivery)]
    await open_breaker(world, endpoint_id, probe_in=timedelta(minutes=1))

    assert await claim(world) == []
    assert [(row.attempts, row.due_at, row.claim) for row in await world.rows(every_delivery)] == before
    assert (await breaker_of(world, endpoint_id)).breaker_state is BreakerState.OPEN


async def test_half_open_it_gets_one_probe_from_all_workers_together(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE, max_in_flight=16)
    await world.tell(times=20)
    await open_breaker(world, endpoint_id, probe_in=timedelta(seconds=-1))

    claimed = await asyncio.gather(*(claim(world) for _ in range(8)))
    later = await claim(world)

    assert [one.probe for some in claimed for one in some] == [True]
    assert later == [], "it is under way"
    assert (await breaker_of(world, endpoint_id)).breaker_state is BreakerState.HALF_OPEN


async def test_a_probe_whose_worker_died_is_made_again_when_its_lease_has_ended(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)
    await world.tell(times=2)
    await open_breaker(world, endpoint_id, probe_in=timedelta(seconds=-1))

    [first] = await claim(world)
    await world.execute("UPDATE deliveries SET due_at = now() - interval '1 second' WHERE claim IS NOT NULL")
    [second] = await claim(world)

    assert first.probe
    assert second.probe


async def test_a_probe_that_fails_puts_the_next_one_off_for_twice_as_long(world: World) -> None:
    async with a_receiver(answering(503)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=10)
        await open_breaker(world, endpoint_id, probe_in=timedelta(seconds=-1))
        async with world.delivering(pace=PACE):
            await until(lambda: _has_failed_probes(world, endpoint_id, 1))
            await asyncio.sleep(0.2)
            found = await breaker_of(world, endpoint_id)

    assert len(receiver.received) == 1
    assert found.breaker.next_probe_at is not None
    wait = found.breaker.next_probe_at - world.clock()
    assert timedelta(minutes=1, seconds=50) < wait <= timedelta(minutes=2)
    assert found.breaker_state is BreakerState.OPEN


async def _has_failed_probes(world: World, endpoint_id: UUID, count: int) -> bool:
    return (await breaker_of(world, endpoint_id)).breaker.failed_probes == count


async def test_an_endpoint_that_takes_less_than_half_opens_its_breaker_though_it_never_only_fails(world: World) -> None:
    async def two_of_three_fail(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=204 if len(receiver.received) % 3 == 0 else 500)

    async with a_receiver(two_of_three_fail) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=60)
        async with world.delivering(pace=PACE):
            await until(lambda: is_open(world, endpoint_id))

    assert 1 <= [row.state for row in await world.rows(every_delivery)].count("delivered") < 20


async def test_what_waits_dilutes_nothing_and_one_failure_among_many_successes_opens_nothing(world: World) -> None:
    async def one_of_ten_fails(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500 if len(receiver.received) % 10 == 5 else 204)

    async with a_receiver(one_of_ten_fails) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=100)
        async with world.delivering(pace=PACE):
            await until(lambda: len(set(receiver.ids)) == 100)
            found = await breaker_of(world, endpoint_id)

    assert found.breaker.opened_at is None
    assert found.breaker.window_failed >= 5


async def test_a_new_emergency_goes_out_at_once_though_the_breaker_is_open_and_its_success_closes_it(
    world: World,
) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=10)
        await open_breaker(world, endpoint_id, probe_in=timedelta(hours=1))
        async with world.delivering(pace=PACE):
            handoff_id = await world.offer(urgency="emergency")
            (told,) = await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
            await until(lambda: all_are(world, "delivered"))

    assert receiver.ids[0] == str(told)
    assert len(receiver.received) == 11
    assert not await is_open(world, endpoint_id)


async def test_an_emergency_that_was_tried_waits_for_the_probe_and_is_the_probe(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)
    await world.tell(times=10)
    handoff_id = await world.offer(urgency="emergency")
    (told,) = await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
    await world.execute("UPDATE deliveries SET attempts = 3")
    await open_breaker(world, endpoint_id, probe_in=timedelta(minutes=1))

    before = await claim(world)
    [probe] = await claim(world, ahead=timedelta(minutes=2))

    assert before == []
    assert probe.event_id == told


async def test_an_emergency_that_can_never_be_taken_does_not_keep_the_breaker_open(world: World) -> None:
    async def poisoned(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500 if receiver.ids[-1] in poison else 204)

    async with a_receiver(poisoned) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        poison: list[str] = []
        for _ in range(3):
            handoff_id = await world.offer(urgency="emergency")
            poison += map(str, await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id))
        await world.execute("UPDATE deliveries SET attempts = 9")
        others = await world.tell(times=5)
        await open_breaker(world, endpoint_id, probe_in=timedelta(seconds=-1))
        async with world.delivering(pace=PACE):
            await until(lambda: _has_failed_probes(world, endpoint_id, 1))
            world.clock.ahead += timedelta(minutes=2, seconds=1)
            await until(lambda: {str(one) for one in others} <= set(receiver.ids))

    assert not await is_open(world, endpoint_id)


async def test_an_emergency_goes_before_a_backlog_also_where_nothing_fails(world: World) -> None:
    await world.endpoint(NOWHERE, max_in_flight=1)
    await world.tell(times=50)
    handoff_id = await world.offer(urgency="emergency")
    (told,) = await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)

    [claimed] = await claim(world)

    assert claimed.event_id == told


async def test_after_a_repair_a_ping_closes_the_breaker_at_once(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=3)
        await open_breaker(world, endpoint_id, probe_in=timedelta(hours=1))
        async with world.delivering(pace=PACE):
            async with world.sessions.begin() as tx:
                await manage_endpoint.ping_endpoint(tx, world.caller(), endpoint_id, now=world.clock())
            await until(lambda: all_are(world, "delivered"))

    assert len(receiver.received) == 4


async def test_an_agency_whose_breaker_is_open_has_no_working_way_to_be_told_of_an_offer(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)

    async def reachable() -> bool:
        async with world.sessions.begin() as tx:
            return AGENCY in await ways.reachable(tx, [AGENCY])

    assert await reachable()
    await open_breaker(world, endpoint_id, probe_in=timedelta(minutes=1))
    assert not await reachable()
    await set_breaker(world, endpoint_id, Breaker())
    assert await reachable()


@pytest.mark.parametrize(("urgency", "told"), [("emergency", True), ("standard", False)])
async def test_when_the_breaker_opens_coordinators_hear_of_undelivered_emergencies_at_once(
    world: World, urgency: str, *, told: bool
) -> None:
    async with a_receiver(answering(500)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        handoff_id = await world.offer(urgency=urgency)
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        await world.tell(times=10)
        async with world.delivering(pace=PACE):
            await until(lambda: is_open(world, endpoint_id))

    watched = [(row.handoff_id, row.kind) for row in await world.rows(clocks) if row.due_at <= world.clock()]
    assert watched == ([(handoff_id, "undelivered_offer")] if told else [])


async def test_enabling_an_endpoint_or_giving_it_another_address_closes_its_breaker(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)
    await open_breaker(world, endpoint_id, probe_in=timedelta(hours=1))

    async with world.sessions.begin() as tx:
        await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)
        enabled = await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())

    assert enabled.breaker == Breaker()


# --- the SQL says what the rule says ---

OFFSETS = st.none() | st.integers(-400, 400)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opened=st.booleans(),
    window=OFFSETS,
    taken=st.integers(0, 50),
    failed=st.integers(0, 50),
    count=st.integers(1, 9),
    probe=st.booleans(),
)
async def test_the_database_counts_a_success_as_the_rule_does(
    world: World, *, opened: bool, window: int | None, taken: int, failed: int, count: int, probe: bool
) -> None:
    now = world.clock()
    if not await world.rows(endpoint_rows):
        await world.endpoint(NOWHERE, agency=OTHER)
    endpoint_id = (await world.the_endpoint()).id
    before = Breaker(
        opened_at=now if opened else None,
        next_probe_at=now if opened else None,
        window_since=None if window is None else now - timedelta(seconds=window),
        window_taken=taken,
        window_failed=failed,
        quiet_until=now,
    )
    await set_breaker(world, endpoint_id, before)

    async with world.sessions.begin() as tx:
        noted = await breakers.note_success(tx, [Taken(endpoint_id, count, probe)], rule=RULE, now=now)

    after = (await breaker_of(world, endpoint_id)).breaker
    assert after == after_success(before, RULE, now=now, probe=probe, taken=count)
    assert noted.left == ()
    assert noted.closed == ((endpoint_id,) if opened and probe else ())
