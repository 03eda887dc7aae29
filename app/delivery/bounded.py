"""Connections that read no more of one answer than it may have, whatever comes before its status or after it."""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

MOST_OF_AN_ANSWER = 512 * 1024
"""Bytes, in all: a head, what announces it, and the part of a body that lies in a socket before it is closed."""
MOST_ANNOUNCED = 16
"""Answers that only announce one (100, 103). The library bounds each header and their number, and not these."""
AT_A_TIME = 4096
"""Bytes. Reading a hundred thousand small answers takes a second, in which nothing else is done."""


class AnswerTooLarge(aiohttp.ClientError):
    """More came than an answer may have, and no answer in it."""


class _Handler(ResponseHandler):
    """Counts what comes since a request was made."""

    _came = 0
    _announced = 0
    _answered = False
    _too_much = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to read the answer to another request."""
        self._came, self._announced, self._answered = 0, 0, False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Read on, or give up."""
        self._came += len(data)
        if len(data) <= AT_A_TIME and self._came <= MOST_OF_AN_ANSWER:
            super().data_received(data)
        else:
            self._read_in_pieces(data)
        if self._too_much and self.transport is not None:
            self.set_exception(AnswerTooLarge())
            self.transport.abort()

    def _read_in_pieces(self, data: bytes) -> None:
        self._too_much |= self._came > MOST_OF_AN_ANSWER
        for start in range(0, len(data), AT_A_TIME):
            if self._too_much:
                return
            super().data_received(data[start : start + AT_A_TIME])

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take one answer that was read."""
        status = data[0].code
        announces = 100 <= status < 200 and status != 101
        self._announced += announces
        # Nobody asked for a second one.
        self._too_much |= self._announced > MOST_ANNOUNCED or (self._answered and not announces)
        self._answered |= not announces
        super().feed_data(data, size)


class BoundedConnector(aiohttp.TCPConnector):
    """A pool of connections none of which reads more for one answer than it may have."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        factory: Any = partial(_Handler, loop=asyncio.get_running_loop())
        self._factory = factory
