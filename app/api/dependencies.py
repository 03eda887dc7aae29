"""What routes ask for: the transaction, the caller, the time."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import language
from app.domain.caller import Caller, Role
from app.domain.errors import RoleRequired
from app.storage.reference import hold_still
from app.storage.sealing import KeyRing


async def transaction(request: Request) -> AsyncSession:
    """Give the request's one transaction, which its route commits before it answers."""
    tx: AsyncSession = request.state.tx
    return tx


async def current_caller(request: Request) -> Caller:
    """Give who calls, whatever their roles."""
    caller: Caller = request.state.caller
    return caller


class RequireRole:
    """Gives who calls if their key carries one of these roles, else RoleRequired."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    def check(self, caller: Caller) -> Caller:
        """Let the caller pass, else RoleRequired."""
        if not caller.may(*self.roles):
            raise RoleRequired(*(role.value for role in self.roles))
        return caller

    async def __call__(self, request: Request) -> Caller:
        """Give the caller, as FastAPI asks for it."""
        return self.check(request.state.caller)


async def now(request: Request) -> datetime:
    """Tell the time by the business clock, once for the whole request."""
    moment: datetime = request.state.now
    return moment


async def request_id(request: Request) -> str:
    """Give the id under which this request is logged and audited."""
    found: str = request.state.request_id
    return found


async def reading_language(request: Request) -> language.Language:
    """Give the language that the caller reads."""
    return language.chosen(",".join(request.headers.getlist("accept-language")))


async def key_ring(request: Request) -> KeyRing:
    """Give the ring that opens what is sealed."""
    ring: KeyRing = request.app.state.key_ring
    return ring


async def reference(request: Request) -> Any:
    """Give the reference data as it stands in this request's transaction."""
    if not hasattr(request.state, "reference"):
        to_change = getattr(request.state, "changes_registry", False)
        if getattr(request.state, "keeps_registry", False):
            await hold_still(request.state.tx)
        request.state.reference = await request.app.state.reference.current(request.state.tx, to_change=to_change)
    return request.state.reference


async def in_sandbox(request: Request) -> bool:
    """Say whether this is a sandbox."""
    sandbox: bool = request.app.state.terms.sandbox
    return sandbox


async def public_url(request: Request) -> str:
    """Give the address that others reach this service by, without a slash at its end."""
    url: str = request.app.state.terms.public_url
    return url


Transaction = Annotated[AsyncSession, Depends(transaction)]
CurrentCaller = Annotated[Caller, Depends(current_caller)]
Sender = Annotated[Caller, Depends(RequireRole(Role.SENDER))]
Receiver = Annotated[Caller, Depends(RequireRole(Role.RECEIVER))]
Coordinator = Annotated[Caller, Depends(RequireRole(Role.COORDINATOR))]
Operator = Annotated[Caller, Depends(RequireRole(Role.OPERATOR))]
SenderOrCoordinator = Annotated[Caller, Depends(RequireRole(Role.SENDER, Role.COORDINATOR))]
ProtectionOfficer = Annotated[Caller, Depends(RequireRole(Role.PROTECTION_OFFICER))]
SenderCoordinatorOrOfficer = Annotated[
    Caller, Depends(RequireRole(Role.SENDER, Role.COORDINATOR, Role.PROTECTION_OFFICER))
]
Now = Annotated[datetime, Depends(now)]
RequestId = Annotated[str, Depends(request_id)]
Language = Annotated[language.Language, Depends(reading_language)]
Ring = Annotated[KeyRing, Depends(key_ring)]
Reference = Annotated[Any, Depends(reference)]
InSandbox = Annotated[bool, Depends(in_sandbox)]
PublicUrl = Annotated[str, Depends(public_url)]
