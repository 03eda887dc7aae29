"""Keys: what an agency sees of its own, and how it changes or ends one."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, Field

from app.api.dependencies import CurrentCaller, InSandbox, Now, RequireRole, Transaction
from app.api.examples import KEY_ROTATION, shows
from app.api.intake_types import Code
from app.api.pages import Page, PageAsked
from app.api.route import BY_KEY, v1_router
from app.api.validation import Answer, Body, fault
from app.domain.caller import Role
from app.domain.durations import clock_time
from app.domain.errors import NotFound
from app.storage import api_keys
from app.storage.api_keys import ApiKey
from app.workflows import revoke_key as revoking
from app.workflows import rotate_key as rotating

router = v1_router("keys")

AT_ONCE = "PT0S"


def _life(said: str) -> str:
    length = timedelta(0) if said == AT_ONCE else clock_time(said)
    if length is None or length > rotating.LONGEST_OLD_VALID_FOR:
        raise fault("key_life")
    return said


class KeyRotation(Body):
    """How long the old key lives on."""

    model_config = shows(KEY_ROTATION)

    old_valid_for: Annotated[str, AfterValidator(_life)] = Field(
        "P7D", description="How long the old key works beside the new one, PT0S to P30D.", examples=["P7D", AT_ONCE]
    )

    def length(self) -> timedelta:
        """Give the time that the old key has left."""
        return timedelta(0) if self.old_valid_for == AT_ONCE else clock_time(self.old_valid_for) or timedelta(0)


class KeyView(Answer):
    """A key; what it is called with is never shown again."""

    id: UUID
    agency: str
    roles: list[str]
    scopes: list[str] | None = Field(description="What it is narrowed to; null is all that its roles may do.")
    label: str
    state: str = Field(examples=["valid", "expired", "revoked"])
    created_at: datetime
    expires_at: datetime | None = Field(description="Null is never.")
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To about a minute; null is not yet.")
    replaced_by: UUID | None = Field(description="The key that it was rotated to.")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """Show a key."""
        return cls(
            id=key.id,
            agency=key.agency_code,
            roles=[role.value for role in key.roles],
            scopes=None if key.scopes is None else list(key.scopes),
            label=key.label,
            state=key.state,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            replaced_by=key.replaced_by,
        )


class NewKey(KeyView):
    """A key with what it is called with."""

    secret: str = Field(description="Shown this once.", examples=["lintas_sender_..."])
    old_key_ends_at: datetime = Field(description="Until when the old key works too.")

    def __repr__(self) -> str:
        return "NewKey(...)"


@router.get("/keys")
async def list_keys(
    caller: CurrentCaller, tx: Transaction, paging: PageAsked, agency: Code | None = None
) -> Page[KeyView]:
    """List your agency's keys, oldest first; an operator may list those of another `agency`."""
    after = paging.after(UUID)
    if agency not in {None, caller.agency_code}:
        RequireRole(Role.OPERATOR).check(caller)
    whose = agency or caller.agency_code
    found = await api_keys.listed(tx, agency_code=whose, after=after and after[0], limit=paging.look_ahead)
    return paging.page(found, KeyView.of, lambda key: (key.id,))


@router.get("/keys/{key_id}")
async def read_key(key_id: UUID, caller: CurrentCaller, tx: Transaction) -> KeyView:
    """Read one key of your agency; an operator may read any."""
    whose = None if caller.may(Role.OPERATOR) else caller.agency_code
    found = await api_keys.get(tx, key_id, agency_code=whose)
    if found is None:
        raise NotFound("key")
    return KeyView.of(found)


@router.post("/keys/{key_id}/rotate", status_code=201, openapi_extra=BY_KEY)
async def rotate_key(
    key_id: UUID,
    body: KeyRotation,
    caller: CurrentCaller,
    tx: Transaction,
    now: Now,
    sandbox: InSandbox,
    response: Response,
) -> NewKey:
    """Get a new key in place of the one you call with; both work until the old one's end. It is shown this once.

    A key is rotated by itself alone; for any other the answer is 404. Your agency is told (`key.rotated`).
    """
    issued, ends_at = await rotating.rotate_key(
        tx, key_id, now=now, old_valid_for=body.length(), by=caller, sandbox=sandbox
    )
    response.headers["Location"] = f"/v1/keys/{issued.id}"
    shown = await api_keys.get(tx, issued.id)
    if shown is None:
        raise NotFound("key")
    return NewKey(**dict(KeyView.of(shown)), secret=issued.secret, old_key_ends_at=ends_at)


@router.post("/keys/{key_id}/revoke", openapi_extra=BY_KEY)
async def revoke_key(key_id: UUID, caller: CurrentCaller, tx: Transaction, now: Now) -> KeyView:
    """End the key you call with, from the next request on everywhere; an operator may end any.

    What it was rotated to lives on. Its agency is told (`key.revoked`).
    """
    return KeyView.of(await revoking.revoke_key(tx, key_id, now=now, by=caller))
