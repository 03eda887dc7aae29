"""The frame around every route: caller, body, one transaction."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.storage import api_keys
from app.storage.tables import api_keys as keys
from tests.api.notes import Sessions, notes_in, router
from tests.conftest import ClientFactory, KeyFactory


async def test_what_was_answered_is_committed(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions, clock: SettableClock
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/notes", json={"text": "hello"}, headers={"Idempotency-Key": "a"})

    assert answer.status_code == 201, answer.text
    assert answer.json()["by"] == "dp3a-kukar"
    assert datetime.fromisoformat(answer.json()["at"]) == clock.now()
    assert answer.headers["ETag"] == '"v1"'
    assert await notes_in(sessions) == 1


async def test_what_breaks_is_undone_and_its_message_is_told_to_nobody(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/notes", json={"text": "break"}, headers={"Idempotency-Key": "a"})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    assert await notes_in(sessions) == 0
    assert (
        await client.post("/v1/notes", json={"text": "again"}, headers={"Idempotency-Key": "a"})
    ).status_code == 201, "only what succeeded is remembered"


async def test_an_answer_that_refuses_undoes_the_work(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    answer = await client.post("/v1/notes/refuse", headers={"Idempotency-Key": "a"})

    assert answer.status_code == 409
    assert await notes_in(sessions) == 0


async def test_who_has_no_key_learns_nothing_else(a_client: ClientFactory) -> None:
    client = await a_client(router)

    for headers in ({}, {"Authorization": "Bearer lintas_wrong"}, {"Authorization": "Basic abc"}):
        for body in (b'{"text": 1}', b"{", b"x" * 300_000):
            answer = await client.post("/v1/notes", content=body, headers=headers)

            assert answer.status_code == 401
            assert answer.json()["code"] == "unauthenticated"
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="lintas"')


async def test_a_key_ends_when_it_is_revoked_or_expires(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    other = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    assert (await client.get("/v1/notes")).status_code == 200

    async with sessions.begin() as tx:
        first, second = await api_keys.listed(tx, agency_code="dp3a-kukar")
        assert await api_keys.revoke(tx, first.id)
        assert not await api_keys.revoke(tx, first.id)
        await tx.execute(update(keys).where(keys.c.id == second.id).values(expires_at=func.now()))

    assert (await client.get("/v1/notes")).status_code == 401
    assert (await other.get("/v1/notes")).status_code == 401


async def test_a_key_is_stored_only_as_a_hash(a_key: KeyFactory, sessions: Sessions) -> None:
    secret = await a_key("dp3a-kukar", Role.SENDER)

    async with sessions.begin() as tx:
        stored = (await tx.execute(select(keys))).one()

    assert secret.startswith("lintas_sender_")
    assert len(set(secret.removeprefix("lintas_sender_"))) > 10
    assert secret not in repr(stored)


async def test_the_role_is_asked_for_before_the_body_is_looked_at(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.RECEIVER))

    for body in (b"{", b'{"text": 1}', b"x" * 300_000):
        answer = await client.post("/v1/notes", content=body, headers={"Accept-Language": "en"})

        assert answer.status_code == 403
        assert answer.json()["code"] == "role_required"
        assert answer.json()["roles"] == ["sender"]
        assert "sender" in answer.json()["detail"]


async def test_a_lock_that_takes_too_long_is_worth_a_repeat(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    async with sessions.begin() as tx:
        await tx.execute(text("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"))
        answer = await client.post("/v1/notes/lock")

    assert answer.status_code == 503
    assert answer.json()["code"] == "service_unavailable"
    assert answer.headers["Retry-After"]


async def test_a_lost_connection_is_worth_a_repeat(
    a_client: ClientFactory, a_key: KeyFactory, engine: AsyncEngine, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    await client.get("/v1/notes")

    async with sessions.begin() as tx:
        await tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )
    await asyncio.sleep(0.1)
    answers = [await client.get("/v1/notes") for _ in range(30)]
    # Those lost that were not asked for would meet the next test that wants several at once.
    await engine.dispose()

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200


async def test_a_cancelled_request_leaves_no_connection_behind(
    a_client: ClientFactory, a_key: KeyFactory, engine: AsyncEngine, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    for wait in range(40):
        request = asyncio.create_task(
            client.post("/v1/notes", json={"text": "slow"}, headers={"Idempotency-Key": f"{wait}"})
        )
        await asyncio.sleep(wait / 1000)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert await notes_in(sessions) < 40


async def test_a_caller_who_is_slow_to_send_holds_no_connection(
    a_client: ClientFactory, a_key: KeyFactory, engine: AsyncEngine
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))
    held: list[int] = []

    async def dripping() -> AsyncIterator[bytes]:
        yield b'{"text":'
        held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        yield b'"x"}'

    headers = {"Idempotency-Key": "a", "Content-Type": "application/json"}
    answer = await client.post("/v1/notes", content=dripping(), headers=headers)

    assert answer.status_code == 201
    assert held == [0]
