"""Whether the database is what this process was built for."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_USED_KEYS = text(
    # A loose index scan: one step for each key in use, however many referrals there are.
    """
    WITH RECURSIVE used AS (
        (SELECT ring_key_id FROM data_keys ORDER BY ring_key_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.ring_key_id FROM data_keys d WHERE d.ring_key_id > used.ring_key_id
                ORDER BY d.ring_key_id LIMIT 1)
        FROM used WHERE used.ring_key_id IS NOT NULL
    )
    SELECT ring_key_id FROM used WHERE ring_key_id IS NOT NULL
    UNION
    SELECT encode(substring(sealed FROM 2 FOR get_byte(sealed, 0)), 'escape')
    FROM (
        SELECT sealed FROM endpoint_secrets
        UNION ALL SELECT headers FROM endpoint_equipment
        UNION ALL SELECT tls FROM endpoint_equipment
        UNION ALL SELECT sealed FROM former_addresses
        UNION ALL SELECT sealed FROM proposals
    ) AS sealed_for_endpoints
    WHERE length(sealed) > 0
    """
)


async def revision(session: AsyncSession) -> str | None:
    """Give the migration the database stands at; None if it was never migrated."""
    if await session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


async def registry_version(session: AsyncSession) -> int:
    """Give the version that the registry is at now, without waiting for whoever changes it."""
    return await session.scalar(text("SELECT version FROM registry_state")) or 0


async def ring_keys_in_use(session: AsyncSession) -> frozenset[str]:
    """Give the ids of the ring's keys that some referral's data key or something of an endpoint is sealed under."""
    return frozenset((await session.scalars(_USED_KEYS)).all())
