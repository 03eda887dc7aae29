"""What agencies look through: their referrals, their handoffs, what waits for them. Every list goes by a keyset."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, case, literal, or_, select, text, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.facts import Facts
from app.domain.handoff import LIVE
from app.domain.referral import Handoff
from app.domain.secret_places import Taken
from app.storage.cases import coordinated_by, handoff_of, is_restricted, owned_by
from app.storage.tables import (
    coordinations,
    decisions,
    facts,
    handoffs,
    referrals,
    service_requests,
    uncoordinated,
)


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """A referral in a list."""

    id: UUID
    sender_code: str
    holder_code: str
    mode: str
    urgency: str
    state: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class HandoffLine:
    """A handoff in a list, with what its request asks for and who sent it."""

    handoff: Handoff
    service_type: str
    sender_code: str


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A service request in a coordinator's list."""

    id: UUID
    referral_id: UUID
    service_type: str
    state: str
    reason: str | None
    urgency: str
    sender_code: str
    waiting_since: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    decision_id: UUID | None
    facts: Facts
    coordinated: bool
    """By the agency that asks; else by nobody."""


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision as it was kept, with the facts it was made from."""

    id: UUID
    service_request_id: UUID
    referral_id: UUID
    service_type: str
    facts_version: int
    facts: Mapping[str, Any]
    consent: bool
    tried: tuple[str, ...]
    registry_version: int
    code_sets_version: int
    engine: str
    cause: str
    outcome: str
    result: Mapping[str, Any]
    placed_by: str | None
    decided_at: datetime
    facts_recorded_at: datetime
    ground: Mapping[str, Any] | None = None
    said_consent: Mapping[str, Any] | None = None
    """What was recorded of consent with the facts; None where nothing was yet."""
    consent_services: list[str] | None = None
    erased_at: datetime | None = None
    """Since when its facts are coarse: it cannot be made again from them."""
    restricted_at: datetime | None = None
    """Since when nobody may see its case."""


async def referrals_of(
    session: AsyncSession, agency_code: str, *, state: str | None, before: UUID | None, limit: int
) -> Sequence[ReferralLine]:
    """List the referrals an agency sent or holds, newest first; those that are restricted are left out."""

    def part(*whose: ColumnElement[bool]) -> Select[Any]:
        wanted = select(*_REFERRAL_LINE).where(*whose, owned_by(agency_code), ~is_restricted())
        if state is not None:
            wanted = wanted.where(referrals.c.state == state)
        if before is not None:
            wanted = wanted.where(referrals.c.id < before)
        return wanted.order_by(referrals.c.id.desc()).limit(limit)

    # Each part from its own index, from the last page on: together they would be sorted anew for every page.
    sent = part(referrals.c.sender_code == agency_code)
    held = part(referrals.c.holder_code == agency_code)
    both = union(sent.subquery().select(), held.subquery().select()).subquery()
    return [ReferralLine(*row) for row in await session.execute(select(both).order_by(both.c.id.desc()).limit(limit))]


async def handoffs_of(
    session: AsyncSession, agency_code: str, *, states: Iterable[str], before: UUID | None, limit: int
) -> Sequence[HandoffLine]:
    """List the handoffs that an agency receives, newest first: its list of work, but for what is restricted."""
    wanted = (
        select(handoffs, service_requests.c.service_type, referrals.c.sender_code)
        .join(service_requests, service_requests.c.id == handoffs.c.service_request_id)
        .join(referrals, referrals.c.id == handoffs.c.referral_id)
        .where(handoffs.c.agency_code == agency_code, ~handoffs.c.barred, ~is_restricted())
    )
    if asked := list(states):
        wanted = wanted.where(handoffs.c.state.in_(asked))
        if _LIVE_STATES.issuperset(asked):
            wanted = wanted.where(_IS_LIVE)
    if before is not None:
        wanted = wanted.where(handoffs.c.id < before)
    found = await session.execute(wanted.order_by(handoffs.c.id.desc()).limit(limit))
    return [HandoffLine(handoff_of(row), row.service_type, row.sender_code) for row in found]


async def requests_coordinated_by(
    session: AsyncSession,
    agency_code: str,
    *,
    orphans: bool,
    states: Iterable[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RequestLine]:
    """List the service requests that an agency coordinates, oldest first; with `orphans` those nobody coordinates.

    Those of restricted referrals are left out.
    """
    asked = list(states)

    def part(named: Table, *whose: ColumnElement[bool], coordinated: bool) -> Select[Any]:
        key: ColumnElement[UUID] = named.c.service_request_id
        wanted = (
            select(*_REQUEST_LINE, facts.c.body.label("facts"), literal(coordinated).label("coordinated"))
            .join_from(named, service_requests, service_requests.c.id == key)
            .join(referrals, referrals.c.id == service_requests.c.referral_id)
            .join(facts, (facts.c.referral_id == referrals.c.id) & (facts.c.version == referrals.c.facts_version))
            .where(*whose, ~is_restricted())
        )
        if asked:
            wanted = wanted.where(service_requests.c.state.in_(asked))
        if after is not None:
            wanted = wanted.where(key > after)
        return wanted.order_by(key).limit(limit)

    # Both are walked from the last page on, in the order of their own index.
    parts = [part(coordinations, coordinations.c.agency_code == agency_code, coordinated=True)]
    if orphans:
        parts.append(part(uncoordinated, coordinated=False))
    lines = union_all(*(one.subquery().select() for one in parts)).subquery()
    found = await session.execute(select(lines).order_by(lines.c.id).limit(limit))
    return [RequestLine(**{**row._mapping, "facts": Facts.from_json(row.facts)}) for row in found]


_REFERRAL_LINE = (
    referrals.c.id,
    referrals.c.sender_code,
    referrals.c.holder_code,
    referrals.c.mode,
    referrals.c.urgency,
    referrals.c.state,
    referrals.c.received_at,
)

_LIVE_STATES = frozenset(state.value for state in LIVE)
_IS_LIVE = text("handoffs.state IN ('offered', 'accepted', 'in_progress', 'on_hold', 'cancel_requested')")
"""Written out as in the index, so that a plan kept for any parameters still knows that it fits."""


_REQUEST_LINE = (
    service_requests.c.id,
    service_requests.c.referral_id,
    service_requests.c.service_type,
    service_requests.c.state,
    service_requests.c.reason,
    referrals.c.urgency,
    referrals.c.sender_code,
    service_requests.c.waiting_since,
    service_requests.c.acknowledged_at,
    service_requests.c.acknowledged_by,
    service_requests.c.decision_id,
)


async def results(session: AsyncSession, decision_ids: Iterable[UUID | None]) -> Mapping[UUID, Mapping[str, Any]]:
    """Give what decisions came to, by their id."""
    wanted = [decision_id for decision_id in decision_ids if decision_id is not None]
    if not wanted:
        return {}
    found = await session.execute(select(decisions.c.id, decisions.c.result).where(decisions.c.id.in_(wanted)))
    return {row.id: row.result for row in found}


async def decision(session: AsyncSession, agency_code: str, decision_id: UUID) -> KeptDecision | None:
    """Give a decision to who sent, holds or coordinates its referral; None for anybody else."""
    row = (
        await session.execute(
            select(
                decisions,
                service_requests.c.service_type,
                facts.c.body.label("facts"),
                facts.c.consent.label("said_consent"),
                facts.c.consent_services,
                referrals.c.erased_at,
                case((is_restricted(), referrals.c.restricted_at)).label("restricted_at"),
                facts.c.recorded_at.label("facts_recorded_at"),
            )
            .join(service_requests, service_requests.c.id == decisions.c.service_request_id)
            .join(referrals, referrals.c.id == decisions.c.referral_id)
            .join(
                facts,
                (facts.c.referral_id == decisions.c.referral_id) & (facts.c.version == decisions.c.facts_version),
            )
            .where(decisions.c.id == decision_id, or_(owned_by(agency_code), coordinated_by(agency_code)))
        )
    ).one_or_none()
    return None if row is None else KeptDecision(**{**row._mapping, "tried": tuple(row.tried)})


async def taken_in(session: AsyncSession, referral_id: UUID) -> list[Taken]:
    """List what was accepted in a case."""
    found = await session.execute(
        select(handoffs.c.agency_code, service_requests.c.service_type, handoffs.c.answered_at)
        .join(service_requests, service_requests.c.id == handoffs.c.service_request_id)
        .where(
            handoffs.c.referral_id == referral_id,
            handoffs.c.start_by.is_not(None),
            handoffs.c.answered_at.is_not(None),
        )
    )
    return [Taken(*row) for row in found]
