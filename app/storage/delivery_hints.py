"""Hints from the database that a delivery has fallen due; what is lost of them, the poll makes up for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg  # type: ignore[import-untyped]

from app.storage.database import normalised
from app.storage.deliveries import CHANNEL

ANSWER_WITHIN = 5.0
"""Seconds after which a connection that says nothing is lost."""
ASK_EVERY = 10.0
"""Seconds between two looks whether the connection still stands."""


async def listen(url: str, hint: Callable[[], None]) -> None:
    """Call `hint` for each notification, until the connection ends with an OSError or an asyncpg error.

    `url` is the database's own address: a pooler that hands out connections by transaction cannot listen.
    """
    settings = {"application_name": "lintas listen"}
    connection = await asyncpg.connect(
        normalised(url), timeout=ANSWER_WITHIN, command_timeout=ANSWER_WITHIN, server_settings=settings
    )
    try:
        await connection.add_listener(CHANNEL, lambda *_: hint())
        hint()  # something may have fallen due while nobody listened
        while True:
            await asyncio.sleep(ASK_EVERY)
            await connection.execute("SELECT 1")
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await asyncio.shield(connection.close(timeout=1))
