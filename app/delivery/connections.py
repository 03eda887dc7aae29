"""The connections to receivers: opened to addresses that were checked, kept a while, and used again."""

import asyncio
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

import aiohappyeyeballs

from app.delivery.exchange import AnswerBroken, Exchange, Target, Unanswered, request_of
from app.delivery.resolver import Address, CheckedResolver
from app.domain.addresses import Reach
from app.domain.retry import Answer

IDLE_CONNECTION = 4.0
"""Seconds. Shorter than what common servers keep one open, so that none is used just as its server closes it."""
NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which the next address of a name is tried beside the one before (RFC 8305)."""

_Place: TypeAlias = tuple[str, int, ssl.SSLContext | None]
"""Host, port and TLS identity: a connection that shows one endpoint's certificate is that endpoint's alone."""


class ConnectFailed(Exception):
    """No connection came about, in time or at all; the cause says why."""


class TlsFailed(Exception):
    """A connection came about, and TLS over it did not; the cause says why."""


class TurnedAway(AnswerBroken):
    """A fresh connection ended without a word right after TLS 1.3 came about, where a server refuses a client last."""


class Connections:
    """All connections of a process; how many there are at once is for the caller to bound."""

    def __init__(self, reach: Reach, resolver: CheckedResolver, tls: ssl.SSLContext, *, connect_within: float) -> None:
        self._reach = reach
        self._resolver = resolver
        self._tls = tls
        self._within = connect_within
        self._loop = asyncio.get_running_loop()
        self._idle: dict[_Place, deque[Exchange]] = defaultdict(deque)
        self._open: set[Exchange] = set()
        self._sweep = self._loop.call_later(IDLE_CONNECTION, self._close_idle)

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        tls: ssl.SSLContext | None,
        until: float,
        body_within: float,
        kept: int,
    ) -> Answer:
        """Post a body, and give the answer; `tls` is for an endpoint that has its own, `kept` for the start of answers.

        TimeoutError where none came until then, in the loop's time; AddressRefused, NameUnresolved, ConnectFailed,
        TlsFailed or AnswerBroken where it went wrong before.
        """
        target = Target.of(url)
        context = (tls or self._tls) if target.tls else None
        place = (target.host, target.port, context)
        send = partial(
            self._over, place, request_of(target, headers, body), until=until, body_within=body_within, kept=kept
        )
        idle = self._idle_at(place)
        if idle is not None:
            try:
                return await send(idle)
            except Unanswered:
                # It was closed as we wrote. Its server has most likely seen nothing, and knows the id if it has.
                pass
        async with asyncio.timeout_at(until):
            fresh = await self._connect(target, context)
        try:
            return await send(fresh)
        except Unanswered as error:
            if not fresh.may_have_been_refused:
                raise
            raise TurnedAway from error.__cause__

    def close(self) -> None:
        """Close all of them."""
        self._sweep.cancel()
        for exchange in list(self._open):
            exchange.close()

    async def _over(
        self, place: _Place, request: bytes, exchange: Exchange, *, until: float, body_within: float, kept: int
    ) -> Answer:
        answer = await exchange.post(request, until=until, body_within=body_within, kept=kept)
        if exchange.is_free:
            exchange.idle_since = self._loop.time()
            self._idle[place].append(exchange)
        return answer

    def _idle_at(self, place: _Place) -> Exchange | None:
        idle = self._idle.get(place)
        while idle:
            exchange = idle.pop()
            if exchange.is_free and exchange.idle_since > self._loop.time() - IDLE_CONNECTION:
                return exchange
            exchange.close()
        return None

    def _close_idle(self) -> None:
        oldest = self._loop.time() - IDLE_CONNECTION
        for place, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= oldest or not idle[0].is_free):
                idle.popleft().close()
            if not idle:
                del self._idle[place]
        self._sweep = self._loop.call_later(IDLE_CONNECTION, self._close_idle)

    async def _connect(self, target: Target, context: ssl.SSLContext | None) -> Exchange:
        found = await self._resolver.resolve(target.host, target.port)
        try:
            async with asyncio.timeout(self._within):
                return await self._secured(target, context, await self._connected(found))
        except TimeoutError as error:
            raise ConnectFailed from error

    async def _connected(self, found: list[Address]) -> socket.socket:
        try:
            return await aiohappyeyeballs.start_connection(
                found,
                loop=self._loop,
                happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
                interleave=1,
                socket_factory=self._socket,
            )
        except OSError as error:
            raise ConnectFailed from error

    async def _secured(self, target: Target, context: ssl.SSLContext | None, connected: socket.socket) -> Exchange:
        """Hand the socket to a transport, which closes it whatever comes of it."""
        try:
            _, exchange = await self._loop.create_connection(
                lambda: Exchange(self._loop, self._open.discard),
                sock=connected,
                ssl=context,
                server_hostname=target.host if context else None,
            )
        except OSError as error:
            raise (TlsFailed if context else ConnectFailed) from error
        self._open.add(exchange)
        return exchange

    def _socket(self, info: Any) -> socket.socket:
        """Make the socket for one address, which is checked a last time, however it came here."""
        family, kind, proto, _, place = info
        if not self._reach.may_post_to(str(place[0])):
            raise OSError("this address may not be posted to")
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
