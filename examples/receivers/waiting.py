"""Waiting for something to become true."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

LONGEST = 60.0
LOOK_EVERY = 0.05


class NotSo(Exception):
    """Something is not as it should be, or has not become so in time."""


async def until(what: str, is_so: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so; NotSo, with the name it was given, after a minute."""
    end = monotonic() + LONGEST
    while True:
        found = is_so()
        if found if isinstance(found, bool) else await found:
            return
        if monotonic() > end:
            raise NotSo(f"not within {LONGEST:.0f} s: {what}")
        await asyncio.sleep(LOOK_EVERY)


def so(what: str, is_so: object) -> None:
    """See that something is so: NotSo, with the name it was given, if it is not."""
    if not is_so:
        raise NotSo(what)
