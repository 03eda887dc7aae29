"""The same POST twice is done once and answered the same."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.storage import idempotency
from app.storage.tables import idempotency_records
from tests.api.notes import Sessions, notes_in, router
from tests.conftest import ClientFactory, KeyFactory


async def test_the_same_request_twice_is_done_once_and_answered_the_same(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions, clock: SettableClock
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    again: dict[str, Any] = {"json": {"text": "hello"}, "headers": {"Idempotency-Key": "a key with spaces"}}

    first = await client.post("/v1/notes", **again)
    clock.advance(timedelta(days=300))
    second = await client.post("/v1/notes", **again)

    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.content == first.content
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Content-Length"] == first.headers["Content-Length"]
    assert await notes_in(sessions) == 1


async def test_twenty_of_the_same_at_once_are_one(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answers = await asyncio.gather(
        *(client.post("/v1/notes", json={"text": "slow"}, headers={"Idempotency-Key": "once"}) for _ in range(20))
    )

    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.content for answer in done}) == 1
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert {answer.json()["code"] for answer in waiting} <= {"idempotency_in_flight"}
    assert all("Retry-After" in answer.headers for answer in waiting)
    assert await notes_in(sessions) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/v1/notes", {"text": "other"}), ("POST", "/v1/notes/refuse", {})],
)
async def test_another_request_under_the_same_key_is_refused(
    a_client: ClientFactory, a_key: KeyFactory, method: str, path: str, body: dict[str, str]
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    await client.post("/v1/notes", json={"text": "hello"}, headers={"Idempotency-Key": "a"})

    answer = await client.request(method, path, json=body, headers={"Idempotency-Key": "a"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"


async def test_keys_of_different_agencies_never_meet(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    for agency in ("dp3a-kukar", "dp3ap2kb-ppu"):
        client = await a_client(router, key=await a_key(agency, Role.SENDER))
        answer = await client.post("/v1/notes", json={"text": agency}, headers={"Idempotency-Key": "a"})
        assert answer.json()["by"] == agency

    assert await notes_in(sessions) == 2


async def test_a_first_answer_is_not_given_to_a_key_without_the_role(
    a_client: ClientFactory, a_key: KeyFactory
) -> None:
    sender = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    receiver = await a_client(router, key=await a_key("dp3a-kukar", Role.RECEIVER))
    again: dict[str, Any] = {"json": {"text": "hello"}, "headers": {"Idempotency-Key": "a"}}
    await sender.post("/v1/notes", **again)

    assert (await receiver.post("/v1/notes", **again)).status_code == 403


async def test_a_first_answer_is_sealed_and_forgotten_after_its_time(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    again: dict[str, Any] = {"json": {"text": "canary"}, "headers": {"Idempotency-Key": "a"}}
    first = await client.post("/v1/notes", **again)

    async with sessions.begin() as tx:
        stored = (await tx.execute(select(idempotency_records))).one()
        assert b"dp3a-kukar" not in stored.answer
        assert timedelta(hours=71) < stored.expires_at - await tx.scalar(select(func.now())) <= timedelta(hours=72)
        assert await idempotency.forget_expired(tx) == 0
        await tx.execute(update(idempotency_records).values(expires_at=func.now()))
    second = await client.post("/v1/notes", **again)

    assert second.json()["id"] != first.json()["id"]
    async with sessions.begin() as tx:
        assert await tx.scalar(select(func.count()).select_from(idempotency_records)) == 1
        await tx.execute(update(idempotency_records).values(expires_at=func.now()))
        assert await idempotency.forget_expired(tx) == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "caf\u00e9", "tab\there"])
async def test_an_odd_idempotency_key_is_refused(a_client: ClientFactory, a_key: KeyFactory, key: str) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/notes", json={"text": "x"}, headers=[(b"idempotency-key", key.encode("latin-1"))])

    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_invalid"


async def test_a_route_can_insist_on_an_idempotency_key(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/notes", json={"text": "x"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_required"
    assert (await client.post("/v1/notes/refuse")).status_code == 409
