"""How much waits, for how long, and whether the service keeps up: counted by indexes, for whoever watches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.history_months import Month
from app.domain.rights import ANSWERED_WITHIN
from app.storage import audit_chain, partitions

MOST_COUNTED = 10_000
MOST_OF_ENDPOINT = 1_000
AGES = ("under_15m", "15m_to_4h", "4h_to_1d", "over_1d")
"""How long something has waited for a coordinator: by the times in which emergencies and urgent ones are to be seen."""
URGENCIES = ("emergency", "urgent", "standard")


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of the whole service, by the name of its metric and the values of its labels."""

    name: str
    labels: tuple[str, ...]
    value: float


async def look(session: AsyncSession, *, now: datetime, real_now: datetime) -> list[Sample]:
    """Count what waits; `now` is the business clock's, by which offers and coordinators are timed."""
    found: list[Sample] = []
    for statement, read in ((_OFFERS, _offers), (_QUEUE, _queue), (_ENDPOINTS, _endpoints), (_BACKLOG, _backlog)):
        rows = (await session.execute(statement, {"now": now})).all()
        found += read(rows)
    row = (await session.execute(_REST, {"now": now, "unanswered_before": now - ANSWERED_WITHIN})).one()
    found += _rest(row)
    months = await partitions.months(session)
    ahead = sum(1 for month in months if month >= Month.of(real_now))
    found.append(Sample("lintas_months_ahead", (), ahead))
    for table in partitions.PARTITIONED:
        some = text(f"SELECT EXISTS (SELECT 1 FROM {table}_default)")  # noqa: S608 - our own names
        found.append(Sample("lintas_rows_outside_months", (table,), float((await session.execute(some)).scalar_one())))
    waited = await audit_chain.waiting_since(session)
    found.append(Sample("lintas_audit_unlinked_age_seconds", (), max(0.0, waited or 0.0)))
    return found


_OFFERS = text(
    f"""
    SELECT wanted.urgency, count(open.offered_at) AS open,
        count(*) FILTER (WHERE open.respond_by < :now) AS late,
        coalesce(extract(epoch FROM CAST(:now AS timestamptz) - min(open.offered_at)), 0) AS age
    FROM unnest(ARRAY['emergency', 'urgent', 'standard']) AS wanted(urgency)
    LEFT JOIN LATERAL (
        SELECT offered_at, respond_by FROM handoffs
        WHERE state = 'offered' AND handoffs.urgency = wanted.urgency
        ORDER BY offered_at LIMIT {MOST_COUNTED}
    ) AS open ON true
    GROUP BY wanted.urgency
    """  # noqa: S608 - a number of our own
)


def _offers(rows: Any) -> Iterator[Sample]:
    for row in rows:
        yield Sample("lintas_offers_open", (row.urgency,), row.open)
        yield Sample("lintas_offers_late", (row.urgency,), row.late)
        yield Sample("lintas_oldest_offer_age_seconds", (row.urgency,), max(0.0, float(row.age)))


_QUEUE = text(
    # What a person had restricted does not move, and waits for nobody.
    f"""
    WITH waiting AS (
        SELECT referrals.urgency, service_requests.acknowledged_at IS NOT NULL AS acknowledged,
            CAST(:now AS timestamptz) - service_requests.waiting_since AS waited, referrals.received_at
        FROM (
            SELECT referral_id, acknowledged_at, waiting_since FROM service_requests
            WHERE state = 'needs_coordinator' ORDER BY waiting_since, id LIMIT {MOST_COUNTED}
        ) AS service_requests
        JOIN referrals ON referrals.id = service_requests.referral_id
        WHERE referrals.restricted_at IS NULL OR referrals.urgency = 'emergency'
    ), offered AS (
        SELECT referrals.received_at FROM handoffs JOIN referrals ON referrals.id = handoffs.referral_id
        WHERE handoffs.state = 'offered' AND handoffs.urgency = 'emergency'
    )
    SELECT urgency, acknowledged,
        CASE WHEN waited < interval '15 minutes' THEN 'under_15m' WHEN waited < interval '4 hours' THEN '15m_to_4h'
            WHEN waited < interval '1 day' THEN '4h_to_1d' ELSE 'over_1d' END AS age,
        count(*) AS number, extract(epoch FROM max(waited)) AS longest
    FROM waiting GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'without_taker', NULL, NULL, count(*),
        coalesce(extract(epoch FROM CAST(:now AS timestamptz) - min(received_at)), 0)
    FROM (
        SELECT received_at FROM offered UNION ALL SELECT received_at FROM waiting WHERE urgency = 'emergency'
    ) AS untaken
    """  # noqa: S608 - a number of our own
)


def _queue(rows: Any) -> Iterator[Sample]:
    counts = {(row.urgency, row.acknowledged, row.age): row for row in rows}
    for urgency in URGENCIES:
        for acknowledged in (True, False):
            for age in AGES:
                row = counts.get((urgency, acknowledged, age))
                labels = (urgency, "yes" if acknowledged else "no", age)
                yield Sample("lintas_coordinator_queue", labels, row.number if row else 0)
        unseen = [counts[key].longest for key in counts if key[:2] == (urgency, False)]
        longest = max(0.0, *map(float, unseen)) if unseen else 0.0
        yield Sample("lintas_oldest_unacknowledged_age_seconds", (urgency,), longest)
    untaken = counts["without_taker", None, None]
    yield Sample("lintas_emergencies_without_taker", (), untaken.number)
    yield Sample("lintas_emergency_without_taker_age_seconds", (), max(0.0, float(untaken.longest)))


_ENDPOINTS: TextClause = text(
    f"""
    SELECT endpoints.state, endpoints.breaker_opened_at IS NOT NULL AS open, count(*) AS number,
        coalesce(sum(due.number), 0) AS due, coalesce(sum(held.number), 0) AS held
    FROM endpoints
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT 1 FROM deliveries WHERE endpoint_id = endpoints.id AND state = 'due' LIMIT {MOST_OF_ENDPOINT}
    ) AS few) AS due
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT 1 FROM deliveries WHERE endpoint_id = endpoints.id AND state = 'held' AND state IN ('held', 'failed')
        LIMIT {MOST_OF_ENDPOINT}
    ) AS few) AS held
    GROUP BY 1, 2
    """  # noqa: S608 - a number of our own
)
ENDPOINT_STATES = ("unverified", "active", "paused", "disabled")


def _endpoints(rows: Any) -> Iterator[Sample]:
    found = {(row.state, row.open): row for row in rows}
    for state in ENDPOINT_STATES:
        of_state = [found[key] for key in ((state, False), (state, True)) if key in found]
        for is_open, breaker in ((False, "closed"), (True, "open")):
            row = found.get((state, is_open))
            yield Sample("lintas_endpoints", (state, breaker), row.number if row else 0)
        yield Sample("lintas_deliveries", ("due", state), float(sum(row.due for row in of_state)))
        yield Sample("lintas_deliveries", ("held", state), float(sum(row.held for row in of_state)))


_BACKLOG = text(
    # A claimed one falls due when its lease ends, so that what lies in the past is claimed by nobody.
    """
    SELECT failing, goes_first, max(waited) AS waited FROM (
        SELECT failing_since IS NOT NULL OR breaker_opened_at IS NOT NULL AS failing, first.goes_first,
            extract(epoch FROM statement_timestamp() - first.due_at) AS waited
        FROM endpoints CROSS JOIN LATERAL (
            (SELECT true AS goes_first, due_at FROM deliveries
             WHERE endpoint_id = endpoints.id AND state = 'due' AND goes_first ORDER BY due_at LIMIT 1)
            UNION ALL
            (SELECT false, due_at FROM deliveries WHERE endpoint_id = endpoints.id AND state = 'due'
             ORDER BY due_at LIMIT 1)
        ) AS first
        WHERE endpoints.state IN ('active', 'unverified')
    ) AS waiting
    GROUP BY 1, 2
    """
)


def _backlog(rows: Any) -> Iterator[Sample]:
    found = {(row.failing, row.goes_first): float(row.waited) for row in rows}
    for failing, kind in ((False, "working"), (True, "failing")):
        for first, said in ((True, "yes"), (False, "no")):
            waited = max(0.0, found.get((failing, first), 0.0))
            yield Sample("lintas_delivery_backlog_age_seconds", (kind, said), waited)


_REST = text(
    """
    SELECT (SELECT count(*) FROM uncoordinated) AS uncoordinated,
        (SELECT extract(epoch FROM CAST(:now AS timestamptz) - min(due_at)) FROM clocks) AS clock_lag,
        (SELECT extract(epoch FROM clock_timestamp() - api_beat_at) FROM service_pulse) AS api,
        (SELECT extract(epoch FROM clock_timestamp() - clocks_beat_at) FROM service_pulse) AS clocks,
        (SELECT count(*) FROM rights_requests WHERE answered_at IS NULL AND asked_at < :unanswered_before) AS rights
    """
)


def _rest(row: Any) -> Iterator[Sample]:
    yield Sample("lintas_requests_uncoordinated", (), row.uncoordinated)
    yield Sample("lintas_clock_lag_seconds", (), max(0.0, float(row.clock_lag or 0.0)))
    for name, age in (("api", row.api), ("clocks", row.clocks)):
        if age is not None:
            yield Sample("lintas_beat_age_seconds", (name,), max(0.0, float(age)))
    yield Sample("lintas_rights_requests_overdue", (), row.rights)
