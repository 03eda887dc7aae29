"""A worker in a process of its own, to be killed: database, key ring file, lease and longest post in seconds."""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.delivery.dispatcher import Dispatcher, Pace
from app.delivery.post import Deadlines, open_post
from app.storage.database import open_engine, sessions_of
from app.storage.sealing import KeyRing
from tests.delivery.world import LOOPBACK


async def main(url: str, key_ring: str, lease: str, longest: str) -> None:
    pace = Pace(
        lease=timedelta(seconds=float(lease)),
        longest_post=timedelta(seconds=float(longest)),
        poll=timedelta(milliseconds=50),
    )
    engine = open_engine(url, application_name="worker")
    async with open_post(LOOPBACK, deadlines=Deadlines(total=float(longest))) as post:
        dispatcher = Dispatcher(
            sessions_of(engine),
            KeyRing.read(Path(key_ring)),
            post,
            clock=lambda: datetime.now(UTC),  # noqa: TID251 - an entry point
            pace=pace,
            listen_url=url,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, dispatcher.stop)
        await dispatcher.run()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
