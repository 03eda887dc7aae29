"""Who has called with tokens of the outside issuer: what the audit's ids of them stand for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.access_token import TokenHolder
from app.domain.caller import Caller
from app.storage.tables import agencies, token_subjects


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """Somebody whom the issuer names, as an operator sees them."""

    id: UUID
    agency_code: str
    issuer: str
    subject: str
    first_seen_at: datetime
    revoked_at: datetime | None


async def caller_of(session: AsyncSession, holder: TokenHolder) -> Caller | None:
    """Give the caller that a token stands for; None if there is no such agency, or the subject is revoked."""
    found = await session.scalar(
        select(token_subjects.c.id)
        .join(agencies, agencies.c.code == token_subjects.c.agency_code)
        .where(token_subjects.c.id == holder.id, token_subjects.c.revoked_at.is_(None))
    )
    if found is None:
        return None
    return Caller(holder.agency_code, holder.roles, holder.id, holder.scopes, person=holder.subject)


async def note(session: AsyncSession, holder: TokenHolder) -> bool:
    """Note a subject that was not seen before; False if there is no such agency."""
    seen = select(
        literal(holder.id),
        literal(holder.issuer),
        literal(holder.subject),
        agencies.c.code,
        func.now(),
    ).where(agencies.c.code == holder.agency_code)
    columns = ["id", "issuer", "subject", "agency_code", "first_seen_at"]
    await session.execute(insert(token_subjects).from_select(columns, seen).on_conflict_do_nothing())
    return await session.scalar(select(token_subjects.c.id).where(token_subjects.c.id == holder.id)) is not None


async def revoke(session: AsyncSession, subject_id: UUID) -> bool:
    """Have no token of a subject count any more; False if there is none that does."""
    ended = await session.scalar(
        update(token_subjects)
        .where(token_subjects.c.id == subject_id, token_subjects.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(token_subjects.c.id)
    )
    return ended is not None


_SHOWN = tuple(
    token_subjects.c[name] for name in ("id", "agency_code", "issuer", "subject", "first_seen_at", "revoked_at")
)


async def find(session: AsyncSession, subject_id: UUID) -> TokenSubject | None:
    """Give a subject by its id; None if there is none."""
    row = (await session.execute(select(*_SHOWN).where(token_subjects.c.id == subject_id))).one_or_none()
    return TokenSubject(*row) if row else None


async def by_agency(session: AsyncSession, *, after: tuple[str, UUID] | None, limit: int) -> list[TokenSubject]:
    """List subjects agency by agency, page by page; `after` is the agency and the id of the last one before."""
    place = tuple_(token_subjects.c.agency_code, token_subjects.c.id)
    wanted = select(*_SHOWN).order_by(token_subjects.c.agency_code, token_subjects.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(place > tuple_(*after))
    return [TokenSubject(*row) for row in await session.execute(wanted)]


async def listed(session: AsyncSession, *, agency_code: str | None = None) -> list[TokenSubject]:
    """List subjects, as they were first seen, of one agency or of all."""
    wanted = select(*_SHOWN).order_by(token_subjects.c.first_seen_at, token_subjects.c.id)
    if agency_code is not None:
        wanted = wanted.where(token_subjects.c.agency_code == agency_code)
    return [TokenSubject(*row) for row in await session.execute(wanted)]


async def names_of(session: AsyncSession, subject_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Say who some ids are, of those that are people or programs of the outside issuer or of the console."""
    wanted = select(token_subjects.c.id, token_subjects.c.subject).where(token_subjects.c.id.in_(list(subject_ids)))
    return {row.id: row.subject for row in await session.execute(wanted)}
