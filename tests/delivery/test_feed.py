"""The feed goes on where it was, whatever became of the database under it."""

from sqlalchemy import select

from app.storage import events
from app.storage.tables import events as event_rows
from tests.delivery.world import World


async def test_a_feed_goes_on_after_the_database_was_restored_from_a_dump(world: World) -> None:
    await world.endpoint("http://127.0.0.1:1999/hook")
    await world.tell()
    # A dump carries the old cluster's transaction numbers into one that counts from anew.
    async with world.sessions.begin() as tx:
        await tx.execute(event_rows.update().values(xact=9_000_000_000))
    async with world.sessions.begin() as tx:
        repaired = [await events.is_cut_off(tx), await events.go_on(tx), await events.go_on(tx)]
    await world.tell()

    async with world.sessions.begin() as tx:
        first = await events.feed(tx, agency_code="uptd-ppa-ppu", after=None, limit=10)
        last = await tx.scalar(select(event_rows.c.id).order_by(event_rows.c.xact.desc()).limit(1))
        later = await events.feed(tx, agency_code="uptd-ppa-ppu", after=(9_000_000_000, last or first[0].id), limit=10)

    assert repaired == [True, True, False]
    assert (len(first), len(later)) == (2, 1)
