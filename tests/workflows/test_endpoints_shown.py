"""What an agency sees of its endpoints: limits, breaker, and what exactly failed."""

import pytest
from sqlalchemy import text

from tests.workflows.conftest import KUKAR, Service

URL = "https://agency.example/lintas"
CLOSED = {"state": "closed", "opened_at": None, "next_probe_at": None, "quiet_until": None}


async def test_an_endpoint_shows_its_limits_and_its_breaker(service: Service) -> None:
    made = await service.call(KUKAR, "POST", "/endpoints", json={"url": URL, "max_per_minute": 30})
    path = f"/endpoints/{made.json()['id']}"

    assert made.status_code == 201
    assert made.json()["max_per_minute"] == 30
    assert made.json()["breaker"] == CLOSED

    for minutes, state in ((1, "open"), (-1, "half_open")):
        async with service.sessions.begin() as tx:
            await tx.execute(
                text(
                    "UPDATE endpoints SET breaker_opened_at = now(),"
                    " breaker_next_probe_at = now() + :minutes * interval '1 minute'"
                ),
                {"minutes": minutes},
            )
        breaker = (await service.call(KUKAR, "GET", path)).json()["breaker"]
        assert breaker["state"] == state
        assert breaker["opened_at"]
        assert breaker["next_probe_at"]

    changed = await service.call(
        KUKAR, "PUT", path, json={"url": URL.replace("agency", "other")}, headers={"If-Match": "*"}
    )
    assert changed.json()["max_per_minute"] is None
    assert changed.json()["breaker"] == CLOSED, "another address has not failed yet"


@pytest.mark.parametrize("wrong", [0, -1, 60_001, 1.5, "30", True])
async def test_a_limit_that_is_none_is_named(service: Service, wrong: object) -> None:
    answer = await service.call(KUKAR, "POST", "/endpoints", json={"url": URL, "max_per_minute": wrong})

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/max_per_minute"]


async def test_an_attempt_says_what_exactly_failed(service: Service) -> None:
    made = await service.call(KUKAR, "POST", "/endpoints", json={"url": URL})
    assert made.status_code == 201
    async with service.sessions.begin() as tx:  # its challenge
        delivery_id = (await tx.execute(text("SELECT id FROM deliveries"))).scalar_one()
        await tx.execute(
            text(
                "INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome, detail)"
                " VALUES (gen_random_uuid(), :delivery, 1, now(), 12, 'tls', 'certificate_expired')"
            ),
            {"delivery": delivery_id},
        )

    answer = await service.call(KUKAR, "GET", f"/deliveries/{delivery_id}/attempts")

    [attempt] = answer.json()["items"]
    assert (attempt["outcome"], attempt["status"], attempt["detail"]) == ("tls", None, "certificate_expired")
