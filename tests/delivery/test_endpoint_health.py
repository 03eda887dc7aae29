import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, text

from app.domain.caller import Role
from app.domain.events import EventType
from app.main import ROUTERS
from app.storage import endpoint_health
from app.storage.endpoint_health import Health
from app.storage.recoveries import first_id_of
from app.storage.tables import attempts
from app.storage.tables import events as event_rows
from tests.conftest import ClientFactory, KeyFactory
from tests.delivery.receivers import a_receiver, answering
from tests.delivery.world import AGENCY, OTHER, World, all_are, has_attempts, until

URL = "http://127.0.0.1:9009/hook"
OPERATOR = "kemenpppa-sapa129"
_SERIAL = itertools.count(1)


async def health_of(world: World, endpoint_id: UUID) -> Health:
    async with world.sessions.begin() as tx:
        found = await endpoint_health.health(tx, endpoint_id, agency_code=AGENCY)
    assert found is not None
    return found


async def attempted(
    world: World, endpoint_id: UUID, outcome: str, *, ago: timedelta = timedelta(0), took: int = 10, times: int = 1
) -> None:
    """Put attempts into the history that ended so long ago."""
    delivery = (await world.delivery()).id
    ended = world.clock() - ago
    rows = [
        {
            "id": UUID(int=first_id_of(ended).int + next(_SERIAL)),
            "delivery_id": delivery,
            "endpoint_id": endpoint_id,
            "number": 1,
            "started_at": ended - timedelta(milliseconds=took),
            "duration_ms": took,
            "outcome": outcome,
            "status": 204 if outcome == "delivered" else None,
        }
        for _ in range(times)
    ]
    async with world.sessions.begin() as tx:
        await tx.execute(insert(attempts), rows)


async def test_a_healthy_endpoint_says_so(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url)
        await world.tell(times=4)
        async with world.delivering():
            await until(lambda: all_are(world, "delivered"))

    found = await health_of(world, endpoint_id)
    assert (found.hour.attempts, found.hour.delivered, found.hour.success_share) == (4, 4, 1.0)
    assert found.hour == found.day
    assert found.hour.complete
    assert found.last_success_at is not None
    assert found.last_failure is None
    assert (found.backlog.count, found.backlog.oldest_at, found.under_way, found.held.count) == (0, None, 0, 0)


async def test_the_share_is_of_attempts_that_ended_and_not_of_what_waits(world: World) -> None:
    async with a_receiver(answering(204, 503)) as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, max_in_flight=1)
        await world.tell(times=30)
        async with world.delivering():
            await until(lambda: has_attempts(world, 3))

    found = await health_of(world, endpoint_id)
    assert found.hour.success_share == pytest.approx(1 / found.hour.attempts, abs=1e-4)
    assert found.last_failure is not None
    assert (found.last_failure.phase, found.last_failure.status) == ("status", 503)
    assert found.backlog.count == 29
    assert found.failing_since is not None


async def test_half_took_no_longer_than_p50_and_95_of_100_no_longer_than_p95(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    for took in range(1, 101):
        await attempted(world, endpoint_id, "delivered", took=took)

    found = await health_of(world, endpoint_id)
    assert (found.hour.p50_ms, found.hour.p95_ms) == (50, 95)


async def test_an_hour_and_a_day_are_told_apart_and_older_ones_are_not_counted(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(world, endpoint_id, "delivered", ago=timedelta(minutes=59))
    await attempted(world, endpoint_id, "timeout", ago=timedelta(minutes=61))
    await attempted(world, endpoint_id, "connect", ago=timedelta(hours=25))

    found = await health_of(world, endpoint_id)
    assert (found.hour.attempts, found.day.attempts, found.day.success_share) == (1, 2, 0.5)
    assert found.last_failure is not None
    assert found.last_failure.phase == "timeout"


async def test_the_last_failure_is_known_however_long_ago_it_was(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(world, endpoint_id, "tls", ago=timedelta(days=400))
    await attempted(world, endpoint_id, "delivered", times=10)

    found = await health_of(world, endpoint_id)
    assert found.last_failure is not None
    assert found.last_failure.phase == "tls"


async def test_what_failed_on_our_side_is_no_fault_of_the_endpoint(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(world, endpoint_id, "delivered")
    await attempted(world, endpoint_id, "internal", took=60_000)

    found = await health_of(world, endpoint_id)
    assert (found.hour.attempts, found.hour.success_share, found.hour.p95_ms) == (1, 1.0, 10)


async def test_an_endpoint_that_was_sent_nothing_has_no_share(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)

    found = await health_of(world, endpoint_id)
    assert (found.hour.attempts, found.hour.success_share, found.hour.p50_ms) == (0, None, None)


async def test_the_latest_ten_thousand_are_looked_at_and_no_more(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(world, endpoint_id, "timeout", ago=timedelta(minutes=30), times=500)
    await attempted(world, endpoint_id, "delivered", times=endpoint_health.LOOKED_AT + 1)

    found = await health_of(world, endpoint_id)

    assert (found.hour.complete, found.hour.success_share) == (False, 1.0)


async def test_the_attempts_of_others_are_not_looked_through(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    other, _ = await world.endpoint(URL, agency=OTHER)
    await attempted(world, other, "delivered", times=5_000)
    await attempted(world, endpoint_id, "delivered", times=5)

    async with world.sessions.begin() as tx:
        await tx.execute(text("ANALYZE attempts"))
        plan = "\n".join(
            await tx.scalars(
                text(
                    "EXPLAIN SELECT outcome FROM attempts WHERE endpoint_id = :e AND id >= :since"
                    " ORDER BY id DESC LIMIT 10001"
                ),
                {"e": endpoint_id, "since": first_id_of(world.clock() - timedelta(hours=1))},
            )
        )

    assert (await health_of(world, endpoint_id)).hour.attempts == 5
    assert "endpoint_id_id" in plan


async def test_what_is_held_is_counted_apart(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=3)
    await world.execute("UPDATE deliveries SET state = 'held'")

    found = await health_of(world, endpoint_id)
    assert (found.held.count, found.backlog.count) == (3, 0)
    assert found.held.oldest_at is not None


# --- who is told, and who may look ---


async def _operated(a_key: KeyFactory) -> str:
    key = await a_key(OPERATOR, Role.OPERATOR)
    await a_key(OTHER, Role.SENDER)
    return key


async def told(world: World, type_: EventType) -> list[tuple[str, dict[str, Any]]]:
    return [(row.agency_code, row.data) for row in await world.rows(event_rows) if row.type == type_]


async def test_agency_and_operators_are_told_that_an_endpoint_was_disabled(world: World, a_key: KeyFactory) -> None:
    await _operated(a_key)
    async with a_receiver(answering(410)) as gone, a_receiver() as desk:
        endpoint_id, _ = await world.endpoint(gone.url)
        await world.endpoint(desk.url, agency=OPERATOR, event_types=("endpoint.disabled",))
        await world.tell()
        async with world.delivering():
            await until(lambda: len(desk.received) == 1)

    news = await told(world, EventType.ENDPOINT_DISABLED)
    assert sorted(agency for agency, _ in news) == [OPERATOR, AGENCY]
    assert {data["agency"] for _, data in news} == {AGENCY}
    assert {data["endpoint_id"] for _, data in news} == {str(endpoint_id)}


async def test_operators_are_told_once_that_an_endpoint_fails(world: World, a_key: KeyFactory) -> None:
    await _operated(a_key)
    async with a_receiver(answering(500)) as receiver:
        await world.endpoint(receiver.url)
        await world.execute("UPDATE endpoints SET failing_since = now() - interval '6 minutes'")
        await world.tell(times=3)
        async with world.delivering():
            await until(lambda: has_attempts(world, 3))

    assert sorted(agency for agency, _ in await told(world, EventType.ENDPOINT_FAILING)) == [OPERATOR, AGENCY]


async def test_who_was_an_operator_is_told_nothing_more(world: World, a_key: KeyFactory) -> None:
    await _operated(a_key)
    await world.execute("UPDATE api_keys SET revoked_at = now()")
    async with a_receiver(answering(410)) as gone:
        await world.endpoint(gone.url)
        await world.tell()
        async with world.delivering():
            await until(lambda: all_are(world, "held"))

    assert [agency for agency, _ in await told(world, EventType.ENDPOINT_DISABLED)] == [AGENCY]


async def test_an_operator_sees_every_endpoint_that_fails_or_was_given_up_and_no_agency_does(
    world: World, a_key: KeyFactory, a_client: ClientFactory
) -> None:
    operator: httpx.AsyncClient = await a_client(*ROUTERS, key=await _operated(a_key))
    agency: httpx.AsyncClient = await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))
    names = ["sound", "failing", "gone", "stopped"]
    ids = {name: (await world.endpoint(URL))[0] for name in names}
    for name, change in (
        ("failing", "failing_since = now()"),
        ("gone", "state = 'disabled', state_reason = 'gone'"),
        ("stopped", "state = 'disabled', state_reason = 'by_agency'"),
    ):
        async with world.sessions.begin() as tx:
            await tx.execute(text(f"UPDATE endpoints SET {change} WHERE id = :id"), {"id": ids[name]})  # noqa: S608

    first = await operator.get("/v1/failing-endpoints?limit=1")
    rest = await operator.get(f"/v1/failing-endpoints?limit=1&after={first.json()['next']}")
    refused = await agency.get("/v1/failing-endpoints")

    shown = [item["endpoint_id"] for item in (*first.json()["items"], *rest.json()["items"])]
    assert shown == [str(ids["failing"]), str(ids["gone"])]
    assert rest.json()["next"] is None
    assert refused.status_code == 403


async def test_an_operator_may_look_at_the_health_of_anybodys_endpoint(
    world: World, a_key: KeyFactory, a_client: ClientFactory
) -> None:
    operator = await a_client(*ROUTERS, key=await _operated(a_key))
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell()
    await attempted(world, endpoint_id, "timeout", took=15_000)

    answer = await operator.get(f"/v1/endpoints/{endpoint_id}/health")

    body = answer.json()
    assert (answer.status_code, body["agency"], body["last_failure"]["phase"]) == (200, AGENCY, "timeout")
    assert (body["last_hour"]["success_share"], body["last_hour"]["p50_ms"]) == (0.0, 15_000)
    assert body["backlog"]["count"] == 1
