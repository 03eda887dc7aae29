"""What breaks while a person's data is on its way: the database, the way to it, and the processes themselves."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from sqlalchemy import text

from chaos.wire import Fate
from tests.delivery.world import until
from tests.leaks.cases import Cases, filled, request_of, submit
from tests.leaks.places import views_of_the_server
from tests.leaks.world import SENDER, World

REFUSES = """
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'not %', NEW USING DETAIL = NEW::text, HINT = NEW::text; END $$
"""


async def break_everything(world: World, cases: Cases) -> None:
    """Have each thing fail that can, with everything planted under way; what was begun is not asked about."""
    await end_deliveries(world)
    await break_the_database(world)
    await break_a_seal(world)
    await wait_for_a_lock(world, cases)
    await break_in_between(world)


async def end_deliveries(world: World) -> None:
    """Have deliveries in every state that one can end or wait in."""
    for state in ("failed", "held", "superseded", "due"):
        await world.execute(
            "UPDATE deliveries SET state = :state, attempts = 9 WHERE id = "
            "(SELECT id FROM deliveries WHERE state = 'due' ORDER BY due_at DESC, id LIMIT 1)",
            state=state,
        )


async def break_the_database(world: World) -> None:
    """Have the database refuse what is written, and say why with all that it was given."""
    for table in ("sealed_fields", "referrals", "facts", "handoffs", "audit", "idempotency_records"):
        async with otherwise(
            world,
            (f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (1 = 0) NOT VALID",),
            (f"ALTER TABLE {table} DROP CONSTRAINT broken",),
        ):
            await refused(world)
    async with otherwise(
        world,
        (REFUSES, "CREATE TRIGGER refuses BEFORE INSERT ON sealed_fields FOR EACH ROW EXECUTE FUNCTION refuses()"),
        ("DROP TRIGGER refuses ON sealed_fields", "DROP FUNCTION refuses"),
    ):
        await refused(world)
    async with otherwise(
        world,
        ("ALTER TABLE sealed_fields RENAME COLUMN sealed TO hidden",),
        ("ALTER TABLE sealed_fields RENAME COLUMN hidden TO sealed",),
    ):
        await refused(world)


@asynccontextmanager
async def otherwise(world: World, there: tuple[str, ...], back: tuple[str, ...]) -> AsyncIterator[None]:
    """Have the database be another for a while."""
    await world.execute(*there)
    yield
    await world.execute(*back)


async def refused(world: World) -> None:
    """Hand in a referral that the database will not have."""
    answer = await world.call(SENDER, "POST", "/v1/referrals", json=filled(world, "/v1/referrals"))
    assert answer.status_code in {500, 503}, answer.text


async def break_a_seal(world: World) -> None:
    """Let what is sealed of a case not open, for its sender, its receiver and its protection officer."""
    referral = await submit(world)
    handoff = request_of(referral)["handoff"]
    await world.execute(
        "UPDATE sealed_fields SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) WHERE referral_id = :id",
        id=referral["id"],
    )
    for agency, path in (
        (SENDER, f"/v1/referrals/{referral['id']}"),
        (handoff["agency"], f"/v1/handoffs/{handoff['id']}"),
        (SENDER, f"/v1/referrals/{referral['id']}/export"),
    ):
        assert (await world.call(agency, "GET", path)).status_code == 500
    await world.run(["rights", "export", referral["id"]])


async def wait_for_a_lock(world: World, cases: Cases) -> None:
    """Let a case be held by another transaction for longer than a statement may take."""
    async with world.sessions.begin() as tx:
        await tx.execute(text("SELECT 1 FROM referrals WHERE id = :id FOR UPDATE"), {"id": cases.open})
        path = "/v1/referrals/{referral_id}/amend"
        amending = world.call(
            SENDER,
            "POST",
            path.format(referral_id=cases.open),
            json=filled(world, path),
            headers={"If-Match": "*"},
        )
        asked = asyncio.create_task(amending)
        for _ in range(20):
            world.statements.append(await views_of_the_server(world.sessions))
            if "FOR UPDATE" in world.statements[-1]:
                break
            await asyncio.sleep(0.05)
        assert (await asked).status_code == 503


async def break_in_between(world: World) -> None:
    """Cut and silence the way to the database, and end each process in the middle of its work."""

    async def cut() -> None:
        world.api.wire.cut()

    async def silence() -> None:
        wire = world.api.wire
        lost = wire.lost
        wire.lose(Fate.SILENT)
        # Several of those that ask wait for an answer by then.
        await until(lambda: wire.lost > lost + 2, within=30)

    async def abort() -> None:
        # It says where each of its threads stood, on standard error.
        world.api.ending = world.worker.ending = True
        world.api.send(signal.SIGABRT)
        world.worker.send(signal.SIGABRT)

    async def stop() -> None:
        # What still waits for the database when the time to stop is over is cut off.
        await silence()
        world.api.ending = world.worker.ending = True
        world.api.send(signal.SIGTERM)
        world.worker.send(signal.SIGTERM)

    async def kill_a_session() -> None:
        # The server says what the session that died was at, and ends all others.
        world.postgres.kill_backends(0)

    for breaks in (cut, silence, stop, abort, kill_a_session):
        await world.house.until_ready()
        carried = world.api.wire.carried
        sending = [asyncio.create_task(_sent(world)) for _ in range(4)]
        await until(lambda at=carried: world.api.wire.carried > at + 20, within=30)  # type: ignore[misc]
        await breaks()
        await asyncio.gather(*sending)
        world.api.wire.heal()
    await world.house.until_ready()


async def _sent(world: World) -> None:
    """Hand in one referral after the other, until one does not come through."""
    for _ in range(20):
        body = filled(world, "/v1/referrals")
        try:
            answer = await world.call(SENDER, "POST", "/v1/referrals", json=body, sees=True)
        except httpx.HTTPError:
            return
        if answer.status_code != 201:
            return
