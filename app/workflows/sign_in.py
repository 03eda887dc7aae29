"""A person signs in to the console, and out again: what the audit learns of it, and what becomes of older sessions."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.access_token import TokenHolder
from app.domain.caller import Caller, Role
from app.domain.errors import NotFound, UnknownAgency
from app.storage import audit, console_sessions, console_sign_ins, token_subjects, ways
from app.storage.console_sessions import SessionTerms

LINKS = "urn:lintas:link"
"""The issuer of who signs in by a link of a trial."""


async def offer_link(tx: AsyncSession, *, agency_code: str, roles: Iterable[Role], name: str, now: datetime) -> str:
    """Make a link that signs a person of an agency in once, else UnknownAgency; give what it holds."""
    holder = TokenHolder(LINKS, name, agency_code, frozenset(roles), None, None)
    if not await token_subjects.note(tx, holder):
        raise UnknownAgency(agency_code)
    await audit.record(tx, None, "session.offer_link", subject="token_subject", subject_id=holder.id)
    return await console_sign_ins.make_link(tx, person_id=holder.id, roles=holder.roles, now=now)


async def sign_in_by_link(
    tx: AsyncSession, link: str, *, before: str | None, now: datetime, terms: SessionTerms, request_id: str | None
) -> str | None:
    """Use a link up, and give the token of the session that it opens; None if it does not count (any more)."""
    found = await console_sign_ins.use_link(tx, link, now=now)
    if found is None:
        return None
    caller = Caller(found.agency_code, found.roles, found.person_id, person=found.name)
    return await _begin(tx, caller, found.name, before=before, now=now, terms=terms, request_id=request_id)


async def sign_in_as(
    tx: AsyncSession,
    holder: TokenHolder,
    name: str,
    *,
    before: str | None,
    now: datetime,
    terms: SessionTerms,
    request_id: str | None,
) -> str | None:
    """Begin a session of whom the provider names; None if there is no such agency, or the person is revoked.

    `before` is the token of a session that the browser shows already: it ends.
    """
    if not await token_subjects.note(tx, holder):
        return None
    caller = await token_subjects.caller_of(tx, holder)
    if caller is None:
        return None
    return await _begin(tx, caller, name, before=before, now=now, terms=terms, request_id=request_id)


async def _begin(
    tx: AsyncSession,
    caller: Caller,
    name: str,
    *,
    before: str | None,
    now: datetime,
    terms: SessionTerms,
    request_id: str | None,
) -> str:
    if before is not None:
        await console_sessions.end(tx, before)
    token = await console_sessions.begin(
        tx, person_id=caller.key_id, roles=caller.roles, name=name, now=now, terms=terms
    )
    await ways.seen_in_console(tx, caller.agency_code, reaches_for=terms.reaches_for)
    await audit.record(
        tx, caller, "session.begin", subject="token_subject", subject_id=caller.key_id, request_id=request_id
    )
    return token


async def sign_out(tx: AsyncSession, token: str, *, request_id: str | None) -> None:
    """End a session, if there is one."""
    person_id = await console_sessions.end(tx, token)
    if person_id is not None:
        # Whose it was stands in its subject: a session that is over acts as nobody.
        await audit.record(
            tx, None, "session.end", subject="token_subject", subject_id=person_id, request_id=request_id
        )


async def sign_out_everywhere(tx: AsyncSession, caller: Caller) -> int:
    """End all sessions of a person, and say how many there were."""
    ended = await console_sessions.end_all(tx, caller.key_id)
    await audit.record(tx, caller, "session.end_all", subject="token_subject", subject_id=caller.key_id)
    return ended


async def sign_out_person(tx: AsyncSession, by: Caller, person_id: UUID, *, request_id: str | None) -> int:
    """End all sessions of somebody else, as an operator does, and say how many; NotFound if there is no such person."""
    if not await token_subjects.names_of(tx, [person_id]):
        raise NotFound("token_subject")
    ended = await console_sessions.end_all(tx, person_id)
    await audit.record(tx, by, "session.end_all", subject="token_subject", subject_id=person_id, request_id=request_id)
    return ended
