"""A version is published beside referrals and other operators, and every process follows at once."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import orjson
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.domain.clock import SettableClock
from app.main import ROUTERS
from app.storage.reference import ReferenceKeeper
from tests.workflows.agreements import (
    BALIKPAPAN,
    ID,
    OPERATOR,
    PROVINCE,
    a_clause,
    a_document,
    a_successor,
    act,
    decided,
    hurt_in_balikpapan,
    publish,
    put,
)
from tests.workflows.conftest import PPU, Service, of, replay_all

TOMORROW = date(2025, 3, 5)


async def test_of_two_operators_who_publish_at_once_one_wins(service: Service) -> None:
    await put(service, a_document())

    answers = await asyncio.gather(*(act(service, a_document(), "publish") for _ in range(5)))

    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"version_published"}


async def test_every_process_decides_by_a_new_version_without_a_restart(
    service: Service, sessions: async_sessionmaker[AsyncSession], clock: SettableClock
) -> None:
    client = await service.as_agency(PPU)
    other = build(
        ROUTERS,
        sessions=sessions,
        key_ring=service.key_ring,
        reference=ReferenceKeeper(),
        clock=clock,
        terms=service.terms,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=other), base_url="http://other.test", headers=client.headers
    ) as elsewhere:

        async def there() -> str:
            answer = await elsewhere.post(
                "/v1/referrals", json=hurt_in_balikpapan(), headers={"Idempotency-Key": str(clock())}
            )
            clock.advance(timedelta(seconds=1))
            return str(of(answer.json())["decision"]["agency"])

        before = await there()
        await publish(service, a_document())
        after = await there()

    assert (before, after) == (PROVINCE, BALIKPAPAN)


async def test_referrals_that_come_in_while_a_version_is_published_are_decided_by_the_one_or_the_other(
    service: Service,
) -> None:
    await put(service, a_document())

    async def submit() -> dict[str, Any]:
        return await service.submit(hurt_in_balikpapan())

    publishing = asyncio.create_task(act(service, a_document(), "publish"))
    referrals = await asyncio.gather(*(submit() for _ in range(12)))
    published = await publishing
    after = await submit()

    assert published.status_code == 200
    assert {of(one)["decision"]["agency"] for one in referrals} <= {PROVINCE, BALIKPAPAN}
    assert of(after)["decision"]["agency"] == BALIKPAPAN
    assert await replay_all(service.sessions) == 13


async def test_an_old_decision_replays_to_the_same_bytes_after_a_successor_and_a_change_of_the_registry(
    service: Service,
) -> None:
    await publish(service, a_document())
    old = of(await service.submit(hurt_in_balikpapan()))["decision"]
    kept = await service.read(PPU, f"/decisions/{old['id']}")
    await publish(service, a_successor(a_clause(basis=["current"]), begins=TOMORROW))
    service.clock.advance(timedelta(days=2))
    agency = await service.call(OPERATOR, "GET", f"/agencies/{BALIKPAPAN}")
    services = {"area": ["64.71"], "available": False}
    changed = await service.call(
        OPERATOR,
        "PUT",
        f"/agencies/{BALIKPAPAN}/services/legal_service",
        json=services,
        headers={"If-Match": agency.headers["ETag"]},
    )

    replayed = (await service.call(PPU, "POST", f"/decisions/{old['id']}/replay")).json()
    now = await service.read(PPU, f"/decisions/{old['id']}")

    assert changed.status_code == 200
    assert (await decided(service))[0] != BALIKPAPAN
    assert replayed["agrees"]
    assert replayed["replayed"] == replayed["kept"] == kept["result"]
    assert orjson.dumps(now["explanation"]) == orjson.dumps(kept["explanation"])
    assert {(one["id"], one["version"]) for one in now["result"]["documents"]} == {
        ("baseline-national", 1),
        (ID, 1),
    } | {("pks-kukar-ppu-2024", 1)}
