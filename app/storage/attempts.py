"""What came of posts: recorded behind a fence, and with it a delivery leaves the queue or waits for another."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    Integer,
    LargeBinary,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.storage.deliveries import DELIVERED, FAILED, SUPERSEDED, array, is_among
from app.storage.finished_deliveries import finish, keep
from app.storage.tables import Moment, attempts, deliveries, finished_deliveries


class Attempt(NamedTuple):
    """One attempt as it is recorded, and what it makes of its delivery. A tuple: one is made for every post."""

    delivery_id: UUID
    claim: UUID
    number: int
    started_at: datetime
    duration: timedelta
    outcome: str
    status: int | None
    state: str
    due_at: datetime
    """When the next attempt is due, in real time; now, where there is none."""
    detail: str | None = None
    answer: bytes | None = None
    """The start of the answer, sealed, where the operator opted in."""


async def record(session: AsyncSession, made: Sequence[Attempt], *, now: datetime) -> set[UUID]:
    """Record attempts and what they make of their deliveries; give the ids of those that still were the claim's.

    Who comes late finds another's claim, or none, and changes nothing.
    """
    if not made:
        return set()
    columns = dict(zip(_BOUND, zip(*made, strict=True), strict=True))
    columns["durations"] = tuple(round(duration / timedelta(milliseconds=1)) for duration in columns["durations"])
    columns["attempt_ids"] = tuple(uuid7() for _ in made)
    return set(await session.scalars(_RECORD, columns | {"moment": now}))


async def supersede(session: AsyncSession, delivery_id: UUID, claim: UUID, *, now: datetime) -> bool:
    """Record that an offer was no longer open and nothing was sent; False where the claim is another's by now."""
    ended = await finish(
        session,
        deliveries.c.id == delivery_id,
        deliveries.c.claim == claim,
        state=literal(SUPERSEDED, Text),
        due_at=literal(now, Moment),
        finished_at=literal(now, Moment),
        # Claiming it counted one that was not made.
        attempts=deliveries.c.attempts - 1,
    )
    return bool(ended)


_KEPT = (
    ("id", "attempt_id"),
    ("delivery_id", "id"),
    ("endpoint_id", "endpoint_id"),
    ("number", "number"),
    ("started_at", "began"),
    ("duration_ms", "duration"),
    ("outcome", "outcome"),
    ("status", "status"),
    ("detail", "detail"),
    ("answer", "answer"),
)
"""The columns of an attempt, and what each is called among what was posted."""
_BOUND = (
    *("ids", "claims", "numbers", "began", "durations", "outcomes"),
    *("statuses", "states", "dues", "details", "answers"),
)
"""What the members of an attempt are bound to, in their order."""
_POSTED = (
    *("id", "claim", "attempt_id", "number", "began", "duration"),
    *("outcome", "status", "state", "due", "detail", "answer"),
)


def _recording() -> Select[UUID]:
    posted = (
        func.unnest(
            array("ids", Uuid()),
            array("claims", Uuid()),
            array("attempt_ids", Uuid()),
            array("numbers", Integer()),
            array("began", Moment),
            array("durations", Integer()),
            array("outcomes", Text()),
            array("statuses", SmallInteger()),
            array("states", Text()),
            array("dues", Moment),
            array("details", Text()),
            array("answers", LargeBinary()),
        )
        .table_valued(*_POSTED)
        .render_derived()
        .alias("posted")
    )
    # Looked up by their keys, however short the queue was when this was planned; and in one order for everybody, so
    # that a worker and somebody who holds an endpoint's news do not wait crosswise.
    won = (
        select(posted, deliveries.c.endpoint_id)
        .join(deliveries, and_(deliveries.c.id == posted.c.id, deliveries.c.claim == posted.c.claim))
        .where(deliveries.c.id == func.any(array("ids", Uuid())))
        .order_by(deliveries.c.id)
        .with_for_update(of=deliveries)
        .cte("won")
    )
    kept = (
        insert(attempts)
        .from_select(
            [name for name, _ in _KEPT],
            select(*(won.c[name] for _, name in _KEPT)),
        )
        .returning(attempts.c.id)
        .cte("kept")
    )
    ended = won.c.state.in_([DELIVERED, FAILED])
    left = delete(deliveries).where(is_among(select(won.c.id).where(ended))).returning(*deliveries.c).cte("left")
    so = select(*left.c, won.c.state.label("now_state"), won.c.due).join(won, won.c.id == left.c.id).cte("so")
    finished = (
        keep(so, state=so.c.now_state, due_at=so.c.due, finished_at=_MOMENT)
        .returning(finished_deliveries.c.id)
        .cte("finished")
    )
    waiting = (
        update(deliveries)
        .where(is_among(select(won.c.id).where(~ended)), deliveries.c.id == won.c.id)
        .values(state=won.c.state, due_at=won.c.due, claim=null(), finished_at=null())
        .returning(deliveries.c.id)
        .cte("waiting")
    )
    return select(won.c.id).add_cte(kept, finished, waiting)


_MOMENT = bindparam("moment", type_=Moment)
# Built once: building it takes SQLAlchemy several times as long as PostgreSQL takes to run it.
_RECORD = _recording()
