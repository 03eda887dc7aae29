"""What the attempts of endpoints came to, hour by hour of the last day; a bounded look at each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Uuid, cast, func, literal, literal_column, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.retry import DELIVERED, Phase
from app.storage.endpoint_health import DAY, HOUR, LOOKED_AT
from app.storage.recoveries import first_id_of
from app.storage.tables import attempts

HOURS = DAY // HOUR


@dataclass(frozen=True, slots=True)
class HourOfAttempts:
    """The attempts of one hour; what failed within Lintas is not counted."""

    delivered: int
    failed: int


async def by_hour(
    session: AsyncSession, endpoint_ids: Iterable[UUID], *, now: datetime
) -> Mapping[UUID, Sequence[HourOfAttempts]]:
    """Give for each endpoint the 24 hours up to now, the oldest first. `now` is real time."""
    ids = list(endpoint_ids)
    asked = func.unnest(literal(ids, ARRAY(Uuid()))).table_valued("id").render_derived(name="asked")
    latest = (
        select(attempts.c.id, attempts.c.outcome)
        .where(attempts.c.endpoint_id == asked.c.id, attempts.c.id >= first_id_of(now - DAY))
        .order_by(attempts.c.id.desc())
        .limit(LOOKED_AT)
        .lateral("latest")
    )
    # An id begins with the milliseconds of its time (UUIDv7, RFC 9562): the index alone is read.
    ended_at = literal_column("('x' || left(replace(latest.id::text, '-', ''), 12))::bit(48)::bigint", BigInteger)
    passed = cast(literal(int(now.timestamp() * 1000), BigInteger()) - ended_at, BigInteger)
    ago = cast(func.greatest(func.floor(passed / (HOUR.total_seconds() * 1000)), 0), Integer)
    found = await session.execute(
        select(
            asked.c.id,
            ago.label("ago"),
            func.count().filter(latest.c.outcome == DELIVERED),
            func.count().filter(latest.c.outcome.not_in([DELIVERED, Phase.INTERNAL.value])),
        )
        .select_from(asked.join(latest, true()))
        .group_by(asked.c.id, "ago")
    )
    hours = {one: [HourOfAttempts(0, 0)] * HOURS for one in ids}
    for endpoint_id, hours_ago, delivered, failed in found:
        if hours_ago < HOURS:
            hours[endpoint_id][HOURS - 1 - hours_ago] = HourOfAttempts(delivered, failed)
    return hours
