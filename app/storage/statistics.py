"""What is counted of a month, referral by referral, and the tables that were drawn of it; no personal field is read."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, func, insert, literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.handoff import LIVE, ReferralState
from app.domain.months import Month
from app.domain.statistics import Counted
from app.storage.tables import facts, handoffs, referrals, service_requests, statistics

AT_ONCE = 500
"""So many rows the database sends ahead."""

DRAWING = 0x4C535441
"""The lock of whoever draws a month."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table of a month as it was drawn."""

    month: Month
    body: Mapping[str, Any]
    drawn_at: datetime


@dataclass(frozen=True, slots=True)
class Carrying:
    """A handoff that carries duties."""

    referral_id: UUID
    agency_code: str
    live: bool
    duties: Sequence[Mapping[str, Any]]


async def referrals_of(session: AsyncSession, month: Month) -> AsyncIterator[Counted]:
    """Stream the referrals of a month by what is known of them now, those entered in error left out."""
    async for body, requests in await session.stream(referrals_wanted(month).execution_options(yield_per=AT_ONCE)):
        yield Counted(body, [(service, state) for service, _, state in (one.partition(":") for one in requests or ())])


async def duties_of(session: AsyncSession, month: Month) -> AsyncIterator[Carrying]:
    """Stream the handoffs of a month's referrals that carry duties, those of one referral together."""
    async for referral_id, agency_code, state, duties in await session.stream(
        duties_wanted(month).execution_options(yield_per=AT_ONCE)
    ):
        yield Carrying(referral_id, agency_code, state in LIVE, duties)


def referrals_wanted(month: Month) -> Select[Any]:
    """Ask for facts and requests of a month's referrals."""
    asked = (
        select(
            func.array_agg(service_requests.c.service_type + literal(":") + service_requests.c.state, type_=ARRAY(Text))
        )
        .where(service_requests.c.referral_id == referrals.c.id)
        .scalar_subquery()
    )
    current = and_(facts.c.referral_id == referrals.c.id, facts.c.version == referrals.c.facts_version)
    return select(facts.c.body, asked).select_from(referrals.join(facts, current)).where(_in(month))


def duties_wanted(month: Month) -> Select[Any]:
    """Ask for the handoffs of a month's referrals that carry duties."""
    return (
        select(handoffs.c.referral_id, handoffs.c.agency_code, handoffs.c.state, handoffs.c.duties)
        .join(referrals, referrals.c.id == handoffs.c.referral_id)
        .where(_in(month), handoffs.c.duties != literal_column("'[]'::jsonb"))
        .order_by(handoffs.c.referral_id)
    )


def _in(month: Month) -> ColumnElement[bool]:
    within = and_(referrals.c.received_at >= month.begins, referrals.c.received_at < month.ends)
    return and_(within, referrals.c.state != ReferralState.ENTERED_IN_ERROR.value)


async def first_month(session: AsyncSession) -> Month | None:
    """Give the month of the oldest referral; None where there is none."""
    first: datetime | None = await session.scalar(select(func.min(referrals.c.received_at)))
    return None if first is None else Month.of(first)


async def drawn_months(session: AsyncSession) -> set[Month]:
    """List the months that were drawn."""
    days = await session.scalars(select(statistics.c.month).distinct())
    return {_month(day) for day in days}


async def draw_alone(session: AsyncSession) -> bool:
    """Say whether this transaction is the one that may draw, until it ends."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(DRAWING))))


async def keep(session: AsyncSession, month: Month, tables: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep a month as it was drawn, for good; False where it was drawn before, which stays."""
    if await session.scalar(select(statistics.c.of).where(statistics.c.month == month.first_day).limit(1)):
        return False
    rows = [{"month": month.first_day, "of": of, "body": body, "drawn_at": now} for of, body in tables.items()]
    await session.execute(insert(statistics), rows)
    return True


async def drawn(session: AsyncSession, of: str, *, first: Month, last: Month) -> list[Drawn]:
    """List the tables of one kind, the oldest month first."""
    wanted = (
        select(statistics.c.month, statistics.c.body, statistics.c.drawn_at)
        .where(statistics.c.of == of, statistics.c.month.between(first.first_day, last.first_day))
        .order_by(statistics.c.month)
    )
    return [Drawn(_month(row.month), row.body, row.drawn_at) for row in await session.execute(wanted)]


def _month(day: date) -> Month:
    return Month(day.year, day.month)
