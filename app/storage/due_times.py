"""Due times that no schedule gives: what was written down while the database's clock was ahead of what it is now."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, and_, bindparam, func, select, true, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from app.domain.retry import LONGEST_WAIT
from app.storage.deliveries import DUE_LITERAL, is_among
from app.storage.tables import deliveries, endpoints

MARGIN = timedelta(hours=1)


async def bring_near(session: AsyncSession, *, lease: timedelta) -> int:
    """Have fall due now what is leased for more than twice `lease`, or waits longer than any schedule; give the number.

    Who still holds such a lease may record what came of it, until another claims it.
    """
    found = await session.execute(_BRING_NEAR, {"longest_lease": 2 * lease, "longest_wait": LONGEST_WAIT + MARGIN})
    return len(found.all())


def _bring_near() -> ReturningUpdate[UUID]:
    now = func.statement_timestamp()
    lease, wait = (bindparam(name, type_=Interval()) for name in ("longest_lease", "longest_wait"))
    # Endpoint by endpoint each is one step in an index, however much is waiting or under way.
    of_endpoint = and_(deliveries.c.endpoint_id == endpoints.c.id, deliveries.c.state == DUE_LITERAL)
    leased = and_(of_endpoint, deliveries.c.claim.is_not(None), deliveries.c.due_at > now + lease)
    waiting = and_(of_endpoint, deliveries.c.due_at > now + wait)
    far_off = union_all(select(deliveries.c.id).where(leased), select(deliveries.c.id).where(waiting)).lateral(
        "far_off"
    )
    locked = (
        select(deliveries.c.id)
        .where(deliveries.c.id.in_(select(far_off.c.id).select_from(endpoints.join(far_off, true()))))
        .order_by(deliveries.c.id)
        .with_for_update(skip_locked=True)
        .cte("locked")
    )
    return (
        update(deliveries)
        .where(is_among(select(locked.c.id)), deliveries.c.state == DUE_LITERAL)
        .values(due_at=now)
        .returning(deliveries.c.id)
    )


_BRING_NEAR = _bring_near()
