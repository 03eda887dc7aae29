"""A database with years behind it: agencies, their endpoints, and any number of finished deliveries."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.domain.history_months import Month
from app.storage import partitions

AGENCIES = 200
PAST = 13
"""Months behind this one, as the default keeps them."""
AT_ONCE = 500_000
PARTED = ("events", "finished_deliveries", "attempts")

_AGENCIES = """
    INSERT INTO agencies (code, body, registry_version) SELECT 'agency-' || n, '{}', 0 FROM generate_series(1, :count) n
"""
_ENDPOINTS = """
    INSERT INTO endpoints (id, agency_code, url, state, max_in_flight, created_at, verified_at)
    SELECT gen_random_uuid(), code, 'https://' || code || '.example/hook', 'active', 64, now(), now() FROM agencies
"""
_SEVENTH = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing {time} from 1 for 6), 52, 1), 53, 1),"
    " 'hex')::uuid"
)
_OF_MILLISECOND = _SEVENTH.format(time="substring(int8send(ms) from 3)")
_OF_EVENT = _SEVENTH.format(time="substring(uuid_send(e.id) from 1 for 6)")
_EVENTS = f"""
    INSERT INTO events (id, agency_code, type, occurred_at, data, referral_id, handoff_id, xact)
    SELECT {_OF_MILLISECOND}, 'agency-' || 1 + n % CAST(:agencies AS bigint), 'handoff.accepted',
        to_timestamp(ms / 1000.0),
        jsonb_build_object('handoff_id', gen_random_uuid(), 'referral_id', gen_random_uuid(), 'service_type',
            'legal_service', 'urgency', 'standard', 'state', 'accepted', 'sequence', 2),
        gen_random_uuid(), gen_random_uuid(), 3
    FROM (SELECT n, CAST(:first AS bigint) + CAST(:span AS bigint) * (n - 1) / CAST(:count AS bigint) AS ms
          FROM generate_series(CAST(:begin AS bigint), CAST(:end AS bigint)) n) AS made
"""  # noqa: S608 - our own names
_STATE = "CASE WHEN get_byte(uuid_send(e.id), 15) = 0 THEN 'failed' ELSE 'delivered' END"
_DELIVERIES = f"""
    INSERT INTO {{table}} (id, event_id, endpoint_id, state, due_at, attempts, created_at, finished_at)
    SELECT {_OF_EVENT}, e.id, endpoints.id, {_STATE}, e.occurred_at, 1, e.occurred_at, e.occurred_at
    FROM {{events}} AS e JOIN endpoints USING (agency_code)
"""  # noqa: S608 - our own names
_ATTEMPTS = f"""
    INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome, status{{more}})
    SELECT {_OF_EVENT}, e.id, 1, e.finished_at, 40, 'delivered', 204{{more}} FROM {{deliveries}} AS e
"""  # noqa: S608 - our own names


async def add_agencies(session: AsyncSession) -> None:
    """Add agencies with an endpoint each."""
    await session.execute(text(_AGENCIES), {"count": AGENCIES})
    await session.execute(text(_ENDPOINTS))


async def make_past(session: AsyncSession, now: datetime) -> None:
    """Give an empty database the partitions of a service that has run for long."""
    this = Month.of(now)
    await partitions.hold(session)
    await partitions.drop(session, this)
    for by in range(-PAST, 1):
        await partitions.make(session, this.later(by))


async def load(engine: AsyncEngine, now: datetime, count: int) -> None:
    """Add so many finished deliveries, evenly over the months behind, as they lie in the tables of now."""
    months = [Month.of(now).later(by) for by in range(-PAST, 0)]
    for place, month in enumerate(months if count else ()):
        share = count * (place + 1) // len(months) - count * place // len(months)
        await _fill(engine, month, share)
        own = {"table": "finished_deliveries", "events": f"events_{month}"}
        await _insert(engine, _DELIVERIES.format(**own))
        await _insert(engine, _ATTEMPTS.format(deliveries=f"finished_deliveries_{month}", more=", endpoint_id"))
    # The months that were filled alone: a month to come is not looked at by anybody before something is in it.
    parts = [f"{table}_{month}" for month in months for table in PARTED] if count else []
    await _tidy(engine, "endpoints", *parts)


async def load_before(engine: AsyncEngine, now: datetime, count: int) -> None:
    """Add so many finished deliveries to the tables that were there before there were months."""
    await _fill(engine, Month.of(now).later(-1), count)
    await _insert(engine, _DELIVERIES.format(table="deliveries", events="events"))
    await _insert(engine, _ATTEMPTS.format(deliveries="deliveries", more=""))
    await _tidy(engine, "endpoints", "events", "deliveries", "attempts")


async def _fill(engine: AsyncEngine, month: Month, count: int) -> None:
    first, ends = (at.first_id.int >> 80 for at in (month, month.later(1)))
    for begin in range(1, count + 1, AT_ONCE):
        end = min(count, begin + AT_ONCE - 1)
        part = {"first": first, "span": ends - first, "count": count, "begin": begin, "end": end}
        await _insert(engine, _EVENTS, part | {"agencies": AGENCIES})


async def _insert(engine: AsyncEngine, statement: str, values: dict[str, int] | None = None) -> None:
    async with engine.begin() as connection:
        # What is made here fits together by itself: to look each reference up would take most of the time.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(statement), values or {})


async def _tidy(engine: AsyncEngine, *tables: str) -> None:
    async with engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in tables:
            await outside.execute(text(f"VACUUM (FREEZE, ANALYZE) {table}"))
        await outside.execute(text("CHECKPOINT"))
