"""What a process must find in its database before it takes up work."""

from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from app.domain.own_headers import OwnHeader
from app.domain.webhook import Scheme
from app.storage import equipment, readiness
from app.storage.sealing import KeyRing
from app.storage.tables import agencies, endpoints

Sessions = async_sessionmaker[AsyncSession]


async def test_readiness_looks_for_the_ring_keys_that_endpoint_secrets_are_sealed_under(sessions: Sessions) -> None:
    old = KeyRing.generate("old")
    endpoint_id = uuid7()
    async with sessions.begin() as tx:
        await tx.execute(insert(agencies).values(code="a", body={}, registry_version=0))
        await tx.execute(
            insert(endpoints).values(
                id=endpoint_id,
                agency_code="a",
                url="https://a.example/",
                state="active",
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
        await equipment.add_secret(tx, old, endpoint_id, Scheme.HMAC_SHA256, "whsec_x")
        await equipment.put_headers(tx, KeyRing.generate("older"), endpoint_id, [OwnHeader("X-Token", "x")])

        used = await readiness.ring_keys_in_use(tx)

    assert {"old", "older"} <= used
