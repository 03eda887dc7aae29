from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.domain.caller import Role
from app.main import ROUTERS
from app.storage.tables import every_delivery, recoveries
from app.workflows.run_recoveries import run_due_recoveries
from tests.conftest import ClientFactory, KeyFactory
from tests.delivery.recovering import all_end
from tests.delivery.world import AGENCY, OTHER, World

URL = "http://127.0.0.1:9009/hook"


@pytest.fixture
async def agency(a_client: ClientFactory, a_key: KeyFactory) -> httpx.AsyncClient:
    """The agency whose endpoint it is."""
    return await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))


@pytest.fixture
async def stranger(a_client: ClientFactory, a_key: KeyFactory) -> httpx.AsyncClient:
    """Another agency."""
    return await a_client(*ROUTERS, key=await a_key(OTHER, Role.RECEIVER))


async def an_endpoint_that_missed(world: World, number: int) -> UUID:
    endpoint_id, _ = await world.endpoint(URL)
    await world.tell(times=number)
    await all_end(world, "failed")
    return endpoint_id


async def test_a_dry_run_says_how_much_and_a_recovery_says_how_far(world: World, agency: httpx.AsyncClient) -> None:
    endpoint_id = await an_endpoint_that_missed(world, 3)

    counted = await agency.post(f"/v1/endpoints/{endpoint_id}/recover", json={"failed": True, "dry_run": True})
    begun = await agency.post(f"/v1/endpoints/{endpoint_id}/recover", json={"failed": True})
    await run_due_recoveries(world.sessions)
    ended = await agency.get(begun.headers["Location"])
    listed = await agency.get(f"/v1/endpoints/{endpoint_id}/recoveries")

    assert (counted.status_code, begun.status_code) == (200, 202)
    assert (counted.json()["count"], counted.json()["by_type"]) == (3, {"referral.closed": 3})
    assert (begun.json()["state"], begun.json()["counted"], begun.json()["done"]) == ("running", 3, 0)
    assert (ended.json()["state"], ended.json()["done"]) == ("finished", 3)
    assert listed.json()["items"] == [ended.json()]


async def test_the_same_request_sent_twice_by_accident_recovers_once(world: World, agency: httpx.AsyncClient) -> None:
    endpoint_id = await an_endpoint_that_missed(world, 2)
    since = (world.clock() - timedelta(hours=1)).isoformat()
    path, body, key = f"/v1/endpoints/{endpoint_id}/recover", {"since": since}, {"Idempotency-Key": "tuesday"}

    first = await agency.post(path, json=body, headers=key)
    await run_due_recoveries(world.sessions)
    await all_end(world, "delivered")
    by_accident = await agency.post(path, json=body, headers=key)
    on_purpose = await agency.post(path, json=body)

    assert by_accident.headers["Idempotency-Replayed"] == "true"
    assert by_accident.json() == first.json()
    assert on_purpose.json()["id"] != first.json()["id"]
    assert len(await world.rows(recoveries)) == 2


async def test_another_recovery_is_refused_by_the_name_of_the_one_that_runs(
    world: World, agency: httpx.AsyncClient
) -> None:
    endpoint_id = await an_endpoint_that_missed(world, 1)
    path = f"/v1/endpoints/{endpoint_id}/recover"
    running = await agency.post(path, json={"failed": True})

    again = await agency.post(path, json={"failed": True})
    other = await agency.post(path, json={"failed": True, "event_types": ["handoff.offered"]})
    cancelled = await agency.post(f"/v1/recoveries/{running.json()['id']}/cancel")
    then = await agency.post(path, json={"failed": True, "event_types": ["handoff.offered"]})

    assert (again.status_code, again.json()) == (202, running.json())
    assert (other.status_code, other.json()["code"]) == (409, "recovery_running")
    assert other.json()["recovery_id"] == running.json()["id"]
    assert cancelled.json()["state"] == "cancelled"
    assert then.status_code == 202


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("/failed", "failed_or_since")]),
        ({"failed": False}, [("/failed", "failed_or_since")]),
        ({"failed": "true"}, [("/failed", "true_or_false_required")]),
        ({"failed": None}, [("/failed", "true_or_false_required")]),
        ({"since": "yesterday"}, [("/since", "moment_required")]),
        (
            {"failed": True, "event_types": ["referral.nonsense", "a.a"]},
            [
                ("/event_types/0", "unknown_code"),
                ("/event_types/1", "unknown_code"),
            ],
        ),
        (
            {"failed": True, "event_types": ["referral.nonsense", "handoff.offered"]},
            [
                ("/event_types/0", "unknown_code"),
            ],
        ),
        ({"failed": True, "event_types": ["handoff.offered"] * 2}, [("/event_types/1", "twice")]),
        (
            {"since": "2026-01-02T00:00:00+07:00", "until": "2026-01-01T00:00:00+07:00"},
            [("/until", "not_after_since")],
        ),
    ],
)
async def test_what_cannot_be_recovered_is_named(
    world: World, agency: httpx.AsyncClient, body: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    endpoint_id = await an_endpoint_that_missed(world, 1)

    answer = await agency.post(f"/v1/endpoints/{endpoint_id}/recover", json=body)

    assert answer.status_code == 422
    assert faults == [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert not await world.rows(recoveries)


async def test_anothers_endpoint_and_all_that_is_its_own_are_as_absent(
    world: World, agency: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    endpoint_id = await an_endpoint_that_missed(world, 1)
    begun = (await agency.post(f"/v1/endpoints/{endpoint_id}/recover", json={"failed": True})).json()["id"]
    delivery = (await world.delivery()).id

    for method, path, body in (
        ("POST", f"/v1/endpoints/{endpoint_id}/recover", {"failed": True}),
        ("POST", f"/v1/endpoints/{endpoint_id}/recover", {"failed": True, "dry_run": True}),
        ("GET", f"/v1/endpoints/{endpoint_id}/recoveries", None),
        ("GET", f"/v1/endpoints/{endpoint_id}/health", None),
        ("GET", f"/v1/endpoints/{endpoint_id}/deliveries", None),
        ("GET", f"/v1/recoveries/{begun}", None),
        ("POST", f"/v1/recoveries/{begun}/cancel", None),
        ("GET", f"/v1/deliveries/{delivery}", None),
        ("GET", f"/v1/deliveries/{delivery}/attempts", None),
        ("POST", f"/v1/deliveries/{delivery}/resend", None),
    ):
        theirs = await stranger.request(method, path, json=body)
        nobodys = await agency.request(
            method,
            path.replace(str(endpoint_id), str(uuid7()))
            .replace(begun, str(uuid7()))
            .replace(str(delivery), str(uuid7())),
            json=body,
        )
        assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found"), path
        assert nobodys.status_code == 404, path


async def test_one_delivery_is_read_and_sent_again_under_the_id_it_always_had(
    world: World, agency: httpx.AsyncClient
) -> None:
    await an_endpoint_that_missed(world, 1)
    delivery = await world.delivery()

    answer = await agency.post(f"/v1/deliveries/{delivery.id}/resend")
    read = await agency.get(f"/v1/deliveries/{delivery.id}")

    assert answer.status_code == 202
    assert (read.json()["state"], read.json()["event_id"]) == ("due", str(delivery.event_id))


async def test_the_same_key_for_another_resend_does_not_swallow_it(world: World, agency: httpx.AsyncClient) -> None:
    await an_endpoint_that_missed(world, 2)
    one, two = await world.rows(every_delivery)
    key = {"Idempotency-Key": "always-the-same"}

    first = await agency.post(f"/v1/deliveries/{one.id}/resend", headers=key)
    other = await agency.post(f"/v1/deliveries/{two.id}/resend", headers=key)
    async with world.sessions.begin() as tx:
        states = list(await tx.scalars(select(every_delivery.c.state).order_by(every_delivery.c.id)))

    assert first.status_code == 202
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused"), "it is said, not swallowed"
    assert states == ["due", "failed"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", "minta tantangan baru dengan POST .../challenge"),
        ("en", "ask for a new challenge by POST .../challenge"),
    ],
)
async def test_a_challenge_is_not_sent_again_and_the_answer_says_how_to_get_another(
    world: World, agency: httpx.AsyncClient, language: str, words: str
) -> None:
    await world.endpoint(URL, verified=False)
    delivery = await world.delivery()

    answer = await agency.post(f"/v1/deliveries/{delivery.id}/resend", headers={"Accept-Language": language})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_sent_again")
    assert words in answer.json()["detail"]
