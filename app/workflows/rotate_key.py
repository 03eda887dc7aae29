"""A key is rotated: another takes its place, and both work until the old one's end."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Caller
from app.domain.errors import Fault, InvalidInput, KeyReplaced, NotFound
from app.domain.events import EventType, NewEvent
from app.storage import api_keys, audit, events
from app.storage.shared_clock import real_time
from app.workflows.issue_key import IssuedKey

OLD_VALID_FOR = timedelta(days=7)
LONGEST_OLD_VALID_FOR = timedelta(days=30)


async def rotate_key(
    tx: AsyncSession,
    key_id: UUID,
    *,
    now: datetime,
    old_valid_for: timedelta = OLD_VALID_FOR,
    by: Caller | None = None,
    sandbox: bool = False,
) -> tuple[IssuedKey, datetime]:
    """Issue a key of the same agency, roles, scopes, label and length of life; give it, and the end of the old one.

    The old one works for `old_valid_for` at most, which is none to thirty days. Over the API a key is rotated by its
    holder alone (NotFound for any other): who holds one key must not come by another. KeyReplaced if it was rotated.
    """
    if not timedelta(0) <= old_valid_for <= LONGEST_OLD_VALID_FOR:
        raise InvalidInput((Fault("/old_valid_for", "key_life", "from PT0S to P30D"),))
    old = await api_keys.lock_valid(tx, key_id) if by is None or by.key_id == key_id else None
    if old is None:
        raise NotFound("key")
    if old.replaced_by is not None:
        raise KeyReplaced
    moment = await real_time(tx)
    lifetime = old.expires_at - old.created_at if old.expires_at is not None else None
    roles = frozenset(old.roles)
    secret = api_keys.new_secret(roles, sandbox=sandbox)
    new_id = await api_keys.add(
        tx,
        secret=secret,
        agency_code=old.agency_code,
        roles=roles,
        label=old.label,
        expires_at=moment + lifetime if lifetime is not None else None,
        scopes=old.scopes,
        lineage_id=old.lineage_id,
    )
    if new_id is None:
        raise NotFound("key")
    ends_at = await api_keys.replace(tx, old.id, by=new_id, after=old_valid_for)
    await audit.record(tx, by, "key.rotate", subject="key", subject_id=old.id)
    data = {"key_id": str(old.id), "new_key_id": str(new_id), "expires_at": ends_at.isoformat()}
    # Whoever holds a stolen key could rotate it: its agency hears of it.
    await events.announce(tx, NewEvent(old.agency_code, EventType.KEY_ROTATED, data), now=now)
    return IssuedKey(new_id, old.agency_code, roles, secret), ends_at
