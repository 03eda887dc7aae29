"""Names to addresses, and no address that may not be posted to."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from app.domain.addresses import Reach

Found: TypeAlias = Sequence[tuple[Any, ...]]
LookUp: TypeAlias = Callable[[str, int], Found]
"""Looks a name up, blocking, in the form of socket.getaddrinfo; OSError where it has no address."""


class AddressRefused(Exception):
    """A host has an address that may not be posted to."""


class NameUnresolved(OSError):
    """A name has no address, or none within the time for it."""


def look_up(host: str, port: int) -> Found:
    """Look a name up as this machine does."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


class CheckedResolver(AbstractResolver):
    """Resolves a name once for each connection and refuses it if any one of its addresses may not be posted to.

    Each look-up has a thread of its own, which dies with the process: a name server that hangs holds up nobody else.
    """

    def __init__(self, reach: Reach, *, within: float, look_up: LookUp = look_up) -> None:
        self._reach = reach
        self._within = within
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a host; AddressRefused or NameUnresolved where it must not or cannot be reached."""
        try:
            async with asyncio.timeout(self._within):
                found = await self._looked_up(host, port)
        except (TimeoutError, OSError, UnicodeError) as error:
            raise NameUnresolved("the name has no address") from error
        addresses: dict[str, ResolveResult] = {}
        for found_family, _, proto, _, place in found:
            if family in {socket.AF_UNSPEC, found_family}:
                addresses[str(place[0])] = ResolveResult(
                    hostname=host, host=str(place[0]), port=port, family=found_family, proto=proto, flags=0
                )
        if not addresses:
            raise NameUnresolved("the name has no address")
        if not all(map(self._reach.may_post_to, addresses)):
            raise AddressRefused
        return list(addresses.values())

    async def close(self) -> None:
        """Hold nothing that needs closing."""

    async def _looked_up(self, host: str, port: int) -> Found:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()

        def tell(found: Found | None, error: Exception | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found or ())

        def work() -> None:
            outcome: tuple[Found | None, Exception | None]
            try:
                outcome = (self._look_up(host, port), None)
            except (OSError, UnicodeError) as error:
                outcome = (None, error)
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for it any more
                loop.call_soon_threadsafe(tell, *outcome)

        threading.Thread(target=work, name="lintas look-up", daemon=True).start()
        return await answer
