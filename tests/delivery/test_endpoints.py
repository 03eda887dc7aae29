import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from app.domain.errors import InvalidInput, NotFound, PreconditionFailed
from app.domain.events import EventType
from app.domain.versions import Expected
from app.storage import deliveries as queue
from app.storage import delivery_history, endpoints, equipment, ways
from app.storage.tables import audit, clocks, endpoint_secrets, every_delivery
from app.storage.tables import endpoints as endpoint_rows
from app.workflows import manage_endpoint
from app.workflows.manage_endpoint import Wanted
from app.workflows.resend_delivery import resend_delivery
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import AGENCY, OTHER, World, all_are, has_attempts, until

URL = "http://127.0.0.1:9009/hook"


async def pause(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await manage_endpoint.pause_endpoint(tx, world.caller(), endpoint_id)


async def enable(world: World, endpoint_id: UUID) -> None:
    async with world.sessions.begin() as tx:
        await manage_endpoint.enable_endpoint(tx, world.caller(), endpoint_id, now=world.clock())


async def resend(world: World, delivery_id: UUID, *, agency: str = AGENCY) -> delivery_history.Delivery:
    async with world.sessions.begin() as tx:
        return await resend_delivery(tx, world.caller(agency), delivery_id)


# --- registering ---


async def test_a_secret_is_shown_once_and_kept_sealed(world: World) -> None:
    endpoint_id, secret = await world.endpoint(URL)

    (row,) = await world.rows(endpoint_secrets)
    assert secret.startswith("whsec_")
    assert secret.removeprefix("whsec_").encode() not in row.sealed
    async with world.sessions.begin() as tx:
        carried = await equipment.opened(tx, world.key_ring, endpoint_id)
    assert carried.signing(world.clock()) == [secret]
    assert secret not in repr(carried)
    assert [entry.action for entry in await world.rows(audit)] == ["endpoint.register"]


async def test_every_fault_of_an_endpoint_is_named(world: World) -> None:
    with pytest.raises(InvalidInput) as raised:
        await world.endpoint("http://10.0.0.1/", event_types=("handoff.offered", "handoff.nonsense"), max_in_flight=0)

    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [
        ("/url", "url_address_not_allowed"),
        ("/url", "url_https_required"),
        ("/event_types/1", "unknown_code"),
        ("/max_in_flight", "out_of_range"),
    ]
    assert not await world.rows(endpoint_rows)


async def test_a_type_of_news_that_is_chosen_twice_is_named_where_it_is_the_second_time(world: World) -> None:
    with pytest.raises(InvalidInput) as raised:
        await world.endpoint(URL, event_types=("handoff.offered", "handoff.offered", "referral.closed"))

    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [("/event_types/1", "twice")]


async def test_what_is_changed_must_be_of_the_version_it_was(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    wanted = Wanted("http://127.0.0.1:9010/", ("handoff.offered",), 2)
    seen = Expected(frozenset({1}))

    changed = await world.change(endpoint_id, wanted, expected=seen)
    with pytest.raises(PreconditionFailed):
        await world.change(endpoint_id, wanted, expected=seen)

    assert (changed.url, changed.event_types, changed.max_in_flight, changed.version) == (
        "http://127.0.0.1:9010/",
        ("handoff.offered",),
        2,
        2,
    )


async def test_paused_endpoints_of_one_agency_that_move_at_once_do_not_wait_crosswise(world: World) -> None:
    ids = [(await world.endpoint(URL))[0] for _ in range(4)]
    await world.execute("UPDATE endpoints SET state = 'paused'")

    moves = (world.change(one, Wanted(f"{URL}/{again}")) for again in range(3) for one in reversed(ids))
    kept = await asyncio.gather(*moves)

    assert {one.state for one in kept} == {"paused"}
    assert max(row.version for row in await world.rows(endpoint_rows)) == 4


async def test_anothers_endpoint_is_as_absent(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    (_,) = await world.tell()
    delivery = await world.delivery()
    stranger = world.caller(OTHER)

    async with world.sessions.begin() as tx:
        for story in (
            manage_endpoint.pause_endpoint(tx, stranger, endpoint_id),
            manage_endpoint.enable_endpoint(tx, stranger, uuid7(), now=world.clock()),
            manage_endpoint.ping_endpoint(tx, stranger, endpoint_id, now=world.clock()),
            resend_delivery(tx, stranger, delivery.id),
        ):
            with pytest.raises(NotFound):
                await story
        assert await endpoints.get(tx, endpoint_id, agency_code=OTHER) is None
        assert await endpoints.listed(tx, agency_code=OTHER) == []
        shown = await delivery_history.list_deliveries(tx, endpoint_id=endpoint_id, agency_code=OTHER)
        assert shown == []
        assert await delivery_history.list_attempts(tx, delivery.id, agency_code=OTHER) == []


# --- who is told what ---


async def test_news_goes_to_every_endpoint_of_the_agency_whose_filter_includes_it(world: World) -> None:
    everything, _ = await world.endpoint(URL)
    offers, _ = await world.endpoint(URL, event_types=("handoff.offered",))
    closed, _ = await world.endpoint(URL, event_types=("referral.closed", "handoff.offered"))
    await world.endpoint(URL, agency=OTHER)

    await world.tell(EventType.REFERRAL_CLOSED)

    told = {row.endpoint_id for row in await world.rows(every_delivery)}
    assert told == {everything, closed}
    assert offers not in told


async def test_a_ping_is_for_its_endpoint_alone_and_passes_every_filter(world: World) -> None:
    await world.endpoint(URL)
    pinged, _ = await world.endpoint(URL, event_types=("handoff.offered",))

    async with world.sessions.begin() as tx:
        await manage_endpoint.ping_endpoint(tx, world.caller(), pinged, now=world.clock())

    assert (await world.delivery()).endpoint_id == pinged


async def test_news_is_due_at_once_wherever_the_business_clock_stands(world: World) -> None:
    await world.endpoint(URL)
    world.clock.ahead = timedelta(days=400)
    await world.tell()
    world.clock.ahead = timedelta(0)

    assert (await world.delivery()).due_at <= world.clock()


async def test_ids_of_deliveries_follow_time_and_are_version_7(world: World) -> None:
    await world.endpoint(URL)
    for _ in range(5):
        await world.tell(times=3)

    rows = await world.rows(every_delivery)
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert {(row.id.version, row.id.variant) for row in rows} == {(7, "specified in RFC 4122")}


async def test_an_agency_is_reachable_by_an_active_endpoint_that_does_not_fail(world: World) -> None:
    async def reachable() -> set[str]:
        async with world.sessions.begin() as tx:
            return await ways.reachable(tx, {AGENCY, OTHER, "nobody"})

    endpoint_id, _ = await world.endpoint(URL)
    assert await reachable() == {AGENCY}

    await world.execute("UPDATE endpoints SET failing_since = now() - interval '4 minutes'")
    assert await reachable() == {AGENCY}

    await world.execute("UPDATE endpoints SET failing_since = now() - interval '6 minutes'")
    assert await reachable() == set()

    await world.endpoint(URL)
    assert await reachable() == {AGENCY}

    await world.execute("UPDATE endpoints SET failing_since = NULL, state = 'paused'")
    assert await reachable() == set()
    assert endpoint_id


# --- held, released, recovered ---


async def test_410_disables_the_endpoint_and_its_agency_is_told(world: World) -> None:
    async with a_receiver(answering(410)) as gone, a_receiver() as other:
        endpoint_id, _ = await world.endpoint(gone.url)
        await world.endpoint(other.url, event_types=("endpoint.disabled",))
        await world.tell()

        async with world.delivering():
            await until(lambda: len(other.received) == 1)
            await world.tell()

    row = next(row for row in await world.rows(endpoint_rows) if row.id == endpoint_id)
    assert (row.state, row.state_reason) == ("disabled", "gone")
    (told,) = await world.told(EventType.ENDPOINT_DISABLED)
    assert (told["endpoint_id"], told["reason"]) == (str(endpoint_id), "gone")
    assert "url" not in told
    assert len(gone.received) == 1
    assert sorted(await world.states()) == ["delivered", "held", "held"]


async def test_an_endpoint_that_fails_for_five_minutes_is_told_of_once(world: World) -> None:
    async with a_receiver(answering(500)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering():
            for made in range(1, 7):
                await until(lambda made=made: has_attempts(world, made))  # type: ignore[misc]
                world.clock.ahead += (await world.delivery()).due_at - world.clock() + timedelta(milliseconds=1)

    (told,) = await world.told(EventType.ENDPOINT_FAILING)
    assert (told["endpoint_id"], told["state"]) == (str(endpoint_id), "active")


async def test_120_hours_of_nothing_but_failure_disable_an_endpoint(world: World) -> None:
    async with a_receiver(answering(500)) as receiver:
        await world.endpoint(receiver.url)
        await world.execute("UPDATE endpoints SET failing_since = now() - interval '119 hours 59 minutes 50 seconds'")
        await world.tell()
        async with world.delivering():
            await until(lambda: has_attempts(world, 1))
            assert (await world.the_endpoint()).state == "active"
            world.clock.ahead += timedelta(seconds=10)
            await until(lambda: has_attempts(world, 2))

    row = await world.the_endpoint()
    assert (row.state, row.state_reason) == ("disabled", "nothing_but_failure")
    assert len(await world.told(EventType.ENDPOINT_DISABLED)) == 1
    assert await world.states() == ["held"]


async def test_a_success_ends_the_failing(world: World) -> None:
    async with a_receiver() as receiver:
        await world.endpoint(receiver.url)
        await world.execute(
            "UPDATE endpoints SET failing_since = now() - interval '119 hours', state_reason = 'failing'"
        )
        await world.tell()
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))

    row = await world.the_endpoint()
    assert (row.failing_since, row.state_reason) == (None, None)


# --- the coordinator's concern ---


async def test_an_offer_that_a_disabled_endpoint_never_took_is_its_coordinators_concern_at_once(world: World) -> None:
    async with a_receiver(answering(410)) as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        async with world.delivering():
            await until(lambda: all_are(world, "held"))

    (clock,) = await world.rows(clocks)
    assert (clock.kind, clock.handoff_id) == ("undelivered_offer", handoff_id)
    assert clock.due_at <= world.clock()


async def test_an_offer_that_was_delivered_is_nobodys_concern(world: World) -> None:
    async with a_receiver(answering(204, 410)) as receiver:
        await world.endpoint(receiver.url)
        handoff_id = await world.offer()
        await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff_id)
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))
            await world.tell()
            await until(lambda: all_are(world, "delivered", "held"))

    async with world.sessions.begin() as tx:
        assert await queue.has_delivered(tx, handoff_id, EventType.HANDOFF_OFFERED, AGENCY)
        assert not await queue.has_delivered(tx, handoff_id, EventType.HANDOFF_REMINDER, AGENCY)
        assert not await queue.has_delivered(tx, handoff_id, EventType.HANDOFF_OFFERED, OTHER)
    assert not await world.rows(clocks)
