"""What is sent for a delivery: where to, signed by whom, with which headers, in which TLS identity; or which mail."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.delivery.tls import context_of
from app.domain.channel import Channel, channel_of, mailbox_of
from app.domain.events import EventType
from app.domain.letter import Letter, letter_of
from app.domain.retry import Answer, Detail, Phase
from app.domain.vocabulary import Urgency
from app.domain.webhook import body_of, headers_of
from app.storage import challenges, equipment, letters
from app.storage.claims import Claimed
from app.storage.equipment import Equipment
from app.storage.sealing import KeyRing

MOST_KEPT = 4096
"""Endpoints whose secrets and headers are kept open in memory."""
MOST_CONTEXTS = 128
"""TLS identities that are kept: each takes about a megabyte where it trusts the public authorities."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One post, ready to be sent."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None = None
    """The endpoint's own; None is the one that all others share."""


class Preparer:
    """Prepares posts; what endpoints carry is read once for each of their versions, which every claim names."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, *, public_url: str = "") -> None:
        self._sessions = sessions
        self._key_ring = key_ring
        self._public_url = public_url
        self._kept: OrderedDict[UUID, Equipment] = OrderedDict()
        self._contexts: OrderedDict[UUID, tuple[int, ssl.SSLContext]] = OrderedDict()
        self._loading: dict[UUID, asyncio.Task[Equipment]] = {}
        self._building: dict[tuple[UUID, int], asyncio.Task[ssl.SSLContext]] = {}

    async def prepare(
        self, claimed: Claimed, *, now: datetime, signed_at: datetime | None = None
    ) -> Prepared | Letter | Answer:
        """Prepare a post or a mail, or give the outcome of one that must not be made; `now` is real time.

        `signed_at` is what its receiver will hold the signature's time against, where that is another time.

        SealBroken where something of the endpoint's does not open.
        """
        carried = await self._carried(claimed)
        url, headers = carried.url, carried.headers
        if claimed.to_former_address:
            former = await self._former(claimed)
            if former is None:
                return Answer(failed=Phase.INTERNAL)
            url, headers = former
        elif url != claimed.url:
            # It moved after it was claimed: what was claimed for the old address is not for the new one.
            return Answer(failed=Phase.INTERNAL)
        if channel_of(url) is Channel.MAIL:
            return await self._letter(claimed, mailbox_of(url), signed_at or now)
        certificate = carried.tls.client_certificate
        if certificate is not None and certificate.not_after <= now:
            return Answer(failed=Phase.TLS, detail=Detail.CLIENT_CERTIFICATE_EXPIRED)
        body = body_of(claimed.type, claimed.occurred_at, self._data(claimed))
        signed = headers_of(str(claimed.event_id), signed_at or now, body, carried.signing(now))
        try:
            context = await self._context(claimed.endpoint_id, carried)
        except ssl.SSLError:
            # Whoever gave it is to see it fail, and be told of it.
            return Answer(failed=Phase.TLS, detail=Detail.OWN_TLS_UNUSABLE)
        return Prepared(url, body, {**headers, **signed}, context)

    async def _letter(self, claimed: Claimed, to: str, sent_at: datetime) -> Letter:
        data = self._data(claimed)
        if claimed.emergency and "urgency" in data:
            # A person reads how it stands, also where it was none yet when the news was written.
            data = {**data, "urgency": Urgency.EMERGENCY.value}
        async with self._sessions.begin() as session:
            words = await letters.words_for(session, claimed.endpoint_id, data)
        return letter_of(
            claimed.type, data, words, to=to, delivery_id=claimed.id, public_url=self._public_url, sent_at=sent_at
        )

    def _data(self, claimed: Claimed) -> Mapping[str, object]:
        if claimed.type != EventType.ENDPOINT_VERIFICATION.value or not claimed.of_its_address:
            return claimed.data
        challenge = challenges.challenge_of(
            self._key_ring, endpoint_id=claimed.endpoint_id, event_id=claimed.event_id, url=claimed.url
        )
        return {**claimed.data, "challenge": challenge}

    async def _carried(self, claimed: Claimed) -> Equipment:
        kept = self._kept.get(claimed.endpoint_id)
        if kept is not None and kept.version >= claimed.endpoint_version:
            self._kept.move_to_end(claimed.endpoint_id)
            return kept
        loading = self._loading.get(claimed.endpoint_id)
        if loading is None:
            loading = asyncio.create_task(self._load(claimed.endpoint_id))
            self._loading[claimed.endpoint_id] = loading
        # Whoever is cancelled takes it from no other.
        found = await asyncio.shield(loading)
        # What was being read when this was claimed may be older than the claim.
        return found if found.version >= claimed.endpoint_version else await self._carried(claimed)

    async def _load(self, endpoint_id: UUID) -> Equipment:
        try:
            async with self._sessions.begin() as session:
                found = await equipment.opened(session, self._key_ring, endpoint_id)
        finally:
            del self._loading[endpoint_id]
        self._kept[endpoint_id] = found
        self._kept.move_to_end(endpoint_id)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _context(self, endpoint_id: UUID, carried: Equipment) -> ssl.SSLContext | None:
        if carried.tls.is_empty:
            return None
        version, context = self._contexts.get(endpoint_id, (0, None))
        if context is not None and version == carried.version:
            self._contexts.move_to_end(endpoint_id)
            return context
        key = endpoint_id, carried.version
        building = self._building.get(key)
        if building is None:
            building = asyncio.create_task(self._build(endpoint_id, carried))
            self._building[key] = building
        return await asyncio.shield(building)

    async def _build(self, endpoint_id: UUID, carried: Equipment) -> ssl.SSLContext:
        try:
            # To read the authorities takes milliseconds, in which nothing else would go out.
            context = await asyncio.to_thread(context_of, carried.tls)
        finally:
            del self._building[endpoint_id, carried.version]
        self._contexts[endpoint_id] = carried.version, context
        self._contexts.move_to_end(endpoint_id)
        while len(self._contexts) > MOST_CONTEXTS:
            self._contexts.popitem(last=False)
        return context

    async def _former(self, claimed: Claimed) -> tuple[str, dict[str, str]] | None:
        async with self._sessions.begin() as session:
            return await equipment.former_address(session, self._key_ring, claimed.endpoint_id, claimed.event_id)
