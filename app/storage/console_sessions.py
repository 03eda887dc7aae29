"""Who is signed in to the console: found by the token that the browser shows, which is kept as its hash alone.

Times are real time, given by who asks: a browser's day has nothing to do with a clock that is set.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.domain.caller import Caller, Role
from app.storage.tables import agencies, console_links, console_sessions, console_sign_ins, token_subjects

TOKEN_BYTES = 32
"""Of chance: a plain hash is enough."""
NOTED_EVERY = timedelta(minutes=1)
"""How often a session in use is written to."""
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """How long somebody stays signed in."""

    idle: timedelta = timedelta(minutes=30)
    """Without asking for anything."""
    longest: timedelta = timedelta(hours=8)
    """However busy."""
    reaches_for: timedelta = timedelta(days=7)
    """How long after a sign-in the console counts as a way by which the person's agency is told."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who is signed in."""

    session_id: UUID
    caller: Caller
    name: str
    issuer: str
    """Who named the person: the provider, or a link's maker."""
    token: str = field(repr=False)
    """What the browser shows."""


def new_token() -> str:
    """Make a token of 256 bits of chance."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def begin(
    session: AsyncSession,
    *,
    person_id: UUID,
    roles: Iterable[Role],
    name: str,
    now: datetime,
    terms: SessionTerms,
) -> str:
    """Begin a session, and give the token that shows it; this is the only time it is seen."""
    token = new_token()
    await session.execute(
        insert(console_sessions).values(
            id=uuid7(),
            hash=hash_of(token),
            person_id=person_id,
            roles=sorted(role.value for role in roles),
            name=name,
            signed_in_at=now,
            last_seen_at=now,
            expires_at=now + terms.longest,
        )
    )
    return token


async def signed_in(session: AsyncSession, token: str, *, now: datetime, terms: SessionTerms) -> SignedIn | None:
    """Give who shows a token, and note that they were here.

    None if there is no such session, its time is over, or the person is revoked.
    """
    row = (
        await session.execute(
            select(
                console_sessions.c.id,
                console_sessions.c.person_id,
                console_sessions.c.roles,
                console_sessions.c.name,
                console_sessions.c.last_seen_at,
                token_subjects.c.agency_code,
                token_subjects.c.subject,
                token_subjects.c.issuer,
            )
            .join(token_subjects, token_subjects.c.id == console_sessions.c.person_id)
            .join(agencies, agencies.c.code == token_subjects.c.agency_code)
            .where(
                console_sessions.c.hash == hash_of(token),
                console_sessions.c.expires_at > now,
                console_sessions.c.last_seen_at > now - terms.idle,
                token_subjects.c.revoked_at.is_(None),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    if row.last_seen_at <= now - NOTED_EVERY:
        await session.execute(
            update(console_sessions)
            .where(console_sessions.c.id == row.id, console_sessions.c.last_seen_at < now)
            .values(last_seen_at=now)
        )
    caller = Caller(row.agency_code, frozenset(map(Role, row.roles)), row.person_id, person=row.subject)
    return SignedIn(row.id, caller, row.name, row.issuer, token)


async def end(session: AsyncSession, token: str) -> UUID | None:
    """End the session of a token, and give whose it was; None if there is none."""
    return await session.scalar(
        delete(console_sessions)
        .where(console_sessions.c.hash == hash_of(token))
        .returning(console_sessions.c.person_id)
    )


async def end_all(session: AsyncSession, person_id: UUID) -> int:
    """End all sessions of a person, and say how many."""
    gone = await session.execute(
        delete(console_sessions).where(console_sessions.c.person_id == person_id).returning(console_sessions.c.id)
    )
    return len(gone.all())


async def forget_expired(session: AsyncSession, *, now: datetime, terms: SessionTerms, limit: int = AT_ONCE) -> int:
    """Delete some sessions, links and sign-ins whose time is over, and say how many."""
    over = or_(console_sessions.c.expires_at <= now, console_sessions.c.last_seen_at <= now - terms.idle)
    count = 0
    for table, key, condition in (
        (console_sessions, console_sessions.c.id, over),
        (console_links, console_links.c.hash, console_links.c.expires_at <= now),
        (console_sign_ins, console_sign_ins.c.hash, console_sign_ins.c.expires_at <= now),
    ):
        old = select(key).where(condition).limit(limit).with_for_update(skip_locked=True).cte("old")
        gone = await session.execute(delete(table).where(key.in_(select(old.c[key.name]))).returning(key))
        count += len(gone.all())
    return count


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as an operator sees it."""

    roles: tuple[str, ...]
    signed_in_at: datetime
    last_seen_at: datetime
    expires_at: datetime


async def of_persons(
    session: AsyncSession, person_ids: Iterable[UUID], *, now: datetime, terms: SessionTerms
) -> Mapping[UUID, list[OpenSession]]:
    """Give the sessions of some persons that are open, by the person's id, the latest first."""
    found = await session.execute(
        select(
            console_sessions.c.person_id,
            console_sessions.c.roles,
            console_sessions.c.signed_in_at,
            console_sessions.c.last_seen_at,
            console_sessions.c.expires_at,
        )
        .where(
            console_sessions.c.person_id.in_(list(person_ids)),
            console_sessions.c.expires_at > now,
            console_sessions.c.last_seen_at > now - terms.idle,
        )
        .order_by(console_sessions.c.last_seen_at.desc())
    )
    sessions: dict[UUID, list[OpenSession]] = {}
    for person_id, roles, signed_in_at, last_seen_at, expires_at in found:
        line = OpenSession(tuple(roles), signed_in_at, last_seen_at, expires_at)
        sessions.setdefault(person_id, []).append(line)
    return sessions
