"""What leads to a session of the console: links that are used once, and sign-ins that are at the provider."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Role
from app.storage.console_sessions import hash_of, new_token
from app.storage.tables import console_links, console_sign_ins, token_subjects

LINK_LIVES = timedelta(minutes=10)
"""From when a link is made."""
PROVIDER_LIVES = timedelta(minutes=10)
"""From when a person is sent to the provider until they must be back."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a link signs in."""

    person_id: UUID
    agency_code: str
    name: str
    roles: frozenset[Role]


async def make_link(session: AsyncSession, *, person_id: UUID, roles: Iterable[Role], now: datetime) -> str:
    """Make a link for a person, and give what it holds; this is the only time it is seen."""
    token = new_token()
    await session.execute(
        insert(console_links).values(
            hash=hash_of(token),
            person_id=person_id,
            roles=sorted(role.value for role in roles),
            expires_at=now + LINK_LIVES,
        )
    )
    return token


async def linked(session: AsyncSession, token: str, *, now: datetime) -> Linked | None:
    """Give whom a link would sign in, without using it up; None if it is used or its time is over."""
    row = (
        await session.execute(
            select(
                console_links.c.person_id, token_subjects.c.agency_code, token_subjects.c.subject, console_links.c.roles
            )
            .join(token_subjects, token_subjects.c.id == console_links.c.person_id)
            .where(
                console_links.c.hash == hash_of(token),
                console_links.c.expires_at > now,
                token_subjects.c.revoked_at.is_(None),
            )
        )
    ).one_or_none()
    return None if row is None else Linked(*row[:3], frozenset(map(Role, row.roles)))


async def use_link(session: AsyncSession, token: str, *, now: datetime) -> Linked | None:
    """Use a link up, and give whom it signs in; None if it is used or its time is over."""
    found = await linked(session, token, now=now)
    if found is None:
        return None
    used = await session.scalar(
        delete(console_links).where(console_links.c.hash == hash_of(token)).returning(console_links.c.person_id)
    )
    return None if used is None else found


async def go_out(session: AsyncSession, secret: str, *, next_page: str, now: datetime) -> None:
    """Note that somebody goes to the provider, whose browser keeps a secret meanwhile."""
    await session.execute(
        insert(console_sign_ins).values(hash=hash_of(secret), next=next_page, expires_at=now + PROVIDER_LIVES)
    )


async def come_back(session: AsyncSession, secret: str, *, now: datetime) -> str | None:
    """Take back who went to the provider, once, and give the page to show next; None if nobody did, or too long ago."""
    return await session.scalar(
        delete(console_sign_ins)
        .where(console_sign_ins.c.hash == hash_of(secret), console_sign_ins.c.expires_at > now)
        .returning(console_sign_ins.c.next)
    )
