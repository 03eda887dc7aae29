"""A large document takes a while to be checked: intake goes on, and nothing passes that the registry now refuses."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import text

from app.api.application import build
from app.domain.analysis import Finding, check
from app.main import ROUTERS
from app.storage.reference import ReferenceKeeper
from tests.workflows.agreements import (
    BALIKPAPAN,
    ID,
    OPERATOR,
    PROVINCE,
    a_clause,
    a_document,
    hurt_in_balikpapan,
    path_of,
    put,
)
from tests.workflows.conftest import Service, of

PATIENCE = 20.0
RIVAL = "aaa-uptd"


class Pausing:
    """The check, which waits at each of its first runs until it is let go."""

    def __init__(self, pauses: int = 1) -> None:
        self.begun = [threading.Event() for _ in range(pauses)]
        self.go_on = [threading.Event() for _ in range(pauses)]
        self.runs = 0

    def __call__(self, *documents: Any, **more: Any) -> tuple[Finding, ...]:
        run, self.runs = self.runs, self.runs + 1
        if run < len(self.begun):
            self.begun[run].set()
            assert self.go_on[run].wait(PATIENCE)
        return check(*documents, **more)

    async def at(self, run: int) -> None:
        """Wait until a run has begun."""
        assert await asyncio.to_thread(self.begun[run].wait, PATIENCE)


@asynccontextmanager
async def checking_by(
    service: Service, pausing: Callable[..., tuple[Finding, ...]]
) -> AsyncIterator[httpx.AsyncClient]:
    """Speak as the operator to another process, whose checks are these."""
    headers = (await service.as_agency(OPERATOR)).headers
    other = build(
        ROUTERS,
        sessions=service.sessions,
        key_ring=service.key_ring,
        reference=ReferenceKeeper(),
        clock=service.clock,
        terms=service.terms,
        check=pausing,
    )
    transport = httpx.ASGITransport(app=other)
    async with httpx.AsyncClient(transport=transport, base_url="http://other.test/v1", headers=headers) as client:
        yield client


async def a_rival(service: Service) -> httpx.Response:
    """Another agency of the kind that serves Balikpapan comes into the registry."""
    body = {
        "name": "Another",
        "kind": "uptd_ppa",
        "region": "64.71",
        "services": {"legal_service": {"area": ["64.71"]}},
    }
    return await service.call(OPERATOR, "PUT", f"/agencies/{RIVAL}", json=body)


def of_one_city(*clauses: dict[str, Any]) -> dict[str, Any]:
    parties = [{"agency": BALIKPAPAN, "territory": ["64.71"]}]
    return a_document(*clauses, parties=parties, covers={"domicile": ["64.71", "64.72"]})


async def test_intake_and_changes_of_the_registry_go_through_while_a_document_is_checked(service: Service) -> None:
    pausing = Pausing()
    await put(service, a_document())
    async with checking_by(service, pausing) as operator:
        publishing = asyncio.create_task(operator.post(f"{path_of(a_document())}/publish"))
        await pausing.at(0)

        meanwhile = await service.submit(hurt_in_balikpapan())
        changed = await a_rival(service)
        again = await service.submit(hurt_in_balikpapan())
        is_done = publishing.done()
        pausing.go_on[0].set()
        published = await publishing

    after = await service.submit(hurt_in_balikpapan())
    assert not is_done
    assert [of(one)["decision"]["agency"] for one in (meanwhile, again)] == [PROVINCE, PROVINCE]
    assert changed.status_code == 201
    assert published.status_code == 200, published.text
    assert of(after)["decision"]["document"] == ID


async def test_a_check_that_nothing_overtook_is_not_made_twice(service: Service) -> None:
    pausing = Pausing(pauses=0)
    await put(service, a_document())
    async with checking_by(service, pausing) as operator:
        published = await operator.post(f"{path_of(a_document())}/publish")

    assert (published.status_code, pausing.runs) == (200, 1)


async def test_a_repeat_of_a_publication_is_answered_without_a_check(service: Service) -> None:
    pausing, key = Pausing(pauses=0), {"Idempotency-Key": "publish-once"}
    await put(service, a_document())
    async with checking_by(service, pausing) as operator:
        published = await operator.post(f"{path_of(a_document())}/publish", headers=key)
        again = await operator.post(f"{path_of(a_document())}/publish", headers=key)

    assert (published.status_code, again.status_code, pausing.runs) == (200, 200, 1)
    assert again.content == published.content


async def test_a_document_is_refused_for_what_the_registry_became_while_it_was_checked(service: Service) -> None:
    document = of_one_city(a_clause("one", to={"agency": BALIKPAPAN}), a_clause("two"))
    pausing = Pausing()
    await put(service, document)
    async with checking_by(service, pausing) as operator:
        publishing = asyncio.create_task(operator.post(f"{path_of(document)}/publish"))
        await pausing.at(0)
        changed = await a_rival(service)
        pausing.go_on[0].set()
        published = await publishing

    assert changed.status_code == 201
    assert published.status_code == 422
    assert published.json()["code"] == "document_refused"
    assert [one["code"] for one in published.json()["findings"] if one["severity"] == "refuse"] == ["ambiguous"]
    assert pausing.runs == 2


async def test_a_second_check_holds_the_registry_still_and_intake_goes_on(service: Service) -> None:
    pausing = Pausing(pauses=2)
    await put(service, a_document())
    async with checking_by(service, pausing) as operator:
        publishing = asyncio.create_task(operator.post(f"{path_of(a_document())}/publish"))
        await pausing.at(0)
        await a_rival(service)
        pausing.go_on[0].set()
        await pausing.at(1)

        version = (await service.call(OPERATOR, "GET", f"/agencies/{RIVAL}")).headers["ETag"]
        closing = asyncio.create_task(
            service.call(
                OPERATOR,
                "PUT",
                f"/agencies/{RIVAL}/services/legal_service",
                json={"area": ["64.71"], "available": False},
                headers={"If-Match": version},
            )
        )
        await _somebody_waits(service)
        meanwhile = await service.submit(hurt_in_balikpapan())
        still = await service.read(OPERATOR, f"/agencies/{RIVAL}")
        pausing.go_on[1].set()
        published, closed = await publishing, await closing

    assert still["services"]["legal_service"]["available"]
    assert of(meanwhile)["decision"]["agency"] == PROVINCE
    assert published.status_code == 200
    # Whoever waits for longer than five seconds is told to try again.
    assert closed.status_code in (200, 503)
    assert pausing.runs == 2


async def test_a_draft_that_changes_while_it_is_checked_is_not_published(service: Service) -> None:
    pausing = Pausing(pauses=2)
    seen = (await put(service, a_document())).headers["ETag"]
    async with checking_by(service, pausing) as operator:
        publishing = asyncio.create_task(operator.post(f"{path_of(a_document())}/publish"))
        await pausing.at(0)
        await a_rival(service)
        pausing.go_on[0].set()
        await pausing.at(1)
        changed = await put(service, a_document(a_clause(rank=9)), headers={"If-Match": seen})
        pausing.go_on[1].set()
        published = await publishing

    assert changed.status_code == 200
    assert published.status_code == 412
    assert (await service.read(OPERATOR, path_of(a_document())))["status"] == "draft"


async def test_a_check_holds_nothing_either(service: Service) -> None:
    pausing = Pausing()
    await put(service, a_document())
    async with checking_by(service, pausing) as operator:
        checking = asyncio.create_task(operator.post(f"{path_of(a_document())}/check"))
        await pausing.at(0)

        changed = await a_rival(service)
        meanwhile = await service.submit(hurt_in_balikpapan())
        pausing.go_on[0].set()
        checked = await checking

    assert changed.status_code == 201
    assert of(meanwhile)["decision"]["agency"] == PROVINCE
    assert checked.json()["publishable"]


async def _somebody_waits(service: Service) -> None:
    """Wait until the database says that somebody waits for an advisory lock."""
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            async with service.sessions() as session:
                if await session.scalar(waiting):
                    return
            await asyncio.sleep(0.01)
