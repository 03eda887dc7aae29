"""What is planned while the tables are almost empty is as fast when they have filled: plans are kept."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.events import EventType, NewEvent
from app.storage import events
from app.storage.database import Pool, open_engine, sessions_of
from tests.delivery.world import AGENCY, World

READ_WHOLE = text(
    "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0"
    " AND relname ~ '^(events|handoffs|referrals|deliveries|finished_deliveries)'"
)
TABLES = "events", "deliveries", "handoffs", "referrals", "endpoints"


async def test_news_reads_no_table_from_end_to_end_also_where_it_was_planned_for_an_almost_empty_one(
    world: World, engine: AsyncEngine
) -> None:
    await world.endpoint("https://agency.example/lintas")
    handoff_id = await world.offer()
    await world.tell(handoff_id=handoff_id)
    async with engine.begin() as connection:
        for table in TABLES:
            await connection.execute(text(f"ANALYZE {table}"))
    # One connection, which has planned nothing yet and keeps what it plans.
    fresh = open_engine(
        engine.url.render_as_string(hide_password=False),
        application_name="lintas tests",
        pool=Pool(size=1, overflow=0),
    )

    seen = []
    for _ in range(8):
        async with sessions_of(fresh).begin() as tx:
            news = NewEvent(AGENCY, EventType.HANDOFF_REMINDER, {"handoff_id": str(handoff_id)}, None, handoff_id)
            await events.announce(tx, news, now=world.clock())
            seen.append(list(await tx.scalars(READ_WHOLE)))
    await fresh.dispose()

    assert seen == [[]] * 8
