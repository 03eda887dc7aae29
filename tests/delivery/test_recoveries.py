from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from app.domain.errors import InvalidInput, NotFound
from app.domain.events import EventType
from app.storage import recoveries
from app.storage.recoveries import ALL, FAILED, Wanted
from app.storage.tables import every_delivery
from app.storage.tables import recoveries as recovery_rows
from app.workflows import manage_endpoint
from app.workflows.run_recoveries import TURNS_AHEAD, run_due_recoveries
from tests.delivery.receivers import a_receiver
from tests.delivery.recovering import (
    URL,
    all_end,
    at_once,
    begin,
    cancel,
    count,
    database_time,
    has_ended,
    queued,
    read,
    recovering,
)
from tests.delivery.world import OTHER, World, all_are, until

# --- counting first ---


async def test_a_dry_run_counts_by_type_and_changes_nothing(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=3)
    await world.tell(EventType.HANDOFF_ACCEPTED, times=2)
    closed = await world.offer(state="expired")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=closed)
    await all_end(world, "failed")
    await world.tell()
    before = await world.rows(every_delivery)

    counted = await count(world, endpoint_id, Wanted(FAILED))

    failed = [row.created_at for row in before if row.state == "failed"]
    assert (counted.sendable, counted.superseded, counted.complete) == (5, 1, True)
    assert counted.by_type == {"handoff.accepted": 2, "referral.closed": 3}
    assert (counted.oldest, counted.newest) == (min(failed), sorted(failed)[-2])
    assert await world.rows(every_delivery) == before
    assert await world.rows(recovery_rows) == []


async def test_what_was_counted_is_what_is_sent(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        ids = await world.tell(times=7)
        await all_end(world, "failed")
        counted = await count(world, endpoint_id, Wanted(FAILED))
        async with world.delivering(), recovering(world):
            begun = await begin(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))
        ended = await read(world, begun.id)

    assert (counted.sendable, begun.counted, ended.queued, ended.state) == (7, 7, 7, "finished")
    assert sorted(receiver.ids) == sorted(map(str, ids)), "each once, under the id it always had"


# --- what is sent ---


async def test_only_what_failed_is_sent_where_only_that_is_asked_for(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell()
        await all_end(world, "delivered")
        await world.tell(times=2)
        await all_end(world, "failed")
        async with world.delivering(), recovering(world):
            begun = await begin(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))

    assert len(receiver.received) == 2


async def test_everything_since_a_time_is_sent_delivered_or_not_and_nothing_before_it(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=2)
        since = await database_time(world)
        later = await world.tell(times=4)
        await all_end(world, "delivered")
        wanted = Wanted(ALL, since=since)
        async with world.delivering(), recovering(world):
            begun = await begin(world, endpoint_id, wanted)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))

    assert begun.counted == 4
    assert sorted(receiver.ids) == sorted(map(str, later))


async def test_news_of_other_types_and_of_later_is_left(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=64)
    await world.tell(EventType.HANDOFF_ACCEPTED, times=2)
    await world.tell(EventType.REFERRAL_CLOSED)
    end = await database_time(world)
    await world.tell(EventType.HANDOFF_ACCEPTED)
    await all_end(world, "failed")

    begun = await begin(world, endpoint_id, Wanted(FAILED, until=end, event_types=("handoff.accepted",)))
    await run_due_recoveries(world.sessions)

    assert (await read(world, begun.id)).state == "finished"
    assert await world.states() == ["due", "due", "failed", "failed"]


async def test_neither_an_old_challenge_nor_what_an_address_that_was_left_was_told_is_sent_again(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await all_end(world, "delivered")
    await world.change(endpoint_id, manage_endpoint.Wanted(f"{URL}/elsewhere"))
    await all_end(world, "delivered")

    everything = Wanted(ALL, since=await database_time(world) - timedelta(hours=1))

    assert (await count(world, endpoint_id, everything)).by_type == {"referral.closed": 1}


async def test_an_offer_that_is_no_longer_open_is_recorded_superseded_instead_of_sent(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        await world.tell()
        await all_end(world, "failed")
        await world.set_handoff(handoff_id, "withdrawn")
        async with world.delivering(), recovering(world):
            begun = await begin(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered", "superseded"))
        ended = await read(world, begun.id)

    assert (ended.queued, ended.superseded) == (1, 1)
    assert await world.states() == ["superseded", "delivered"]
    assert len(receiver.received) == 1


async def test_an_offer_that_was_delivered_and_has_ended_stays_delivered(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    handoff_id = await world.offer(state="accepted")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
    await all_end(world, "delivered")

    begun = await begin(world, endpoint_id, Wanted(ALL, since=world.clock() - timedelta(hours=1)))
    await run_due_recoveries(world.sessions)

    assert (await read(world, begun.id)).superseded == 1
    assert await world.states() == ["delivered"]


async def test_open_offers_go_first_and_those_of_an_emergency_before_all_others(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=1)
    await world.tell(times=5)
    ordinary = await world.offer()
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=ordinary)
    emergency = await world.offer(urgency="emergency")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=emergency)
    await all_end(world, "failed")
    (*_, told_ordinary, told_emergency) = [row.event_id for row in await world.rows(every_delivery)]
    begun = await begin(world, endpoint_id)

    order: list[Any] = []
    while not await has_ended(world, begun.id):
        await at_once(world)
        order += [row.event_id for row in await world.rows(every_delivery) if row.state == "due"]
        await all_end(world, "delivered")

    assert set(order[:2]) == {told_emergency, told_ordinary}
    assert len(order) == len(set(order)) == 7


async def test_of_two_open_offers_the_emergency_is_the_first(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=1)
    await world.execute("UPDATE endpoints SET failing_since = now()")
    for urgency in ("standard", "emergency"):
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=await world.offer(urgency=urgency))
    await all_end(world, "failed")
    await begin(world, endpoint_id)

    await run_due_recoveries(world.sessions)

    assert await world.states() == ["failed", "due"], "one that fails is given a single delivery to try"


# --- who may, and what is refused ---


async def test_a_cancelled_recovery_queues_nothing_more(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=1)
    await world.tell(times=9)
    await all_end(world, "failed")
    begun = await begin(world, endpoint_id)
    await at_once(world)

    cancelled = await cancel(world, begun.id)
    again = await cancel(world, begun.id)
    await all_end(world, "delivered")
    await at_once(world)

    assert (cancelled.state, cancelled.queued) == ("cancelled", TURNS_AHEAD)
    assert again == cancelled
    assert await queued(world) == 0


async def test_anothers_recovery_is_as_absent(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.endpoint(URL, agency=OTHER)
    begun = await begin(world, endpoint_id)

    for story in (
        begin(world, endpoint_id, agency=OTHER),
        begin(world, uuid7()),
        cancel(world, begun.id, agency=OTHER),
    ):
        with pytest.raises(NotFound):
            await story
    async with world.sessions.begin() as tx:
        assert await recoveries.get(tx, begun.id, agency_code=OTHER) is None
        assert await recoveries.listed(tx, endpoint_id, agency_code=OTHER, before=None, limit=9) == []


async def test_what_cannot_be_recovered_is_named(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    now = world.clock()

    with pytest.raises(InvalidInput) as refused:
        await begin(world, endpoint_id, Wanted(ALL, now, now, ("handoff.nonsense",)))

    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/until", "not_after_since"),
        ("/event_types/0", "unknown_code"),
    ]


async def test_a_recovery_that_cannot_go_on_holds_up_no_other(world: World) -> None:
    broken, _ = await world.endpoint(URL)
    sound, _ = await world.endpoint(URL)
    await world.tell()
    await all_end(world, "failed")
    first, second = await begin(world, broken), await begin(world, sound)
    # The first cannot count any further.
    await world.execute(
        "UPDATE recoveries SET queued = 2147483647, next_at = '2020-01-01' WHERE id = "
        "(SELECT min(id::text)::uuid FROM recoveries)"
    )

    await run_due_recoveries(world.sessions)

    assert (await read(world, second.id)).state == "finished"
    assert (await read(world, first.id)).state == "running"
