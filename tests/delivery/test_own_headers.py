"""An agency's own headers on its webhooks."""

from app.domain.own_headers import OwnHeader
from app.domain.versions import Expected
from app.storage import equipment
from app.storage.tables import endpoint_equipment
from app.workflows import equip_endpoint
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted
from tests.delivery.receivers import a_receiver
from tests.delivery.world import World, until

CARRIED = Carried((OwnHeader("Authorization", "Bearer kanari"), OwnHeader("X-Tenant", "ppa")))


async def test_own_headers_go_with_every_post_beside_ours(world: World) -> None:
    async with a_receiver() as receiver:
        endpoint_id, _ = await world.endpoint(receiver.url, carried=CARRIED)
        async with world.delivering():
            await world.tell()
            await until(lambda: len(receiver.received) == 1)
            async with world.sessions.begin() as tx:
                await equip_endpoint.put_headers(
                    tx,
                    world.caller(),
                    endpoint_id,
                    (OwnHeader("x-tenant", "other"),),
                    key_ring=world.key_ring,
                    expected=Expected(None),
                )
            await world.tell()
            await until(lambda: len(receiver.received) == 2)

    first, second = (webhook.headers for webhook in receiver.received)
    assert (first["authorization"], first["x-tenant"]) == ("Bearer kanari", "ppa")
    assert first["webhook-id"]
    assert first["content-type"] == "application/json"
    assert ("authorization" in second, second["x-tenant"]) == (False, "other")


async def test_own_headers_are_kept_sealed_and_shown_by_name(world: World) -> None:
    endpoint_id, _ = await world.endpoint("http://127.0.0.1:9009/hook", carried=CARRIED)

    (kept,) = await world.rows_of(endpoint_equipment)
    async with world.sessions.begin() as tx:
        shown = (await equipment.shown(tx, [endpoint_id]))[endpoint_id]
        carried = await equipment.opened(tx, world.key_ring, endpoint_id)

    assert b"kanari" not in kept.headers
    assert shown.header_names == ("Authorization", "X-Tenant")
    assert "kanari" not in repr((shown, carried, CARRIED))


async def test_own_headers_stay_where_the_host_stays(world: World) -> None:
    endpoint_id, _ = await world.endpoint("http://127.0.0.1:9009/hook", carried=CARRIED)

    async def names_after(url: str) -> tuple[str, ...]:
        await world.change(endpoint_id, Wanted(url))
        async with world.sessions.begin() as tx:
            return (await equipment.shown(tx, [endpoint_id]))[endpoint_id].header_names

    assert await names_after("http://127.0.0.1:9009/other?a=b") == ("Authorization", "X-Tenant")
    assert await names_after("http://127.0.0.1:9010/other") == ()
