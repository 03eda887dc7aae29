"""Posting by hand: one answer, over a resolver of the test's own."""

import socket
import ssl
from typing import Any

from app.delivery.post import Deadlines, open_post
from app.delivery.resolver import Found
from app.domain.addresses import Reach
from app.domain.retry import Answer
from tests.delivery.world import LOOPBACK, SHORT

NAMES = Reach(LOOPBACK.networks, allow_http=True)
"""Loopback, under any name, without TLS."""


def resolving(*addresses: str) -> Any:
    """Look every name up as these addresses, and count how often."""

    def look_up(_host: str, port: int) -> Found:
        look_up.asked += 1  # type: ignore[attr-defined]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)) for address in addresses]

    look_up.asked = 0  # type: ignore[attr-defined]
    return look_up


async def answer_of(
    url: str,
    *,
    reach: Reach = LOOPBACK,
    look_up: Any = None,
    tls: ssl.SSLContext | None = None,
    deadlines: Deadlines = SHORT,
) -> Answer:
    more = {} if look_up is None else {"look_up": look_up}
    async with open_post(reach, deadlines=deadlines, tls=tls, **more) as post:
        return await post(url, b'{"a":1}', {"webhook-id": "m"})
