"""What persons asked for, and what keeps a case from being erased."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, and_, exists, insert, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.facts import Facts
from app.domain.rights import (
    ANSWERED_WITHIN,
    WARNED_BEFORE,
    HoldReason,
    LegalHold,
    RequestOutcome,
    Right,
    RightsRequest,
)
from app.storage.cases import owned_by
from app.storage.tables import facts, legal_holds, referrals, rights_requests

WARNED, ALARMED = 1, 2
"""What was said of a request that waits: that its time is near, and that it has passed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for its answer, with what says who may see it."""

    request: RightsRequest
    owners: frozenset[str]
    """Who sent the case, and who holds it."""
    facts: Facts


async def add_request(session: AsyncSession, request: RightsRequest) -> None:
    """Keep what a person asked for."""
    await session.execute(insert(rights_requests).values(asdict(request)))


async def put_request(session: AsyncSession, request: RightsRequest) -> None:
    """Keep what came of it."""
    values = asdict(request)
    await session.execute(update(rights_requests).where(rights_requests.c.id == values.pop("id")).values(values))


def case_of_request(request_id: UUID) -> ScalarSelect[UUID]:
    """Ask in SQL which referral a request is about: a look for the case then is one query, there or not."""
    return select(rights_requests.c.referral_id).where(rights_requests.c.id == request_id).scalar_subquery()


async def request_of(session: AsyncSession, request_id: UUID) -> RightsRequest | None:
    """Read one request."""
    row = (await session.execute(_REQUESTS.where(rights_requests.c.id == request_id))).one_or_none()
    return None if row is None else _request(row)


async def requests_of(session: AsyncSession, referral_id: UUID) -> list[RightsRequest]:
    """List what was asked for in a case, the first one first."""
    wanted = _REQUESTS.where(rights_requests.c.referral_id == referral_id).order_by(rights_requests.c.id)
    return [_request(row) for row in await session.execute(wanted)]


async def open_requests(
    session: AsyncSession,
    agency_code: str | None,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Waiting]:
    """List what waits for an answer, that which is due first on top: in cases an agency sent or holds; None is all."""
    theirs: ColumnElement[bool] = true() if agency_code is None else owned_by(agency_code)
    wanted = (
        _REQUESTS.add_columns(referrals.c.sender_code, referrals.c.holder_code, facts.c.body)
        .join(referrals, referrals.c.id == rights_requests.c.referral_id)
        .join(facts, (facts.c.referral_id == referrals.c.id) & (facts.c.version == referrals.c.facts_version))
        .where(rights_requests.c.answered_at.is_(None), theirs)
        .order_by(rights_requests.c.asked_at, rights_requests.c.id)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(tuple_(rights_requests.c.asked_at, rights_requests.c.id) > tuple_(*after))
    found = await session.execute(wanted)
    return [
        Waiting(_request(row), frozenset({row.sender_code, row.holder_code}), Facts.from_json(row.body))
        for row in found
    ]


async def to_be_said(session: AsyncSession, *, now: datetime, limit: int = 100) -> list[tuple[RightsRequest, bool]]:
    """Note which requests are near the end of their time or past it, once each; those past it with True."""
    late = rights_requests.c.asked_at <= now - ANSWERED_WITHIN
    near = rights_requests.c.asked_at <= now - ANSWERED_WITHIN + WARNED_BEFORE
    unsaid = or_(
        and_(late, rights_requests.c.warned < ALARMED),
        and_(near, rights_requests.c.warned < WARNED),
    )
    rows = (
        await session.execute(
            _REQUESTS.where(rights_requests.c.answered_at.is_(None), unsaid)
            .order_by(rights_requests.c.asked_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    found = [(request, request.is_late(now)) for request in map(_request, rows)]
    for warned, past in ((WARNED, False), (ALARMED, True)):
        ids = [request.id for request, is_past in found if is_past is past]
        if ids:
            await session.execute(update(rights_requests).where(rights_requests.c.id.in_(ids)).values(warned=warned))
    return found


async def add_hold(session: AsyncSession, hold: LegalHold) -> None:
    """Keep a legal hold."""
    await session.execute(insert(legal_holds).values(asdict(hold)))


async def put_hold(session: AsyncSession, hold: LegalHold) -> None:
    """Keep that a hold was lifted."""
    values = asdict(hold)
    await session.execute(update(legal_holds).where(legal_holds.c.id == values.pop("id")).values(values))


def case_of_hold(hold_id: UUID) -> ScalarSelect[UUID]:
    """Ask in SQL which referral a hold keeps, as `case_of_request` does."""
    return select(legal_holds.c.referral_id).where(legal_holds.c.id == hold_id).scalar_subquery()


async def hold_of(session: AsyncSession, hold_id: UUID) -> LegalHold | None:
    """Read one hold."""
    row = (await session.execute(select(legal_holds).where(legal_holds.c.id == hold_id))).one_or_none()
    return None if row is None else _hold(row)


async def holds_of(session: AsyncSession, referral_id: UUID) -> list[LegalHold]:
    """List the holds of a case, the first one first."""
    wanted = select(legal_holds).where(legal_holds.c.referral_id == referral_id).order_by(legal_holds.c.id)
    return [_hold(row) for row in await session.execute(wanted)]


def is_held() -> ColumnElement[bool]:
    """Say in SQL that a legal hold keeps a referral."""
    return exists(select(1).where(legal_holds.c.referral_id == referrals.c.id, legal_holds.c.lifted_at.is_(None)))


_REQUESTS = select(*(column for column in rights_requests.c if column.name != "warned"))


def _request(row: Row[Any]) -> RightsRequest:
    values = {field.name: row._mapping[field.name] for field in fields(RightsRequest)}
    outcome = None if row.outcome is None else RequestOutcome(row.outcome)
    return RightsRequest(**{**values, "right": Right(row.right), "outcome": outcome})


def _hold(row: Row[Any]) -> LegalHold:
    return LegalHold(**{**row._mapping, "reason": HoldReason(row.reason)})
