"""Idempotency-Key: the same POST twice is done once and answered the same."""

import re
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.api.refusals import (
    IdempotencyInFlight,
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
)
from app.domain.caller import Caller
from app.domain.rights import ProcessingRestricted, ReferralErased
from app.storage import idempotency
from app.storage.idempotency import FirstAnswer
from app.storage.sealing import KeyRing

HEADER = "idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")
_KEY = re.compile(r"[\x20-\x7e]{1,255}\Z")


@dataclass(frozen=True, slots=True)
class Slot:
    """The place for the answer to one key, held until the transaction ends."""

    agency_code: str
    key_hash: bytes
    request_hash: bytes
    ring: KeyRing

    async def first_answer(self, tx: AsyncSession) -> Response | None:
        """Give the first answer again; IdempotencyKeyReused if it was to another request."""
        if not await idempotency.hold(tx, self.key_hash):
            raise IdempotencyInFlight
        # A statement of its own: it must see what was committed before the lock was free.
        first = await idempotency.find(tx, agency_code=self.agency_code, key_hash=self.key_hash)
        if first is None:
            return None
        if not first.sealed:
            raise ReferralErased
        if first.restricted_at is not None:
            raise ProcessingRestricted(first.restricted_at)
        if not compare_digest(first.request_hash, self.request_hash):
            raise IdempotencyKeyReused
        head, _, body = self.ring.open(idempotency.PURPOSE, self._subject, first.sealed).partition(b"\n")
        answer = Response(body, first.status)
        answer.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(head)]
        answer.raw_headers.append(REPLAYED)
        return answer

    async def keep(self, tx: AsyncSession, answer: Response, *, referral_id: UUID | None) -> None:
        """Keep a first answer, sealed, with the work it answers, and with the case that it tells of."""
        head: list[Any] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers]
        sealed = self.ring.seal(idempotency.PURPOSE, self._subject, orjson.dumps(head) + b"\n" + bytes(answer.body))
        first = FirstAnswer(self.request_hash, answer.status_code, sealed, referral_id)
        await idempotency.keep(tx, first, agency_code=self.agency_code, key_hash=self.key_hash)

    @property
    def _subject(self) -> str:
        return idempotency.subject_of(self.agency_code, self.key_hash)


def slot(
    request: Request, body: bytes, caller: Caller, ring: KeyRing, *, required: bool, by_key: bool = False
) -> Slot | None:
    """Find the place for this request's answer; None if it came without a key and needs none.

    An answer is given again to the agency it went to, and with `by_key` to the key it went to alone.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        if required:
            raise IdempotencyKeyRequired
        return None
    if len(given) > 1 or not _KEY.match(given[0]):
        raise IdempotencyKeyInvalid
    return place_for(request, given[0], body, caller, ring, by_key=by_key)


def place_for(request: Request, key: str, body: bytes, caller: Caller, ring: KeyRing, *, by_key: bool) -> Slot:
    """Find the place for the answer to a request that came with a key."""
    request_line = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    whose = (caller.agency_code, str(caller.key_id)) if by_key else (caller.agency_code,)
    return Slot(
        caller.agency_code,
        ring.hash("idempotency-key", "\n".join((*whose, key)).encode()),
        ring.hash("idempotency-request", request_line + body),
        ring,
    )
