"""Changes that wait for a second person: one of a kind for one thing at a time, each with one outcome."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, exists, func, insert, literal, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.proposals import Hands, Proposal, ProposalKind, ProposalState
from app.storage.sealing import KeyRing
from app.storage.tables import api_keys, client_certificates, proposals, token_subjects

SEALED = "proposal"
"""The purpose under which what is secret of a proposal is sealed, each for itself alone."""

_PENDING = proposals.c.state == ProposalState.PENDING.value
_EXPIRED = proposals.c.expires_at <= func.statement_timestamp()
_REVOKED = or_(
    *(
        exists().where(table.c.id == proposals.c.proposed_key, table.c.revoked_at.is_not(None))
        for table in (api_keys, client_certificates, token_subjects)
    )
)
_LAPSED = or_(_EXPIRED, _REVOKED)
_STATE: ColumnElement[str] = case(
    (~_PENDING, proposals.c.state),
    (_EXPIRED, ProposalState.EXPIRED.value),
    (_REVOKED, ProposalState.WITHDRAWN.value),
    else_=ProposalState.PENDING.value,
)
"""What it is now, also before anybody wrote it down."""
_SHOWN = (*(column for column in proposals.c if column.name not in {"state", "sealed"}), _STATE.label("state"))


async def add(
    session: AsyncSession,
    key_ring: KeyRing,
    proposal_id: UUID,
    kind: ProposalKind,
    *,
    agency_code: str | None,
    subject: str,
    what: Mapping[str, Any],
    secret: Mapping[str, Any] | None,
    by: Hands | None,
    within: timedelta,
) -> Proposal:
    """Keep a proposal; what is `secret` of it sealed, until it has ended."""
    values = {
        "id": proposal_id,
        "kind": kind.value,
        "agency_code": agency_code,
        "subject": subject,
        "what": dict(what),
        "sealed": key_ring.seal(SEALED, str(proposal_id), json.dumps(secret).encode()) if secret else None,
        "state": ProposalState.PENDING.value,
        "proposed_at": func.statement_timestamp(),
        "expires_at": func.statement_timestamp() + within,
        "proposed_agency": by and by.agency_code,
        "proposed_key": by and by.key_id,
        "proposed_holder": by and by.holder_id,
        "proposed_person": by and by.person,
    }
    return _proposal((await session.execute(insert(proposals).values(values).returning(*_SHOWN))).one())


async def get(session: AsyncSession, proposal_id: UUID, *, agency_code: str | None = None) -> Proposal | None:
    """Give a proposal, of one agency where one is given; None where there is none."""
    found = await session.execute(select(*_SHOWN).where(proposals.c.id == proposal_id, _of(agency_code)))
    row = found.one_or_none()
    return None if row is None else _proposal(row)


async def listed(
    session: AsyncSession,
    *,
    agency_code: str | None = None,
    state: ProposalState | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[Proposal]:
    """List proposals, the oldest first, of one agency or of all, after one of them."""
    wanted = select(*_SHOWN).where(_of(agency_code)).order_by(proposals.c.id).limit(limit)
    if state is not None:
        # Said twice: the first uses the index, the second knows what has lapsed.
        wanted = wanted.where(
            proposals.c.state.in_([state.value, ProposalState.PENDING.value]), _STATE.in_([state.value])
        )
    if after is not None:
        wanted = wanted.where(proposals.c.id > after)
    return [_proposal(row) for row in await session.execute(wanted)]


async def count_pending(session: AsyncSession, agency_code: str) -> int:
    """Count an agency's proposals that wait."""
    waiting = and_(proposals.c.agency_code == agency_code, _PENDING, ~_LAPSED)
    return await session.scalar(select(func.count()).select_from(proposals).where(waiting)) or 0


async def end(session: AsyncSession, proposal_id: UUID, state: ProposalState, *, by: Hands | None) -> Proposal | None:
    """End a proposal that is pending still; None where somebody or time was first."""
    ended = await session.execute(
        update(proposals)
        .where(proposals.c.id == proposal_id, _PENDING, ~_LAPSED)
        .values(**_ended(literal(state.value), by))
        .returning(*_SHOWN)
    )
    row = ended.one_or_none()
    return None if row is None else _proposal(row)


async def end_pending(
    session: AsyncSession,
    kind: ProposalKind,
    subject: str,
    state: ProposalState,
    *,
    by: Hands | None,
    superseded_by: UUID | None = None,
) -> Sequence[Proposal]:
    """End what is pending of a kind for a thing that is locked; one that has lapsed ends as that."""
    values = _ended(literal(state.value), by) | {"superseded_by": superseded_by}
    # Of what has lapsed, nobody is the one who ended it.
    whose = ("decided_agency", "decided_key", "decided_holder", "decided_person", "superseded_by")
    told_apart = {name: case((~_LAPSED, literal(values[name], proposals.c[name].type))) for name in whose}
    becomes = case((_LAPSED, _STATE), else_=state.value)
    ended = await session.execute(
        update(proposals)
        .where(proposals.c.kind == kind.value, proposals.c.subject == subject, _PENDING)
        .values(**values | told_apart | {"state": becomes})
        .returning(*_SHOWN)
    )
    return [_proposal(row) for row in ended]


async def lapsed(session: AsyncSession, limit: int) -> Sequence[Proposal]:
    """List proposals of which time, or the end of a key, made something that nobody wrote down."""
    found = await session.execute(select(*_SHOWN).where(_PENDING, _LAPSED).order_by(proposals.c.id).limit(limit))
    return [_proposal(row) for row in found]


async def end_lapsed(session: AsyncSession, proposal_id: UUID) -> Proposal | None:
    """Write down what became of a proposal that has lapsed; None where somebody has."""
    ended = await session.execute(
        update(proposals)
        .where(proposals.c.id == proposal_id, _PENDING, _LAPSED)
        .values(**_ended(_STATE, None))
        .returning(*_SHOWN)
    )
    row = ended.one_or_none()
    return None if row is None else _proposal(row)


async def secret_of(session: AsyncSession, key_ring: KeyRing, proposal_id: UUID) -> dict[str, Any]:
    """Open what is secret of a proposal that has not ended; SealBroken where it does not open."""
    sealed = await session.scalar(select(proposals.c.sealed).where(proposals.c.id == proposal_id))
    opened: dict[str, Any] = json.loads(key_ring.open(SEALED, str(proposal_id), sealed)) if sealed else {}
    return opened


def _ended(state: ColumnElement[Any], by: Hands | None) -> dict[str, Any]:
    return {
        "state": state,
        "sealed": null(),
        "decided_at": func.statement_timestamp(),
        "decided_agency": by and by.agency_code,
        "decided_key": by and by.key_id,
        "decided_holder": by and by.holder_id,
        "decided_person": by and by.person,
    }


def _of(agency_code: str | None) -> ColumnElement[bool]:
    return proposals.c.agency_code == agency_code if agency_code is not None else proposals.c.id.is_not(None)


def _hands(row: Row[Any], whose: str) -> Hands | None:
    found = row._mapping
    if found[f"{whose}_key"] is None:
        return None
    return Hands(*(found[f"{whose}_{part}"] for part in ("agency", "key", "holder", "person")))


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(
        id=row.id,
        kind=ProposalKind(row.kind),
        agency_code=row.agency_code,
        subject=row.subject,
        what=row.what,
        state=ProposalState(row.state),
        proposed_by=_hands(row, "proposed"),
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        decided_by=_hands(row, "decided"),
        decided_at=row.decided_at,
        superseded_by=row.superseded_by,
    )
