"""An endpoint gets no more posts a minute than it wants, from all workers together."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.domain.errors import InvalidInput
from app.domain.rate import Rate
from app.domain.versions import Expected
from app.storage.claims import Claimed, claim_due
from app.storage.tables import endpoint_rates, endpoints
from app.workflows.manage_endpoint import Wanted
from tests.delivery.receivers import a_receiver
from tests.delivery.world import OTHER, QUICK, World, until

NOWHERE = "http://127.0.0.1:9009/hook"


async def limit(world: World, endpoint_id: UUID, per_minute: int) -> None:
    async with world.sessions.begin() as tx:
        await tx.execute(endpoints.update().where(endpoints.c.id == endpoint_id).values(max_per_minute=per_minute))


async def claim(world: World) -> list[Claimed]:
    async with world.sessions.begin() as tx:
        return await claim_due(tx, now=world.clock(), lease=timedelta(seconds=40), limit=1000)


async def test_three_workers_together_keep_the_number_of_a_minute_and_others_go_at_full_speed(world: World) -> None:
    rate = Rate(1200)
    async with a_receiver() as slow, a_receiver() as free:
        limited, _ = await world.endpoint(slow.url, agency=OTHER, max_in_flight=64)
        await limit(world, limited, rate.per_minute)
        await world.endpoint(free.url, max_in_flight=16)
        await world.tell(agency=OTHER, times=500)
        pace = replace(QUICK, poll=timedelta(seconds=1))
        async with world.delivering(pace=pace), world.delivering(pace=pace), world.delivering(pace=pace):
            await until(lambda: len(slow.received) >= 5)
            await world.tell(times=400)
            await until(lambda: len(free.received) == 400)
            meanwhile = len(slow.received)
            await until(lambda: len(slow.received) >= 60)

    moments = [webhook.at for webhook in slow.received]
    assert meanwhile < 500
    # No stretch of them came faster than the rate lets them, but for what a busy machine adds to the first of it.
    for first in range(len(moments)):
        for last in range(first + rate.burst, len(moments)):
            least = (last - first - rate.burst) * rate.interval.total_seconds()
            assert moments[last] - moments[first] >= least - 0.5


async def test_sixty_a_minute_is_one_and_then_one_a_second_and_what_waits_uses_no_attempt(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE, max_in_flight=64)
    await limit(world, endpoint_id, 60)
    await world.tell(times=500)

    claims = [len(await claim(world)) for _ in range(3)]
    await world.execute("UPDATE endpoint_rates SET full_at = full_at - interval '1 second'")
    claims += [len(await claim(world)) for _ in range(3)]

    assert claims == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("per_minute", [1, 60, 599, 600, 60_000])
async def test_the_database_counts_the_room_as_the_rule_does(world: World, per_minute: int) -> None:
    rate = Rate(per_minute)
    endpoint_id, _ = await world.endpoint(NOWHERE, max_in_flight=64)
    await limit(world, endpoint_id, per_minute)
    await world.tell(times=70)

    for missing in (0.0, 0.4, 1.0, 1.6, 7.0, 50.0, 2000.0):
        await world.execute("DELETE FROM endpoint_rates")
        await world.execute("UPDATE deliveries SET claim = NULL, due_at = now()")
        async with world.sessions.begin() as tx:
            now = (await tx.scalars(select(func.clock_timestamp()))).one()
            full_at: datetime = now + missing * rate.interval
            await tx.execute(endpoint_rates.insert().values(endpoint_id=endpoint_id, full_at=full_at))
        claimed = await claim(world)
        later = world.clock()

        # The claim was made between the two.
        assert min(64, rate.room(full_at, now=now)) <= len(claimed) <= min(64, rate.room(full_at, now=later))
        if claimed:
            async with world.sessions.begin() as tx:
                after = (await tx.scalars(select(endpoint_rates.c.full_at))).one()
            slack = timedelta(milliseconds=1)
            assert rate.taken(full_at, len(claimed), now=now) - slack <= after
            assert after <= rate.taken(full_at, len(claimed), now=later) + slack
            assert (claimed[0].next_room_in or timedelta(0)) > timedelta(0)


async def test_two_limits_are_both_kept(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE, max_in_flight=3)
    await limit(world, endpoint_id, 60_000)
    await world.tell(times=50)

    assert [len(await claim(world)), len(await claim(world))] == [3, 0]


async def test_a_limit_is_set_and_taken_away_by_its_agency_and_bounded(world: World) -> None:
    endpoint_id, _ = await world.endpoint(NOWHERE)

    async def change(per_minute: int | None, version: int) -> int | None:
        wanted = Wanted(NOWHERE, max_per_minute=per_minute)
        changed = await world.change(endpoint_id, wanted, expected=Expected(frozenset({version})))
        return changed.max_per_minute

    assert await change(30, 1) == 30
    assert await change(None, 2) is None
    for wrong in (0, -1, 60_001):
        with pytest.raises(InvalidInput) as raised:
            await change(wrong, 3)
        assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [("/max_per_minute", "out_of_range")]
