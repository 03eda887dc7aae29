"""A draft is tried on what was decided, and nothing is written and nothing unsealed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from tests.workflows.agreements import (
    BALIKPAPAN,
    ID,
    PROVINCE,
    a_document,
    act,
    hurt_in_balikpapan,
    publish,
    put,
)
from tests.workflows.conftest import RECEIVER, Service, a_referral, of

THERE = {"agency": BALIKPAPAN, "reason": None, "document": ID, "clause": "legal-at-incident"}
HERE = {"agency": PROVINCE, "reason": None, "document": "baseline-national", "clause": "cross-regency"}


async def simulate(service: Service, **said: Any) -> dict[str, Any]:
    """Try the third agreement."""
    answer = await act(service, a_document(), "simulate", said)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_simulation_says_which_requests_would_go_elsewhere_from_whom_to_whom_by_which_clause(
    service: Service,
) -> None:
    moving = of(await service.submit(hurt_in_balikpapan()))
    await service.submit(a_referral())
    await put(service, a_document())

    said = await simulate(service)

    assert (said["examined"], said["moved"], said["unchanged"], said["next"]) == (2, 1, 1, None)
    assert said["moves"] == [{"service": "legal_service", "from": HERE, "to": THERE, "count": 1}]
    assert said["examples"] == [
        {"name": moving["decision"]["id"], "service": "legal_service", "from": HERE, "to": THERE}
    ]


async def test_a_long_period_is_tried_part_by_part(service: Service) -> None:
    for _ in range(5):
        await service.submit(hurt_in_balikpapan())
    await put(service, a_document())

    first = await simulate(service, limit=2)
    second = await simulate(service, limit=2, after=first["next"])
    third = await simulate(service, limit=2, after=second["next"])

    assert [one["moved"] for one in (first, second, third)] == [2, 2, 1]
    assert third["next"] is None


async def test_only_the_decisions_of_the_period_are_tried(service: Service) -> None:
    begins = service.clock()
    await service.submit(hurt_in_balikpapan())
    service.clock.advance(timedelta(days=1))
    await service.submit(hurt_in_balikpapan())
    await put(service, a_document())
    ends = (begins + timedelta(days=1)).isoformat()

    before = await simulate(service, to=ends)
    since = await simulate(service, **{"from": ends})
    never = await simulate(service, **{"from": (begins + timedelta(days=2)).isoformat()})

    assert [one["examined"] for one in (before, since, never)] == [1, 1, 0]


async def test_what_the_registry_changed_is_not_laid_at_the_drafts_door(
    service: Service,
) -> None:
    await service.submit(a_referral())
    agency = await service.call(PROVINCE, "GET", f"/agencies/{RECEIVER}")
    await service.call(
        RECEIVER,
        "PUT",
        f"/agencies/{RECEIVER}/services/legal_service",
        json={"area": ["64.09"], "available": False},
        headers={"If-Match": agency.headers["ETag"]},
    )
    await put(service, a_document())

    said = await simulate(service)

    assert (said["examined"], said["moved"], said["changed_already"], said["unchanged"]) == (1, 0, 1, 1)


async def test_a_draft_is_tried_on_cases_of_a_file(service: Service) -> None:
    await put(service, a_document())
    places = {"incident": "64.71", "domicile": "64.72", "current": "64.72"}
    facts = {
        "received_at": "2026-01-05T09:00:00+08:00",
        "urgency": "standard",
        "case_types": ["physical"],
        "services": ["legal_service", "health_service"],
        "locations": places,
        "victim": {"age": 30, "sex": "female"},
        "perpetrator_in_household": False,
    }

    said = await simulate(service, cases=[{"name": "di jalan", "facts": facts}])
    wrong = await act(service, a_document(), "simulate", {"cases": [{"name": "x", "facts": {"urgency": 1}}]})

    assert [(one["name"], one["service"]) for one in said["examples"]] == [("di jalan", "legal_service")]
    assert said["examined"] == 2
    assert wrong.status_code == 422
    assert "/cases/0/facts/urgency" in wrong.text


async def test_a_published_version_can_be_tried_on_what_came_before_it(service: Service) -> None:
    await service.submit(hurt_in_balikpapan())
    await publish(service, a_document())

    said = await simulate(service)

    assert (said["moved"], said["changed_already"]) == (0, 1)


async def test_a_simulation_writes_nothing_but_what_every_request_leaves_behind(service: Service) -> None:
    await service.submit(hurt_in_balikpapan())
    await put(service, a_document())
    before = await _written(service)

    await simulate(service)

    assert await _written(service) == before


async def _written(service: Service) -> dict[str, int]:
    tables = ("decisions", "handoffs", "events", "audit", "facts", "drafts", "documents", "registry_state")
    async with service.sessions() as session:
        return {
            table: int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - our own names
            for table in tables
        }


async def test_a_cursor_that_is_none_and_a_limit_beyond_bounds_are_refused(service: Service) -> None:
    await put(service, a_document())

    for said in ({"after": "x"}, {"after": "2025-01-01T00:00:00+00:00_x"}, {"limit": 10**6}, {"from": "yesterday"}):
        assert (await act(service, a_document(), "simulate", said)).status_code == 422
