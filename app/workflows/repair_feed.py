"""After a dump was restored: what is new follows what was restored."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.storage import audit, events


async def repair_feed(tx: AsyncSession) -> bool:
    """Let the feed, and the chain over the audit, go on from what was restored; False where they do already."""
    went_on = await events.go_on(tx)
    if went_on:
        await audit.record(tx, None, "feed.repair", subject="feed", subject_id="all")
    return went_on
