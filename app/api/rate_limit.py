"""How much one caller may ask of one process. Each process counts for itself: n of them allow n times as much."""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.bearer import secret_in
from app.api.problems import problem
from app.api.proxies import certificates_said
from app.api.refusals import RateLimited

WINDOW = 60
MOST_BUCKETS = 20_000
UNDECIDED = frozenset({404, 405, 408, 413, 429, 500, 503})
"""Answers that may come before anybody looked at the key."""
CHARGE, BUCKET = "rate_limit_charge", "rate_limit_bucket"
"""Where a request keeps how its holder is counted, and by which name it was."""


@dataclass(slots=True)
class Bucket:
    """What a caller has left."""

    left: float
    seen: float


class Buckets:
    """Token buckets by name: each fills up over a minute, and the one unused for longest makes room for a new one."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._by_name: OrderedDict[str, Bucket] = OrderedDict()

    def left(self, name: str) -> float:
        """Say how much a caller may ask now."""
        return self._filled(name).left

    def take(self, name: str) -> bool:
        """Take one, or say that there is none."""
        bucket = self._filled(name)
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    def wait(self, name: str) -> int:
        """Say in how many seconds there will be one."""
        return max(1, math.ceil((1 - self._filled(name).left) * WINDOW / self.per_minute))

    def _filled(self, name: str) -> Bucket:
        now = self._clock()
        bucket = self._by_name.get(name)
        if bucket is None:
            while len(self._by_name) >= MOST_BUCKETS:
                self._by_name.popitem(last=False)
            bucket = self._by_name[name] = Bucket(self.per_minute, now)
        self._by_name.move_to_end(name)
        bucket.left = min(self.per_minute, bucket.left + (now - bucket.seen) * self.per_minute / WINDOW)
        bucket.seen = now
        return bucket


class RateLimit:
    """Counts requests by key, and failures by address, so that one agency's mistake does not lock out its neighbours.

    A key, a token or a certificate that has been seen to be valid is counted by itself alone. Any other is let in only
    while its address has failures to spare: who tries keys is stopped, who has one is not. All tokens of one holder
    are counted as one, once it is known whose they are.
    """

    def __init__(self, app: ASGIApp, *, per_key: int, failures_per_address: int, clock: Callable[[], float]) -> None:
        self.app = app
        self._keys = Buckets(per_key, clock) if per_key else None
        self._failures = Buckets(failures_per_address, clock) if failures_per_address else None
        self._valid: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        key, address = _key(scope), address_of(scope)
        state = scope.setdefault("state", {})
        state[CHARGE] = partial(self._charge, state)
        counting = self._counting(key, address, state, send)
        refusal = self._refusal(key, address)
        if refusal is not None:
            await problem(scope, refusal)(scope, receive, counting)
            return
        await self.app(scope, receive, counting)

    def _charge(self, state: MutableMapping[str, Any], holder: str) -> None:
        state[BUCKET] = holder
        if self._keys is not None and not self._keys.take(holder):
            raise RateLimited(self._keys.wait(holder))

    def _refusal(self, key: str, address: str) -> RateLimited | None:
        if key in self._valid:
            if self._keys is not None and not self._keys.take(key):
                return RateLimited(self._keys.wait(key))
        elif self._failures is not None and self._failures.left(address) < 1:
            return RateLimited(self._failures.wait(address))
        return None

    def _counting(self, key: str, address: str, state: MutableMapping[str, Any], send: Send) -> Send:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._learn(key, address, message["status"])
                bucket = state.get(BUCKET) or (key if key in self._valid else "")
                if bucket:
                    message.setdefault("headers", []).extend(self._headers(bucket))
            await send(message)

        return counted

    def _learn(self, key: str, address: str, status: int) -> None:
        if status == 401:
            self._valid.pop(key, None)
            if self._failures is not None:
                self._failures.take(address)
        elif key and status not in UNDECIDED:
            self._valid[key] = None
            self._valid.move_to_end(key)
            while len(self._valid) > MOST_BUCKETS:
                self._valid.popitem(last=False)

    def _headers(self, key: str) -> list[tuple[bytes, bytes]]:
        if self._keys is None:
            return []
        left = int(self._keys.left(key))
        full_in = math.ceil((self._keys.per_minute - left) * WINDOW / self._keys.per_minute)
        return [
            (b"ratelimit-policy", f'"key";q={self._keys.per_minute};w={WINDOW}'.encode()),
            (b"ratelimit", f'"key";r={left};t={full_in}'.encode()),
        ]


def charge(scope: Scope, holder: str) -> None:
    """Count a request by a token for its holder, else RateLimited; nothing where nothing is limited."""
    counted: Callable[[str], None] | None = scope.get("state", {}).get(CHARGE)
    if counted is not None:
        counted(holder)


def _key(scope: Scope) -> str:
    """Name what is shown, and nothing that could be it again; empty where nothing is."""
    secret = secret_in(scope["headers"])
    if secret is not None:
        return hashlib.sha256(secret.encode()).hexdigest()
    said = certificates_said(scope)
    return f"certificate {hashlib.sha256(said[0]).hexdigest()}" if len(said) == 1 else ""


def address_of(scope: Scope) -> str:
    """Name the address, or of IPv6 the network a single host may choose its address from."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return (address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64)).compressed
    return address.compressed
