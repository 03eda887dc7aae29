"""A database in which something lies in every sealed place, and all of it opened as the product opens it."""

import base64
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.certificates import TlsIdentity
from app.domain.own_headers import OwnHeader
from app.domain.proposals import ProposalKind
from app.domain.webhook import Scheme, new_secret
from app.storage import delivery_history, equipment, idempotency, personal_data
from app.storage import proposals as waiting_proposals
from app.storage.sealing import KeyRing
from app.storage.tables import (
    attempts,
    data_keys,
    endpoints,
    former_addresses,
    idempotency_records,
    proposals,
    referrals,
    sealed_fields,
)
from tests.workflows.conftest import PPU, RECEIVER, Service, a_referral

Sessions = async_sessionmaker[AsyncSession]
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def changed(
    ring: KeyRing, place: Path, *, active: str, add: tuple[str, ...] = (), drop: tuple[str, ...] = ()
) -> KeyRing:
    """The same ring with keys added or left out, and another one active."""
    file = place / f"{uuid7()}.json"
    ring.write(file)
    body = json.loads(file.read_text())
    keys = body["keys"] | {key_id: base64.b64encode(os.urandom(32)).decode() for key_id in add}
    return KeyRing.parse(
        json.dumps(body | {"active": active, "keys": {name: key for name, key in keys.items() if name not in drop}})
    )


async def fill(service: Service, *, mark: str = "") -> None:
    """Put two of everything that is sealed into a database."""
    for number in range(2):
        body = a_referral(
            victim={"name": f"{mark}Seorang {number}", "sex": "female", "age": 31}, narrative=f"{mark}Cerita {number}"
        )
        await service.submit(body)
        await an_endpoint(service.sessions, service.key_ring, f"{mark}{number}", agency=(PPU, RECEIVER)[number])


async def an_endpoint(sessions: Sessions, ring: KeyRing, mark: str, *, agency: str) -> UUID:
    """An endpoint that has all that an endpoint can have, sealed."""
    endpoint_id = uuid7()
    async with sessions.begin() as tx:
        await tx.execute(
            insert(endpoints).values(
                id=endpoint_id,
                agency_code=agency,
                url=f"https://{endpoint_id}.example/",
                state="paused",
                created_at=MOMENT,
            )
        )
        await equipment.add_secret(tx, ring, endpoint_id, Scheme.HMAC_SHA256, new_secret(Scheme.HMAC_SHA256))
        await equipment.end_secrets(tx, endpoint_id, after=timedelta(days=1))
        await equipment.add_secret(tx, ring, endpoint_id, Scheme.ED25519, new_secret(Scheme.ED25519))
        await equipment.put_headers(tx, ring, endpoint_id, [OwnHeader("X-Token", f"{mark}-header")])
        await equipment.put_tls(tx, ring, endpoint_id, TlsIdentity(f"{mark}-chain", f"{mark}-key", f"{mark}-ca"))
        await waiting_proposals.add(
            tx,
            ring,
            uuid7(),
            ProposalKind.ROTATE_SECRET,
            agency_code=agency,
            subject=str(endpoint_id),
            what={},
            secret={"secret": f"{mark}-proposed"},
            by=None,
            within=timedelta(days=1),
        )
        await equipment.keep_former_address(tx, ring, endpoint_id, uuid7(), f"https://{endpoint_id}.example/before")
        delivery_id = uuid7()
        for number in (1, 2):
            answer = delivery_history.seal_answer(ring, delivery_id, number, f"{mark}-answer-{number}".encode())
            await tx.execute(
                insert(attempts).values(
                    delivery_id=delivery_id,
                    id=uuid7(),
                    number=number,
                    started_at=MOMENT,
                    duration_ms=1,
                    outcome="status",
                    endpoint_id=endpoint_id,
                    answer=answer,
                )
            )
    return endpoint_id


async def add_data_keys(sessions: Sessions, ring: KeyRing, number: int) -> None:
    """Referrals that have a data key and nothing else."""
    ids = [uuid7() for _ in range(number)]
    async with sessions.begin() as tx:
        await tx.execute(
            insert(referrals),
            [
                {
                    "id": one,
                    "sender_code": PPU,
                    "sender_reference_hash": one.bytes,
                    "holder_code": PPU,
                    "mode": "referral",
                    "urgency": "urgent",
                    "state": "open",
                    "received_at": MOMENT,
                }
                for one in ids
            ],
        )
        keys = [ring.new_data_key(one) for one in ids]
        await tx.execute(
            insert(data_keys),
            [{"referral_id": key.referral_id, "ring_key_id": key.ring_key_id, "wrapped": key.wrapped} for key in keys],
        )


async def opened(sessions: Sessions, ring: KeyRing) -> Mapping[tuple[Any, ...], Any]:
    """Open everything as the product does; SealBroken where one thing does not open."""
    found: dict[tuple[Any, ...], Any] = {}
    async with sessions.begin() as tx:
        for (referral_id,) in (await tx.execute(select(data_keys.c.referral_id))).all():
            names = list(await tx.scalars(select(sealed_fields.c.field)))
            found["referral", referral_id] = await personal_data.unseal(tx, ring, referral_id, names)
        for (endpoint_id,) in (await tx.execute(select(endpoints.c.id))).all():
            found["endpoint", endpoint_id] = await equipment.opened(tx, ring, endpoint_id)
        for row in (await tx.execute(select(former_addresses))).all():
            key = row.endpoint_id, row.event_id
            found["former", key] = await equipment.former_address(tx, ring, row.endpoint_id, row.event_id)
        for row in (await tx.execute(select(attempts).where(attempts.c.answer.is_not(None)))).all():
            said = delivery_history.open_answer(ring, row.delivery_id, row.number, row.answer)
            assert said is not None
            found["answer", row.delivery_id, row.id] = said
        for row in (await tx.execute(select(proposals).where(proposals.c.sealed.is_not(None)))).all():
            found["proposal", row.id] = ring.open(waiting_proposals.SEALED, str(row.id), row.sealed)
        for row in (await tx.execute(select(idempotency_records))).all():
            subject = idempotency.subject_of(row.agency_code, row.key_hash)
            found["first answer", subject] = ring.open(idempotency.PURPOSE, subject, row.answer)
    return found
