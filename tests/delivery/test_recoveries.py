import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.domain.errors import InvalidInput, NotFound, RecoveryOfHeld, RecoveryRunning
from app.domain.events import EventType
from app.storage import recoveries
from app.storage.recoverable import Count
from app.storage.recoveries import ALL, FAILED, HELD, Recovery, Wanted
from app.storage.tables import deliveries
from app.storage.tables import recoveries as recovery_rows
from app.workflows import recover_endpoint
from app.workflows.manage_endpoint import enable_endpoint, pause_endpoint
from app.workflows.resend_delivery import resend_delivery
from app.workflows.run_recoveries import TURNS_AHEAD, run_due_recoveries
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import AGENCY, OTHER, World, all_are, until

URL = "http://127.0.0.1:9009/hook"
EVERYTHING_FAILED = "UPDATE deliveries SET state = 'failed', attempts = 10, finished_at = now()"


async def begin(world: World, endpoint_id: UUID, wanted: Wanted | None = None, *, agency: str = AGENCY) -> Recovery:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.begin_recovery(tx, world.caller(agency), endpoint_id, wanted or Wanted(FAILED))


async def count(world: World, endpoint_id: UUID, wanted: Wanted) -> Count:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.count_recovery(tx, world.caller(), endpoint_id, wanted)


async def cancel(world: World, recovery_id: UUID, *, agency: str = AGENCY) -> Recovery:
    async with world.sessions.begin() as tx:
        return await recover_endpoint.cancel_recovery(tx, world.caller(agency), recovery_id)


async def read(world: World, recovery_id: UUID) -> Recovery:
    async with world.sessions.begin() as tx:
        found = await recoveries.get(tx, recovery_id, agency_code=AGENCY)
    assert found is not None
    return found


async def has_ended(world: World, recovery_id: UUID) -> bool:
    return (await read(world, recovery_id)).ended


async def at_once(world: World) -> bool:
    """Take every recovery one step further, whenever its turn would be."""
    await world.execute("UPDATE recoveries SET next_at = now()")
    return await run_due_recoveries(world.sessions)


@asynccontextmanager
async def recovering(world: World, *, workers: int = 1) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run recoveries while the block runs, in tasks that each stand for a worker."""

    async def work() -> None:
        while True:
            await run_due_recoveries(world.sessions)
            await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in results), results


async def many_failed(world: World, number: int) -> None:
    """Have many deliveries of the only endpoint that failed, without telling of each alone."""
    await world.tell()
    async with world.sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO events SELECT (r).* FROM (SELECT jsonb_populate_record(e, jsonb_build_object("
                "'id', gen_random_uuid())) AS r FROM events e, generate_series(2, :number)) s"
            ),
            {"number": number},
        )
        await tx.execute(
            text(
                "INSERT INTO deliveries (id, event_id, endpoint_id, state, due_at, created_at) SELECT overlay("
                "gen_random_uuid()::text placing left(d.id::text, 13) from 1 for 13)::uuid, e.id, d.endpoint_id,"
                " 'due', now(), now() FROM events e, deliveries d WHERE e.id <> d.event_id"
            )
        )
    await world.execute(EVERYTHING_FAILED)


async def queued(world: World) -> int:
    return (await world.states()).count("due")


# --- counting first ---


async def test_a_dry_run_counts_by_type_and_changes_nothing(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=3)
    await world.tell(EventType.HANDOFF_ACCEPTED, times=2)
    closed = await world.offer(state="expired")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=closed)
    await world.execute(EVERYTHING_FAILED)
    await world.tell()
    before = await world.rows(deliveries)

    counted = await count(world, endpoint_id, Wanted(FAILED))

    failed = [row.created_at for row in before if row.state == "failed"]
    assert (counted.sendable, counted.superseded, counted.complete) == (5, 1, True)
    assert counted.by_type == {"handoff.accepted": 2, "referral.closed": 3}
    assert (counted.oldest, counted.newest) == (min(failed), sorted(failed)[-2])
    assert await world.rows(deliveries) == before
    assert await world.rows(recovery_rows) == []


async def test_what_was_counted_is_what_is_sent(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        ids = await world.tell(times=7)
        await world.execute(EVERYTHING_FAILED)
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
        await world.tell(times=3)
        await world.execute(EVERYTHING_FAILED)
        await world.execute(
            "UPDATE deliveries SET state = 'delivered' WHERE id = (SELECT id FROM deliveries ORDER BY id LIMIT 1)"
        )
        async with world.delivering(), recovering(world):
            begun = await begin(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))

    assert len(receiver.received) == 2


async def test_everything_since_a_time_is_sent_delivered_or_not_and_nothing_before_it(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=2)
        since = await _database_time(world)
        later = await world.tell(times=4)
        await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now()")
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
    end = await _database_time(world)
    await world.tell(EventType.HANDOFF_ACCEPTED)
    await world.execute(EVERYTHING_FAILED)

    begun = await begin(world, endpoint_id, Wanted(FAILED, until=end, event_types=("handoff.accepted",)))
    await run_due_recoveries(world.sessions)

    assert (await read(world, begun.id)).state == "finished"
    assert await world.states() == ["due", "due", "failed", "failed"]


async def test_an_offer_that_is_no_longer_open_is_recorded_superseded_instead_of_sent(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        await world.tell()
        await world.execute(EVERYTHING_FAILED)
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
    await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now()")

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
    await world.execute(EVERYTHING_FAILED)
    (*_, told_ordinary, told_emergency) = [row.event_id for row in await world.rows(deliveries)]
    begun = await begin(world, endpoint_id)

    order: list[Any] = []
    while not await has_ended(world, begun.id):
        await at_once(world)
        order += [row.event_id for row in await world.rows(deliveries) if row.state == "due"]
        await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now() WHERE state = 'due'")

    assert set(order[:2]) == {told_emergency, told_ordinary}
    assert len(order) == len(set(order)) == 7


async def test_of_two_open_offers_the_emergency_is_the_first(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=1)
    await world.execute("UPDATE endpoints SET failing_since = now()")
    for urgency in ("standard", "emergency"):
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=await world.offer(urgency=urgency))
    await world.execute(EVERYTHING_FAILED)
    await begin(world, endpoint_id)

    await run_due_recoveries(world.sessions)

    assert await world.states() == ["failed", "due"], "one that fails is given a single delivery to try"


# --- safe to repeat ---


async def test_two_who_recover_the_same_at_once_begin_it_once(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=20)
        await world.execute(EVERYTHING_FAILED)
        async with world.delivering(), recovering(world, workers=3):
            first, second = await asyncio.gather(begin(world, endpoint_id), begin(world, endpoint_id))
            await until(lambda: has_ended(world, first.id))
            await until(lambda: all_are(world, "delivered"))

    assert first.id == second.id
    assert len(receiver.received) == len(set(receiver.ids)) == 20


async def test_another_recovery_of_the_endpoint_has_to_wait_and_is_told_for_which(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await world.execute(EVERYTHING_FAILED)
    running = await begin(world, endpoint_id)

    with pytest.raises(RecoveryRunning) as refused:
        await begin(world, endpoint_id, Wanted(ALL, since=world.clock()))

    assert refused.value.recovery_id == running.id
    assert len(await world.rows(recovery_rows)) == 1


async def test_recovering_again_on_purpose_sends_again(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=2)
        wanted = Wanted(ALL, since=world.clock() - timedelta(hours=1))
        async with world.delivering(), recovering(world):
            await until(lambda: all_are(world, "delivered"))
            for round_ in (2, 3):
                begun = await begin(world, endpoint_id, wanted)
                await until(lambda begun=begun: has_ended(world, begun.id))  # type: ignore[misc]
                await until(lambda round_=round_: len(receiver.received) == 2 * round_)  # type: ignore[misc]
                await until(lambda: all_are(world, "delivered"))

    assert len(set(receiver.ids)) == 2


async def test_what_is_due_already_is_not_queued_twice(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=2)
    await world.execute(EVERYTHING_FAILED)
    begun = await begin(world, endpoint_id)
    (one, _) = await world.rows(deliveries)
    async with world.sessions.begin() as tx:
        await resend_delivery(tx, world.caller(), one.id)

    await run_due_recoveries(world.sessions)

    assert (await read(world, begun.id)).queued == 1
    assert await world.states() == ["due", "due"]


async def test_a_worker_that_dies_in_the_middle_of_a_step_has_done_nothing_and_another_goes_on(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=30)
        await world.execute(EVERYTHING_FAILED)
        begun = await begin(world, endpoint_id)
        await at_once(world)
        before = await read(world, begun.id)
        await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now() WHERE state = 'due'")

        # Somebody holds the next delivery, so that the step stands in its middle when its worker is killed.
        async with world.sessions.begin() as holding:
            await holding.execute(text("SELECT id FROM deliveries WHERE state = 'failed' FOR UPDATE"))
            dying = asyncio.create_task(at_once(world))
            await until(lambda: _somebody_waits(world))
            dying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dying
        after = await read(world, begun.id)

        async with world.delivering(), recovering(world):
            await world.execute("UPDATE recoveries SET next_at = now()")
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))
        ended = await read(world, begun.id)

    assert before.queued == TURNS_AHEAD * 4
    assert after == before
    assert ended.queued == 30
    assert len(receiver.received) == len(set(receiver.ids)) == 30 - before.queued


async def test_workers_that_are_killed_again_and_again_lose_nothing_and_send_nothing_twice(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, max_in_flight=64)
        ids = await world.tell(times=600)
        await world.execute(EVERYTHING_FAILED)
        begun = await begin(world, endpoint_id)
        async with world.delivering():
            while not await has_ended(world, begun.id):
                dying = asyncio.create_task(run_due_recoveries(world.sessions))
                for _ in range(len(receiver.received) % 23):
                    await asyncio.sleep(0)
                dying.cancel()
                await asyncio.gather(dying, return_exceptions=True)
                await run_due_recoveries(world.sessions)
            await until(lambda: all_are(world, "delivered"))

    assert sorted(receiver.ids) == sorted(map(str, ids))
    assert (await read(world, begun.id)).queued == 600


# --- at the endpoint's own pace ---


async def test_no_more_is_queued_than_the_endpoint_takes_in_two_turns(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=50)
    await world.execute(EVERYTHING_FAILED)
    begun = await begin(world, endpoint_id)

    for _ in range(3):
        await at_once(world)

    assert await queued(world) == 6
    assert (await read(world, begun.id)).queued == 6


async def test_fresh_news_goes_before_what_is_recovered(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=20)
    await world.execute(EVERYTHING_FAILED)
    begun = await begin(world, endpoint_id)
    await world.tell(times=6)

    await at_once(world)

    assert (await read(world, begun.id)).queued == 0
    assert await queued(world) == 6


async def test_what_waits_for_its_next_attempt_holds_no_recovery_up(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=3)
    await world.tell(times=20)
    await world.execute(EVERYTHING_FAILED)
    begun = await begin(world, endpoint_id)
    await world.tell(times=6)
    await world.execute("UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE state = 'due'")

    await at_once(world)

    assert (await read(world, begun.id)).queued == 6


async def test_an_endpoint_that_fails_is_probed_and_not_flooded(world: World) -> None:
    async with a_receiver(answering(503)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=300)
        await world.execute(EVERYTHING_FAILED)
        await world.execute("UPDATE endpoints SET failing_since = now()")
        begun = await begin(world, endpoint_id)
        async with world.delivering():
            for _ in range(10):
                await at_once(world)
        halfway = await read(world, begun.id)

    assert halfway.queued <= 10
    assert halfway.probes == halfway.queued


async def test_ten_thousand_that_failed_are_recovered_in_batches(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=64)
    await many_failed(world, 10_000)
    begun = await begin(world, endpoint_id)

    most = 0
    while not await has_ended(world, begun.id):
        await at_once(world)
        most = max(most, await _due(world))
        await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now() WHERE state = 'due'")

    ended = await read(world, begun.id)
    assert (begun.counted, ended.queued, ended.superseded) == (10_000, 10_000, 0)
    assert most == TURNS_AHEAD * 64
    assert await _of_state(world, "failed") == 0


# --- endpoints that are not active ---


async def test_a_recovery_waits_while_its_endpoint_is_not_active_and_goes_on_once_it_is(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=3)
        await world.execute(EVERYTHING_FAILED)
        await _stop(world, endpoint_id)
        begun = await begin(world, endpoint_id)
        await run_due_recoveries(world.sessions)
        waiting = await world.states()
        async with world.delivering(), recovering(world):
            await _enable(world, endpoint_id)
            await until(lambda: has_ended(world, begun.id))
            await until(lambda: all_are(world, "delivered"))

    assert waiting == ["failed"] * 3
    assert len(receiver.received) == 3


async def test_more_than_a_request_can_release_is_sent_after_it_and_none_is_forgotten(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=64)
    await many_failed(world, recover_endpoint.RELEASED_AT_ONCE + 200)
    await world.execute("UPDATE deliveries SET state = 'held', finished_at = NULL")
    await _stop(world, endpoint_id)

    await _enable(world, endpoint_id)
    (row,) = await world.rows(recovery_rows)
    await at_once(world)
    # Stopped in the middle, it holds again what it had not sent; enabled again, nothing is passed over.
    await _stop(world, endpoint_id)
    await _enable(world, endpoint_id)
    while not await has_ended(world, row.id):
        await at_once(world)
        await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now() WHERE state = 'due'")

    assert (row.what, row.counted) == (HELD, recover_endpoint.RELEASED_AT_ONCE + 200)
    assert len(await world.rows(recovery_rows)) == 1
    assert await _of_state(world, "delivered") == recover_endpoint.RELEASED_AT_ONCE + 200


async def test_what_was_held_cannot_be_cancelled(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await many_failed(world, recover_endpoint.RELEASED_AT_ONCE + 1)
    await world.execute("UPDATE deliveries SET state = 'held', finished_at = NULL")
    await _stop(world, endpoint_id)
    await _enable(world, endpoint_id)
    (row,) = await world.rows(recovery_rows)

    with pytest.raises(RecoveryOfHeld):
        await cancel(world, row.id)


# --- who may, and what is refused ---


async def test_a_cancelled_recovery_queues_nothing_more(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL, max_in_flight=1)
    await world.tell(times=9)
    await world.execute(EVERYTHING_FAILED)
    begun = await begin(world, endpoint_id)
    await at_once(world)

    cancelled = await cancel(world, begun.id)
    again = await cancel(world, begun.id)
    await world.execute("UPDATE deliveries SET state = 'delivered', finished_at = now() WHERE state = 'due'")
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
    await world.execute(EVERYTHING_FAILED)
    first, second = await begin(world, broken), await begin(world, sound)
    # The first cannot count any further.
    await world.execute(
        "UPDATE recoveries SET queued = 2147483647, next_at = '2020-01-01' WHERE id = "
        "(SELECT min(id::text)::uuid FROM recoveries)"
    )

    await run_due_recoveries(world.sessions)

    assert (await read(world, second.id)).state == "finished"
    assert (await read(world, first.id)).state == "running"


async def _stop(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await pause_endpoint(tx, world.caller(), endpoint_id)


async def _enable(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await enable_endpoint(tx, world.caller(), endpoint_id)


async def _somebody_waits(world: World) -> bool:
    async with world.sessions.begin() as tx:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return bool(await tx.scalar(text(waits)))


async def _database_time(world: World) -> Any:
    async with world.sessions.begin() as tx:
        return await tx.scalar(text("SELECT clock_timestamp()"))


async def _due(world: World) -> int:
    return await _of_state(world, "due")


async def _of_state(world: World, state: str) -> int:
    async with world.sessions.begin() as tx:
        return await tx.scalar(text("SELECT count(*) FROM deliveries WHERE state = :state"), {"state": state}) or 0
