"""The decisions that were made in a period, page by page in the order of their time; no personal field is read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.cases import is_restricted
from app.storage.tables import decisions, facts, referrals, service_requests

AT_ONCE = 500
"""So many rows the database sends ahead."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment on, and until before another; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None


Place = tuple[datetime, UUID]
"""After which decision a page begins."""


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What was asked and what came of it, as far as routing knows it."""

    id: UUID
    decided_at: datetime
    service_type: str
    facts: dict[str, Any]
    consent: bool
    tried: tuple[str, ...]
    agency: str | None
    reason: str | None
    document: str | None
    clause: str | None


async def of_period(
    session: AsyncSession, period: Period, *, after: Place | None, limit: int
) -> AsyncIterator[PastDecision]:
    """Stream the next decisions of a period that rules made, those that a person placed left out.

    Left out too are those of cases that are restricted, or erased: what they were made from is not there any more.
    """
    said = decisions.c.result
    wanted = (
        select(
            decisions.c.id,
            decisions.c.decided_at,
            service_requests.c.service_type,
            facts.c.body,
            decisions.c.consent,
            decisions.c.tried,
            *(said[name].astext for name in ("agency", "reason", "document", "clause")),
        )
        .join(service_requests, service_requests.c.id == decisions.c.service_request_id)
        .join(facts, (facts.c.referral_id == decisions.c.referral_id) & (facts.c.version == decisions.c.facts_version))
        .order_by(decisions.c.decided_at, decisions.c.id)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(tuple_(decisions.c.decided_at, decisions.c.id) > after)
    rows = await session.stream(_made_by_rules(wanted, period).execution_options(yield_per=AT_ONCE))
    async for row in rows:
        id_, decided_at, service_type, body, consent, tried, *fate = row
        yield PastDecision(id_, decided_at, service_type, body, consent, tuple(tried), *fate)


async def count(session: AsyncSession, period: Period) -> int:
    """Count the decisions of a period that rules made."""
    counted = select(func.count()).select_from(decisions)
    return int(await session.scalar(_made_by_rules(counted, period)) or 0)


def _made_by_rules(wanted: Select[Any], period: Period) -> Select[Any]:
    wanted = wanted.join(referrals, referrals.c.id == decisions.c.referral_id)
    wanted = wanted.where(decisions.c.placed_by.is_(None), referrals.c.erased_at.is_(None), ~is_restricted())
    if period.since is not None:
        wanted = wanted.where(decisions.c.decided_at >= period.since)
    if period.until is not None:
        wanted = wanted.where(decisions.c.decided_at < period.until)
    return wanted
