"""How endpoints are doing, noted as posts end: failures with the endpoint locked, successes in passing.

The SQL for successes says what `after_success` of app/domain/breaker.py says; a test holds them together.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.breaker import BreakerRule
from app.storage.endpoints import FAILING, Endpoint, columns_of
from app.storage.tables import Moment, endpoints

SUCCESS_NOTED_EVERY = timedelta(seconds=10)
"""A busy endpoint's row is not written for each success."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many posts an endpoint took, and whether one of them was its breaker's probe."""

    endpoint_id: UUID
    count: int
    probe: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """What is still to be noted because somebody holds the endpoints locked, and whose breaker was closed."""

    left: tuple[Taken, ...] = ()
    closed: tuple[UUID, ...] = ()


async def note_failure(session: AsyncSession, endpoint: Endpoint) -> None:
    """Keep since when a locked endpoint has done nothing but fail, its breaker, its state and the reason for it."""
    await session.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint.id)
        .values(
            failing_since=endpoint.failing_since,
            last_failure_at=func.statement_timestamp(),
            state=endpoint.state,
            state_reason=endpoint.state_reason,
            **columns_of(endpoint.breaker),
        )
    )


async def note_success(session: AsyncSession, taken: Collection[Taken], *, rule: BreakerRule, now: datetime) -> Noted:
    """Note that endpoints took their news: it ends their failing, and a probe's success closes their breaker.

    Where an endpoint does not fail and nothing is counted, at most every 10 s. Nobody is waited for.
    """
    by_id = {one.endpoint_id: one for one in taken}
    found = await session.execute(
        _NOTE_SUCCESS,
        {
            "ids": list(by_id),
            "counts": [one.count for one in by_id.values()],
            "probes": [one.probe for one in by_id.values()],
            "moment": now,
            "before": now - SUCCESS_NOTED_EVERY,
            "window_before": now - rule.window,
        },
    )
    rows = found.all()
    return Noted(
        left=tuple(by_id[row.id] for row in rows if not row.noted),
        closed=tuple(row.id for row in rows if row.closing and row.noted),
    )


def merged(taken: Collection[Taken]) -> list[Taken]:
    """Count several successes of one endpoint as one."""
    counts: dict[UUID, Taken] = {}
    for one in taken:
        known = counts.get(one.endpoint_id, Taken(one.endpoint_id, 0, probe=False))
        counts[one.endpoint_id] = Taken(one.endpoint_id, known.count + one.count, known.probe or one.probe)
    return list(counts.values())


def _noting_success() -> Select[tuple[UUID, bool, bool]]:
    took = (
        func.unnest(
            cast(bindparam("ids"), ARRAY(Uuid())),
            cast(bindparam("counts"), ARRAY(Integer())),
            cast(bindparam("probes"), ARRAY(Boolean())),
        )
        .table_valued("id", "count", "probe")
        .render_derived()
        .alias("took")
    )
    is_open = endpoints.c.breaker_opened_at.is_not(None)
    counted = (
        func.coalesce(endpoints.c.breaker_window_since > bindparam("window_before", type_=Moment), False) & ~is_open
    )
    closing = and_(is_open, took.c.probe)
    stale = or_(
        endpoints.c.failing_since.is_not(None),
        endpoints.c.last_success_at.is_(None),
        endpoints.c.last_success_at < bindparam("before", type_=Moment),
    )
    to_note = (
        select(endpoints.c.id, closing.label("closing"))
        .join_from(endpoints, took, took.c.id == endpoints.c.id)
        .where(or_(stale, counted, closing))
        .cte("to_note")
    )
    free = (
        select(endpoints.c.id)
        .where(endpoints.c.id.in_(select(to_note.c.id)))
        .order_by(endpoints.c.id)
        .with_for_update(key_share=True, skip_locked=True)
        .cte("free")
    )
    reset = {
        f"breaker_{name}": case((closing, value), else_=endpoints.c[f"breaker_{name}"])
        for name, value in (
            ("opened_at", null()),
            ("next_probe_at", null()),
            ("failed_probes", 0),
            ("window_since", null()),
            ("window_failed", 0),
            ("quiet_until", null()),
        )
    }
    noted = (
        update(endpoints)
        .where(endpoints.c.id == free.c.id, took.c.id == free.c.id)
        .values(
            last_success_at=bindparam("moment", type_=Moment),
            failing_since=null(),
            state_reason=func.nullif(endpoints.c.state_reason, FAILING),
            breaker_window_taken=case(
                (closing, 0),
                (counted, endpoints.c.breaker_window_taken + took.c.count),
                else_=endpoints.c.breaker_window_taken,
            ),
            **reset,
        )
        .returning(endpoints.c.id)
        .cte("noted")
    )
    return select(to_note.c.id, to_note.c.closing, to_note.c.id.in_(select(noted.c.id)).label("noted"))


# Built once: building them takes SQLAlchemy several times as long as PostgreSQL takes to run them.
_NOTE_SUCCESS = _noting_success()
