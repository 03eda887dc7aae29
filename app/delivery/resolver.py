"""Names to addresses, and no address that may not be posted to."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, TypeAlias

from app.domain.addresses import Reach

Found: TypeAlias = Sequence[tuple[Any, ...]]
Address: TypeAlias = tuple[int, int, int, str, tuple[str, int]]
"""Family, type, protocol, nothing, and the address with its port, as socket.getaddrinfo has it."""
LookUp: TypeAlias = Callable[[str, int], Found]
"""Looks a name up, blocking, in the form of socket.getaddrinfo; OSError where it has no address."""


class AddressRefused(Exception):
    """A host has an address that may not be posted to."""


class NameUnresolved(OSError):
    """A name has no address, or none within the time for it."""


def look_up(host: str, port: int) -> Found:
    """Look a name up as this machine does."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


def literal(host: str, port: int) -> Found:
    """Read a host that is an address already, in the same form; empty where it is a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return ()
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port))]


class CheckedResolver:
    """Resolves a name once for each connection and refuses it if any one of its addresses may not be posted to.

    Each look-up has a thread of its own, which dies with the process: a name server that hangs holds up nobody else.
    """

    def __init__(self, reach: Reach, *, within: float, look_up: LookUp = look_up) -> None:
        self._reach = reach
        self._within = within
        self._look_up = look_up

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Give the addresses of a host; AddressRefused or NameUnresolved where it must not or cannot be reached."""
        try:
            async with asyncio.timeout(self._within):
                found = literal(host, port) or await self._looked_up(host, port)
        except (TimeoutError, OSError, UnicodeError) as error:
            raise NameUnresolved("the name has no address") from error
        addresses: dict[str, Address] = {
            str(place[0]): (family, socket.SOCK_STREAM, proto, "", (str(place[0]), port))
            for family, _, proto, _, place in found
        }
        if not addresses:
            raise NameUnresolved("the name has no address")
        if not all(map(self._reach.may_post_to, addresses)):
            raise AddressRefused
        return list(addresses.values())

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
