"""One function that posts: to addresses that were checked, within one deadline, reading no more than it must."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from app.delivery.connections import Connections
from app.delivery.failures import FAILURES, answer_of
from app.delivery.resolver import CheckedResolver, LookUp, look_up
from app.domain.addresses import Reach
from app.domain.channel import Channel, channel_of
from app.domain.retry import Answer, Detail, Phase


class Post(Protocol):
    """Posts a body with headers to a URL, and says what came of it; nothing a receiver or its network does raises."""

    async def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None = None, /
    ) -> Answer:
        """Post; with `tls`, which is an endpoint's own, over connections that are shared with no other endpoint."""


HEADERS = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "Lintas-Webhook/1"}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a post may take, in seconds: in all, to resolve, to connect with TLS, and to read an answer's body."""

    total: float = 15.0
    resolve: float = 5.0
    connect: float = 5.0
    body: float = 2.0


@asynccontextmanager
async def open_post(
    reach: Reach,
    *,
    deadlines: Deadlines | None = None,
    tls: ssl.SSLContext | None = None,
    look_up: LookUp = look_up,
    kept: int = 0,
) -> AsyncIterator[Post]:
    """Open what posts go through: one pool of connections and one TLS context for the whole process.

    `kept` is how many bytes of an answer's body are given back; the rest, and usually all, is read for nothing.
    """
    within = deadlines or Deadlines()
    resolver = CheckedResolver(reach, within=within.resolve, look_up=look_up)
    connections = Connections(reach, resolver, tls or ssl.create_default_context(), connect_within=within.connect)
    time = asyncio.get_running_loop().time

    async def post(url: str, body: bytes, headers: Mapping[str, str], tls: ssl.SSLContext | None = None, /) -> Answer:
        if channel_of(url) is not Channel.WEBHOOK or reach.faults_of(url):
            return Answer(failed=Phase.ADDRESS, detail=Detail.ADDRESS_NOT_ALLOWED)
        until = time() + within.total
        try:
            return await connections.post(
                url, {**HEADERS, **headers}, body, tls=tls, until=until, body_within=within.body, kept=kept
            )
        except FAILURES as error:
            return answer_of(error)

    try:
        yield post
    finally:
        connections.close()
