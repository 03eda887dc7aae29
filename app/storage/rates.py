"""How many posts a minute an endpoint may still get, as parts of the claim; by the database's clock.

This is app/domain/rate.py in SQL; a test holds them together. Who claims from an endpoint does so alone, so that no two
claims use the same room, and nobody waits for a row.
"""

from sqlalchemy import CTE, Integer, Interval, case, cast, false, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from app.domain.rate import SMOOTHED
from app.storage.address_news import is_to_former_address
from app.storage.tables import endpoint_rates, endpoints, events

_NOW = func.statement_timestamp()
_PER_MINUTE = endpoints.c.max_per_minute
_BURST = 1 + _PER_MINUTE // SMOOTHED
_SHARE = literal_column("interval '1 minute'").op("/", precedence=8, return_type=Interval())(_PER_MINUTE + 1 - _BURST)
INTERVAL = _SHARE + literal_column("interval '1 microsecond'", Interval)
"""After how long there is room for one more; null without a limit."""
FULL_AT = func.greatest(endpoint_rates.c.full_at, _NOW)
"""When there is the whole room again; now, where there is."""
_SECONDS = func.extract("epoch", FULL_AT - _NOW) / func.extract("epoch", INTERVAL)
ROOM = case((_PER_MINUTE.is_not(None), cast(func.greatest(func.floor(_BURST - _SECONDS), 0), Integer)))
"""How many may go now; null without a limit."""


def taken(rooms: CTE, claimed: CTE) -> CTE:
    """Note what was claimed of endpoints with a limit, and give when each has its whole room again.

    What goes to the address that an endpoint had before is no post to it.
    """
    to_former_address = func.coalesce(
        # By the event's key alone: what else is asked of it must not choose how it is looked up.
        select(is_to_former_address(claimed.c.endpoint_id))
        .where(events.c.id == claimed.c.event_id)
        .correlate(claimed)
        .scalar_subquery(),
        false(),
    )
    used = (
        select(claimed.c.endpoint_id, rooms.c.full_at + cast(func.count(), Integer) * rooms.c.interval)
        .join_from(claimed, rooms, rooms.c.id == claimed.c.endpoint_id)
        .where(rooms.c.interval.is_not(None), ~to_former_address)
        .group_by(claimed.c.endpoint_id, rooms.c.full_at, rooms.c.interval)
    )
    noting = insert(endpoint_rates).from_select(["endpoint_id", "full_at"], used)
    return (
        noting.on_conflict_do_update(index_elements=["endpoint_id"], set_={"full_at": noting.excluded.full_at})
        .returning(endpoint_rates.c.endpoint_id, endpoint_rates.c.full_at)
        .cte("rated")
    )
