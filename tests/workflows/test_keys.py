"""Keys over HTTP: how one is rotated, warned of, last used, listed and ended, and what is never shown."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from app.api.key_uses import KeyUses
from app.api.route import KEY_EXPIRES
from app.domain.caller import Role
from app.storage import api_keys
from app.workflows.watch_keys import watch_keys
from tests.workflows.conftest import KUKAR, NATIONAL, PPU, Service


async def a_key(
    service: Service, agency: str = PPU, *roles: Role, left: timedelta | None = None, lived: timedelta = timedelta(0)
) -> tuple[UUID, str]:
    """Issue a key that has so much time left, after it lived for so long."""
    granted = roles or (Role.SENDER,)
    secret = api_keys.new_secret(granted)
    now = datetime.now(UTC)  # noqa: TID251 - keys expire by real time
    async with service.sessions.begin() as tx:
        key_id = await api_keys.add(
            tx, secret=secret, agency_code=agency, roles=granted, label="", expires_at=now + left if left else None
        )
        assert key_id is not None
        await tx.execute(
            text("UPDATE api_keys SET created_at = created_at - cast(:lived AS interval) WHERE id = :id"),
            {"lived": lived, "id": key_id},
        )
    return key_id, secret


async def call(service: Service, secret: str, method: str, path: str, **more: Any) -> httpx.Response:
    client = await service.as_agency(NATIONAL)
    headers = {"Authorization": f"Bearer {secret}"} | more.pop("headers", {})
    return await client.request(method, f"/v1{path}", headers=headers, **more)


async def row(service: Service, key_id: UUID | str) -> Any:
    async with service.sessions.begin() as tx:
        return (await tx.execute(text("SELECT * FROM api_keys WHERE id = :id"), {"id": str(key_id)})).one()


async def execute(service: Service, statement: str, **values: Any) -> None:
    async with service.sessions.begin() as tx:
        await tx.execute(text(statement), values)


async def pass_days(service: Service, key_id: UUID, days: int) -> None:
    times = ("created_at", "expires_at", "warned_at")
    earlier = ", ".join(f"{name} = {name} - interval '{days} days'" for name in times)
    await execute(service, f"UPDATE api_keys SET {earlier} WHERE id = '{key_id}'")  # noqa: S608


async def rotate(service: Service, key_id: UUID, secret: str, **more: Any) -> httpx.Response:
    return await call(service, secret, "POST", f"/keys/{key_id}/rotate", json=more.pop("json", {}), **more)


async def test_a_key_and_what_it_was_rotated_to_both_work_until_the_old_one_ends(service: Service) -> None:
    key_id, old = await a_key(service, PPU, Role.SENDER, Role.RECEIVER)

    answer = await rotate(service, key_id, old)
    new = answer.json()
    both = [(await call(service, secret, "GET", "/keys")).status_code for secret in (old, new["secret"])]
    await execute(service, "UPDATE api_keys SET expires_at = now() WHERE id = :id", id=key_id)
    after = [(await call(service, secret, "GET", "/keys")).status_code for secret in (old, new["secret"])]

    assert answer.status_code == 201, answer.text
    assert (new["agency"], new["roles"], new["expires_at"]) == (PPU, ["receiver", "sender"], None)
    assert (both, after) == ([200, 200], [401, 200])
    assert answer.headers["Location"] == f"/v1/keys/{new['id']}"
    told = [data for type_, data in await service.news(PPU) if type_ == "key.rotated"]
    assert told == [{"key_id": str(key_id), "new_key_id": new["id"], "expires_at": told[0]["expires_at"]}]
    assert new["secret"] not in str(told)


async def test_a_rotated_key_lives_as_long_as_the_one_before_and_prolongs_nothing(service: Service) -> None:
    key_id, old = await a_key(service, left=timedelta(days=3), lived=timedelta(days=27))

    new = (await rotate(service, key_id, old, json={"old_valid_for": "P30D"})).json()

    before, after = await row(service, key_id), await row(service, new["id"])
    assert round((after.expires_at - after.created_at) / timedelta(days=1)) == 30
    assert before.expires_at - after.created_at < timedelta(days=3)


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(service: Service) -> None:
    key_id, old = await a_key(service)

    new = (await rotate(service, key_id, old, json={"old_valid_for": "PT0S"})).json()

    assert (await call(service, old, "GET", "/keys")).status_code == 401
    assert (await call(service, new["secret"], "GET", "/keys")).status_code == 200


async def test_a_key_is_rotated_once_and_by_nobody_else(service: Service) -> None:
    key_id, mine = await a_key(service, PPU, Role.OPERATOR)
    _, of_my_agency = await a_key(service, PPU)
    _, of_another = await a_key(service, KUKAR, Role.OPERATOR)

    refused = [await rotate(service, key_id, secret) for secret in (of_my_agency, of_another)]
    first = await rotate(service, key_id, mine)
    second = await rotate(service, key_id, mine)

    assert [answer.status_code for answer in refused] == [404, 404]
    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "key_replaced")


async def test_the_first_answer_to_a_rotation_is_given_again_to_the_same_key_alone(service: Service) -> None:
    key_id, mine = await a_key(service, PPU, Role.OPERATOR)
    _, other = await a_key(service, PPU, Role.OPERATOR)
    same = {"Idempotency-Key": str(uuid4())}

    first = await rotate(service, key_id, mine, headers=same)
    again = await rotate(service, key_id, mine, headers=same)
    theirs = await rotate(service, key_id, other, headers=same)

    assert first.json() == again.json()
    assert (theirs.status_code, "secret" in theirs.json()) == (404, False)


@pytest.mark.parametrize("odd", ["P31D", "P1WD", "7d", "", "-PT1H"])
async def test_how_long_an_old_key_lives_is_a_duration_within_bounds(service: Service, odd: str) -> None:
    key_id, secret = await a_key(service)

    answer = await rotate(service, key_id, secret, json={"old_valid_for": odd})

    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/old_valid_for", "key_life")]
    assert (await row(service, key_id)).replaced_by is None


async def test_two_rotations_at_once_make_one_new_key(service: Service) -> None:
    key_id, secret = await a_key(service)

    answers = await asyncio.gather(*(rotate(service, key_id, secret) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    async with service.sessions.begin() as tx:
        keys = await api_keys.listed(tx, agency_code=PPU)
    assert len([key for key in keys if key.lineage_id == key_id]) == 2


async def test_a_key_in_its_last_days_says_so_with_every_answer(service: Service) -> None:
    _, late = await a_key(service, left=timedelta(days=13))
    _, early = await a_key(service, left=timedelta(days=15))
    _, endless = await a_key(service)

    answers = [await call(service, secret, "GET", "/keys") for secret in (late, early, endless)]

    assert [KEY_EXPIRES in answer.headers for answer in answers] == [True, False, False]
    assert datetime.fromisoformat(answers[0].headers[KEY_EXPIRES]).tzinfo is not None


async def test_an_agency_is_told_before_a_key_expires_once_each_time(service: Service) -> None:
    key_id, _ = await a_key(service, left=timedelta(days=13), lived=timedelta(days=100))
    short, _ = await a_key(service, left=timedelta(hours=20), lived=timedelta(hours=4))
    await a_key(service, left=timedelta(days=15), lived=timedelta(days=100))
    rotated, secret = await a_key(service, left=timedelta(days=13), lived=timedelta(days=100))
    await rotate(service, rotated, secret)

    counts = []
    for days in (0, 0, 9, 1, 1, 1, 1, 1):
        await pass_days(service, key_id, days)
        counts.append(await watch_keys(service.sessions, now=service.clock()))

    told = [data["key_id"] for type_, data in await service.news(PPU) if type_ == "key.expiring"]
    # With 13 days left, 3, 1, and none: it is told of once each time.
    assert counts == [1, 0, 0, 1, 0, 1, 0, 0]
    assert set(told) == {str(key_id)}
    assert (await row(service, short)).warned_at is None


async def test_the_last_use_is_written_beside_the_requests_and_once_a_minute_at_most(service: Service) -> None:
    key_id, _ = await a_key(service)
    moment = datetime.now(UTC)  # noqa: TID251 - keys are used in real time
    here, there = KeyUses(lambda: moment), KeyUses(lambda: moment + timedelta(seconds=30))
    here.note(key_id)
    await here.write(service.sessions)
    first = (await row(service, key_id)).last_used_at

    there.note(key_id)
    await there.write(service.sessions)
    soon = (await row(service, key_id)).last_used_at
    await execute(service, "UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
    await there.write(service.sessions)
    later = (await row(service, key_id)).last_used_at

    assert first == soon == moment
    assert later == moment + timedelta(seconds=30)


async def test_a_use_that_another_process_saw_later_is_not_taken_back(service: Service) -> None:
    key_id, _ = await a_key(service)
    moment = datetime.now(UTC)  # noqa: TID251 - keys are used in real time
    await execute(service, "UPDATE api_keys SET last_used_at = :moment", moment=moment)
    late = KeyUses(lambda: moment - timedelta(minutes=2))
    late.note(key_id)

    await late.write(service.sessions)

    assert (await row(service, key_id)).last_used_at == moment
    assert not late._seen


async def test_requests_of_a_key_do_not_wait_for_who_writes_its_last_use(service: Service) -> None:
    key_id, secret = await a_key(service)
    async with service.sessions.begin() as tx:
        await tx.execute(text("UPDATE api_keys SET last_used_at = now() WHERE id = :id"), {"id": key_id})
        answers = [(await call(service, secret, "GET", "/keys")).status_code for _ in range(5)]
        # Nor does the writer wait for whoever holds the key.
        uses = KeyUses(service.clock)
        uses.note(key_id)
        await uses.write(service.sessions)

    assert answers == [200] * 5


async def test_an_agency_lists_its_keys_and_an_operator_those_of_any(service: Service) -> None:
    key_id, mine = await a_key(service)
    other_id, _ = await a_key(service, KUKAR)
    _, operator = await a_key(service, NATIONAL, Role.OPERATOR)

    own = await call(service, mine, "GET", "/keys")
    of_others = await call(service, mine, "GET", f"/keys?agency={KUKAR}")
    by_operator = await call(service, operator, "GET", f"/keys?agency={KUKAR}")
    looks = [
        (await call(service, secret, "GET", f"/keys/{one}")).status_code
        for secret, one in ((mine, key_id), (mine, other_id), (operator, other_id), (mine, uuid4()))
    ]

    assert str(key_id) in [key["id"] for key in own.json()["items"]]
    assert {key["agency"] for key in own.json()["items"]} == {PPU}
    assert of_others.status_code == 403
    assert [key["id"] for key in by_operator.json()["items"]] == [str(other_id)]
    assert looks == [200, 404, 200, 404]
    for answer in (own, by_operator):
        assert "secret" not in answer.text
        assert "hash" not in answer.text


async def test_a_key_is_ended_by_itself_or_by_an_operator(service: Service) -> None:
    leaked_id, leaked = await a_key(service)
    kept_id, kept = await a_key(service)
    _, neighbour = await a_key(service, PPU, Role.RECEIVER)
    _, operator = await a_key(service, NATIONAL, Role.OPERATOR)

    by_neighbour = await call(service, neighbour, "POST", f"/keys/{kept_id}/revoke")
    by_itself = await call(service, leaked, "POST", f"/keys/{leaked_id}/revoke")
    by_operator = await call(service, operator, "POST", f"/keys/{kept_id}/revoke")
    again = await call(service, operator, "POST", f"/keys/{kept_id}/revoke")

    statuses = [answer.status_code for answer in (by_neighbour, by_itself, by_operator, again)]
    assert statuses == [404, 200, 200, 404]
    assert by_itself.json()["state"] == "revoked"
    assert [(await call(service, secret, "GET", "/keys")).status_code for secret in (leaked, kept)] == [401, 401]
    told = [data["key_id"] for type_, data in await service.news(PPU) if type_ == "key.revoked"]
    assert told == [str(leaked_id), str(kept_id)]


async def test_every_step_of_a_key_is_in_the_audit_and_its_secret_is_nowhere(service: Service) -> None:
    key_id, secret = await a_key(service)
    new = (await rotate(service, key_id, secret, headers={"Idempotency-Key": "x"})).json()
    await call(service, new["secret"], "POST", f"/keys/{new['id']}/revoke")

    async with service.sessions.begin() as tx:
        entries = (
            await tx.execute(text("SELECT action, subject_id FROM audit WHERE action LIKE 'key.%' ORDER BY xact, id"))
        ).all()
        tables = (await tx.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).all()
        held = [str((await tx.execute(text(f'SELECT t::text FROM "{table}" t'))).all()) for table in tables]  # noqa: S608

    assert [tuple(entry) for entry in entries] == [("key.rotate", str(key_id)), ("key.revoke", new["id"])]
    for value in (secret, new["secret"]):
        assert not any(value in one or value.encode().hex() in one for one in held)
