from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from app.delivery.post import Post, open_post
from app.domain.caller import Role
from app.main import ROUTERS
from app.settings import read_settings
from app.storage.sealing import KeyRing
from app.storage.tables import attempts, audit
from app.workers import KEPT_OF_ANSWERS
from tests.conftest import ClientFactory, KeyFactory
from tests.delivery.receivers import Behaviour, a_receiver
from tests.delivery.world import AGENCY, LOOPBACK, SHORT, World, has_attempts, until

SECRET = "Siti Aminah sudah pindah"


def saying(status: int, body: bytes) -> Behaviour:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    return answer


@asynccontextmanager
async def keeping(kept: int) -> AsyncIterator[Post]:
    async with open_post(LOOPBACK, deadlines=SHORT, kept=kept) as post:
        yield post


async def attempted_at(world: World, behaviour: Behaviour, *, kept: int) -> None:
    """Have one attempt made, by a worker that keeps so much of an answer."""
    async with a_receiver(behaviour) as receiver, keeping(kept) as post:
        await world.endpoint(receiver.url)
        await world.tell()
        async with world.delivering(post=post):
            await until(lambda: has_attempts(world, 1))


async def test_nothing_of_an_answer_is_kept_unless_the_operator_asks_for_it(world: World) -> None:
    await attempted_at(world, saying(500, SECRET.encode()), kept=0)

    (row,) = await world.rows(attempts)
    assert row.answer is None
    assert read_settings().webhook.keep_answers is False


async def test_the_start_of_an_answer_is_kept_sealed_and_shown_to_its_agency(
    world: World, a_key: KeyFactory, a_client: ClientFactory
) -> None:
    await attempted_at(world, saying(500, SECRET.encode()), kept=KEPT_OF_ANSWERS)
    agency = await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))

    (row,) = await world.rows(attempts)
    shown = (await agency.get(f"/v1/deliveries/{row.delivery_id}/attempts")).json()["items"]

    assert SECRET.encode() not in row.answer
    assert [(one["outcome"], one["status"], one["answer"]) for one in shown] == [("status", 500, SECRET)]
    assert [one.action for one in await world.rows(audit)][-1] == "delivery.read_answers"


async def test_no_more_than_the_start_is_kept(world: World, a_key: KeyFactory, a_client: ClientFactory) -> None:
    await attempted_at(world, saying(500, b"x" * 100_000), kept=KEPT_OF_ANSWERS)
    agency = await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))

    (row,) = await world.rows(attempts)
    (shown,) = (await agency.get(f"/v1/deliveries/{row.delivery_id}/attempts")).json()["items"]
    assert shown["answer"] == "x" * 1024


async def test_an_answer_that_is_no_text_is_shown_all_the_same(
    world: World, a_key: KeyFactory, a_client: ClientFactory
) -> None:
    await attempted_at(world, saying(200, b"\x00\xff\x1f\x8bok"), kept=KEPT_OF_ANSWERS)
    agency = await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))

    (row,) = await world.rows(attempts)
    (shown,) = (await agency.get(f"/v1/deliveries/{row.delivery_id}/attempts")).json()["items"]
    assert (shown["outcome"], shown["answer"][-2:]) == ("delivered", "ok")


async def test_an_answer_whose_key_is_gone_is_not_shown_and_breaks_nothing(
    world: World, a_key: KeyFactory, a_client: ClientFactory
) -> None:
    await attempted_at(world, saying(500, SECRET.encode()), kept=KEPT_OF_ANSWERS)
    (row,) = await world.rows(attempts)
    other = KeyRing.generate("test-2").seal("attempt-answer", str(row.delivery_id), b"x")
    async with world.sessions.begin() as tx:
        await tx.execute(attempts.update().values(answer=other))
    agency = await a_client(*ROUTERS, key=await a_key(AGENCY, Role.RECEIVER))

    (shown,) = (await agency.get(f"/v1/deliveries/{row.delivery_id}/attempts")).json()["items"]
    assert (shown["status"], shown["answer"]) == (500, None)
